//! Stock `age` opens our vault with our identity file and the passphrase, and nothing else. Chosen by
//! `DRYDOCK_TEST_AGE=/path/to/age`; without it the test says that it did not run.

#![allow(clippy::unwrap_used)]

mod required;

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use age::secrecy::SecretString;
use drydock::ports::{EntryMeta, EntryName, Provenance, SecretBytes};
use drydock::vault::Vault;
use jiff::Timestamp;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const PASSPHRASE: &str = "harbour velvet tractor onion";

/// Runs stock age on a terminal of its own, where it asks for the passphrase. Its exit code and what it showed.
fn stock_age(program: &OsStr, args: &[&OsStr], passphrase: &str) -> (u32, String) {
    let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 200, ..PtySize::default() }).unwrap();
    let mut command = CommandBuilder::new(program);
    command.args(args);
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let (sender, shown) = std::sync::mpsc::channel();
    let listener = std::thread::spawn(move || {
        let mut chunk = [0; 1024];
        while let Ok(count @ 1..) = reader.read(&mut chunk) {
            let _ = sender.send(String::from_utf8_lossy(&chunk[..count]).into_owned());
        }
    });
    let mut text = String::new();
    let end = Instant::now() + Duration::from_mins(1);
    while !text.contains("passphrase") && Instant::now() < end {
        text += &shown.recv_timeout(Duration::from_mins(1)).unwrap();
    }
    let mut writer = pty.master.take_writer().unwrap();
    writer.write_all(format!("{passphrase}\n").as_bytes()).unwrap();
    let code = child.wait().unwrap().exit_code();
    drop((writer, pty.master));
    listener.join().unwrap();
    (code, shown.try_iter().fold(text, |text, more| text + &more))
}

#[test]
fn stock_age_opens_the_vault_with_the_passphrase_only() {
    let Some(program) = std::env::var_os("DRYDOCK_TEST_AGE").filter(|path| !path.is_empty()) else {
        return required::not_run("DRYDOCK_TEST_AGE, the path of age, is not set");
    };
    let place = tempfile::tempdir().unwrap();
    let vault = Vault::new(place.path().join("data"));
    let open = vault.create(&SecretString::from(PASSPHRASE.to_owned())).unwrap();
    let meta = EntryMeta {
        name: EntryName("lns/eu/token".into()),
        run: "2026-11-20-pixelcore-7f3a".into(),
        runbook: "pixelcore".into(),
        runbook_digest: "d1".into(),
        step: "connections".into(),
        provenance: Provenance::Default,
        at: Timestamp::UNIX_EPOCH,
        length: 0,
        check: String::new(),
    };
    open.set(meta, SecretBytes::new(b"canary-5d1e".to_vec())).unwrap();
    let mut exported = Vec::new();
    open.export(&mut exported).unwrap();

    for (file, passphrase, opens) in
        [("vault.age", PASSPHRASE, true), ("vault.age.1", PASSPHRASE, true), ("vault.age", "wrong", false)]
    {
        let plain = place.path().join("plain.json");
        let identity = vault.identity_path();
        let sealed = vault.folder().join(file);
        let args =
            ["-d".as_ref(), "-o".as_ref(), plain.as_os_str(), "-i".as_ref(), identity.as_os_str(), sealed.as_os_str()];
        let (code, shown) = stock_age(&program, &args, passphrase);
        assert_eq!(code == 0, opens, "{file}: {shown}");
        if opens && file == "vault.age" {
            assert_eq!(std::fs::read(&plain).unwrap(), exported, "the drill's export is what stock age shows");
        }
        let _ = std::fs::remove_file(&plain);
    }
}
