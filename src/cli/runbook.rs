//! `runbook list|show|lint|schema`.

use std::{io::Write, path::PathBuf};

use super::{
    Exit, Failure, Outcome,
    target::{TargetArgs, runbook},
};
use crate::runbook::{EMBEDDED, load, schema};

/// `runbook …`
#[derive(Debug, clap::Subcommand)]
pub enum RunbookCommand {
    /// List the runbooks of this program
    List,
    /// Show the phases and steps of one
    // it is much larger than the others
    Show(Box<TargetArgs>),
    /// Tell every fault of files
    Lint { files: Vec<PathBuf> },
    /// Print the JSON Schema of a runbook file
    Schema,
}

/// Does it.
pub fn run(command: &RunbookCommand, out: &mut dyn Write) -> Outcome {
    match command {
        RunbookCommand::List => {
            for (id, text) in EMBEDDED {
                let loaded = load(id, text).map_err(|problems| Failure { exit: Exit::Internal, problems })?;
                writeln!(out, "{id}  {}  {}", loaded.runbook.version, loaded.runbook.about)?;
            }
        }
        RunbookCommand::Show(args) => {
            let loaded = runbook(args)?;
            writeln!(
                out,
                "{} {} (sha256 {})\n{}",
                loaded.runbook.title, loaded.runbook.version, loaded.digest, loaded.runbook.about
            )?;
            for intent in &loaded.runbook.intents {
                writeln!(out, "\nintent {}: {}", intent.id, intent.title)?;
                for (_, number, step) in intent.steps() {
                    writeln!(out, "  {number} {} [{}, {}]: {}", step.title, step.id, step.action.kind(), step.why)?;
                }
            }
        }
        RunbookCommand::Lint { files } => {
            let mut problems = Vec::new();
            for path in files {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
                match load(&path.display().to_string(), &text) {
                    Ok(_) => writeln!(out, "{}: no fault", path.display())?,
                    Err(faults) => problems.extend(faults),
                }
            }
            if !problems.is_empty() {
                return Err(Failure { exit: Exit::Usage, problems });
            }
        }
        RunbookCommand::Schema => {
            let text = schema().map_err(std::io::Error::from)?;
            write!(out, "{text}")?;
        }
    }
    Ok(Exit::Done)
}
