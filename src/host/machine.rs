//! What this machine is and has: programs, room on disks, its name.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

/// As much of a script is looked at, in bytes: the kernel reads no longer first line.
const FIRST_LINE: u64 = 256;

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

/// The interpreter that a script's first line names, where it is not there. A shell that cannot start such a script says
/// only 127, as a script does that missed a command of its own.
pub(super) fn missing_interpreter(script: &Path) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    File::open(script)?.take(FIRST_LINE).read_to_end(&mut head)?;
    let Some(line) = head.strip_prefix(b"#!") else { return Ok(None) };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let name = String::from_utf8_lossy(line).split_whitespace().next().unwrap_or_default().to_owned();
    Ok((!is_program(Path::new(&name))).then_some(name))
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
