//! The vault of one process: locked or open, one writer at a time across processes.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;

use super::{Document, Faulty, Files, Key};
use crate::{
    ports::{EntryMeta, EntryName, PortError, PortErrorKind, SecretBytes, Secrets, VaultState},
    store::Lock,
};

/// Implements `Secrets` over the two files.
#[derive(Clone)]
pub struct Keeper {
    files: Arc<Files>,
    key: Arc<Mutex<Option<Key>>>,
}

fn fault(what: &str, error: &Faulty) -> PortError {
    let kind = match error {
        Faulty::Passphrase => PortErrorKind::Unauthorized,
        Faulty::Damaged { .. } | Faulty::Identity { .. } => PortErrorKind::Integrity,
        Faulty::Io { .. } => PortErrorKind::Io,
        Faulty::Encrypt { .. } => PortErrorKind::Other,
    };
    PortError::new(kind, what, error.to_string())
}

impl Keeper {
    /// A keeper of these files, locked.
    pub fn new(files: Files) -> Self {
        Self { files: Arc::new(files), key: Arc::new(Mutex::new(None)) }
    }

    /// Forgets the key.
    pub fn lock(&self) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn key(&self) -> Result<Key, PortError> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        key.ok_or_else(|| PortError::new(PortErrorKind::Unauthorized, "cannot use the vault", "it is locked"))
    }

    /// Reads the document and does something with it, on another thread.
    pub async fn with<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Document) -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let (files, key) = (Arc::clone(&self.files), self.key()?);
        let done = tokio::task::spawn_blocking(move || files.read(&key).map(|document| work(&document))).await;
        done.map_err(|error| PortError::new(PortErrorKind::Other, what, error.to_string()))?
            .map_err(|error| fault(what, &error))
    }

    /// Changes the document under the lock of the folder, and saves it.
    pub async fn change<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut Document) -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let (files, key) = (Arc::clone(&self.files), self.key()?);
        let done = tokio::task::spawn_blocking(move || {
            let _held = wait_for_lock(&files)?;
            // read anew: another process may have saved since
            let mut document = files.read(&key)?;
            let result = work(&mut document);
            files.save(&key, &document)?;
            Ok(result)
        })
        .await;
        done.map_err(|error| PortError::new(PortErrorKind::Other, what, error.to_string()))?
            .map_err(|error| fault(what, &error))
    }

    /// Puts the identity under another passphrase.
    pub async fn change_passphrase(&self, passphrase: SecretString) -> Result<(), PortError> {
        let what = "cannot change the passphrase";
        let (files, key) = (Arc::clone(&self.files), self.key()?);
        let done = tokio::task::spawn_blocking(move || files.save_identity(&key, &passphrase)).await;
        done.map_err(|error| PortError::new(PortErrorKind::Other, what, error.to_string()))?
            .map_err(|error| fault(what, &error))
    }
}

/// The folder's lock; another process holds it for milliseconds only.
fn wait_for_lock(files: &Files) -> Result<Lock, Faulty> {
    let path = files.folder.join("vault.lock");
    let mut tries = 0;
    loop {
        match Lock::take(&path, "this machine") {
            Ok(lock) => return Ok(lock),
            Err(error) if tries >= 200 => {
                return Err(Faulty::Io {
                    file: path.display().to_string(),
                    source: std::io::Error::other(error.to_string()),
                });
            }
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(10)),
        }
        tries += 1;
    }
}

#[async_trait]
impl Secrets for Keeper {
    fn state(&self) -> VaultState {
        if self.key().is_ok() {
            VaultState::Open
        } else if self.files.exist() {
            VaultState::Locked
        } else {
            VaultState::Absent
        }
    }

    async fn open(&self, passphrase: &SecretString) -> Result<(), PortError> {
        let (files, passphrase) = (Arc::clone(&self.files), passphrase.clone());
        let what = "cannot open the vault";
        let done = tokio::task::spawn_blocking(move || {
            if files.exist() {
                let key = files.unlock(&passphrase)?;
                // a damaged document is told now, not at the first secret
                files.read(&key)?;
                Ok(key)
            } else {
                crate::store::private_folder(&files.folder)
                    .map_err(|source| Faulty::Io { file: files.folder.display().to_string(), source })?;
                files.create(&passphrase).map(|(key, _)| key)
            }
        })
        .await;
        let key = done
            .map_err(|error| PortError::new(PortErrorKind::Other, what, error.to_string()))?
            .map_err(|error| fault(what, &error))?;
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(())
    }

    async fn get(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, PortError> {
        let (run, name) = (run.to_owned(), name.0.clone());
        self.with("cannot read the vault", move |document| document.get(&run, &name).map(SecretBytes::new)).await
    }

    async fn put(&self, meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, PortError> {
        self.change("cannot save into the vault", move |document| document.put(meta, value.expose_secret())).await
    }

    async fn list(&self, run: &str) -> Result<Vec<EntryMeta>, PortError> {
        let run = run.to_owned();
        let listed = move |document: &Document| {
            document.entries().filter(|(_, meta)| meta.run == run).map(|(_, meta)| meta.clone()).collect()
        };
        self.with("cannot read the vault", listed).await
    }

    async fn keyed_digest(&self, bytes: &[u8]) -> Result<String, PortError> {
        let bytes = SecretBytes::new(bytes.to_vec());
        self.with("cannot use the vault", move |document| document.digest(bytes.expose_secret())).await
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ports::Provenance;

    fn meta(name: &str) -> EntryMeta {
        EntryMeta {
            name: EntryName(name.into()),
            run: "r".into(),
            runbook: "b".into(),
            runbook_digest: "d".into(),
            step: "s".into(),
            provenance: Provenance::Default,
            at: Timestamp::UNIX_EPOCH,
            length: 0,
            check: String::new(),
        }
    }

    fn keeper(folder: &std::path::Path) -> Keeper {
        Keeper::new(Files { folder: folder.join("data"), work_factor: 2 })
    }

    const CANARY: &str = "canary-7b1f-token";

    #[tokio::test]
    async fn it_keeps_what_it_was_given_and_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let first = keeper(folder.path());
        assert_eq!(first.state(), VaultState::Absent);
        first.open(&SecretString::from("one two three")).await.unwrap();
        let saved = first.put(meta("lns/a/token"), SecretBytes::new(CANARY.into())).await.unwrap();
        assert_eq!((saved.length, saved.check.len()), (17, 4));
        let second = keeper(folder.path());
        assert_eq!(second.state(), VaultState::Locked);
        assert_eq!(second.open(&SecretString::from("wrong")).await.unwrap_err().kind, PortErrorKind::Unauthorized);
        second.open(&SecretString::from("one two three")).await.unwrap();
        // two processes in turn: neither loses the other's entry
        second.put(meta("b"), SecretBytes::new(b"x".to_vec())).await.unwrap();
        first.put(meta("c"), SecretBytes::new(b"y".to_vec())).await.unwrap();
        assert_eq!(second.list("r").await.unwrap().len(), 3);
        let value = second.get("r", &EntryName("lns/a/token".into())).await.unwrap().unwrap();
        assert_eq!(value.expose_secret(), CANARY.as_bytes());
        for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()));
        }
    }

    #[tokio::test]
    async fn damage_is_told_and_the_generation_before_opens() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files { folder: folder.path().to_owned(), work_factor: 2 };
        let pass = SecretString::from("p");
        let (key, mut document) = files.create(&pass).unwrap();
        document.put(meta("a"), b"1");
        files.save(&key, &document).unwrap();
        document.put(meta("b"), b"2");
        files.save(&key, &document).unwrap();
        let whole = std::fs::read(files.vault()).unwrap();
        for cut in (0..whole.len()).step_by(7) {
            std::fs::write(files.vault(), &whole[..cut]).unwrap();
            assert!(matches!(files.read(&key), Err(Faulty::Damaged { .. })), "cut at {cut}");
            let mut flipped = whole.clone();
            flipped[cut] ^= 1;
            std::fs::write(files.vault(), &flipped).unwrap();
            assert!(files.read(&key).is_err(), "changed at {cut}");
        }
        std::fs::copy(files.folder.join("vault.age.1"), files.vault()).unwrap();
        assert_eq!(files.read(&key).unwrap().get("r", "a").unwrap(), b"1");
    }
}
