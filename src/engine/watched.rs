//! The vault, watched: every value that a step of this run keeps in it or reads from it becomes known as a secret.
//!
//! Owns nothing but that. `core` puts it in the place of the world's own vault, so that no action can pass it by.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::known::Known;
use crate::ports::{EntryMeta, EntryName, PortError, Sealed, Sealing, SecretBytes, Secrets, VaultState};

/// A vault whose values are known from their first use on.
pub struct Watched {
    pub vault: Arc<dyn Secrets>,
    pub known: Arc<Known>,
}

#[async_trait]
impl Secrets for Watched {
    fn state(&self) -> VaultState {
        self.vault.state()
    }

    async fn open(&self, passphrase: &SecretString) -> Result<(), PortError> {
        self.vault.open(passphrase).await
    }

    async fn get(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, PortError> {
        let found = self.vault.get(run, name).await?;
        if let Some(value) = &found {
            self.known.learn(name, value);
        }
        Ok(found)
    }

    async fn put(&self, meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, PortError> {
        // also where it cannot be kept: the error may quote it
        self.known.learn(&meta.name, &value);
        self.vault.put(meta, value).await
    }

    async fn list(&self, run: &str) -> Result<Vec<EntryMeta>, PortError> {
        self.vault.list(run).await
    }

    async fn seal(&self, sealing: Sealing) -> Result<Sealed, PortError> {
        self.vault.seal(sealing).await
    }

    async fn keyed_digest(&self, bytes: &[u8]) -> Result<String, PortError> {
        self.vault.keyed_digest(bytes).await
    }
}
