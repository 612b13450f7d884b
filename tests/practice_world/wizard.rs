//! `drydock practice` at a terminal, by keys alone: the whole upgrade on a machine that has nothing, killed once on the way.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use portable_pty::CommandBuilder;

use crate::pty::{PROGRAM, Pty, secrets, walk};

const PASSPHRASE: &str = "quartz moss ladder nine kites";
const BY_HAND: walk::ByHand<'_> = walk::ByHand { name: "lns-third", token: "canary-4be0-third-token" };

/// The token of the connection that is listed first.
const FOUND: &str = "b4ck-up_token";

/// All that is secret here: typed by the test, or in the plant from the start.
const SECRETS: [&str; 8] = [
    PASSPHRASE,
    BY_HAND.token,
    "eyJhbGciOiJIUzI1NiJ9.c2VlZA",
    FOUND,
    "v4lve-mail-77",
    "practice-db",
    "practice me #1",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
];

/// The simulated cluster, which knows them as a real one does, and the environment file that the operator has. The vault is
/// no exception: it holds them encrypted.
const MAY_HOLD: [&str; 2] = ["world.json", "files/plant.env"];

/// The program where there is no kubectl, no helm, no kubeconfig: only a folder for it.
fn practice(folder: &Path) -> Pty {
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["practice", "--state-dir"]);
    command.arg(folder.join("state"));
    command.env_clear();
    command.env("HOME", folder.join("home"));
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.cwd(folder);
    Pty::start(command, 80, 24).patient(Duration::from_secs(60))
}

#[test]
fn the_whole_upgrade_by_keys_killed_in_the_rehearsal() {
    let folder = tempfile::tempdir().unwrap();
    let mut pty = practice(folder.path());
    walk::approve(&mut pty);
    walk::make_vault(&mut pty, PASSPHRASE);
    // the screen names the file, and that file passes
    pty.wait_for("Practice has laid it for you; type ./plant.env");
    walk::environment(&mut pty, "./plant.env");
    walk::connections(&mut pty, 2, &BY_HAND);
    walk::workers(&mut pty, 5);
    walk::nothing_else(&mut pty);
    walk::begin_downtime(&mut pty);
    pty.wait_for("Rehearse the restore");
    pty.wait_for("pix-db-0");
    // by now the scratch namespace is among what the world has saved
    std::thread::sleep(Duration::from_secs(2));
    let first = pty.kill();

    let mut pty = practice(folder.path());
    walk::come_back(&mut pty, PASSPHRASE);
    walk::remove(&mut pty, "plant");
    walk::leave_out(&mut pty, BY_HAND.name);
    walk::finish(&mut pty);

    // what is typed and no secret is found where secrets are looked for
    assert!(first.pictures.iter().any(|picture| picture.contains(walk::URL)));
    let run = folder.path().join("state/practice/state/runs");
    let run = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    assert!(secrets::holds(&std::fs::read(run.join("answers.json")).unwrap(), walk::URL.as_bytes()));
    for shown in [first, pty.shown()] {
        assert!(shown.pictures.iter().any(|picture| picture.contains("PRACTICE (simulated)")));
        assert!(shown.processes.iter().any(|words| words.starts_with(PROGRAM.as_bytes())));
        secrets::assert_shown_none(&SECRETS, &shown);
    }
    secrets::assert_none_under(&SECRETS, folder.path(), &MAY_HOLD);
    assert!(!folder.path().join("home").exists(), "something was written outside the state folder");
}

#[test]
fn a_kept_token_is_shown_for_ten_seconds_and_left_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut pty = practice(folder.path());
    walk::approve(&mut pty);
    walk::make_vault(&mut pty, PASSPHRASE);
    walk::environment(&mut pty, "./plant.env");
    pty.wait_for("LNS connections");
    pty.wait_for("› ? 1 lns-backup");
    pty.keys("<Tab><Tab><Tab>");
    pty.wait_for("›   Token");
    pty.wait_for("Ctrl-R show 10 s");
    assert!(!pty.screen().contains(FOUND), "{}", pty.screen());
    let asked = Instant::now();
    pty.keys("<Ctrl-R>");
    pty.wait_for(FOUND);
    let (came, painted) = (Instant::now(), pty.bytes());
    pty.until("end of the ten seconds", || !pty.screen().contains(FOUND));
    assert!(asked.elapsed() >= Duration::from_secs(10), "{:?}", asked.elapsed());
    assert!(came.elapsed() < Duration::from_secs(15), "{:?}", came.elapsed());
    // one painting took it away: the rows that it stood in, and nothing after that
    let gone = pty.bytes();
    std::thread::sleep(Duration::from_secs(2));
    assert!(pty.bytes() == gone && gone - painted < 2_000, "{painted} {gone} {}", pty.bytes());
    // the next key takes it away at once
    pty.keys("<Ctrl-R>");
    pty.wait_for(FOUND);
    pty.keys("<Tab>");
    pty.wait_for("[› Confirm 1 ‹]");
    assert!(!pty.screen().contains(FOUND), "{}", pty.screen());
    let shown = pty.kill();
    let others: Vec<&str> = SECRETS.into_iter().filter(|secret| *secret != FOUND).collect();
    secrets::assert_shown_none(&others, &shown);
    for words in &shown.processes {
        secrets::assert_none(&[FOUND], words, "arguments or environment of a process");
    }
    secrets::assert_none_under(&SECRETS, folder.path(), &MAY_HOLD);
}
