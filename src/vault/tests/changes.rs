//! Making, rotating, carrying over.

use super::*;

#[test]
fn a_vault_is_made_once() {
    let (house, _open) = House::new();
    let before = house.files();
    assert!(matches!(house.vault.create(&secret("other")), Err(VaultError::Exists { .. })));
    assert_eq!(house.files()["identity.age"], before["identity.age"]);
    fs::remove_file(house.current()).unwrap();
    assert!(matches!(house.vault.create(&secret("other")), Err(VaultError::Incomplete { .. })));
    assert!(matches!(house.unlock("pass"), Err(VaultError::Incomplete { .. })));
    fs::remove_file(house.vault.identity_path()).unwrap();
    assert!(matches!(house.unlock("pass"), Err(VaultError::Missing { .. })));
    house.vault.create(&secret("other")).unwrap();
}

#[test]
fn a_new_passphrase_opens_and_the_old_one_does_not() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    open.change_passphrase(&secret("new")).unwrap();
    assert!(matches!(house.unlock("pass"), Err(VaultError::WrongPassphrase)));
    assert_eq!(get(&house.unlock("new").unwrap(), "token").unwrap(), CANARY);
    assert!(matches!(open.change_passphrase(&secret("")), Err(VaultError::EmptyPassphrase)));
}

#[test]
fn rotation_changes_the_identity_and_both_generations() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    let digest = open.digest(b"env").unwrap();
    let stale = house.unlock("pass").unwrap();
    let old = house.files();
    open.rotate(&secret("pass")).unwrap();
    assert_ne!(old["identity.age"], house.files()["identity.age"]);
    assert_eq!(get(&open, "token").unwrap(), CANARY);
    assert_eq!(get(&house.unlock("pass").unwrap(), "token").unwrap(), CANARY);
    let before = house.vault.unlock_previous(&secret("pass"), &Unlock::Here).unwrap();
    assert_eq!(get(&before, "token").unwrap(), CANARY);
    assert_eq!(open.digest(b"env").unwrap(), digest, "evidence made before can still be checked");
    // Whoever still holds the old identity can neither read nor overwrite.
    assert!(matches!(stale.entries(), Err(VaultError::OtherIdentity { .. })));
    assert!(matches!(stale.change_passphrase(&secret("x")), Err(VaultError::OtherIdentity { .. })));
    assert!(house.unlock("pass").is_ok());
}

#[test]
fn a_rotation_cut_between_its_files_opens_with_either_identity() {
    let (house, open) = House::new();
    put(&open, "token", CANARY);
    let new = age::x25519::Identity::generate();
    let document = open.document().unwrap();
    let both = [&open.identity().unwrap().to_public(), &new.to_public()];
    let sealed = crate::vault::seal::seal(&document, &both, "0", Timestamp::UNIX_EPOCH).unwrap();
    fs::write(house.current(), sealed).unwrap();
    assert_eq!(get(&house.unlock("pass").unwrap(), "token").unwrap(), CANARY);
    let wrapped = crate::vault::identity::wrap(&new, &secret("pass"), WorkFactor::TEST).unwrap();
    fs::write(house.vault.identity_path(), wrapped).unwrap();
    assert_eq!(get(&house.unlock("pass").unwrap(), "token").unwrap(), CANARY);
}

#[test]
fn an_export_makes_another_vault_the_same_and_replaces_nothing() {
    let (_house, open) = House::new();
    put(&open, "a", "1");
    put(&open, "b", "2");
    let mut plain = Vec::new();
    open.export(&mut plain).unwrap();

    let (_second, fresh) = House::new();
    let done = fresh.import(&mut plain.as_slice()).unwrap();
    assert_eq!(done.added, [format!("{RUN}/a"), format!("{RUN}/b")]);
    assert_eq!(fresh.entries().unwrap(), open.entries().unwrap());
    assert_eq!(fresh.digest(b"x").unwrap(), open.digest(b"x").unwrap());

    put(&fresh, "a", "changed");
    let again = fresh.import(&mut plain.as_slice()).unwrap();
    assert_eq!((again.added.len(), again.same, again.kept), (0, vec![format!("{RUN}/b")], vec![format!("{RUN}/a")]));
    assert_eq!(get(&fresh, "a").unwrap(), "changed");
    let error = fresh.import(&mut &b"{\"format\":1,\"canary\":2}"[..]).unwrap_err();
    assert!(matches!(error, VaultError::NotAnExport { .. }) && !error.to_string().contains("canary"), "{error}");
    assert!(matches!(fresh.import(&mut &b"{\"format\":2}"[..]), Err(VaultError::Newer { found: 2, known: 1 })));
}
