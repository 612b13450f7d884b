//! What can go wrong with a journal.

use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// A journal that cannot be written or believed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused.
    #[error("cannot use the journal {}: {source}", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Its file could not be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line is not what was written there.
    #[error("cannot believe the journal {}: line {line} {why}", path.display())]
    Broken {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// An earlier line failed, so what the file holds is unknown until it is read again.
    #[error("cannot write to the journal {} any more: an earlier line failed. Resume the run to read it again", path.display())]
    Poisoned {
        /// The journal.
        path: PathBuf,
    },
    /// The record itself cannot be written as JSON. Nothing was written.
    #[error("cannot write the record as JSON: {source}")]
    Record {
        /// What serde says.
        source: serde_json::Error,
    },
}

impl JournalError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
