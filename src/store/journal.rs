//! The journal file: one JSON line a record, each chained to the one before by its hash, durable when `append` returns.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry<R> {
    /// Number, from 1.
    pub seq: u64,
    /// When, UTC.
    pub at: Timestamp,
    /// SHA-256 of the line before, without its end; 64 zeros in the first.
    pub prev: String,
    /// What.
    pub record: R,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file operation.
    #[error("cannot use the journal {path}: {source}")]
    Io { path: String, source: std::io::Error },
    /// A line before the last is not as it was written.
    #[error("the journal {path} was changed: line {line} {what}")]
    Broken { path: String, line: u64, what: String },
    /// An append failed earlier: what is in the file is not known, so nothing more may be written.
    #[error("the journal {path} failed before; resume the run to read it anew")]
    Poisoned { path: String },
}

/// A journal as it was found.
#[derive(Debug)]
pub struct Opened<R> {
    /// The journal, ready for more.
    pub journal: Journal,
    /// Its entries.
    pub entries: Vec<Entry<R>>,
    /// Bytes of a torn last line that were cut off.
    pub torn: Option<u64>,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    seq: u64,
    prev: String,
    poisoned: bool,
}

fn hash(line: &str) -> String {
    Sha256::digest(line.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> JournalError + '_ {
    |source| JournalError::Io { path: path.display().to_string(), source }
}

/// Entries, hash of the last line, length of the whole lines, and length of the file.
type Read<R> = (Vec<Entry<R>>, String, u64, u64);

fn read_all<R: DeserializeOwned>(path: &Path, file: &File) -> Result<Read<R>, JournalError> {
    let mut reader = BufReader::new(file);
    let (mut entries, mut prev, mut whole, mut total) = (Vec::<Entry<R>>::new(), "0".repeat(64), 0u64, 0u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = reader.read_until(b'\n', &mut line).map_err(io(path))? as u64;
        if n == 0 {
            return Ok((entries, prev, whole, total));
        }
        total += n;
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            return Ok((entries, prev, whole, total));
        }
        let number = entries.len() as u64 + 1;
        let broken = |what: String| JournalError::Broken { path: path.display().to_string(), line: number, what };
        let text = std::str::from_utf8(&line).map_err(|_| broken("is not text".to_owned()))?;
        let entry: Entry<R> =
            serde_json::from_str(text).map_err(|error| broken(format!("is not understood: {error}")))?;
        if entry.seq != number {
            return Err(broken(format!("has number {}", entry.seq)));
        }
        if entry.prev != prev {
            return Err(broken("does not follow from the line before it".to_owned()));
        }
        prev = hash(text);
        whole = total;
        entries.push(entry);
    }
}

/// Reads a journal without changing it; a torn last line is left out.
///
/// # Errors
/// As for opening.
pub fn read_only<R: DeserializeOwned>(path: &Path) -> Result<Vec<Entry<R>>, JournalError> {
    let file = File::open(path).map_err(io(path))?;
    read_all(path, &file).map(|(entries, ..)| entries)
}

impl Journal {
    /// Opens or begins the journal at `path`. A torn last line, which no one was ever shown, is cut off.
    ///
    /// # Errors
    /// `Broken` with the line's number when an earlier line is not as it was written.
    pub fn open<R: DeserializeOwned>(path: &Path) -> Result<Opened<R>, JournalError> {
        let new = !path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(io(path))?;
        if new && let Some(folder) = path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(path))?;
        }
        let (entries, prev, whole, total) = read_all(path, &file)?;
        let torn = (total > whole).then_some(total - whole);
        if torn.is_some() {
            file.set_len(whole).and_then(|()| file.sync_all()).map_err(io(path))?;
        }
        let journal = Self { path: path.to_owned(), file, seq: entries.len() as u64, prev, poisoned: false };
        Ok(Opened { journal, entries, torn })
    }

    /// Appends a record: one write, then `fdatasync`.
    ///
    /// # Errors
    /// After an error the journal takes nothing more.
    pub fn append<R: Serialize>(&mut self, at: Timestamp, record: &R) -> Result<(), JournalError> {
        let path = || self.path.display().to_string();
        if self.poisoned {
            return Err(JournalError::Poisoned { path: path() });
        }
        let entry = Entry { seq: self.seq + 1, at, prev: self.prev.clone(), record };
        let text =
            serde_json::to_string(&entry).map_err(|error| JournalError::Io { path: path(), source: error.into() })?;
        let line = format!("{text}\n");
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            self.poisoned = true;
            return Err(JournalError::Io { path: path(), source });
        }
        self.seq += 1;
        self.prev = hash(&text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, count: u64) {
        let mut opened = Journal::open::<String>(path).unwrap();
        for n in opened.entries.len() as u64..count {
            opened.journal.append(Timestamp::UNIX_EPOCH, &format!("record {n} é")).unwrap();
        }
    }

    #[test]
    fn cut_anywhere_it_is_a_prefix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        write(&path, 4);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let opened = Journal::open::<String>(&path).unwrap();
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(opened.entries.len(), lines, "cut at {cut}");
            drop(opened);
            write(&path, 4);
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_line_is_refused_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        write(&path, 4);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("record 1", "record 9")).unwrap();
        let error = Journal::open::<String>(&path).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        let without: Vec<&str> = text.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, line)| line).collect();
        std::fs::write(&path, without.join("\n") + "\n").unwrap();
        assert!(Journal::open::<String>(&path).unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn a_full_disk_poisons() {
        let mut journal = Journal {
            path: "/dev/full".into(),
            file: OpenOptions::new().write(true).open("/dev/full").unwrap(),
            seq: 0,
            prev: String::new(),
            poisoned: false,
        };
        assert!(matches!(journal.append(Timestamp::UNIX_EPOCH, &1), Err(JournalError::Io { .. })));
        assert!(matches!(journal.append(Timestamp::UNIX_EPOCH, &1), Err(JournalError::Poisoned { .. })));
    }
}
