//! The vault while it is locked: its two files, making them, unlocking, and what can be said without a passphrase.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use age::secrecy::SecretString;
use age::x25519;
use jiff::Timestamp;

use super::child::Unlock;
use super::document::Document;
use super::error::{Tested, VaultError};
use super::identity::{self, WorkFactor};
use super::open::OpenVault;
use super::seal::{self, Seal};
use crate::store::{FileLock, Keep, StoreError, Wait, ensure_private_folder, previous_of, sha256_hex, write_atomic};
use crate::text::Typed;

/// A save takes milliseconds; a holder that needs longer than this hangs.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Which of the two saved generations is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The last one saved, `vault.age`.
    Current,
    /// The one before, `vault.age.1`, for when the last one is damaged.
    Previous,
}

/// A vault, locked. Cheap to clone; it holds no secret.
#[derive(Debug, Clone)]
pub struct Vault {
    folder: PathBuf,
    cost: WorkFactor,
    typed: Typed,
}

impl Vault {
    /// The vault in this folder, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, cost: WorkFactor::STANDARD, typed: Typed::default() }
    }

    /// The same vault, whose hints name commands as they are typed here.
    #[must_use]
    pub fn with_typed(self, typed: Typed) -> Self {
        Self { typed, ..self }
    }

    /// How a command that finds this vault is typed.
    pub fn typed(&self) -> &Typed {
        &self.typed
    }

    #[cfg(test)]
    pub(super) fn with_cost(folder: PathBuf, cost: WorkFactor) -> Self {
        Self { folder, cost, typed: Typed::default() }
    }

    pub(super) fn cost(&self) -> WorkFactor {
        self.cost
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The identity's file.
    pub fn identity_path(&self) -> PathBuf {
        self.folder.join("identity.age")
    }

    /// The vault's file, or the one of the generation before.
    pub fn path(&self, generation: Generation) -> PathBuf {
        let current = self.folder.join("vault.age");
        match generation {
            Generation::Current => current,
            Generation::Previous => previous_of(&current),
        }
    }

    /// Whether there is anything of a vault in the folder.
    pub fn exists(&self) -> bool {
        self.identity_path().exists() || self.path(Generation::Current).exists()
    }

    /// What the last save was, without a passphrase. `None` inside: whole, but encrypted by another age program.
    ///
    /// # Errors
    /// `Missing`, or what is damaged.
    pub fn inspect(&self) -> Result<Option<Seal>, VaultError> {
        self.inspect_generation(Generation::Current)
    }

    /// The generation before, if it is there and looks whole: what to offer when the last one is damaged.
    pub fn previous(&self) -> Option<Seal> {
        self.inspect_generation(Generation::Previous).ok().flatten()
    }

    /// What helps when the last save is damaged: the generation before, if that is whole.
    pub fn way_back(&self) -> Option<String> {
        let damaged = self.inspect().is_err_and(|error| error.is_damage());
        let seal = self.previous().filter(|_| damaged)?;
        let entries = if seal.entries == 1 { "1 secret".to_owned() } else { format!("{} secrets", seal.entries) };
        Some(format!(
            "the version of {:.0} beside it is whole, with {entries}. See it: {}; go on with it: {}",
            seal.at,
            self.typed.command("vault list --previous"),
            self.typed.command("resume --previous-vault")
        ))
    }

    fn inspect_generation(&self, generation: Generation) -> Result<Option<Seal>, VaultError> {
        seal::inspect(&self.path(generation), &self.read_vault(generation)?, Tested::No)
    }

    /// Makes a vault. Takes 256 MiB and about a second.
    ///
    /// # Errors
    /// `Exists` if any file of a vault is there: nothing is ever replaced.
    pub fn create(&self, passphrase: &SecretString) -> Result<OpenVault, VaultError> {
        let identity = x25519::Identity::generate();
        let wrapped = identity::wrap(&identity, passphrase, self.cost)?;
        let _lock = self.lock()?;
        match (self.identity_path().exists(), self.path(Generation::Current).exists()) {
            (false, false) => {}
            (true, true) => return Err(VaultError::Exists { folder: self.folder.clone() }),
            (true, false) => return Err(incomplete(self.identity_path(), self.path(Generation::Current))),
            (false, true) => return Err(incomplete(self.path(Generation::Current), self.identity_path())),
        }
        let mut document = Document::empty()?;
        document.generation = 1;
        let to = identity.to_public();
        let sealed = seal::seal(&document, &[&to], &sha256_hex(&wrapped), Timestamp::now())?;
        write_atomic(&self.identity_path(), &wrapped, Keep::Nothing)?;
        write_atomic(&self.path(Generation::Current), &sealed, Keep::Nothing)?;
        Ok(OpenVault::new(self.clone(), identity, Generation::Current))
    }

    /// Unlocks the last save. Blocks for about a second; `unlock_async` does not.
    ///
    /// # Errors
    /// `WrongPassphrase` changes and costs nothing. A damaged vault is noticed before the passphrase is tried.
    pub fn unlock(&self, passphrase: &SecretString, how: &Unlock) -> Result<OpenVault, VaultError> {
        self.unlock_generation(Generation::Current, passphrase, how)
    }

    /// Unlocks the generation before. The first save puts it in the place of the damaged file, which is kept as
    /// `vault.age.damaged`.
    pub fn unlock_previous(&self, passphrase: &SecretString, how: &Unlock) -> Result<OpenVault, VaultError> {
        self.unlock_generation(Generation::Previous, passphrase, how)
    }

    /// `unlock` or `unlock_previous` for callers that must not block.
    pub async fn unlock_async(
        &self,
        generation: Generation,
        passphrase: SecretString,
        how: Unlock,
    ) -> Result<OpenVault, VaultError> {
        let vault = self.clone();
        tokio::task::spawn_blocking(move || vault.unlock_generation(generation, &passphrase, &how))
            .await
            .map_err(|_| VaultError::Child("the thread ended early".to_owned()))?
    }

    fn unlock_generation(
        &self,
        generation: Generation,
        passphrase: &SecretString,
        how: &Unlock,
    ) -> Result<OpenVault, VaultError> {
        let path = self.path(generation);
        let file = self.read_vault(generation)?;
        let seal = seal::inspect(&path, &file, Tested::No)?;
        let wrapped = self.read_identity()?;
        let identity =
            how.unwrap(&self.identity_path(), &wrapped, passphrase).map_err(|error| match (error, &seal) {
                (VaultError::WrongPassphrase, Some(seal)) if seal.identity_sha256 != sha256_hex(&wrapped) => {
                    VaultError::IdentityChanged { path: self.identity_path() }
                }
                (error, _) => error,
            })?;
        seal::open(&path, &file, &identity)?;
        Ok(OpenVault::new(self.clone(), identity, generation))
    }

    pub(super) fn read_identity(&self) -> Result<Vec<u8>, VaultError> {
        self.read(&self.identity_path(), &self.path(Generation::Current))
    }

    pub(super) fn read_vault(&self, generation: Generation) -> Result<Vec<u8>, VaultError> {
        self.read(&self.path(generation), &self.identity_path())
    }

    fn read(&self, path: &Path, other: &Path) -> Result<Vec<u8>, VaultError> {
        match fs::read(path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("read", path)(error).into()),
            Err(_) if other.exists() => Err(incomplete(other.to_owned(), path.to_owned())),
            Err(_) => Err(VaultError::Missing { folder: self.folder.clone() }),
        }
    }

    /// Keeps other processes from saving.
    pub(super) fn lock(&self) -> Result<FileLock, VaultError> {
        ensure_private_folder(&self.folder)?;
        Ok(FileLock::acquire(&self.folder.join("vault.lock"), Wait::UpTo(LOCK_WAIT))?)
    }
}

fn incomplete(present: PathBuf, absent: PathBuf) -> VaultError {
    VaultError::Incomplete { present, absent }
}
