//! The vault of one process as the core sees it: absent, locked or open. Implements the `Secrets` port; called by `runner`'s
//! engine through it, and made by `cli`.

use std::sync::{Mutex, PoisonError};

use age::secrecy::SecretString;
use async_trait::async_trait;

use super::child::Unlock;
use super::error::VaultError;
use super::open::OpenVault;
use super::vault_files::{Generation, Vault};
use crate::ports::{EntryMeta, EntryName, PortError, PortErrorKind, Sealed, Sealing, SecretBytes, Secrets, VaultState};

/// A vault that a run opens when it needs it.
#[derive(Debug)]
pub struct Keeper {
    vault: Vault,
    unlock: Unlock,
    generation: Generation,
    open: Mutex<Option<OpenVault>>,
}

impl Keeper {
    /// The vault of these files, locked; `unlock` says where scrypt will run.
    pub fn new(vault: Vault, unlock: Unlock) -> Self {
        Self { vault, unlock, generation: Generation::Current, open: Mutex::new(None) }
    }

    /// The same, which opens this generation: the one before, when the last save is damaged.
    #[must_use]
    pub fn with(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }

    /// Wipes what opens it. Work that is under way ends as it would have.
    pub fn lock(&self) {
        if let Some(open) = self.held().take() {
            open.lock();
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<OpenVault>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does blocking work on a thread for such. A save goes on to its end even if nobody waits for it any more.
    async fn work<T: Send + 'static>(
        &self,
        what: String,
        work: impl FnOnce(&OpenVault) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, PortError> {
        let Some(open) = self.held().clone() else { return Err(VaultError::Locked.into_port(what)) };
        match tokio::task::spawn_blocking(move || work(&open)).await {
            Ok(done) => done.map_err(|error| self.told(error, what)),
            Err(_) => Err(PortError::new(PortErrorKind::Other, what, "the thread ended early")),
        }
    }

    /// The error as the core sees it; of a damaged vault, with what helps.
    fn told(&self, error: VaultError, what: impl Into<String>) -> PortError {
        let way_back = if error.is_damage() { self.vault.way_back() } else { None };
        let port = error.into_port(what);
        match way_back {
            Some(way) => PortError { detail: format!("{}; {way}", port.detail), ..port },
            None => port,
        }
    }

    /// Making it runs scrypt in this process, once in a vault's life: its new identity never crosses a pipe.
    async fn create(&self, passphrase: &SecretString) -> Result<OpenVault, VaultError> {
        let (vault, passphrase) = (self.vault.clone(), passphrase.clone());
        tokio::task::spawn_blocking(move || vault.create(&passphrase))
            .await
            .map_err(|_| VaultError::Child("the thread ended early".to_owned()))?
    }
}

#[async_trait]
impl Secrets for Keeper {
    fn state(&self) -> VaultState {
        match self.held().as_ref() {
            Some(open) if !open.is_locked() => VaultState::Open,
            _ if self.vault.exists() => VaultState::Locked,
            _ => VaultState::Absent,
        }
    }

    async fn open(&self, passphrase: &SecretString) -> Result<(), PortError> {
        let opened = if self.vault.exists() {
            self.vault
                .unlock_async(self.generation, passphrase.clone(), self.unlock.clone())
                .await
                .map_err(|error| self.told(error, "the vault stays locked"))?
        } else {
            self.create(passphrase).await.map_err(|error| error.into_port("the vault is not made"))?
        };
        *self.held() = Some(opened);
        Ok(())
    }

    async fn get(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, PortError> {
        let (run, name) = (run.to_owned(), name.clone());
        self.work(format!("cannot read {} from the vault", name.0), move |open| open.value(&run, &name)).await
    }

    async fn put(&self, meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, PortError> {
        self.work(format!("cannot save {} in the vault", meta.name.0), move |open| open.set(meta, value)).await
    }

    async fn list(&self, run: &str) -> Result<Vec<EntryMeta>, PortError> {
        let run = run.to_owned();
        let of_run = move |open: &OpenVault| Ok(open.entries()?.into_iter().filter(|meta| meta.run == run).collect());
        self.work("cannot list the vault".to_owned(), of_run).await
    }

    async fn seal(&self, sealing: Sealing) -> Result<Sealed, PortError> {
        self.work("cannot seal the recovery set".to_owned(), move |open| open.seal_set(&sealing)).await
    }

    async fn keyed_digest(&self, bytes: &[u8]) -> Result<String, PortError> {
        let bytes = SecretBytes::new(bytes.to_vec());
        self.work("cannot make a keyed digest".to_owned(), move |open| open.digest(bytes.expose_secret())).await
    }
}
