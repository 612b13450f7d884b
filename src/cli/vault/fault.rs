//! Why a vault command did not do what was asked, and the exit code for it.

use std::io;

use super::AskError;
use crate::cli::exit::Exit;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("cannot find an entry called {wanted:?}; {list} shows them")]
    NoEntry { wanted: String, list: String },
    #[error("cannot tell which entry {wanted:?} means: {}", all.join(", "))]
    Ambiguous { wanted: String, all: Vec<String> },
    #[error("cannot save {0:?}: a new entry needs the whole name RUN/NAME, as 2026-11-20-pixelcore-7f3a/lns/token")]
    NoRun(String),
    #[error("cannot write secrets to a terminal; give a file with --output FILE, or a pipe")]
    Terminal,
    #[error("cannot {what}: {source}")]
    Io { what: &'static str, source: io::Error },
}

impl Fault {
    /// The exit code it leads to.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Vault(VaultError::Exists { .. }) => Exit::Refused,
            Self::Vault(VaultError::BadName { .. } | VaultError::EmptyPassphrase | VaultError::NotAnExport { .. })
            | Self::NoEntry { .. }
            | Self::Ambiguous { .. }
            | Self::NoRun(_)
            | Self::Terminal => Exit::Usage,
            Self::Ask(error) => error.exit(),
            Self::Vault(_) | Self::Store(_) | Self::Io { .. } => Exit::Environment,
        }
    }
}

/// The system's answer to `what`.
pub(super) fn io_fault(what: &'static str) -> impl FnOnce(io::Error) -> Fault {
    move |source| Fault::Io { what, source }
}
