//! The vault across processes: unlocking in a child, a writer that is killed at any moment, a prompt on a terminal, no core
//! dumps.
//!
//! This program plays all the parts: with the child's command as its argument it is the child, with `WRITER` and a folder
//! it saves until it is killed, with `LIMITED` it saves where files cannot grow, with `ASKER` it asks, without arguments it is the test.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use age::secrecy::{ExposeSecret, SecretString};
use drydock::cli::exit::Exit;
use drydock::cli::vault::{AskError, asker};
use drydock::ports::{EntryMeta, EntryName, Provenance, SecretBytes};
use drydock::vault::{CHILD_COMMAND, ChildEnd, Unlock, Vault, VaultError, harden_process, run_unlock_child};
use jiff::Timestamp;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Resource, Rlimit, setrlimit};

const WRITER: &str = "write-until-killed";
const LIMITED: &str = "save-on-a-full-disk";
const ASKER: &str = "ask-at-the-terminal";
const RUN: &str = "2026-11-20-pixelcore-7f3a";
const PASSPHRASE: &str = "harbour velvet tractor";

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [CHILD_COMMAND] => {
            harden_process().unwrap();
            match run_unlock_child(&mut std::io::stdin().lock(), &mut std::io::stdout().lock()) {
                ChildEnd::Answered => ExitCode::SUCCESS,
                ChildEnd::Broken => ExitCode::FAILURE,
            }
        }
        [ASKER] => match asker(None).known("Vault passphrase") {
            Ok(typed) if typed.expose_secret() == PASSPHRASE => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(AskError::Stopped { .. }) => Exit::Stopped.into(),
            Err(_) => Exit::Internal.into(),
        },
        [LIMITED, folder, limit] => save_on_a_full_disk(Path::new(folder), limit.parse().unwrap()),
        [WRITER, folder] => write_until_killed(Path::new(folder)),
        // `cargo test NAME` passes its filter and flags on: this program is one test, and runs unless another one is meant.
        others => {
            if others.contains(&"--list") {
                println!("vault_process: test");
                return ExitCode::SUCCESS;
            }
            if others.iter().any(|word| !word.starts_with('-') && !"vault_process".contains(word)) {
                return ExitCode::SUCCESS;
            }
            let place = tempfile::tempdir().unwrap();
            let vault = Vault::new(place.path().join("data"));
            for (name, test) in [
                ("unlocking in a child says the same as unlocking here", unlock_in_child as fn(&Vault)),
                ("a writer killed at any moment leaves a vault that opens", kill_writers),
                ("a disk that fills up at any byte keeps what was saved", fill_disks),
                ("a prompt shows nothing of what is typed and can be left", prompts),
                ("a hardened process dumps no core", hardened),
            ] {
                test(&vault);
                println!("test {name} ... ok");
            }
            ExitCode::SUCCESS
        }
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn in_child() -> Unlock {
    Unlock::in_child().unwrap()
}

fn put(vault: &drydock::vault::OpenVault, name: &str, value: &str) {
    let meta = EntryMeta {
        name: EntryName(name.into()),
        run: RUN.into(),
        runbook: "pixelcore".into(),
        runbook_digest: "d1".into(),
        step: "connections".into(),
        provenance: Provenance::Default,
        at: Timestamp::UNIX_EPOCH,
        length: 0,
        check: String::new(),
    };
    vault.set(meta, SecretBytes::new(value.into())).unwrap();
}

fn unlock_in_child(vault: &Vault) {
    let made = vault.create(&secret(PASSPHRASE)).unwrap();
    put(&made, "count", "0");
    let header = std::fs::read(vault.identity_path()).unwrap();
    let mut binary = Vec::new();
    std::io::Read::read_to_end(&mut age::armor::ArmoredReader::new(header.as_slice()), &mut binary).unwrap();
    assert!(binary.windows(4).any(|four| four == b" 18\n"), "work factor 18 is in the header");

    let begun = Instant::now();
    let opened = vault.unlock(&secret(PASSPHRASE), &in_child()).unwrap();
    println!("unlocked at work factor 18 in a child in {:?}", begun.elapsed());
    assert_eq!(opened.entries().unwrap(), made.entries().unwrap());
    assert!(matches!(vault.unlock(&secret("wrong"), &in_child()), Err(VaultError::WrongPassphrase)));

    let begun = Instant::now();
    put(&opened, "count", "0");
    println!("saved in {:?}", begun.elapsed());

    let no_program = Unlock::InChild { program: PathBuf::from("/nonexistent/drydock") };
    assert!(matches!(vault.unlock(&secret(PASSPHRASE), &no_program), Err(VaultError::Child(_))));
    let silent = Unlock::InChild { program: PathBuf::from("/bin/true") };
    assert!(matches!(vault.unlock(&secret(PASSPHRASE), &silent), Err(VaultError::Child(_))));

    std::fs::write(vault.identity_path(), &header[..header.len() / 2]).unwrap();
    assert!(matches!(vault.unlock(&secret(PASSPHRASE), &in_child()), Err(VaultError::IdentityDamaged { .. })));
    std::fs::write(vault.identity_path(), &header).unwrap();
}

/// Puts a cheap passphrase cost in the place of the real one, so that many unlocks cost little.
fn make_cheap(vault: &Vault) {
    let wrapped = std::fs::read(vault.identity_path()).unwrap();
    let key = age::scrypt::Identity::new(secret(PASSPHRASE));
    let plain = age::decrypt(&key, &wrapped).unwrap();
    let mut cheap = age::scrypt::Recipient::new(secret(PASSPHRASE));
    cheap.set_work_factor(2);
    std::fs::write(vault.identity_path(), age::encrypt(&cheap, &plain).unwrap()).unwrap();
}

fn write_until_killed(folder: &Path) -> ExitCode {
    let vault = Vault::new(folder.to_owned()).unlock(&secret(PASSPHRASE), &Unlock::Here).unwrap();
    let old = vault.value(RUN, &EntryName("count".into())).unwrap().unwrap();
    let mut count: u64 = str::from_utf8(old.expose_secret()).unwrap().parse().unwrap();
    loop {
        count += 1;
        put(&vault, "count", &count.to_string());
        println!("{count}");
        std::io::stdout().flush().unwrap();
    }
}

/// Every count that a writer reported is in the vault afterwards, or the one after it: never neither.
fn kill_writers(vault: &Vault) {
    make_cheap(vault);
    let rounds = std::env::var("DRYDOCK_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(25_u64);
    for round in 0..rounds {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args([WRITER.as_ref(), vault.folder().as_os_str()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut last: u64 = lines.next().unwrap().unwrap().parse().unwrap();
        std::thread::sleep(Duration::from_micros(round * 7919 % 20_000));
        writer.kill().unwrap();
        writer.wait().unwrap();
        for line in lines {
            last = line.unwrap().parse().unwrap_or(last);
        }
        let opened = vault.unlock(&secret(PASSPHRASE), &Unlock::Here).unwrap();
        let held = opened.value(RUN, &EntryName("count".into())).unwrap().unwrap();
        let held: u64 = str::from_utf8(held.expose_secret()).unwrap().parse().unwrap();
        assert!(held == last || held == last + 1, "round {round}: {last} was saved and {held} is there");
        assert!(vault.previous().is_some(), "round {round}: the generation before is whole");
    }
    println!("{rounds} writers killed");
}

fn save_on_a_full_disk(folder: &Path, limit: u64) -> ExitCode {
    harden_process().unwrap();
    let vault = Vault::new(folder.to_owned()).unlock(&secret(PASSPHRASE), &Unlock::Here).unwrap();
    setrlimit(Resource::Fsize, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
    put(&vault, "big", "never");
    ExitCode::SUCCESS
}

/// A limit on the size of files stands for a full disk: writing fails at exactly that byte.
fn fill_disks(vault: &Vault) {
    let open = vault.unlock(&secret(PASSPHRASE), &Unlock::Here).unwrap();
    put(&open, "big", &"x".repeat(4000));
    let name = EntryName("big".into());
    let before = open.value(RUN, &name).unwrap().unwrap();
    put(&open, "other", &"y".repeat(4000));
    let size = std::fs::metadata(vault.path(drydock::vault::Generation::Current)).unwrap().len();
    // Without "big" the new file is still more than half as long.
    for limit in (0..size / 2).step_by(511) {
        let status = Command::new(std::env::current_exe().unwrap())
            .args([LIMITED.as_ref(), vault.folder().as_os_str(), limit.to_string().as_ref()])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success(), "limit {limit}");
        let held = open.value(RUN, &name).unwrap().unwrap();
        assert_eq!(held.expose_secret(), before.expose_secret(), "limit {limit}");
        assert!(vault.previous().is_some(), "limit {limit}: the generation before is whole");
    }
    put(&open, "big", "after");
    assert_eq!(open.value(RUN, &name).unwrap().unwrap().expose_secret(), b"after");
}

/// Types these bytes at the prompt. The exit code and everything that was shown.
fn type_at_prompt(bytes: &[u8]) -> (u32, String) {
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.arg(ASKER);
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let (sender, shown) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut chunk = [0; 1024];
        while let Ok(count @ 1..) = std::io::Read::read(&mut reader, &mut chunk) {
            let _ = sender.send(String::from_utf8_lossy(&chunk[..count]).into_owned());
        }
    });
    let mut text = String::new();
    while !text.contains("hidden)") {
        text += &shown.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    let mut writer = pty.master.take_writer().unwrap();
    writer.write_all(bytes).unwrap();
    let code = child.wait().unwrap().exit_code();
    drop((writer, pty.master));
    (code, shown.iter().fold(text, |text, more| text + &more))
}

fn prompts(_: &Vault) {
    let (code, shown) = type_at_prompt(format!("{PASSPHRASE}\r").as_bytes());
    assert_eq!(code, 0, "{shown}");
    assert!(PASSPHRASE.split(' ').all(|word| !shown.contains(word)), "{shown}");
    for leave in [&b"half\x03"[..], b"half\x1b[A", b"\r", b"\x04"] {
        let (code, shown) = type_at_prompt(leave);
        assert_eq!(code, u32::from(Exit::Stopped.code()), "{leave:?}");
        assert!(!shown.contains("half") && !shown.contains("[A"), "{shown}");
    }
}

fn hardened(_: &Vault) {
    harden_process().unwrap();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    assert_eq!(rustix::process::dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
}
