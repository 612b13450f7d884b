//! The journal file: JSON lines, each bound to the one before by its hash, durable one by one. It carries any record type
//! and knows none (`run` owns the real ones). Called by `runner` (writing, resuming) and `cli` (`show`, `report`).
//!
//! `sed -n 12p journal.jsonl | sha256sum` is what line 13 holds as `prev`; the first line holds the hash of nothing.

mod error;
mod line;
mod read;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::JournalError;
pub use read::{Opened, Torn, read_journal};

use super::{create_private_file, sha256_hex, sync_folder};
use line::Line;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<R> {
    /// Its number, from 1, which is also its line.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub record: R,
}

/// Where lines go. A trait only so that tests can let a disk fill up.
trait Sink: Send {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Whether lines can still be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    /// A line was not written or not made durable: nobody knows what the file holds until it is read again.
    Poisoned,
}

/// A journal that is open for writing. Its owner holds the run's lock.
pub struct Journal<R> {
    path: PathBuf,
    sink: Box<dyn Sink>,
    next: u64,
    prev: String,
    health: Health,
    record: PhantomData<fn(&R)>,
}

impl<R> std::fmt::Debug for Journal<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("path", &self.path).field("next", &self.next).finish_non_exhaustive()
    }
}

impl<R: Serialize + DeserializeOwned + Clone> Journal<R> {
    /// Begins a new journal; there must be none yet. The file's name is durable when this returns.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let file = create_private_file(path)?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(Self::onto(path, Box::new(file), 1, sha256_hex(b"")))
    }

    /// Reads a journal, cuts a torn last line off, and goes on after the last whole one.
    ///
    /// # Errors
    /// `Broken` with the line's number if any line is not what was written; nothing is changed then.
    pub fn open(path: &Path) -> Result<(Self, Opened<R>), JournalError> {
        let io = JournalError::io(path);
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(io)?;
        let scan = read::scan(path, &mut file)?;
        if scan.opened.torn.is_some() {
            file.set_len(scan.whole_bytes).and_then(|()| file.sync_all()).map_err(JournalError::io(path))?;
        }
        let next = scan.opened.entries.len() as u64 + 1;
        Ok((Self::onto(path, Box::new(file), next, scan.last), scan.opened))
    }

    fn onto(path: &Path, sink: Box<dyn Sink>, next: u64, prev: String) -> Self {
        Self { path: path.to_owned(), sink, next, prev, health: Health::Good, record: PhantomData }
    }

    /// Adds one record; it is durable when this returns.
    ///
    /// # Errors
    /// After any error the journal takes nothing more: it must be opened again, which reads what is really there.
    pub fn append(&mut self, at: Timestamp, record: &R) -> Result<Entry<R>, JournalError> {
        if self.health == Health::Poisoned {
            return Err(JournalError::Poisoned { path: self.path.clone() });
        }
        let line = Line { seq: self.next, at, prev: self.prev.clone(), record: record.clone() };
        let bytes = line.to_bytes().map_err(|source| JournalError::Record { source })?;
        if let Err(source) = self.write_durably(&bytes) {
            self.health = Health::Poisoned;
            return Err(JournalError::io(&self.path)(source));
        }
        self.prev = sha256_hex(&bytes);
        self.next += 1;
        Ok(Entry { seq: line.seq, at: line.at, record: line.record })
    }

    /// One `write`, so that a crash can only ever cut the last line.
    fn write_durably(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = loop {
            match self.sink.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if written != bytes.len() {
            let text = format!(
                "only {written} of {} bytes were taken; the disk is full, or a file may not be larger",
                bytes.len()
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        self.sink.sync()
    }
}
