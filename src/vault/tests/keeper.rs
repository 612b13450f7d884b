//! The vault as a run meets it: made, locked, opened by its passphrase, and every fault of the port.

use super::*;
use crate::ports::{PortErrorKind, Secrets, VaultState};
use crate::vault::Keeper;

impl House {
    /// A keeper that unlocks on this thread: the program that runs is no drydock.
    fn keeper(&self) -> Keeper {
        Keeper::new(self.vault.clone(), Unlock::Here)
    }
}

#[tokio::test]
async fn it_is_made_once_and_then_opened_by_its_passphrase() {
    let place = tempfile::tempdir().unwrap();
    let vault = Vault::with_cost(place.path().join("data"), WorkFactor::TEST);
    let keeper = || Keeper::new(vault.clone(), Unlock::Here);
    let first = keeper();
    assert_eq!(first.state(), VaultState::Absent);
    assert_eq!(first.open(&secret("")).await.unwrap_err().kind, PortErrorKind::Invalid);
    assert_eq!(first.state(), VaultState::Absent, "a refused passphrase makes nothing");
    first.open(&secret("pass")).await.unwrap();
    assert_eq!(first.state(), VaultState::Open);
    first.put(meta(RUN, "token"), SecretBytes::new(CANARY.into())).await.unwrap();

    let second = keeper();
    assert_eq!(second.state(), VaultState::Locked);
    assert_eq!(second.get(RUN, &EntryName("token".into())).await.unwrap_err().kind, PortErrorKind::Unauthorized);
    let wrong = second.open(&secret("wrong")).await.unwrap_err();
    assert_eq!(wrong.kind, PortErrorKind::Unauthorized);
    assert!(wrong.to_string().contains("untouched") && !format!("{wrong:?}").contains("wrong\""), "{wrong:?}");
    assert_eq!(second.state(), VaultState::Locked);
    second.open(&secret("pass")).await.unwrap();
    // two processes in turn: neither loses the other's entry
    second.put(meta(RUN, "b"), SecretBytes::new(b"x".to_vec())).await.unwrap();
    first.put(meta(RUN, "c"), SecretBytes::new(b"y".to_vec())).await.unwrap();
    assert_eq!(second.list(RUN).await.unwrap().len(), 3);
    second.lock();
    assert_eq!(second.state(), VaultState::Locked);
    assert_eq!(second.list(RUN).await.unwrap_err().kind, PortErrorKind::Unauthorized);
    assert_eq!(first.list(RUN).await.unwrap().len(), 3);
}

#[tokio::test]
async fn the_port_saves_lists_digests_and_names_its_faults() {
    let (house, open) = House::new();
    let port: std::sync::Arc<dyn Secrets> = std::sync::Arc::new(house.keeper());
    port.open(&secret("pass")).await.unwrap();
    let said = port.put(meta(RUN, "token"), SecretBytes::new(CANARY.into())).await.unwrap();
    assert_eq!(port.list(RUN).await.unwrap(), [said]);
    assert!(port.list("2026-11-20-other-0000").await.unwrap().is_empty());
    let value = port.get(RUN, &EntryName("token".into())).await.unwrap().unwrap();
    assert_eq!(value.expose_secret(), CANARY.as_bytes());
    let digest = port.keyed_digest(b"abc").await.unwrap();
    assert_eq!((digest.len(), &digest), (64, &open.digest(b"abc").unwrap()));
    assert_ne!(digest, crate::store::sha256_hex(b"abc"));

    fs::write(house.current(), b"age").unwrap();
    assert_eq!(port.list(RUN).await.unwrap_err().kind, PortErrorKind::Integrity);
    assert_eq!(house.keeper().open(&secret("pass")).await.unwrap_err().kind, PortErrorKind::Integrity);
    fs::remove_file(house.current()).unwrap();
    let half = house.keeper();
    assert_eq!(half.state(), VaultState::Locked, "half a vault is none to make anew");
    assert_eq!(half.open(&secret("pass")).await.unwrap_err().kind, PortErrorKind::NotFound);
}

#[tokio::test]
async fn saves_that_nobody_waits_for_still_arrive() {
    let (house, open) = House::new();
    let port = house.keeper();
    port.open(&secret("pass")).await.unwrap();
    let saving = port.put(meta(RUN, "token"), SecretBytes::new(vec![7]));
    let _ = tokio::time::timeout(std::time::Duration::ZERO, saving).await;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while get(&open, "token").is_none() {
        assert!(std::time::Instant::now() < end, "it never arrived");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
