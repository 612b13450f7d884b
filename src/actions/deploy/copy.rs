//! A small tree of files, copied whole: listed within bounds, hashed, written for its owner alone, hashed again.
//!
//! Owns neither what the files mean nor where they come from. Called by `chart`, on a thread that may wait for disks.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{
    ports::SecretBytes,
    text::{hex, units},
};

/// Most bytes of all files together.
const MOST_BYTES: u64 = 64 << 20;
/// Most files.
const MOST_FILES: usize = 10_000;
/// Deepest folder: a link may lead to a folder above it.
const DEEPEST: usize = 32;
/// History of a chart's sources: no part of it, and large.
const HISTORY: &str = ".git";

/// One file of a tree.
#[derive(Debug)]
pub struct Entry {
    /// Path below the tree's top.
    pub inner: PathBuf,
    /// Where its bytes are, all links followed.
    pub real: PathBuf,
    length: u64,
}

/// A tree that was copied.
#[derive(Debug)]
pub struct Listed {
    /// Number of files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Digest of names and contents.
    pub sha256: String,
    /// Name of the one file, where it is no folder.
    pub name: String,
}

/// Name of the folder of a copy with this digest.
pub fn folder_of(sha256: &str) -> &str {
    sha256.get(..16).unwrap_or(sha256)
}

fn told<'a>(what: &'a str, path: &'a Path) -> impl Fn(std::io::Error) -> String + 'a {
    move |error| format!("cannot {what} {}: {error}", path.display())
}

/// Every file of a folder, or the one file, in the order of names. Links are followed inside of the folder only.
///
/// # Errors
/// In words: a link that leads out, what is no regular file, or more than a chart can be.
pub fn list(top: &Path) -> Result<Vec<Entry>, String> {
    let root = fs::canonicalize(top).map_err(told("read", top))?;
    let mut found = Vec::new();
    let mut total = 0;
    if root.is_file() {
        let inner = PathBuf::from(top.file_name().unwrap_or_default());
        add(&mut found, &mut total, inner, root)?;
        return Ok(found);
    }
    let mut open = vec![(PathBuf::new(), root.clone())];
    while let Some((inner, folder)) = open.pop() {
        if inner.components().count() > DEEPEST {
            return Err(format!("{} is more than {DEEPEST} folders deep", inner.display()));
        }
        for entry in fs::read_dir(&folder).map_err(told("read", &folder))? {
            let entry = entry.map_err(told("read", &folder))?;
            if is_left_out(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let (path, inner) = (entry.path(), inner.join(entry.file_name()));
            let real = fs::canonicalize(&path).map_err(told("read", &path))?;
            if !real.starts_with(&root) {
                return Err(format!("{} is a link that leads out of the chart", inner.display()));
            }
            if real.is_dir() {
                open.push((inner, real));
            } else {
                add(&mut found, &mut total, inner, real)?;
            }
        }
    }
    found.sort_by(|a, b| a.inner.cmp(&b.inner));
    Ok(found)
}

/// What lies beside a chart and is no part of it. An environment file is a secret: a copy of it would lie in the clear.
fn is_left_out(name: &str) -> bool {
    name == HISTORY || name.starts_with(".env") || Path::new(name).extension().is_some_and(|end| end == "env")
}

/// The same of a path below a chart, whichever of its parts is meant.
pub fn is_left_out_anywhere(path: &Path) -> bool {
    path.components().any(|part| is_left_out(&part.as_os_str().to_string_lossy()))
}

/// Writes a new file for us alone, durably, with the folders above it.
pub fn write(to: &Path, bytes: &[u8]) -> Result<(), String> {
    to.parent().map_or(Ok(()), make)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(told("make", to))?;
    file.write_all(bytes).map_err(told("write", to))?;
    file.sync_all().map_err(told("make durable", to))
}

fn add(found: &mut Vec<Entry>, total: &mut u64, inner: PathBuf, real: PathBuf) -> Result<(), String> {
    let about = fs::metadata(&real).map_err(told("read", &real))?;
    if !about.is_file() {
        return Err(format!("{} is no regular file", inner.display()));
    }
    *total = total.saturating_add(about.len());
    if *total > MOST_BYTES || found.len() >= MOST_FILES {
        let most = units::bytes(MOST_BYTES);
        return Err(format!("it holds more than {most} or {MOST_FILES} files, which is too much for a chart"));
    }
    found.push(Entry { inner, real, length: about.len() });
    Ok(())
}

/// SHA-256 over names, lengths and contents.
///
/// # Errors
/// In words: a file that cannot be read, or that grows meanwhile.
pub fn digest(entries: &[Entry]) -> Result<String, String> {
    let mut hash = Sha256::new();
    for entry in entries {
        let name = entry.inner.as_os_str().as_encoded_bytes();
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name);
        hash.update(entry.length.to_be_bytes());
        hash.update(content(entry)?);
    }
    Ok(hex(&hash.finalize()))
}

fn content(entry: &Entry) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(&entry.real).map_err(told("read", &entry.real))?;
    file.take(entry.length + 1).read_to_end(&mut bytes).map_err(told("read", &entry.real))?;
    if bytes.len() as u64 == entry.length {
        return Ok(bytes);
    }
    Err(format!("{} changed while it was read", entry.inner.display()))
}

/// Makes an empty folder for us alone; what was there is removed.
pub fn make_empty(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(told("remove", folder)(error)),
        _ => {}
    }
    make(folder)
}

fn make(folder: &Path) -> Result<(), String> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(told("make", folder))
}

/// Copies `from` into a folder below `base` that is named after the digest; `part` is where it is until it is whole. A copy
/// that is there already and whole is left as it is. None of the files may be one of `secrets`.
///
/// # Errors
/// In words; then nothing but `part` was written.
pub fn put(from: &Path, base: &Path, part: &Path, secrets: &[SecretBytes]) -> Result<Listed, String> {
    let entries = list(from)?;
    for entry in &entries {
        let bytes = content(entry)?;
        if secrets.iter().any(|secret| secret.expose_secret() == bytes) {
            return Err(format!("{} is a captured secret file: take it out of the chart", entry.inner.display()));
        }
    }
    make_empty(part)?;
    for entry in &entries {
        write(&part.join(&entry.inner), &content(entry)?)?;
    }
    let copied = list(part)?;
    let sha256 = digest(&copied)?;
    // what came while it was copied would be in one of them only
    if digest(&list(from)?)? != sha256 {
        return Err("it changed while it was copied".to_owned());
    }
    let to = base.join(folder_of(&sha256));
    let is_there = list(&to).and_then(|there| digest(&there)).is_ok_and(|there| there == sha256);
    if is_there {
        fs::remove_dir_all(part).map_err(told("remove", part))?;
    } else {
        if to.exists() {
            fs::remove_dir_all(&to).map_err(told("remove", &to))?;
        }
        fs::rename(part, &to).map_err(told("rename", part))?;
        File::open(base).and_then(|base| base.sync_all()).map_err(told("make durable", base))?;
    }
    let one = if from.is_file() { copied.first() } else { None };
    Ok(Listed {
        files: copied.len(),
        bytes: copied.iter().map(|entry| entry.length).sum(),
        sha256,
        name: one.map_or_else(String::new, |entry| entry.inner.display().to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn chart() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("chart/templates")).unwrap();
        fs::create_dir_all(home.path().join("chart/.git")).unwrap();
        for (name, text) in [("Chart.yaml", "name: pix"), ("templates/core.yaml", "kind: X"), (".git/HEAD", "ref")] {
            fs::write(home.path().join("chart").join(name), text).unwrap();
        }
        home
    }

    fn copied(home: &Path) -> Result<Listed, String> {
        put(&home.join("chart"), &home.join("to"), &home.join("to/part"), &[SecretBytes::new(b"A=hunter".to_vec())])
    }

    #[test]
    fn a_tree_is_copied_for_us_alone_under_its_digest() {
        let home = chart();
        symlink("core.yaml", home.path().join("chart/templates/link.yaml")).unwrap();
        let first = copied(home.path()).unwrap();
        assert_eq!((first.files, first.bytes, first.name.as_str()), (3, 23, ""));
        let folder = home.path().join("to").join(folder_of(&first.sha256));
        assert_eq!(fs::read_to_string(folder.join("templates/link.yaml")).unwrap(), "kind: X");
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&folder), mode(&folder.join("templates"))), (0o700, 0o700));
        assert_eq!(mode(&folder.join("Chart.yaml")), 0o600);
        assert_eq!(copied(home.path()).unwrap().sha256, first.sha256, "the same again");
        assert!(!home.path().join("to/part").exists());

        // a name, a byte, and a copy that somebody changed make a difference
        fs::write(folder.join("Chart.yaml"), "name: pox").unwrap();
        assert_ne!(digest(&list(&folder).unwrap()).unwrap(), first.sha256);
        assert_eq!(copied(home.path()).unwrap().sha256, first.sha256, "and it is made whole again");
        fs::rename(home.path().join("chart/Chart.yaml"), home.path().join("chart/chart.yaml")).unwrap();
        assert_ne!(copied(home.path()).unwrap().sha256, first.sha256);
    }

    #[test]
    fn one_file_is_copied_as_one() {
        let home = tempfile::tempdir().unwrap();
        let from = home.path().join("pix-5.tgz");
        fs::write(&from, b"zip").unwrap();
        let listed = put(&from, &home.path().join("to"), &home.path().join("to/part"), &[]).unwrap();
        assert_eq!((listed.files, listed.name.as_str()), (1, "pix-5.tgz"));
        assert!(home.path().join("to").join(folder_of(&listed.sha256)).join("pix-5.tgz").is_file());
    }

    #[test]
    fn what_leads_out_or_is_too_much_is_refused() {
        let home = chart();
        let outside = home.path().join("outside");
        fs::write(&outside, "secret").unwrap();
        let link = home.path().join("chart/templates/out.yaml");
        symlink(&outside, &link).unwrap();
        assert_eq!(copied(home.path()).unwrap_err(), "templates/out.yaml is a link that leads out of the chart");
        fs::remove_file(&link).unwrap();
        symlink("..", &link).unwrap();
        assert!(copied(home.path()).unwrap_err().contains("folders deep"));
        fs::remove_file(&link).unwrap();
        File::create(&link).unwrap().set_len(MOST_BYTES).unwrap();
        assert!(copied(home.path()).unwrap_err().contains("too much for a chart"));
        fs::remove_file(&link).unwrap();
        for name in [".env", ".env.prod", "plant.env"] {
            fs::write(home.path().join("chart").join(name), "B=other").unwrap();
        }
        assert_eq!(copied(home.path()).unwrap().files, 2, "an environment file is no part of a chart");
        fs::write(home.path().join("chart/values.txt"), "A=hunter").unwrap();
        assert_eq!(copied(home.path()).unwrap_err(), "values.txt is a captured secret file: take it out of the chart");
        assert!(list(&home.path().join("none")).unwrap_err().contains("cannot read"));
    }
}
