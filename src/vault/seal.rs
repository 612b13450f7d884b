//! The two files: `identity.age` (an X25519 identity under a passphrase, made once) and `vault.age` (encrypted to it).

use std::path::PathBuf;

use age::{
    secrecy::{ExposeSecret, SecretString},
    x25519,
};
use zeroize::Zeroizing;

use super::Document;
use crate::store::{Before, replace};

/// scrypt's cost for a new identity, log2 of N: about a second and 256 MiB.
pub const WORK_FACTOR: u8 = 18;
/// The highest cost that is accepted on reading: a crafted file must not eat the machine.
const HIGHEST: u8 = 22;

/// Why a vault cannot be used. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Faulty {
    /// The passphrase does not open the identity; nothing is damaged.
    #[error("this passphrase does not open the vault; the vault itself is intact")]
    Passphrase,
    /// A file cannot be decrypted or understood.
    #[error(
        "{file} is damaged ({bytes} bytes): {what}; the passphrase is right, and the generation before lies beside it as vault.age.1"
    )]
    Damaged { file: String, bytes: usize, what: String },
    /// The identity file is not one of ours.
    #[error("{file} is not an identity under a passphrase: {what}")]
    Identity { file: String, what: String },
    /// A file operation.
    #[error("cannot use {file}: {source}")]
    Io { file: String, source: std::io::Error },
    /// Encrypting failed.
    #[error("cannot encrypt the vault: {what}")]
    Encrypt { what: String },
}

/// Where the two files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Their folder, private.
    pub folder: PathBuf,
    /// scrypt's cost for a new identity; [`WORK_FACTOR`] but in tests.
    pub work_factor: u8,
}

/// An opened identity.
#[derive(Clone)]
pub struct Key(x25519::Identity);

impl Files {
    /// The files of a data folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, work_factor: WORK_FACTOR }
    }

    /// The encrypted identity.
    pub fn identity(&self) -> PathBuf {
        self.folder.join("identity.age")
    }

    /// The encrypted document.
    pub fn vault(&self) -> PathBuf {
        self.folder.join("vault.age")
    }

    /// Whether there is a vault.
    pub fn exist(&self) -> bool {
        self.identity().exists()
    }

    /// Makes a new identity under `passphrase` and an empty document.
    pub fn create(&self, passphrase: &SecretString) -> Result<(Key, Document), Faulty> {
        let key = Key(x25519::Identity::generate());
        let document = Document::new()?;
        self.save(&key, &document)?;
        self.save_identity(&key, passphrase)?;
        Ok((key, document))
    }

    /// Writes the identity under a passphrase; the one before is gone, as it would open every later copy.
    pub fn save_identity(&self, key: &Key, passphrase: &SecretString) -> Result<(), Faulty> {
        let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
        recipient.set_work_factor(self.work_factor);
        let secret = Zeroizing::new(format!("{}\n", key.0.to_string().expose_secret()));
        let sealed =
            age::encrypt(&recipient, secret.as_bytes()).map_err(|error| Faulty::Encrypt { what: error.to_string() })?;
        replace(&self.identity(), &sealed, Before::Gone)
            .map_err(|source| Faulty::Io { file: self.identity().display().to_string(), source })
    }

    /// Opens the identity. Takes about a second.
    pub fn unlock(&self, passphrase: &SecretString) -> Result<Key, Faulty> {
        let path = self.identity();
        let file = path.display().to_string();
        let sealed = std::fs::read(&path).map_err(|source| Faulty::Io { file: file.clone(), source })?;
        let mut identity = age::scrypt::Identity::new(passphrase.clone());
        identity.set_max_work_factor(HIGHEST);
        let opened = age::decrypt(&identity, &sealed).map_err(|error| match error {
            age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => Faulty::Passphrase,
            other => Faulty::Identity { file: file.clone(), what: other.to_string() },
        })?;
        let opened = Zeroizing::new(opened);
        let text = std::str::from_utf8(&opened)
            .map_err(|_| Faulty::Identity { file: file.clone(), what: "it is no text".into() })?;
        let line = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap_or_default();
        line.parse().map(Key).map_err(|what: &str| Faulty::Identity { file, what: what.to_owned() })
    }

    /// Reads the document.
    pub fn read(&self, key: &Key) -> Result<Document, Faulty> {
        let path = self.vault();
        let file = path.display().to_string();
        let sealed = std::fs::read(&path).map_err(|source| Faulty::Io { file: file.clone(), source })?;
        let bytes = sealed.len();
        let opened = age::decrypt(&key.0, &sealed).map_err(|error| Faulty::Damaged {
            file: file.clone(),
            bytes,
            what: error.to_string(),
        })?;
        Document::parse(&Zeroizing::new(opened)).map_err(|what| Faulty::Damaged { file, bytes, what })
    }

    /// Writes the document whole, keeping the generation before.
    pub fn save(&self, key: &Key, document: &Document) -> Result<(), Faulty> {
        let plain = document.encode()?;
        let sealed =
            age::encrypt(&key.0.to_public(), &plain).map_err(|error| Faulty::Encrypt { what: error.to_string() })?;
        replace(&self.vault(), &sealed, Before::Kept)
            .map_err(|source| Faulty::Io { file: self.vault().display().to_string(), source })
    }
}
