//! Programs on this machine, always tied to the target by a private kubeconfig that was proven to lead there.

use std::path::PathBuf;

use super::output::LineSink;
use crate::{
    actions::context::{Halt, StepCx},
    ports::{Collect, ExitStatus, Identity, Program, SecretBytes, SecretFile},
    text::Diagnostic,
};

/// Longest answer of helm that is read whole, in bytes.
const ANSWER: usize = 8 << 20;

/// A program call against one namespace.
pub struct Call {
    /// Name or path of the program.
    pub program: String,
    /// Arguments; `{file:NAME}` names one of `files`.
    pub args: Vec<String>,
    /// Folder it starts in.
    pub folder: PathBuf,
    /// Secret files it gets.
    pub files: Vec<(String, SecretBytes)>,
}

impl Call {
    /// A call in the run's artifacts folder.
    pub fn new(cx: &StepCx, program: &str, args: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            folder: cx.artifacts().to_owned(),
            files: Vec::new(),
        }
    }

    async fn program(self, cx: &StepCx, place: &Identity) -> Result<Program, Halt> {
        // a runbook without a deployment has no target, and its programs no cluster
        let kubeconfig = match &cx.deployment {
            Some(_) => Some(cx.world.objects.private_kubeconfig(place).await?),
            None => None,
        };
        Ok(Program {
            program: self.program,
            args: self.args,
            folder: self.folder,
            env: Vec::new(),
            kubeconfig,
            files: self.files.into_iter().map(|(name, content)| SecretFile { name, content }).collect(),
        })
    }
}

/// Runs it, its output followed live; returns status, kept output and last error lines.
pub async fn follow(cx: &StepCx, place: &Identity, call: Call) -> Result<(ExitStatus, String, Vec<String>), Halt> {
    let source = call.program.rsplit('/').next().unwrap_or_default().to_owned();
    let program = call.program(cx, place).await?;
    let mut sink = LineSink::new(cx, &source);
    let exit = cx.world.host.run(program, &mut sink, &cx.cancel).await?;
    sink.finish().await;
    let errors = std::mem::take(&mut sink.errors);
    Ok((exit, sink.text(), errors))
}

/// Runs it quietly: its output may hold secrets and is only returned.
///
/// # Errors
/// A failure naming program and status; standard error's first line is its cause, as it is written for people.
pub async fn answer(cx: &StepCx, place: &Identity, call: Call) -> Result<Vec<u8>, Halt> {
    let (name, verb) = (call.program.clone(), call.args.first().cloned().unwrap_or_default());
    let program = call.program(cx, place).await?;
    let mut out = Collect::new(ANSWER);
    let exit = cx.world.host.run(program, &mut out, &cx.cancel).await?;
    if exit.code == 0 {
        return Ok(out.out);
    }
    let said = out.errors();
    Err(Diagnostic::new(format!("{name} {verb} ended with status {}", exit.code))
        .cause(crate::text::printable(said.lines().next().unwrap_or("it said nothing")))
        .into())
}
