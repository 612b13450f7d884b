//! The open vault as the core sees it: the `Secrets` port.

use async_trait::async_trait;

use super::error::VaultError;
use super::open::OpenVault;
use crate::ports::{EntryMeta, EntryName, PortError, PortErrorKind, SecretBytes, Secrets};

/// Does blocking work on a thread for such. A save goes on to its end even if nobody waits for it any more.
async fn blocking<T: Send + 'static>(
    vault: &OpenVault,
    what: String,
    work: impl FnOnce(&OpenVault) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, PortError> {
    let vault = vault.clone();
    match tokio::task::spawn_blocking(move || work(&vault)).await {
        Ok(done) => done.map_err(|error| error.into_port(what)),
        Err(_) => Err(PortError::new(PortErrorKind::Other, what, "the thread ended early")),
    }
}

#[async_trait]
impl Secrets for OpenVault {
    async fn get(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, PortError> {
        let (run, name) = (run.to_owned(), name.clone());
        blocking(self, format!("cannot read {} from the vault", name.0), move |vault| vault.value(&run, &name)).await
    }

    async fn put(&self, meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, PortError> {
        blocking(self, format!("cannot save {} in the vault", meta.name.0), move |vault| vault.set(meta, value)).await
    }

    async fn list(&self, run: &str) -> Result<Vec<EntryMeta>, PortError> {
        let run = run.to_owned();
        blocking(self, "cannot list the vault".to_owned(), move |vault| {
            Ok(vault.entries()?.into_iter().filter(|meta| meta.run == run).collect())
        })
        .await
    }

    async fn keyed_digest(&self, bytes: &[u8]) -> Result<String, PortError> {
        let bytes = SecretBytes::new(bytes.to_vec());
        blocking(self, "cannot make a keyed digest".to_owned(), move |vault| vault.digest(bytes.expose_secret())).await
    }
}
