//! The vault on a real folder, with an instant passphrase cost.

mod changes;
mod damage;
mod keeper;
mod sets;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use age::secrecy::SecretString;
use jiff::Timestamp;

use super::identity::WorkFactor;
use super::open::{Found, OpenVault};
use super::vault_files::{Generation, Vault};
use super::{Unlock, VaultError};
use crate::ports::{EntryMeta, EntryName, Provenance, SecretBytes};

const CANARY: &str = "canary-5d1e-tok\u{e9}n";
const RUN: &str = "2026-11-20-pixelcore-7f3a";

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn meta(run: &str, name: &str) -> EntryMeta {
    EntryMeta {
        name: EntryName(name.into()),
        run: run.into(),
        runbook: "pixelcore".into(),
        runbook_digest: "d1".into(),
        step: "connections".into(),
        provenance: Provenance::Typed { by: "anna".into() },
        at: Timestamp::UNIX_EPOCH,
        length: 0,
        check: String::new(),
    }
}

fn put(vault: &OpenVault, name: &str, value: &str) -> EntryMeta {
    vault.set(meta(RUN, name), SecretBytes::new(value.into())).unwrap()
}

fn get(vault: &OpenVault, name: &str) -> Option<String> {
    let value = vault.value(RUN, &EntryName(name.into())).unwrap()?;
    Some(String::from_utf8(value.expose_secret().to_vec()).unwrap())
}

struct House {
    _place: tempfile::TempDir,
    vault: Vault,
}

impl House {
    fn new() -> (Self, OpenVault) {
        let place = tempfile::tempdir().unwrap();
        let vault = Vault::with_cost(place.path().join("data"), WorkFactor::TEST);
        let open = vault.create(&secret("pass")).unwrap();
        (Self { _place: place, vault }, open)
    }

    fn unlock(&self, passphrase: &str) -> Result<OpenVault, VaultError> {
        self.vault.unlock(&secret(passphrase), &Unlock::Here)
    }

    fn current(&self) -> std::path::PathBuf {
        self.vault.path(Generation::Current)
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        fs::read_dir(self.vault.folder())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect()
    }
}

#[test]
fn what_is_put_in_comes_out_after_unlocking_again() {
    let (house, open) = House::new();
    let said = put(&open, "lns/eu/token", CANARY);
    assert_eq!(said.length, CANARY.chars().count());
    assert_eq!(said.check, open.check(CANARY.as_bytes()).unwrap());
    assert!(said.check.len() == 4 && said.check.bytes().all(|c| c.is_ascii_hexdigit()));
    let bytes = SecretBytes::new(vec![0xff, 0, 1]);
    assert_eq!(open.set(meta(RUN, "key"), bytes).unwrap().length, 3);
    drop(open);

    let again = house.unlock("pass").unwrap();
    assert_eq!(get(&again, "lns/eu/token").unwrap(), CANARY);
    assert_eq!(again.value(RUN, &EntryName("key".into())).unwrap().unwrap().expose_secret(), [0xff, 0, 1]);
    assert_eq!(again.value("other", &EntryName("key".into())).unwrap().map(|_| ()), None);
    assert_eq!(again.entries().unwrap()[1], said);
    assert_eq!(again.remove(RUN, &EntryName("lns/eu/token".into())).unwrap().unwrap(), said);
    assert!(again.remove(RUN, &EntryName("lns/eu/token".into())).unwrap().is_none());
    assert_eq!(get(&again, "lns/eu/token"), None);
}

#[test]
fn a_wrong_passphrase_is_one_clear_error_and_changes_nothing() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    let before = house.files();
    for wrong in ["", "Pass", "pass "] {
        let error = house.unlock(wrong).unwrap_err();
        assert!(matches!(error, VaultError::WrongPassphrase), "{error}");
        assert!(error.to_string().contains("untouched"));
    }
    assert_eq!(house.files(), before);
    assert!(house.unlock("pass").is_ok());
}

#[test]
fn the_canary_is_in_no_byte_of_the_folder_and_in_no_debug_text() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    put(&open, "other", "x");
    open.change_passphrase(&secret("new canary-5d1e pass")).unwrap();
    open.rotate(&secret("new canary-5d1e pass")).unwrap();
    for (name, bytes) in house.files() {
        for needle in ["canary-5d1e", "Y2FuYXJ5LTVkMWUt"] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle} in {name}");
        }
    }
    assert!(!format!("{open:?} {:?}", open.document().unwrap()).contains("canary"));
}

#[test]
fn everything_is_closed_to_others() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(house.vault.folder()), 0o700);
    assert_eq!(house.files().len(), 4, "identity.age, vault.age, vault.age.1, vault.lock");
    for name in house.files().keys() {
        assert_eq!(mode(&house.vault.folder().join(name)), 0o600, "{name}");
    }
    fs::set_permissions(house.vault.folder(), fs::Permissions::from_mode(0o750)).unwrap();
    let error = open.set(meta(RUN, "token"), SecretBytes::new(vec![1])).unwrap_err().to_string();
    assert!(error.contains("chmod 700"), "{error}");
}

#[test]
fn saves_of_two_open_vaults_keep_each_others_entries() {
    let (house, one) = House::new();
    let two = house.unlock("pass").unwrap();
    std::thread::scope(|scope| {
        for (vault, who) in [(&one, "one"), (&two, "two")] {
            scope.spawn(move || {
                for count in 0..10 {
                    put(vault, &format!("{who}/{count}"), who);
                }
            });
        }
    });
    assert_eq!(one.entries().unwrap().len(), 20);
    assert_eq!(house.vault.inspect().unwrap().unwrap().generation, 21);
}

#[test]
fn locking_locks_every_clone() {
    let (house, open) = House::new();
    let clone = open.clone();
    put(&open, "token", CANARY);
    clone.lock();
    assert!(open.is_locked());
    assert!(matches!(open.entries(), Err(VaultError::Locked)));
    assert!(matches!(open.set(meta(RUN, "token"), SecretBytes::new(vec![1])), Err(VaultError::Locked)));
    assert_eq!(get(&house.unlock("pass").unwrap(), "token").unwrap(), CANARY);
}

#[test]
fn names_are_paths_of_plain_parts() {
    let (_house, open) = House::new();
    for bad in ["", "/", "a/", "/a", "a//b", "a b", "a\nb", "ä", "a:b"] {
        let value = SecretBytes::new(vec![1]);
        assert!(matches!(open.set(meta(RUN, bad), value.clone()), Err(VaultError::BadName { .. })), "{bad:?}");
        assert!(matches!(open.set(meta(bad, "a"), value), Err(VaultError::BadName { .. })), "{bad:?}");
    }
    // other signs as in an address
    for good in ["lns/geo%20east%3F%2050%2523/token", "lns/~%C3%A4/token"] {
        open.set(meta(RUN, good), SecretBytes::new(vec![1])).unwrap();
    }
}

#[test]
fn entries_are_found_by_run_ending_and_unique_name() {
    let (_house, open) = House::new();
    put(&open, "lns/token", "1");
    put(&open, "main-token", "2");
    open.set(meta("2026-11-21-reana-00aa", "lns/token"), SecretBytes::new(vec![3])).unwrap();
    let one = |wanted: &str| match open.find(wanted).unwrap() {
        Found::One(meta) => Some((meta.run.clone(), meta.name.0)),
        Found::None => None,
        Found::Several(all) => panic!("{all:?}"),
    };
    let here = Some((RUN.to_owned(), "lns/token".to_owned()));
    assert_eq!(one(&format!("{RUN}/lns/token")), here);
    assert_eq!(one("7f3a/lns/token"), here);
    assert_eq!(one("00aa/lns/token").unwrap().0, "2026-11-21-reana-00aa");
    assert_eq!(one("main-token").unwrap().1, "main-token");
    for none in ["token", "f3a/lns/token", "/lns/token", "", "x/main-token"] {
        assert_eq!(one(none), None, "{none:?}");
    }
    let both = vec![format!("{RUN}/lns/token"), "2026-11-21-reana-00aa/lns/token".to_owned()];
    assert_eq!(open.find("lns/token").unwrap(), Found::Several(both));
}
