//! The port `Exec`: each call is one of the constant scripts on the acknowledged stream.

use std::path::Path;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{connect::Cluster, stream::Proof};
use crate::ports::{
    Collect, Exec, ExitStatus, JobState, OutputSink, PodRef, PodTools, PortError, PortErrorKind, Transferred,
    remote::Script,
};

/// Longest answer of a short script, in bytes.
const ANSWER: usize = 256 * 1024;

impl Cluster {
    /// Runs a short script and returns what it prints.
    pub(super) async fn script(
        &self,
        pod: &PodRef,
        script: Script,
        args: &[&str],
        input: &[u8],
    ) -> Result<String, PortError> {
        let mut out = Collect::new(ANSWER);
        let never = CancellationToken::new();
        let exit = self.acknowledged(pod, (&script.command(args), Proof::Count), input, &mut out, &never).await?;
        if exit.code == 0 {
            return Ok(out.text());
        }
        let said = crate::text::printable(out.errors().trim());
        let detail = format!("it ended with status {}: {said}", exit.code);
        Err(PortError::new(PortErrorKind::Other, format!("cannot run {} in pod {}", script.name(), pod.pod), detail))
    }
}

fn answer_fault(script: Script, answer: &str) -> PortError {
    PortError::new(
        PortErrorKind::Other,
        format!("cannot understand {}", script.name()),
        format!("it answered {answer:?}"),
    )
}

#[async_trait]
impl Exec for Cluster {
    async fn run(
        &self,
        pod: &PodRef,
        command: &[String],
        input: &[u8],
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        self.acknowledged(pod, (command, Proof::Count), input, out, cancel).await
    }

    async fn probe(&self, pod: &PodRef, programs: &[&str], folder: &str) -> Result<PodTools, PortError> {
        let mut args = vec![folder];
        args.extend(programs);
        let answer = self.script(pod, Script::Probe, &args, &[]).await?;
        let mut tools = PodTools::default();
        for line in answer.lines() {
            match line.split_once(' ') {
                Some(("program", name)) => tools.programs.push(name.to_owned()),
                Some(("first", name)) => name.clone_into(&mut tools.first_process),
                Some(("free", bytes)) => {
                    tools.free_bytes = bytes.parse().map_err(|_| answer_fault(Script::Probe, line))?;
                }
                _ => return Err(answer_fault(Script::Probe, line)),
            }
        }
        Ok(tools)
    }

    async fn start(&self, pod: &PodRef, folder: &str, job: &str, command: &[String]) -> Result<(), PortError> {
        let mut args = vec![folder, job];
        args.extend(command.iter().map(String::as_str));
        self.script(pod, Script::Start, &args, &[]).await.map(|_| ())
    }

    async fn poll(&self, pod: &PodRef, folder: &str, job: &str) -> Result<JobState, PortError> {
        let answer = self.script(pod, Script::Poll, &[folder, job], &[]).await?;
        let words: Vec<&str> = answer.split_whitespace().collect();
        let number = |word: &str| word.parse::<u64>().map_err(|_| answer_fault(Script::Poll, &answer));
        match words.as_slice() {
            ["absent"] => Ok(JobState::Absent),
            ["lost"] => Ok(JobState::Lost),
            ["running", out, err, read] => {
                Ok(JobState::Running { out: number(out)?, err: number(err)?, read: number(read)? })
            }
            ["ended", code, out, err] => {
                let code = code.parse().map_err(|_| answer_fault(Script::Poll, &answer))?;
                Ok(JobState::Ended { code, out: number(out)?, err: number(err)? })
            }
            _ => Err(answer_fault(Script::Poll, &answer)),
        }
    }

    async fn stop(&self, pod: &PodRef, folder: &str, job: &str) -> Result<(), PortError> {
        self.script(pod, Script::Stop, &[folder, job], &[]).await.map(|_| ())
    }

    async fn digest(&self, pod: &PodRef, path: &str) -> Result<Option<Transferred>, PortError> {
        let answer = self.script(pod, Script::Digest, &[path], &[]).await?;
        match answer.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["absent"] => Ok(None),
            [bytes, sha256] => {
                let bytes = bytes.parse().map_err(|_| answer_fault(Script::Digest, &answer))?;
                Ok(Some(Transferred { bytes, sha256: (*sha256).to_owned() }))
            }
            _ => Err(answer_fault(Script::Digest, &answer)),
        }
    }

    async fn download(
        &self,
        pod: &PodRef,
        from: &str,
        to: &Path,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        self.fetch(pod, from, to, progress, cancel).await
    }

    async fn upload(
        &self,
        pod: &PodRef,
        from: &Path,
        to: &str,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        self.put(pod, from, to, progress, cancel).await
    }
}
