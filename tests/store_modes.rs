//! Modes of everything that is stored, under every umask. A process of its own, because a umask belongs to a process.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use drydock::store::{FileLock, Journal, Keep, Paths, Wait, previous_of, write_atomic};
use jiff::{Timestamp, civil::date};
use rustix::fs::Mode;

/// Every path below `folder` with its mode.
fn modes(folder: &Path, found: &mut Vec<(String, u32)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push((path.display().to_string(), fs::metadata(&path).unwrap().permissions().mode() & 0o7777));
        if path.is_dir() {
            modes(&path, found);
        }
    }
}

#[test]
fn folders_are_0700_and_files_0600_under_every_umask() {
    for umask in [0o000, 0o022, 0o077, 0o777] {
        let place = tempfile::tempdir().unwrap();
        rustix::process::umask(Mode::from_raw_mode(umask));
        let paths = Paths::resolve(Some(place.path().join("a/b"))).unwrap();
        paths.ensure().unwrap();
        let run = paths.runs().create(date(2026, 11, 20), "pixelcore").unwrap();
        let mut journal = Journal::<String>::create(&run.journal()).unwrap();
        journal.append(Timestamp::UNIX_EPOCH, &"began".to_owned()).unwrap();
        write_atomic(&run.answers(), b"1", Keep::Previous).unwrap();
        write_atomic(&run.answers(), b"2", Keep::Previous).unwrap();
        assert!(previous_of(&run.answers()).exists());
        drop(FileLock::acquire(&run.lock(), Wait::No).unwrap());
        rustix::process::umask(Mode::from_raw_mode(0o022));

        let mut found = Vec::new();
        modes(place.path(), &mut found);
        // Two given folders, three rooms, runs/ID, three folders and four files in it.
        assert_eq!(found.len(), 2 + 3 + 2 + 3 + 4, "{found:?}");
        for (path, mode) in found {
            let expected = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, expected, "umask {umask:03o}: {path} has {mode:04o}");
        }
    }
}
