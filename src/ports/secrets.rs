//! Secrets: the vault as the core sees it.

use std::path::PathBuf;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::PortError;

/// Bytes that are wiped when dropped and never print.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves; the name is long on purpose, so that each use can be found.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}

/// Path-like name of an entry: `lns/lns-main/token`. Segments of `[A-Za-z0-9._-]+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryName(pub String);

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Provenance {
    /// Read from the application or cluster, with the place in words.
    Found { place: String },
    /// Typed by the operator.
    Typed { by: String },
    /// Taken from a file of this machine.
    File { path: String },
    /// Taken from an earlier run.
    Run { run: String },
    /// The runbook's default.
    Default,
}

/// What an entry is for, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryMeta {
    /// Its name.
    pub name: EntryName,
    /// Run that captured it.
    pub run: String,
    /// Runbook id.
    pub runbook: String,
    /// Digest of the runbook that captured it: only that one may read it without a grant.
    pub runbook_digest: String,
    /// Step that captured it.
    pub step: String,
    /// Where the value came from.
    pub provenance: Provenance,
    /// When it was saved.
    pub at: Timestamp,
    /// Length of the value in characters (bytes where it is not text).
    pub length: usize,
    /// Four hex digits of a keyed hash, so that two places can be compared without reading.
    pub check: String,
}

/// How the vault stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultState {
    /// There is none yet.
    Absent,
    /// There is one, and it is locked.
    Locked,
    /// It is open.
    Open,
}

/// What goes into a recovery set.
#[derive(Debug, Clone)]
pub struct Sealing {
    /// The run, whose secrets go into it, too.
    pub run: String,
    /// When.
    pub at: Timestamp,
    /// What the set says of itself in the open; no secret.
    pub about: serde_json::Value,
    /// Files: path below the run's folder, and where it is.
    pub files: Vec<(String, PathBuf)>,
    /// The set's own folder.
    pub folder: PathBuf,
}

/// A recovery set that was opened again after it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// Number of encrypted files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// The vault.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// How it stands.
    fn state(&self) -> VaultState;

    /// Makes it with this passphrase where there is none, else opens it.
    ///
    /// # Errors
    /// `Unauthorized` for a passphrase that does not open it, `Integrity` for a damaged file.
    async fn open(&self, passphrase: &SecretString) -> Result<(), PortError>;

    /// The value of an entry captured by `run`, if there is one.
    async fn get(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, PortError>;

    /// Saves a value (durable when it returns) and says its meta data, with length and check filled in.
    async fn put(&self, meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, PortError>;

    /// What is there for a run, in order of names.
    async fn list(&self, run: &str) -> Result<Vec<EntryMeta>, PortError>;

    /// Seals files and the secrets of a run in a folder that the vault's passphrase opens, and opens them again.
    async fn seal(&self, sealing: Sealing) -> Result<Sealed, PortError>;

    /// A keyed hash (64 hex digits) of some bytes, for comparing without keeping.
    async fn keyed_digest(&self, bytes: &[u8]) -> Result<String, PortError>;
}
