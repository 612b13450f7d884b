//! The vault while it is open: reading, saving, locking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use age::x25519;
use jiff::Timestamp;

use super::document::Document;
use super::error::VaultError;
use super::seal;
use super::vault_files::{Generation, Vault};
use crate::ports::{EntryMeta, EntryName, SecretBytes};
use crate::store::{Keep, sha256_hex, sweep_temporary, write_atomic};

/// An open vault. Clones share one lock: locking any of them locks all.
///
/// Every method here works on files and blocks; `Keeper` is the way in for async callers.
#[derive(Clone)]
pub struct OpenVault {
    inner: Arc<Inner>,
}

struct Inner {
    files: Vault,
    state: Mutex<State>,
}

/// What is held while open. The identity wipes itself when it is dropped.
struct State {
    identity: Option<x25519::Identity>,
    generation: Generation,
}

/// What a name given by a human means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This entry.
    One(EntryMeta),
    /// No entry.
    None,
    /// Several entries, as `RUN/NAME`.
    Several(Vec<String>),
}

impl std::fmt::Debug for OpenVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenVault").field("folder", &self.inner.files.folder()).finish_non_exhaustive()
    }
}

impl OpenVault {
    pub(super) fn new(files: Vault, identity: x25519::Identity, generation: Generation) -> Self {
        let state = Mutex::new(State { identity: Some(identity), generation });
        Self { inner: Arc::new(Inner { files, state }) }
    }

    /// Its files.
    pub fn files(&self) -> &Vault {
        &self.inner.files
    }

    /// Wipes the identity. Every later call answers `Locked`; a save that is under way ends as it would have.
    pub fn lock(&self) {
        self.state().identity = None;
    }

    /// Whether it was locked.
    pub fn is_locked(&self) -> bool {
        self.state().identity.is_none()
    }

    /// Everything in it, without values, in order of runs and names.
    pub fn entries(&self) -> Result<Vec<EntryMeta>, VaultError> {
        Ok(self.document()?.entries.into_iter().map(|entry| entry.meta).collect())
    }

    /// One value.
    pub fn value(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, VaultError> {
        Ok(self.document()?.find(run, name).map(|entry| entry.value.0.clone()))
    }

    /// Saves one value, durably, over what was there under this run and name. Says its length and check.
    pub fn set(&self, meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, VaultError> {
        self.edit(|document| document.put(meta, value))
    }

    /// Removes one entry and says what it was.
    pub fn remove(&self, run: &str, name: &EntryName) -> Result<Option<EntryMeta>, VaultError> {
        if self.document()?.find(run, name).is_none() {
            return Ok(None);
        }
        self.edit(|document| {
            let at = document.entries.iter().position(|entry| entry.meta.run == run && &entry.meta.name == name);
            Ok(at.map(|at| document.entries.remove(at).meta))
        })
    }

    /// Four hex digits of a keyed hash, to compare two values without showing them.
    pub fn check(&self, value: &[u8]) -> Result<String, VaultError> {
        self.document()?.check(value)
    }

    /// A keyed hash, 64 hex digits.
    pub fn digest(&self, bytes: &[u8]) -> Result<String, VaultError> {
        self.document()?.digest(bytes)
    }

    /// What `RUN/NAME`, `ENDING/NAME` (a unique ending of a run) or a unique `NAME` means.
    pub fn find(&self, wanted: &str) -> Result<Found, VaultError> {
        let path = |meta: &EntryMeta| format!("{}/{}", meta.run, meta.name.0);
        let fits = |meta: &EntryMeta| {
            let run = wanted.strip_suffix(&meta.name.0).and_then(|before| before.strip_suffix('/'));
            wanted == meta.name.0 || run.is_some_and(|run| meta.run == run || meta.run.ends_with(&format!("-{run}")))
        };
        let mut hits: Vec<_> = self.entries()?.into_iter().filter(fits).collect();
        if let Some(exact) = hits.iter().position(|meta| path(meta) == wanted) {
            return Ok(Found::One(hits.swap_remove(exact)));
        }
        Ok(match hits.len() {
            0 => Found::None,
            1 => Found::One(hits.swap_remove(0)),
            _ => Found::Several(hits.iter().map(path).collect()),
        })
    }

    /// The document as it is on disk now.
    pub(super) fn document(&self) -> Result<Document, VaultError> {
        let state = self.state();
        self.read(&state)
    }

    fn read(&self, state: &State) -> Result<Document, VaultError> {
        let identity = state.identity.as_ref().ok_or(VaultError::Locked)?;
        let file = self.inner.files.read_vault(state.generation)?;
        seal::open(&self.inner.files.path(state.generation), &file, identity)
    }

    /// Reads, changes and saves in one go, with every other process kept out, so that no save overwrites another.
    pub(super) fn edit<T>(&self, change: impl FnOnce(&mut Document) -> Result<T, VaultError>) -> Result<T, VaultError> {
        let files = &self.inner.files;
        let _lock = files.lock()?;
        let mut state = self.state();
        let mut document = self.read(&state)?;
        let answer = change(&mut document)?;
        document.generation += 1;
        let to = state.identity.as_ref().ok_or(VaultError::Locked)?.to_public();
        let sealed = seal::seal(&document, &[&to], &sha256_hex(&files.read_identity()?), Timestamp::now())?;
        let path = files.path(Generation::Current);
        sweep_temporary(&path)?;
        match state.generation {
            Generation::Current => write_atomic(&path, &sealed, Keep::Previous)?,
            Generation::Previous => {
                // What is there now is damaged: it must not push the good generation out, nor be lost itself.
                if let Ok(damaged) = files.read_vault(Generation::Current) {
                    write_atomic(&files.folder().join("vault.age.damaged"), &damaged, Keep::Nothing)?;
                }
                write_atomic(&path, &sealed, Keep::Nothing)?;
                state.generation = Generation::Current;
            }
        }
        Ok(answer)
    }

    /// The identity that is held, for `rotate`.
    pub(super) fn identity(&self) -> Result<x25519::Identity, VaultError> {
        self.state().identity.clone().ok_or(VaultError::Locked)
    }

    /// Holds another identity from now on.
    pub(super) fn take_identity(&self, identity: x25519::Identity) {
        *self.state() = State { identity: Some(identity), generation: Generation::Current };
    }

    /// A thread that panicked while it held the state left it whole: it is only ever replaced.
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
