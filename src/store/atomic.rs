//! Files that appear whole or not at all. Called by whatever saves a small file: vault, answers, plan, report.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::StoreError;
use super::private::{set_file_mode, sync_folder};

/// What happens to the content that is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It is replaced.
    Nothing,
    /// It stays as `NAME.1`, in the place of the one kept before.
    Previous,
}

/// Where `Keep::Previous` leaves the content before: `NAME.1`.
pub fn previous_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Replaces a file: after a crash at any moment, `path` holds all of the old or all of the new bytes, and when this
/// returns, the new ones are durable. Mode 0600.
pub fn write_atomic(path: &Path, bytes: &[u8], keep: Keep) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let fresh = filled(folder, path, |file| file.write_all(bytes))?;
    match keep {
        Keep::Nothing => {}
        Keep::Previous => keep_previous(folder, path)?,
    }
    fresh.persist(path).map_err(|error| StoreError::io("replace", path)(error.error))?;
    sync_folder(folder)
}

/// Makes a file that is not there yet, whole or not at all. Mode 0600.
///
/// # Errors
/// Also where there is something of this name: it is left as it is, with the kind `AlreadyExists`.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let fresh = filled(folder, path, |file| file.write_all(bytes))?;
    fresh.persist_noclobber(path).map_err(|error| StoreError::io("make", path)(error.error))?;
    sync_folder(folder)
}

/// Removes temporary files that a killed writer of `path` left. Only for callers that hold the lock of its writers.
pub fn sweep_temporary(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let prefix = prefix_of(path);
    for entry in fs::read_dir(folder).map_err(StoreError::io("read the folder", folder))? {
        let entry = entry.map_err(StoreError::io("read the folder", folder))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
            && name.as_encoded_bytes().ends_with(SUFFIX.as_bytes())
        {
            fs::remove_file(entry.path()).map_err(StoreError::io("remove", &entry.path()))?;
        }
    }
    Ok(())
}

const SUFFIX: &str = ".tmp";

fn prefix_of(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push("-");
    prefix
}

/// A durable temporary file beside `path`, filled by `fill`.
fn filled(
    folder: &Path,
    path: &Path,
    fill: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> Result<NamedTempFile, StoreError> {
    let mut fresh = tempfile::Builder::new()
        .prefix(&prefix_of(path))
        .suffix(SUFFIX)
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(StoreError::io("create a file beside", path))?;
    set_file_mode(fresh.as_file(), path)?;
    fill(fresh.as_file_mut()).map_err(StoreError::io("write", path))?;
    fresh.as_file().sync_all().map_err(StoreError::io("make durable", path))?;
    Ok(fresh)
}

/// Gives the present content a second name, so that at no moment is there no file called `path`.
fn keep_previous(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    // A copy instead of a hard link: some file systems have no links, and a damaged block must not hit both.
    let copy = filled(folder, path, |file| file.write_all(&bytes))?;
    let previous = previous_of(path);
    copy.persist(&previous).map_err(|error| StoreError::io("replace", &previous)(error.error))?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_and_keeps_one_generation() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("plan.json");
        for content in ["one", "two", "three"] {
            write_atomic(&path, content.as_bytes(), Keep::Previous).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read(previous_of(&path)).unwrap(), b"two");
        write_atomic(&path, b"four", Keep::Nothing).unwrap();
        assert_eq!(fs::read(previous_of(&path)).unwrap(), b"two");
        assert_eq!(names(place.path()), ["plan.json", "plan.json.1"], "nothing temporary stays");
        for name in names(place.path()) {
            assert_eq!(fs::metadata(place.path().join(name)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_new_file_takes_the_place_of_none() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("plan.txt");
        write_new(&path, b"one").unwrap();
        let StoreError::Io { source, .. } = write_new(&path, b"two").unwrap_err() else {
            panic!("it is another fault")
        };
        assert_eq!(source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(place.path()), ["plan.txt"], "nothing temporary stays");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_failed_save_leaves_the_old_content_and_no_rubbish() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("plan.json");
        write_atomic(&path, b"old", Keep::Nothing).unwrap();
        // The previous generation cannot be replaced: a folder has its name.
        fs::create_dir(previous_of(&path)).unwrap();
        assert!(write_atomic(&path, b"new", Keep::Previous).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(place.path()), ["plan.json", "plan.json.1"]);
    }

    #[test]
    fn sweeps_only_what_a_killed_writer_of_that_file_left() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.age");
        write_atomic(&path, b"old", Keep::Nothing).unwrap();
        for name in [".a.age-Xy12.tmp", ".b.age-Xy12.tmp", "a.age-note.tmp"] {
            fs::write(place.path().join(name), b"half").unwrap();
        }
        sweep_temporary(&path).unwrap();
        assert_eq!(names(place.path()), [".b.age-Xy12.tmp", "a.age", "a.age-note.tmp"]);
    }
}
