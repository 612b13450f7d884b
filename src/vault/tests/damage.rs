//! Cut, altered and half-saved files.

use super::*;
use crate::vault::error::Tested;

#[test]
fn the_seal_tells_about_a_locked_vault() {
    let (house, open) = House::new();
    put(&open, "a", "1");
    put(&open, "b", "2");
    let seal = house.vault.inspect().unwrap().unwrap();
    assert_eq!((seal.generation, seal.entries), (3, 2));
    assert_eq!(seal.file_bytes, fs::metadata(house.current()).unwrap().len());
    assert_eq!(house.vault.previous().unwrap().entries, 1);
}

#[test]
fn sizes_around_the_chunks_of_age_are_sealed_right() {
    let (house, open) = House::new();
    for size in [40_000, 48_000, 48_600, 49_152, 100_000, 300_000] {
        put(&open, "big", &"x".repeat(size));
        let seal = house.vault.inspect().unwrap().unwrap();
        assert_eq!(seal.file_bytes, fs::metadata(house.current()).unwrap().len(), "{size}");
    }
}

#[test]
fn cut_anywhere_it_is_refused_without_testing_the_passphrase_and_the_generation_before_opens() {
    let (house, open) = House::new();
    put(&open, "first", "1");
    put(&open, "second", "2");
    let whole = fs::read(house.current()).unwrap();
    for length in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(house.current(), &whole[..length]).unwrap();
        // Even with a wrong passphrase: the fault that is told is the file's.
        match house.unlock("wrong").unwrap_err() {
            VaultError::Truncated { bytes, seal, tested: Tested::No, .. } => {
                assert_eq!((bytes, seal.file_bytes), (length as u64, whole.len() as u64));
            }
            VaultError::Damaged { bytes, tested: Tested::No, .. } => assert_eq!(bytes, length as u64),
            other => panic!("{length}: {other}"),
        }
        assert!(open.entries().is_err(), "an open vault notices as well");
        assert!(open.set(meta(RUN, "third"), SecretBytes::new(vec![1])).is_err(), "and saves nothing over it");
    }
    let before = house.vault.unlock_previous(&secret("pass"), &Unlock::Here).unwrap();
    assert_eq!((get(&before, "first").as_deref(), get(&before, "second")), (Some("1"), None));
}

#[test]
fn any_changed_bit_is_refused() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    let whole = fs::read(house.current()).unwrap();
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 1 << (place % 8);
        fs::write(house.current(), &changed).unwrap();
        assert!(open.entries().is_err(), "byte {place}");
    }
    for longer in [&b"x"[..], b"\n"] {
        fs::write(house.current(), [&whole, longer].concat()).unwrap();
        assert!(matches!(house.unlock("pass"), Err(VaultError::Damaged { .. })));
    }
}

#[test]
fn saving_after_the_previous_generation_was_opened_keeps_it_and_the_damaged_file() {
    let (house, open) = House::new();
    put(&open, "first", "1");
    put(&open, "second", "2");
    fs::write(house.current(), b"age-encryption.org/v1\n-> X").unwrap();
    let before = house.vault.unlock_previous(&secret("pass"), &Unlock::Here).unwrap();
    put(&before, "third", "3");
    let files = house.files();
    assert_eq!(files["vault.age.damaged"], b"age-encryption.org/v1\n-> X");
    let again = house.unlock("pass").unwrap();
    let names: Vec<_> = again.entries().unwrap().into_iter().map(|meta| meta.name.0).collect();
    assert_eq!(names, ["first", "third"]);
    assert_eq!(house.vault.previous().unwrap().entries, 1, "the good generation is still there");
}

#[test]
fn what_a_killed_save_left_changes_nothing_and_is_swept_by_the_next() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    fs::write(house.vault.folder().join(".vault.age-Zq81.tmp"), b"half of a vau").unwrap();
    assert_eq!(get(&house.unlock("pass").unwrap(), "token").unwrap(), CANARY);
    put(&open, "other", "x");
    assert!(!house.files().contains_key(".vault.age-Zq81.tmp"));
}

#[test]
fn a_changed_identity_file_is_told_from_a_wrong_passphrase() {
    let (house, _open) = House::new();
    let (other, _) = House::new();
    fs::copy(other.vault.identity_path(), house.vault.identity_path()).unwrap();
    assert!(matches!(house.unlock("nope"), Err(VaultError::IdentityChanged { .. })));
    assert!(matches!(house.unlock("pass"), Err(VaultError::OtherIdentity { .. })));
}
