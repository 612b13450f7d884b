//! What this machine is and has: programs, room on disks, its name.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

/// Absolute path of `program`: looked up in the absolute folders of `path`, or taken as it is when it is absolute itself.
/// Relative folders of a PATH are passed over, since what they mean depends on where one stands.
pub(super) fn which(program: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|given| given.is_absolute() && is_program(given));
    }
    if program.is_empty() {
        return None;
    }
    let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(program)).find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// Bytes that are free for an ordinary user on the disk that holds `folder`, or will hold it once it is created.
pub(super) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let mut place = folder;
    let there = loop {
        match rustix::fs::statvfs(place) {
            Ok(there) => break there,
            Err(error) if error == rustix::io::Errno::NOENT => place = place.parent().ok_or(error)?,
            Err(error) => return Err(error.into()),
        }
    };
    Ok(there.f_bavail.saturating_mul(there.f_frsize))
}

/// The machine's own name.
pub(super) fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_absolute_folders_only() {
        assert_eq!(which("sh", Some(OsStr::new("/nowhere:/bin"))), Some(PathBuf::from("/bin/sh")));
        assert_eq!(which("/bin/sh", None), Some(PathBuf::from("/bin/sh")));
        for (program, path) in
            [("sh", ""), ("sh", "bin:."), ("passwd", "/etc"), ("", "/bin"), ("./sh", "/bin"), ("/etc/passwd", "/bin")]
        {
            assert_eq!(which(program, Some(OsStr::new(path))), None, "{program} in {path}");
        }
        assert_eq!(which("sh", None), None);
    }

    #[test]
    fn room_is_found_for_folders_that_are_still_to_come() {
        let base = tempfile::tempdir().unwrap();
        assert!(free_bytes(base.path()).unwrap() > 0);
        assert!(free_bytes(&base.path().join("run/artifacts")).unwrap() > 0);
        let file = base.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(free_bytes(&file.join("under-a-file")).is_err());
    }
}
