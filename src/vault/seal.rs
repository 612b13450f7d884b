//! The vault file: the document encrypted to an identity, with a line in the age header that says what was saved and when.
//!
//! The line is a stanza of our own, which every age program skips. It can be read while the vault is locked (home shows it)
//! and tells a cut file from a wrong passphrase; age's header MAC proves it once the vault is opened.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::Path;

use age::{DecryptError, Decryptor, EncryptError, Encryptor, x25519};
use age_core::format::{FileKey, Stanza};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::document::{Document, DocumentError, FORMAT};
use super::error::{Tested, VaultError};

/// What the header says about a saved vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Number of the save.
    pub generation: u64,
    /// How many secrets are in it.
    pub entries: u64,
    /// When it was saved.
    pub at: Timestamp,
    /// How long the file is, when it is whole.
    pub file_bytes: u64,
    /// SHA-256 (hex) of the identity file it was saved with.
    pub identity_sha256: String,
}

const TAG: &str = "drydock-seal-v1";
const CHUNK: u64 = 64 * 1024;
const CHUNK_MAC: u64 = 16;
const NONCE: u64 = 16;

/// Encrypts a document to all of these.
pub(super) fn seal(
    document: &Document,
    to: &[&x25519::Recipient],
    identity_sha256: &str,
    at: Timestamp,
) -> Result<Vec<u8>, VaultError> {
    let json = document.to_json()?;
    let note = Note(Stanza {
        tag: TAG.to_owned(),
        args: vec![
            document.generation.to_string(),
            document.entries.len().to_string(),
            at.to_string(),
            json.len().to_string(),
            identity_sha256.to_owned(),
        ],
        body: Vec::new(),
    });
    let recipients =
        std::iter::once(&note as &dyn age::Recipient).chain(to.iter().map(|to| *to as &dyn age::Recipient));
    let encryptor =
        Encryptor::with_recipients(recipients).map_err(|_| VaultError::Encrypt("the vault was not taken"))?;
    let write = || -> std::io::Result<Vec<u8>> {
        let mut writer = encryptor.wrap_output(Vec::new())?;
        writer.write_all(&json)?;
        writer.finish()
    };
    write().map_err(|source| VaultError::Io { what: "encrypt the vault", source })
}

/// Decrypts a vault file that was checked by `inspect`.
pub(super) fn open(path: &Path, file: &[u8], identity: &x25519::Identity) -> Result<Document, VaultError> {
    inspect(path, file, Tested::Right)?;
    let damaged = |why| damage(path, file, why, Tested::Right);
    let decryptor = Decryptor::new_buffered(file).map_err(|_| damaged("its header is not readable"))?;
    let mut reader =
        decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).map_err(|error| match error {
            DecryptError::NoMatchingKeys => VaultError::OtherIdentity { path: path.to_owned() },
            _ => damaged("its header was altered"),
        })?;
    let mut json = Zeroizing::new(Vec::with_capacity(file.len()));
    reader.read_to_end(&mut json).map_err(|_| damaged("its content was cut or altered"))?;
    Document::from_json(&json).map_err(|error| match error {
        DocumentError::Newer(found) => VaultError::Newer { found, known: FORMAT },
        DocumentError::NotOurs { .. } => damaged("its content is no vault"),
    })
}

/// What can be said about a vault file without opening it. `None`: whole as far as one can see, but without our line
/// (encrypted by another age program).
pub(super) fn inspect(path: &Path, file: &[u8], tested: Tested) -> Result<Option<Seal>, VaultError> {
    let damaged = |why| damage(path, file, why, tested);
    if !file.starts_with(b"age-encryption.org/v1\n") {
        return Err(damaged(if file.is_empty() { "it is empty" } else { "it does not begin like an age file" }));
    }
    let header = header_bytes(file).ok_or_else(|| damaged("it was cut inside its header"))?;
    let Some(seal) = note(&file[..header]) else { return Ok(None) };
    let seal = seal(header as u64).ok_or_else(|| damaged("its header was altered"))?;
    let bytes = file.len() as u64;
    match bytes.cmp(&seal.file_bytes) {
        std::cmp::Ordering::Less => Err(VaultError::Truncated { path: path.to_owned(), bytes, seal, tested }),
        std::cmp::Ordering::Equal => Ok(Some(seal)),
        std::cmp::Ordering::Greater => Err(damaged("something was added at its end")),
    }
}

fn damage(path: &Path, file: &[u8], why: &'static str, tested: Tested) -> VaultError {
    VaultError::Damaged { path: path.to_owned(), bytes: file.len() as u64, why, tested }
}

/// Length of the header with its MAC line.
fn header_bytes(file: &[u8]) -> Option<usize> {
    let mac = file.windows(5).position(|window| window == b"\n--- ")? + 1;
    let end = file[mac..].iter().position(|byte| *byte == b'\n')?;
    Some(mac + end + 1)
}

/// Our line, as a function from the header's length to what it says.
fn note(header: &[u8]) -> Option<impl FnOnce(u64) -> Option<Seal>> {
    let text = str::from_utf8(header).ok()?;
    let args: Vec<_> =
        text.lines().find_map(|line| line.strip_prefix("-> ")?.strip_prefix(TAG))?.split_ascii_whitespace().collect();
    Some(move |header_bytes| {
        let [generation, entries, at, plain, identity] = args.as_slice() else { return None };
        let plain: u64 = plain.parse().ok()?;
        let macs = plain.div_ceil(CHUNK).max(1).checked_mul(CHUNK_MAC)?;
        Some(Seal {
            generation: generation.parse().ok()?,
            entries: entries.parse().ok()?,
            at: at.parse().ok()?,
            file_bytes: plain.checked_add(macs)?.checked_add(header_bytes + NONCE)?,
            identity_sha256: (*identity).to_owned(),
        })
    })
}

/// A recipient that opens nothing and leaves its line in the header.
struct Note(Stanza);

impl age::Recipient for Note {
    fn wrap_file_key(&self, _: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let Stanza { tag, args, body } = &self.0;
        Ok((vec![Stanza { tag: tag.clone(), args: args.clone(), body: body.clone() }], HashSet::new()))
    }
}
