//! The engine's ledger on the journal file and `answers.json`.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::claim::{refuse_second, supersede};
use crate::{
    engine::Ledger,
    ports::Identity,
    run::{Purpose, Record, Taken},
    store::{FileLock, Journal, Keep, Runs, Wait, write_atomic},
    text::{Diagnostic, Typed},
};

/// Longest wait for another run that claims its target at the same moment.
const CLAIM: Duration = Duration::from_secs(5);

/// Journal and drafts of one run.
pub(super) struct FileLedger {
    pub(super) journal: Journal<Record>,
    pub(super) drafts: PathBuf,
    pub(super) runs: Runs,
    pub(super) run: String,
    /// The run that this one goes on from: it is at its end once this one changes something.
    pub(super) supersedes: Option<Taken>,
    /// How a command that finds the run is typed.
    pub(super) typed: Typed,
    /// Held from the look at the other runs until this one's claim is durable.
    pub(super) claiming: Option<FileLock>,
}

impl FileLedger {
    fn stop(&self, what: &str, error: &dyn std::fmt::Display) -> Diagnostic {
        Diagnostic::new(what)
            .cause(error.to_string())
            .proves("what is about to happen could not be written down, so it does not happen")
            .safe("everything up to the last record; nothing further was sent")
            .help(format!("mend the disk, then: {}", self.typed.command("resume")))
    }
}

impl Ledger for FileLedger {
    fn append(&mut self, at: Timestamp, record: &Record) -> Result<(), Diagnostic> {
        if matches!(record, Record::Effect { .. })
            && let Some(other) = &self.supersedes
        {
            supersede(&self.runs, other, &self.run)?;
            self.supersedes = None;
        }
        let appended = self.journal.append(at, record).map(drop);
        self.claiming = None;
        appended.map_err(|error| self.stop("the journal cannot be written", &error))
    }

    fn claim(&mut self, target: &Identity) -> Result<(), Diagnostic> {
        let lock = FileLock::acquire(&self.runs.claims(), Wait::UpTo(CLAIM))
            .map_err(|error| Diagnostic::new("cannot claim the target for this run").cause(error.to_string()))?;
        // a backup that is still at work could make the very dump anew that is restored here
        let other = self.supersedes.as_ref().filter(|taken| taken.purpose != Purpose::Restore);
        let other = other.map(|taken| taken.run.as_str());
        let own: Vec<&str> = [Some(self.run.as_str()), other].into_iter().flatten().collect();
        refuse_second(&self.runs, target, &own, &self.typed)?;
        self.claiming = Some(lock);
        Ok(())
    }

    fn save_drafts(&mut self, drafts: &Map<String, Value>) -> Result<(), Diagnostic> {
        let what = "the answers cannot be written";
        let text = serde_json::to_vec_pretty(drafts).map_err(|error| self.stop(what, &error))?;
        write_atomic(&self.drafts, &text, Keep::Nothing).map_err(|error| self.stop(what, &error))
    }
}
