//! Locks between processes: a file that says who holds it. Called by the runner (one a run) and the vault (one a save).

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::private::set_file_mode;

/// What to do while somebody else holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Give up at once.
    No,
    /// Try again for this long. Blocks the thread.
    UpTo(Duration),
}

/// Who holds a lock, as its file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A process that left its name.
    Process {
        /// Its number.
        pid: u32,
        /// The machine it runs on.
        host: String,
        /// Since when.
        since: Timestamp,
    },
    /// The file does not say.
    Unknown,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, host, since } => {
                write!(f, "process {pid} on {} holds it since {since}", host.escape_debug())
            }
            Self::Unknown => f.write_str("another process holds it"),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Note {
    pid: u32,
    host: String,
    since: Timestamp,
}

/// A lock that is held until it is dropped, or the process ends however it ends.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock at `path`, creating its file (0600) if there is none.
    ///
    /// # Errors
    /// `Held` with the holder if somebody else has it.
    pub fn acquire(path: &Path, wait: Wait) -> Result<Self, StoreError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(StoreError::io("open", path))?;
        set_file_mode(&file, path)?;
        let give_up = match wait {
            Wait::No => None,
            Wait::UpTo(time) => Some(Instant::now() + time),
        };
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path)(error)),
                Err(TryLockError::WouldBlock) if give_up.is_some_and(|end| Instant::now() < end) => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Held { path: path.to_owned(), holder: holder(&mut file) });
                }
            }
        }
        sign(&mut file).map_err(StoreError::io("write", path))?;
        Ok(Self { _file: file })
    }

    /// Who holds the lock at `path` just now; nobody where that cannot be read. Makes no file.
    pub fn held(path: &Path) -> Option<Holder> {
        let mut file = File::open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder(&mut file)),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

/// The file is never removed and may say who held it last: only the lock itself counts.
fn sign(file: &mut File) -> std::io::Result<()> {
    let note = Note { pid: std::process::id(), host: host_name(), since: Timestamp::now() };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(&note)?)
}

fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(4096).read_to_string(&mut text));
    match read.ok().and_then(|_| serde_json::from_str::<Note>(&text).ok()) {
        Some(Note { pid, host, since }) => Holder::Process { pid, host, since },
        None => Holder::Unknown,
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_has_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let first = FileLock::acquire(&path, Wait::No).unwrap();
        let Err(StoreError::Held { holder: Holder::Process { pid, host, .. }, .. }) =
            FileLock::acquire(&path, Wait::No)
        else {
            panic!("the second one got it as well");
        };
        assert_eq!((pid, host), (std::process::id(), host_name()));
        assert!(matches!(FileLock::held(&path), Some(Holder::Process { pid, .. }) if pid == std::process::id()));
        drop(first);
        assert_eq!(FileLock::held(&path), None);
        assert!(FileLock::held(&place.path().join("none")).is_none() && !place.path().join("none").exists());
        FileLock::acquire(&path, Wait::No).unwrap();
    }

    #[test]
    fn waits_for_the_holder_up_to_a_bound() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let first = FileLock::acquire(&path, Wait::No).unwrap();
        let begun = Instant::now();
        assert!(FileLock::acquire(&path, Wait::UpTo(Duration::from_millis(40))).is_err());
        assert!(begun.elapsed() >= Duration::from_millis(40));
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(40));
            drop(first);
        });
        FileLock::acquire(&path, Wait::UpTo(Duration::from_secs(10))).unwrap();
        other.join().unwrap();
    }

    #[test]
    fn an_unreadable_note_is_no_reason_to_fail() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        std::fs::write(&path, b"\xff not json").unwrap();
        let _held = FileLock::acquire(&path, Wait::No).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("{\"pid\":"), "{text}");
    }
}
