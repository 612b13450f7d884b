//! Recovery sets: sealed, carried, opened by the passphrase of the vault that sealed them; cut or altered they are refused.

use std::fs;

use super::*;
use crate::ports::Sealing;
use crate::vault::RecoverySet;

/// Larger than one part.
const LARGE: usize = (8 << 20) + 5;

struct Place {
    house: House,
    open: OpenVault,
    files: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let (house, open) = House::new();
        open.set(meta(RUN, "token"), SecretBytes::new(CANARY.into())).unwrap();
        open.set(meta("2026-01-01-other-aaaa", "token"), SecretBytes::new(b"another run's".to_vec())).unwrap();
        let files = tempfile::tempdir().unwrap();
        fs::write(files.path().join("journal.jsonl"), "line\n").unwrap();
        fs::write(files.path().join("dump.sql"), vec![b'x'; LARGE]).unwrap();
        fs::write(files.path().join("empty"), "").unwrap();
        Self { house, open, files }
    }

    fn set(&self) -> std::path::PathBuf {
        self.files.path().join("set")
    }

    fn seal(&self) {
        let from = |name: &str| self.files.path().join(name);
        let sealing = Sealing {
            run: RUN.into(),
            at: Timestamp::now(),
            about: serde_json::json!({"version": "4.2.0"}),
            files: vec![
                ("journal.jsonl".into(), from("journal.jsonl")),
                ("artifacts/dump.sql".into(), from("dump.sql")),
                ("answers.json".into(), from("empty")),
            ],
            folder: self.set(),
        };
        let sealed = self.open.seal_set(&sealing).unwrap();
        assert_eq!(sealed.files, 6, "two parts of the dump, two papers, the vault's two files");
    }

    fn refused(&self) -> String {
        RecoverySet::read(&self.set()).and_then(|set| set.compare()).unwrap_err().to_string()
    }
}

#[test]
fn a_set_is_opened_by_the_passphrase_of_its_vault_and_holds_one_run() {
    let place = Place::new();
    place.seal();
    // sealed once more, over what is there: a part that was more than there is now would be taken for the file's end
    fs::write(place.set().join("artifacts.dump.sql.0003.age"), "of an earlier dump").unwrap();
    place.seal();
    assert!(!place.set().join("artifacts.dump.sql.0003.age").exists());
    let set = RecoverySet::read(&place.set()).unwrap();
    set.compare().unwrap();
    assert!(matches!(set.vault().unlock(&secret("wrong"), &Unlock::Here), Err(VaultError::WrongPassphrase)));
    let open = set.vault().unlock(&secret("pass"), &Unlock::Here).unwrap();
    set.prove(&open).unwrap();
    assert_eq!(open.entries().unwrap().len(), 1, "no other run's secret goes with it");
    let names: Vec<&str> = set.manifest.files.iter().map(|whole| whole.name.as_str()).collect();
    assert_eq!(names, ["journal.jsonl", "artifacts/dump.sql", "answers.json"]);
    for (whole, bytes) in set.manifest.files.iter().zip([5, LARGE, 0]) {
        let mut out = Vec::new();
        set.take_out(&open, whole, &mut out).unwrap();
        assert_eq!(out.len(), bytes, "{}", whole.name);
    }
    // nothing of it lies there in the clear
    for file in fs::read_dir(place.set()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));
        assert!(!bytes.windows(64).any(|window| window == [b'x'; 64]));
    }
    // and the vault of before still opens, too
    place.house.vault.unlock(&secret("pass"), &Unlock::Here).unwrap();
}

#[test]
fn what_was_cut_altered_or_left_out_is_refused_by_name() {
    let place = Place::new();
    place.seal();
    let part = place.set().join("artifacts.dump.sql.0002.age");
    let whole = fs::read(&part).unwrap();
    fs::write(&part, &whole[..whole.len() - 1]).unwrap();
    let said = place.refused();
    assert!(said.contains("artifacts.dump.sql.0002.age") && said.contains("it was cut"), "{said}");
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    fs::write(&part, &other).unwrap();
    assert!(place.refused().contains("not the file that was sealed"));
    fs::remove_file(&part).unwrap();
    assert!(place.refused().contains("0002.age"));
    std::os::unix::fs::symlink("/dev/zero", &part).unwrap();
    assert!(place.refused().contains("no regular file"));
    fs::remove_file(&part).unwrap();
    fs::write(&part, &whole).unwrap();

    // a manifest that somebody wrote is not proven, and one that leads out is not read
    let path = place.set().join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("4.2.0", "5.0.0")).unwrap();
    let set = RecoverySet::read(&place.set()).unwrap();
    set.compare().unwrap();
    let said = set.prove(&place.open).unwrap_err().to_string();
    assert!(said.contains("without the key of its vault"), "{said}");
    fs::write(&path, text.replace("\"artifacts/dump.sql\"", "\"../dump.sql\"")).unwrap();
    assert!(place.refused().contains("not inside of the folder"));
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert!(place.refused().contains("no manifest of ours"));
    // an attempt that was cut has no manifest
    fs::remove_file(&path).unwrap();
    assert!(place.refused().contains("manifest.json"));
}
