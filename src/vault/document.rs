//! What is inside the vault: one JSON document with entries and the key of keyed hashes.

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::VaultError;
use crate::ports::{EntryMeta, EntryName, SecretBytes};
use crate::store::StoreError;
use crate::text::hex;

/// The newest format this version writes and reads.
pub(super) const FORMAT: u32 = 1;
const KEY_BYTES: usize = 32;

/// The whole content.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    format: u32,
    /// Counts saves.
    pub(super) generation: u64,
    mac_key: Base64,
    pub(super) entries: Vec<Stored>,
}

/// One entry with its value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) meta: EntryMeta,
    pub(super) value: Base64,
}

/// Secret bytes that are base64 in JSON.
#[derive(Debug, Clone)]
pub(super) struct Base64(pub(super) SecretBytes);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64_STANDARD.encode(self.0.expose_secret())))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Borrowed: base64 needs no escapes, so no second copy of the text is made that nobody would wipe.
        let text = <&str>::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| D::Error::custom("this is no base64"))?;
        Ok(Self(SecretBytes::new(bytes)))
    }
}

/// What a keyed hash is for, so that a check of four digits tells nothing about a digest.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Check,
    Digest,
}

impl Document {
    /// An empty vault with a fresh key.
    pub(super) fn empty() -> Result<Self, VaultError> {
        let mut key = vec![0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(StoreError::Random)?;
        Ok(Self { format: FORMAT, generation: 0, mac_key: Base64(SecretBytes::new(key)), entries: Vec::new() })
    }

    /// Reads it from JSON.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let fault = |error: serde_json::Error| DocumentError::NotOurs { line: error.line(), column: error.column() };
        let Head { format } = serde_json::from_slice(json).map_err(fault)?;
        if format > FORMAT {
            return Err(DocumentError::Newer(format));
        }
        let document: Self = serde_json::from_slice(json).map_err(fault)?;
        // A short key would make every keyed hash guessable.
        if document.mac_key.0.expose_secret().len() != KEY_BYTES {
            return Err(DocumentError::NotOurs { line: 1, column: 1 });
        }
        Ok(document)
    }

    /// Writes it as JSON, into one buffer that never grows: a moved buffer would stay behind unwiped.
    pub(super) fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let fault = |error: serde_json::Error| VaultError::Io { what: "write the vault as JSON", source: error.into() };
        let mut counter = Counter(0);
        serde_json::to_writer_pretty(&mut counter, self).map_err(fault)?;
        let mut json = Zeroizing::new(Vec::with_capacity(counter.0 + 1));
        serde_json::to_writer_pretty(&mut *json, self).map_err(fault)?;
        json.push(b'\n');
        Ok(json)
    }

    /// The entry that `run` captured under `name`.
    pub(super) fn find(&self, run: &str, name: &EntryName) -> Option<&Stored> {
        self.entries.iter().find(|entry| entry.meta.run == run && &entry.meta.name == name)
    }

    /// Puts an entry in the place of the one of the same run and name, with length and check filled in.
    pub(super) fn put(&mut self, mut meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, VaultError> {
        check_name(&meta.name.0)?;
        check_name(&meta.run)?;
        let bytes = value.expose_secret();
        meta.length = std::str::from_utf8(bytes).map_or(bytes.len(), |text| text.chars().count());
        meta.check = self.check(bytes)?;
        let stored = Stored { meta: meta.clone(), value: Base64(value) };
        match self.entries.iter_mut().find(|entry| entry.meta.run == meta.run && entry.meta.name == meta.name) {
            Some(entry) => *entry = stored,
            None => self.entries.push(stored),
        }
        self.entries.sort_by(|a, b| (&a.meta.run, &a.meta.name).cmp(&(&b.meta.run, &b.meta.name)));
        Ok(meta)
    }

    /// Four hex digits by which two values can be compared without reading them.
    pub(super) fn check(&self, value: &[u8]) -> Result<String, VaultError> {
        Ok(self.keyed(Purpose::Check, value)?.chars().take(4).collect())
    }

    /// A keyed hash, 64 hex digits.
    pub(super) fn digest(&self, bytes: &[u8]) -> Result<String, VaultError> {
        self.keyed(Purpose::Digest, bytes)
    }

    /// Takes the key of another document, so that digests made with it stay comparable.
    pub(super) fn adopt_key(&mut self, other: &Self) {
        self.mac_key = other.mac_key.clone();
    }

    fn keyed(&self, purpose: Purpose, bytes: &[u8]) -> Result<String, VaultError> {
        let label: &[u8] = match purpose {
            Purpose::Check => b"drydock check\0",
            Purpose::Digest => b"drydock digest\0",
        };
        let mac = Hmac::<Sha256>::new_from_slice(self.mac_key.0.expose_secret())
            .map_err(|_| VaultError::Encrypt("the key of keyed hashes was not taken"))?;
        Ok(hex(&mac.chain_update(label).chain_update(bytes).finalize().into_bytes()))
    }
}

/// Why some JSON is no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentError {
    /// A later format.
    Newer(u32),
    /// Something else, first noticed here.
    NotOurs { line: usize, column: usize },
}

/// Entries are named like paths, `lns/lns-main/token`, with other signs as in an address: see `run::secret_name`.
pub(super) fn check_name(name: &str) -> Result<(), VaultError> {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-~%".contains(&c));
    if name.split('/').all(part) { Ok(()) } else { Err(VaultError::BadName { name: name.to_owned() }) }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
