//! What can go wrong with a vault. No variant holds anything that was encrypted.

use std::path::PathBuf;

use jiff::Timestamp;

use super::seal::Seal;
use crate::ports::{PortError, PortErrorKind};
use crate::store::StoreError;

/// Whether the passphrase was tried before the fault was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tested {
    /// It may well be right.
    No,
    /// It opened the identity.
    Right,
}

impl std::fmt::Display for Tested {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::No => "the passphrase was not tested, so it may well be right",
            Self::Right => "the passphrase is right",
        })
    }
}

/// A vault that cannot be made, opened, read or saved.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is none.
    #[error("cannot find a vault in {}: none was made yet", folder.display())]
    Missing { folder: PathBuf },
    /// One of the two files is there without the other.
    #[error(
        "cannot use the vault: {} is there and {} is not; put the missing file back from a copy, or move the other one away",
        present.display(), absent.display()
    )]
    Incomplete { present: PathBuf, absent: PathBuf },
    /// There is one already.
    #[error("cannot make a vault in {}: there is one", folder.display())]
    Exists { folder: PathBuf },
    /// An empty passphrase protects nothing.
    #[error("cannot take an empty passphrase")]
    EmptyPassphrase,
    /// The passphrase does not open the identity.
    #[error("cannot open the vault: this passphrase does not open it. The vault itself is untouched")]
    WrongPassphrase,
    /// The same, and the identity file is another one than the vault was last saved with.
    #[error(
        "cannot open the vault: this passphrase does not open {}, and that file has changed since the vault was saved: \
         either it is damaged, or the passphrase was changed while a save was cut off",
        path.display()
    )]
    IdentityChanged { path: PathBuf },
    /// The identity file is not whole.
    #[error("cannot open the vault: {} is damaged ({why}, {bytes} bytes now); {tested}", path.display())]
    IdentityDamaged { path: PathBuf, bytes: u64, why: &'static str, tested: Tested },
    /// Opening it would take more memory and time than any vault of ours.
    #[error(
        "cannot open the vault: its identity asks for scrypt work factor {needed}, and more than {limit} is refused because it \
         would take this machine's memory; drydock writes 18, so this file was not made by it"
    )]
    WorkFactor { needed: u8, limit: u8 },
    /// The vault file was cut.
    #[error(
        "cannot open the vault: {} has {bytes} of the {} bytes that were saved at {}; it was cut after saving, and {tested}",
        path.display(), seal.file_bytes, seal.at
    )]
    Truncated { path: PathBuf, bytes: u64, seal: Seal, tested: Tested },
    /// The vault file is not what was saved.
    #[error("cannot open the vault: {} is damaged ({why}, {bytes} bytes now); {tested}", path.display())]
    Damaged { path: PathBuf, bytes: u64, why: &'static str, tested: Tested },
    /// The vault is encrypted to another identity.
    #[error(
        "cannot open {} with this identity: the vault got a new one in the meantime, or the file is altered; unlock it again",
        path.display()
    )]
    OtherIdentity { path: PathBuf },
    /// A newer drydock wrote it.
    #[error("cannot read the vault: its content has format {found}, and this version knows up to {known}")]
    Newer { found: u32, known: u32 },
    /// It was locked in the meantime.
    #[error("cannot use the vault: it is locked")]
    Locked,
    /// A name that no entry can have.
    #[error(
        "cannot take {name:?} for the name of an entry: it has parts of letters, digits, '.', '_', '-', '~' and '%', joined by '/'"
    )]
    BadName { name: String },
    /// What is to be imported is no export of ours.
    #[error("cannot import this: it is no export of a vault (line {line}, column {column})")]
    NotAnExport { line: usize, column: usize },
    /// A file of a recovery set is not what was sealed.
    #[error("cannot use the recovery set: {}: {why}", path.display())]
    Set { path: PathBuf, why: String },
    /// Bytes could not be given out or taken in.
    #[error("cannot {what}: {source}")]
    Io { what: &'static str, source: std::io::Error },
    /// Encryption itself failed.
    #[error("cannot encrypt: {0}")]
    Encrypt(&'static str),
    /// The program that was to unlock failed.
    #[error("cannot unlock in a process of its own: {0}")]
    Child(String),
    /// Files, folders or locks.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VaultError {
    /// The same error as the core sees it.
    pub(super) fn into_port(self, what: impl Into<String>) -> PortError {
        let kind = match &self {
            Self::Missing { .. } | Self::Incomplete { .. } => PortErrorKind::NotFound,
            Self::Exists { .. } => PortErrorKind::Conflict,
            Self::EmptyPassphrase | Self::BadName { .. } | Self::NotAnExport { .. } => PortErrorKind::Invalid,
            Self::WrongPassphrase | Self::IdentityChanged { .. } | Self::OtherIdentity { .. } | Self::Locked => {
                PortErrorKind::Unauthorized
            }
            Self::IdentityDamaged { .. } | Self::Truncated { .. } | Self::Damaged { .. } | Self::Set { .. } => {
                PortErrorKind::Integrity
            }
            Self::WorkFactor { .. } | Self::Newer { .. } => PortErrorKind::Unsupported,
            Self::Store(StoreError::Held { .. }) => PortErrorKind::Timeout,
            Self::Io { .. } | Self::Store(_) => PortErrorKind::Io,
            Self::Encrypt(_) | Self::Child(_) => PortErrorKind::Other,
        };
        PortError::new(kind, what, self.to_string())
    }

    /// Whether the last save is not what was saved: the generation before can help.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::Damaged { .. })
    }

    /// When the damaged vault was saved, if that can still be read.
    pub fn saved_at(&self) -> Option<Timestamp> {
        match self {
            Self::Truncated { seal, .. } => Some(seal.at),
            _ => None,
        }
    }
}
