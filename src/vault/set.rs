//! A recovery set: files of a run and its secrets, sealed in a folder that can be carried anywhere.
//!
//! The folder holds a vault of its own, with the run's secrets only and the identity of the vault that sealed it, so that
//! the same passphrase opens it; each file as age files of at most 8 MiB, so that a copy that was cut is gone on with; and
//! `manifest.json`, written last, which says in the open what there is. Stock `age` opens all of it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use age::{Decryptor, Encryptor, x25519};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::Document;
use super::error::VaultError;
use super::open::OpenVault;
use super::seal;
use super::vault_files::{Generation, Vault};
use crate::ports::{Sealed, Sealing};
use crate::store::{
    Keep, StoreError, create_private_file, ensure_private_folder, sha256_hex, sync_folder, write_atomic,
};
use crate::text::{hex, stays_inside};

/// Name of what says what there is.
const MANIFEST: &str = "manifest.json";
/// The newest format this version writes and reads.
const FORMAT: u32 = 1;
/// Bytes of a file that go into one age file.
const PART: u64 = 8 << 20;
/// More than age adds to a part.
const SLACK: u64 = 1 << 20;
/// More than any manifest or vault has.
const LONGEST: u64 = 16 << 20;

/// What `manifest.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// The run whose files these are.
    pub run: String,
    /// When they were sealed.
    pub sealed_at: Timestamp,
    /// What is in them, in the open: no secret.
    pub about: Value,
    /// The files.
    pub files: Vec<Whole>,
    /// SHA-256 of the two files of the set's own vault.
    vault: [String; 2],
    /// Keyed hash of all this with the vault's key, over an empty one.
    mac: String,
}

/// One file of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whole {
    /// Its path below the run's folder.
    pub name: String,
    /// Its bytes, opened.
    pub bytes: u64,
    /// Its SHA-256, opened.
    pub sha256: String,
    parts: Vec<Part>,
}

/// One age file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    file: String,
    bytes: u64,
    sha256: String,
}

/// A set, as its manifest has it.
#[derive(Debug)]
pub struct RecoverySet {
    folder: PathBuf,
    /// What it says.
    pub manifest: Manifest,
}

impl RecoverySet {
    /// Reads what a folder says that it holds. Nothing is compared yet.
    ///
    /// # Errors
    /// There is no manifest, or it is not one of ours.
    pub fn read(folder: &Path) -> Result<Self, VaultError> {
        let path = folder.join(MANIFEST);
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
            .map_err(StoreError::io("read", &path))?;
        let not_ours = |why: String| VaultError::Set { path: path.clone(), why };
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|error| not_ours(format!("it is no manifest of ours: {error}")))?;
        if manifest.format > FORMAT {
            return Err(not_ours(format!("its format is {}, and this version knows up to {FORMAT}", manifest.format)));
        }
        let parts = manifest.files.iter().flat_map(|whole| &whole.parts);
        let all = parts.map(|part| part.file.as_str()).chain(manifest.files.iter().map(|whole| whole.name.as_str()));
        if let Some(bad) = all.into_iter().find(|name| !stays_inside(name)) {
            return Err(not_ours(format!("it names {bad:?}, which is not inside of the folder")));
        }
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// The set's own vault: the passphrase of the vault that sealed it opens it.
    pub fn vault(&self) -> Vault {
        Vault::new(self.folder.clone())
    }

    /// Compares every file of the folder with the manifest. Needs no passphrase.
    ///
    /// # Errors
    /// The first one that is missing, cut or altered.
    pub fn compare(&self) -> Result<(), VaultError> {
        let vault = self.vault();
        for (path, wanted) in [vault.identity_path(), vault.path(Generation::Current)].iter().zip(&self.manifest.vault)
        {
            let bytes = bounded(path, LONGEST)?;
            if sha256_hex(&bytes) != *wanted {
                return Err(VaultError::Set {
                    path: path.clone(),
                    why: "it is not the file that was sealed".to_owned(),
                });
            }
        }
        for part in self.manifest.files.iter().flat_map(|whole| &whole.parts) {
            self.part(part)?;
        }
        Ok(())
    }

    /// Whether the manifest was written with the key of its own vault, which is open.
    ///
    /// # Errors
    /// It was not, or the vault cannot be read.
    pub fn prove(&self, open: &OpenVault) -> Result<(), VaultError> {
        let wanted = open.digest(&self.manifest.signed()?)?;
        if wanted == self.manifest.mac {
            return Ok(());
        }
        let why = "it was written without the key of its vault: somebody changed it".to_owned();
        Err(VaultError::Set { path: self.folder.join(MANIFEST), why })
    }

    /// Writes one file out, opened. Whoever calls throws it away when this fails.
    ///
    /// # Errors
    /// A part is not what was sealed, cannot be opened, or the whole is not what was sealed.
    pub fn take_out(&self, open: &OpenVault, whole: &Whole, to: &mut dyn Write) -> Result<(), VaultError> {
        let identity = open.identity()?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        for part in &whole.parts {
            let sealed = self.part(part)?;
            let opened = opened(&sealed, &identity).ok_or_else(|| VaultError::Set {
                path: self.folder.join(&part.file),
                why: "this identity does not open it".to_owned(),
            })?;
            hash.update(&opened);
            bytes += opened.len() as u64;
            to.write_all(&opened).map_err(|source| VaultError::Io { what: "write what was opened", source })?;
        }
        if bytes != whole.bytes || hex(&hash.finalize()) != whole.sha256 {
            let why = "its parts do not make the file that was sealed".to_owned();
            return Err(VaultError::Set { path: self.folder.join(&whole.name), why });
        }
        Ok(())
    }

    /// One age file, as it was sealed.
    fn part(&self, part: &Part) -> Result<Vec<u8>, VaultError> {
        let path = self.folder.join(&part.file);
        let most = part.bytes.min(PART + SLACK) + 1;
        let bytes = bounded(&path, most)?;
        let why = match (bytes.len() as u64).cmp(&part.bytes) {
            std::cmp::Ordering::Equal if sha256_hex(&bytes) == part.sha256 => return Ok(bytes),
            std::cmp::Ordering::Less => format!("it has {} of {} bytes: it was cut", bytes.len(), part.bytes),
            _ => "it is not the file that was sealed".to_owned(),
        };
        Err(VaultError::Set { path, why })
    }
}

impl Manifest {
    fn signed(&self) -> Result<Vec<u8>, VaultError> {
        let unsigned = Self { mac: String::new(), ..self.clone() };
        serde_json::to_vec(&unsigned)
            .map_err(|error| VaultError::Io { what: "write the manifest", source: error.into() })
    }
}

impl OpenVault {
    /// Seals files and the secrets of a run in a folder, and opens all of it again. What an earlier attempt left there is
    /// written anew; the manifest comes last, so that a set without one was cut.
    ///
    /// # Errors
    /// A file cannot be read or written, or what was written does not open.
    pub fn seal_set(&self, sealing: &Sealing) -> Result<Sealed, VaultError> {
        let folder = sealing.folder.as_path();
        ensure_private_folder(folder)?;
        let manifest_path = folder.join(MANIFEST);
        if manifest_path.exists() {
            fs::remove_file(&manifest_path).map_err(StoreError::io("remove", &manifest_path))?;
        }
        // parts that an earlier attempt left over would be taken for the end of a file by who opens them without the manifest
        for entry in fs::read_dir(folder).map_err(StoreError::io("read the folder", folder))? {
            let path = entry.map_err(StoreError::io("read the folder", folder))?.path();
            if path.extension().is_some_and(|ending| ending == "age") {
                fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
            }
        }
        let vault = self.copy_for(&sealing.run, folder)?;
        let to = self.identity()?.to_public();
        let mut files = Vec::new();
        for (name, path) in &sealing.files {
            files.push(sealed(name, path, folder, &to)?);
        }
        let mut manifest = Manifest {
            format: FORMAT,
            run: sealing.run.clone(),
            sealed_at: sealing.at,
            about: sealing.about.clone(),
            files,
            vault,
            mac: String::new(),
        };
        manifest.mac = self.digest(&manifest.signed()?)?;
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| VaultError::Io { what: "write the manifest", source: error.into() })?;
        write_atomic(&manifest_path, &text, Keep::Nothing)?;
        sync_folder(folder)?;
        let set = RecoverySet::read(folder)?;
        set.compare()?;
        for whole in &set.manifest.files {
            set.take_out(self, whole, &mut io::sink())?;
        }
        let parts = set.manifest.files.iter().flat_map(|whole| &whole.parts);
        Ok(Sealed { files: parts.clone().count() + 2, bytes: parts.map(|part| part.bytes).sum() })
    }

    /// A vault in `folder` with what `run` captured, opened by the same passphrase; hashes of its two files.
    fn copy_for(&self, run: &str, folder: &Path) -> Result<[String; 2], VaultError> {
        let mut document = Document::empty()?;
        let all = self.document()?;
        document.adopt_key(&all);
        document.entries = all.entries.into_iter().filter(|entry| entry.meta.run == run).collect();
        document.generation = 1;
        let wrapped = self.files().read_identity()?;
        let of = sha256_hex(&wrapped);
        let sealed = seal::seal(&document, &[&self.identity()?.to_public()], &of, Timestamp::now())?;
        let copy = Vault::new(folder.to_owned());
        write_atomic(&copy.identity_path(), &wrapped, Keep::Nothing)?;
        write_atomic(&copy.path(Generation::Current), &sealed, Keep::Nothing)?;
        Ok([of, sha256_hex(&sealed)])
    }
}

/// Seals one file in parts. Each is durable when this returns.
fn sealed(name: &str, path: &Path, folder: &Path, to: &x25519::Recipient) -> Result<Whole, VaultError> {
    let mut file = File::open(path).map_err(StoreError::io("read", path))?;
    let (mut hash, mut bytes, mut parts) = (Sha256::new(), 0, Vec::new());
    loop {
        let mut plain = Vec::new();
        (&mut file).take(PART).read_to_end(&mut plain).map_err(StoreError::io("read", path))?;
        if plain.is_empty() && !parts.is_empty() {
            return Ok(Whole { name: name.to_owned(), bytes, sha256: hex(&hash.finalize()), parts });
        }
        hash.update(&plain);
        bytes += plain.len() as u64;
        let flat = name.replace('/', ".");
        let part = format!("{flat}.{:04}.age", parts.len() + 1);
        let sealed = encrypted(&plain, to)?;
        let at = folder.join(&part);
        if at.exists() {
            fs::remove_file(&at).map_err(StoreError::io("remove", &at))?;
        }
        let mut out = create_private_file(&at)?;
        out.write_all(&sealed).and_then(|()| out.sync_all()).map_err(StoreError::io("write", &at))?;
        parts.push(Part { file: part, bytes: sealed.len() as u64, sha256: sha256_hex(&sealed) });
    }
}

fn encrypted(plain: &[u8], to: &x25519::Recipient) -> Result<Vec<u8>, VaultError> {
    let encryptor = Encryptor::with_recipients(std::iter::once(to as &dyn age::Recipient))
        .map_err(|_| VaultError::Encrypt("the file was not taken"))?;
    let write = || -> io::Result<Vec<u8>> {
        let mut writer = encryptor.wrap_output(Vec::with_capacity(plain.len() + 4096))?;
        writer.write_all(plain)?;
        writer.finish()
    };
    write().map_err(|source| VaultError::Io { what: "encrypt a file", source })
}

fn opened(sealed: &[u8], identity: &x25519::Identity) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(sealed.len());
    let decryptor = Decryptor::new_buffered(sealed).ok()?;
    decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)).ok()?.read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// The beginning of a regular file: what lies in a set is not known to be ours before it was compared.
fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, VaultError> {
    let about = fs::symlink_metadata(path).map_err(StoreError::io("read", path))?;
    if !about.is_file() {
        return Err(VaultError::Set { path: path.to_owned(), why: "it is no regular file".to_owned() });
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(StoreError::io("read", path))?;
    Ok(bytes)
}
