//! Private folders and files, and files that are replaced whole.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{Error, ErrorKind, Result, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// What becomes of the file that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It is kept beside as `NAME.1`.
    Kept,
    /// It is gone.
    Gone,
}

/// Makes a folder of mode 0700, whatever the umask, with its parents. One that is there must be ours and closed to others.
///
/// # Errors
/// `PermissionDenied` for a folder of another owner or open to others, with the command that mends it.
pub fn private_folder(path: &Path) -> Result<()> {
    if !path.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        // the umask may have taken rights away, never added them; the mode is set to be exact
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
        return Ok(());
    }
    let meta = path.metadata()?;
    if meta.uid() != rustix::process::getuid().as_raw() {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            format!("{} belongs to another user (uid {})", path.display(), meta.uid()),
        ));
    }
    if meta.mode() & 0o077 != 0 {
        let text = format!(
            "{0} is open to others (mode {1:o}); mend it with: chmod 700 {0}",
            path.display(),
            meta.mode() & 0o777
        );
        return Err(Error::new(ErrorKind::PermissionDenied, text));
    }
    Ok(())
}

/// Writes a new file of mode 0600; one of that name must not be there.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Replaces a file whole: a temporary one of mode 0600 in the same folder, flushed, renamed, the folder flushed.
pub fn replace(path: &Path, content: &[u8], before: Before) -> Result<()> {
    let folder = path.parent().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path has no folder"))?;
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    if before == Before::Kept && path.exists() {
        let mut old = path.as_os_str().to_owned();
        old.push(".1");
        // a hard link under a passing name, so that at no moment the newest file is missing
        let passing = folder.join(format!(".old-{}", std::process::id()));
        let _ = std::fs::remove_file(&passing);
        std::fs::hard_link(path, &passing)?;
        std::fs::rename(&passing, &old)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_private_and_the_one_before_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        private_folder(&inner).unwrap();
        assert_eq!(inner.metadata().unwrap().mode() & 0o777, 0o700);
        let path = inner.join("f");
        replace(&path, b"one", Before::Kept).unwrap();
        replace(&path, b"two", Before::Kept).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read(inner.join("f.1")).unwrap(), b"one");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o750)).unwrap();
        assert!(private_folder(&inner).unwrap_err().to_string().contains("chmod 700"));
    }
}
