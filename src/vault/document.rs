//! What is inside: entries with their values, a key for checks, a generation number.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Faulty;
use crate::ports::EntryMeta;

/// An entry with its value. Has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// What it is for.
    pub meta: EntryMeta,
    /// The value, base64.
    value: Zeroizing<String>,
}

/// The document. Has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    format: u32,
    /// Grows with every save.
    pub generation: u64,
    check_key: Zeroizing<String>,
    /// Entries by run and name, as `RUN/NAME`.
    entries: BTreeMap<String, Stored>,
}

impl Document {
    /// An empty document with a fresh key for checks.
    pub fn new() -> Result<Self, Faulty> {
        let mut key = Zeroizing::new([0u8; 32]);
        getrandom::fill(&mut *key).map_err(|error| Faulty::Encrypt { what: error.to_string() })?;
        Ok(Self {
            format: 1,
            generation: 0,
            check_key: Zeroizing::new(STANDARD.encode(*key)),
            entries: BTreeMap::new(),
        })
    }

    /// Reads the plain text of a vault. A fault never shows any of it.
    pub fn parse(plain: &[u8]) -> Result<Self, String> {
        let document: Self = serde_json::from_slice(plain)
            .map_err(|error| format!("its content is not understood at column {}", error.column()))?;
        if document.format == 1 {
            Ok(document)
        } else {
            Err(format!("it has format {}, this version reads 1", document.format))
        }
    }

    /// The plain text.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Faulty> {
        serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|_| Faulty::Encrypt { what: "cannot write the document".to_owned() })
    }

    /// A value.
    pub fn get(&self, run: &str, name: &str) -> Option<Vec<u8>> {
        let stored = self.entries.get(&format!("{run}/{name}"))?;
        STANDARD.decode(stored.value.as_bytes()).ok()
    }

    /// Puts a value in and fills in its length and check.
    pub fn put(&mut self, mut meta: EntryMeta, value: &[u8]) -> EntryMeta {
        meta.length = std::str::from_utf8(value).map_or(value.len(), |text| text.chars().count());
        meta.check = self.digest(value).chars().take(4).collect();
        let stored = Stored { meta: meta.clone(), value: Zeroizing::new(STANDARD.encode(value)) };
        self.entries.insert(format!("{}/{}", meta.run, meta.name.0), stored);
        self.generation += 1;
        meta
    }

    /// Takes an entry out; whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.generation += 1;
        self.entries.remove(key).is_some()
    }

    /// Entries with their keys.
    pub fn entries(&self) -> impl Iterator<Item = (&String, &EntryMeta)> {
        self.entries.iter().map(|(key, stored)| (key, &stored.meta))
    }

    /// Keyed hash, lower-case hex.
    pub fn digest(&self, bytes: &[u8]) -> String {
        // a key of any length is taken
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.check_key.as_bytes()) else { return String::new() };
        mac.update(bytes);
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
