//! What can go wrong with folders, files, locks and run folders. The journal has an error of its own.

use std::io;
use std::path::{Path, PathBuf};

use super::{Holder, RunId};

/// A file or folder of ours that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused; its own words follow.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: "create the folder".
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Others could read or change what lies there.
    #[error("cannot use {}: {why}. To mend it: {mend}", path.display())]
    NotPrivate {
        /// The folder.
        path: PathBuf,
        /// Why it is refused.
        why: String,
        /// A command that mends it.
        mend: String,
    },
    /// There is no home folder to put things in.
    #[error("cannot tell where to keep files: no home folder is known; give one with --state-dir DIR")]
    NoHome,
    /// Somebody else holds the lock.
    #[error("cannot lock {}: {holder}", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as the file says.
        holder: Holder,
    },
    /// No run is called so.
    #[error("cannot find a run that is called {wanted:?} or ends so")]
    NoSuchRun {
        /// What was asked for.
        wanted: String,
    },
    /// More than one run ends so.
    #[error("cannot tell which run {wanted:?} means: {}", list(candidates))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// All that end so.
        candidates: Vec<RunId>,
    },
    /// The system gave no random bytes.
    #[error("cannot get random bytes from the system: {0}")]
    Random(#[from] getrandom::Error),
}

impl StoreError {
    /// Turns the system's answer into ours: "cannot `what` `path`".
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, path: path.to_owned(), source }
    }
}

fn list(runs: &[RunId]) -> String {
    runs.iter().map(RunId::as_str).collect::<Vec<_>>().join(", ")
}
