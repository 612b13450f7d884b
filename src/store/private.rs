//! Folders of mode 0700 and files of mode 0600 that belong to us, whatever the umask. Called by everything that writes here.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::StoreError;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Creates the folder (and missing ones above it) with mode 0700, or checks that the existing one is ours alone.
///
/// # Errors
/// `NotPrivate` if it belongs to somebody else or others may enter it: it is never tightened silently, because what lies
/// there may have been read or planted already.
pub fn ensure_private_folder(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(found) => check(path, &found, rustix::process::geteuid().as_raw()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty() && !above.exists()) {
                ensure_private_folder(above)?;
            }
            create(path)
        }
        Err(error) => Err(StoreError::io("look at the folder", path)(error)),
    }
}

fn create(path: &Path) -> Result<(), StoreError> {
    match create_private_folder(path) {
        // Another drydock was faster: then what it made must be right as well.
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::metadata(path).map_err(StoreError::io("look at the folder", path))?;
            check(path, &found, rustix::process::geteuid().as_raw())
        }
        other => other,
    }
}

/// Creates one new folder of mode 0700; an existing one is an error.
pub(super) fn create_private_folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().mode(FOLDER_MODE).create(path).map_err(StoreError::io("create the folder", path))?;
    // The umask can only take bits away, so nobody else got in before this gives ours back.
    fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
        .map_err(StoreError::io("set the mode of the folder", path))
}

fn check(path: &Path, found: &fs::Metadata, us: u32) -> Result<(), StoreError> {
    let refuse = |why: String, mend: String| Err(StoreError::NotPrivate { path: path.to_owned(), why, mend });
    if !found.is_dir() {
        return refuse("it is not a folder".into(), format!("mv {0} {0}.old", quoted(path)));
    }
    if found.uid() != us {
        let why = format!("it belongs to user {} and we are user {us}", found.uid());
        return refuse(why, format!("sudo chown -R {us} {}", quoted(path)));
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let why = format!("its mode is {mode:04o}, so others on this machine can enter it");
        return refuse(why, format!("chmod 700 {}", quoted(path)));
    }
    Ok(())
}

/// Creates a new, empty file of mode 0600; an existing one is an error. It can be read and written.
pub fn create_private_file(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path)
        .map_err(StoreError::io("create", path))?;
    set_file_mode(&file, path)?;
    Ok(file)
}

/// Gives back the bits that an odd umask took from a file that was just created.
pub(super) fn set_file_mode(file: &File, path: &Path) -> Result<(), StoreError> {
    file.set_permissions(Permissions::from_mode(FILE_MODE)).map_err(StoreError::io("set the mode of", path))
}

/// Makes names that were created, renamed or removed in a folder durable.
pub fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("make durable the folder", folder))
}

/// A path as one word of a shell command.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c)) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn creates_every_missing_folder_closed_to_others() {
        let place = tempfile::tempdir().unwrap();
        let deep = place.path().join("a/b/c");
        ensure_private_folder(&deep).unwrap();
        for folder in ["a", "a/b", "a/b/c"] {
            assert_eq!(mode(&place.path().join(folder)), 0o700, "{folder}");
        }
        ensure_private_folder(&deep).unwrap();
    }

    #[test]
    fn refuses_a_folder_that_others_can_enter_and_says_how_to_mend_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("my state");
        fs::create_dir(&folder).unwrap();
        for open in [0o750, 0o705, 0o701, 0o770, 0o720] {
            fs::set_permissions(&folder, Permissions::from_mode(open)).unwrap();
            let error = ensure_private_folder(&folder).unwrap_err().to_string();
            assert!(error.contains(&format!("{open:04o}")), "{error}");
            assert!(error.contains(&format!("chmod 700 '{}'", folder.display())), "{error}");
            assert_eq!(mode(&folder), open, "it is not tightened behind the owner's back");
        }
    }

    #[test]
    fn refuses_a_folder_of_somebody_else() {
        let place = tempfile::tempdir().unwrap();
        let found = fs::metadata(place.path()).unwrap();
        let error = check(place.path(), &found, found.uid() + 1).unwrap_err().to_string();
        assert!(error.contains("belongs to user"), "{error}");
        assert!(error.contains("chown"), "{error}");
    }

    #[test]
    fn refuses_a_file_in_the_place_of_a_folder() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        drop(create_private_file(&file).unwrap());
        assert!(matches!(ensure_private_folder(&file), Err(StoreError::NotPrivate { .. })));
        assert_eq!(mode(&file), 0o600);
        assert!(create_private_file(&file).is_err(), "an existing file is not taken over");
    }
}
