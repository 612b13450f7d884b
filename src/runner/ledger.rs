//! The engine's ledger on the journal file and `answers.json`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    engine::Ledger,
    run::Record,
    store::{Journal, Keep, write_atomic},
    text::Diagnostic,
};

/// Journal and drafts of one run.
pub(super) struct FileLedger {
    pub(super) journal: Journal<Record>,
    pub(super) drafts: PathBuf,
}

fn stop(what: &str, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new(what)
        .cause(error.to_string())
        .proves("what is about to happen could not be written down, so it does not happen")
        .safe("everything up to the last record; nothing further was sent")
        .help("mend the disk, then: drydock resume")
}

impl Ledger for FileLedger {
    fn append(&mut self, at: Timestamp, record: &Record) -> Result<(), Diagnostic> {
        self.journal.append(at, record).map(drop).map_err(|error| stop("the journal cannot be written", &error))
    }

    fn save_drafts(&mut self, drafts: &Map<String, Value>) -> Result<(), Diagnostic> {
        let text = serde_json::to_vec_pretty(drafts).map_err(|error| stop("the answers cannot be written", &error))?;
        write_atomic(&self.drafts, &text, Keep::Nothing).map_err(|error| stop("the answers cannot be written", &error))
    }
}
