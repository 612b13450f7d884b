//! One process at a time: a lock file that says who holds it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::Timestamp;

/// A held lock; given back when dropped or when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a lock is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("it is held by {holder}")]
    Held { holder: String },
    /// A file operation.
    #[error("cannot use the lock {path}: {source}")]
    Io { path: String, source: std::io::Error },
}

impl Lock {
    /// Takes the lock at `path`, and writes into it who holds it.
    ///
    /// # Errors
    /// `Held` with the holder's process, host and time.
    pub fn take(path: &Path, host: &str) -> Result<Self, LockError> {
        let io = |source| LockError::Io { path: path.display().to_string(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                return Err(LockError::Held { holder: crate::text::printable(holder.trim()) });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let text = format!("process {} on {host} since {:.0}\n", std::process::id(), Timestamp::now());
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes())).map_err(io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::take(&path, "bastion-2").unwrap();
        let error = Lock::take(&path, "bastion-2").unwrap_err().to_string();
        assert!(error.contains(&format!("process {} on bastion-2", std::process::id())), "{error}");
        drop(held);
        Lock::take(&path, "bastion-2").unwrap();
    }
}
