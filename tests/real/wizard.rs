//! The wizard by keys on a real cluster: the real program in a pseudo terminal, every answer typed, and what is then in the
//! cluster, in the files and on the screens.

use std::{path::Path, time::Duration};

use portable_pty::CommandBuilder;

use crate::{
    pixelcore::{ALL_SECRET, Plant},
    pty::{PROGRAM, Pty, Shown, secrets, walk},
    upgrade::{JOB_RUNS, assert_deleted_once, assert_upgraded},
};

pub const PASSPHRASE: &str = "quartz moss ladder nine kites";
pub const BY_HAND: walk::ByHand<'_> = walk::ByHand { name: "lns-third", token: "canary-4be0-third-token" };

/// The program at a terminal, with what a person has there: a kubeconfig, programs, a home.
fn wizard(plant: &Plant, args: &[&str]) -> Pty {
    wizard_as(plant, plant.kubeconfig(), args)
}

/// The same with another kubeconfig.
pub fn wizard_as(plant: &Plant, kubeconfig: &str, args: &[&str]) -> Pty {
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(args);
    command.env_clear();
    command.env("PATH", std::env::var("PATH").unwrap());
    command.env("KUBECONFIG", kubeconfig);
    command.env("HOME", plant.folder.path().join("home"));
    command.env("DRYDOCK_STATE_DIR", plant.state());
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.cwd(plant.folder.path());
    Pty::start(command, 80, 24).patient(Duration::from_secs(240))
}

/// A new run with the plant's own context, up to its first question.
fn start(plant: &Plant) -> Pty {
    let context = plant.kubectl(&["config", "current-context"]);
    let chart = format!("chart={}", plant.chart());
    wizard(plant, &["start", "pixelcore", "--context", context.trim(), "-n", &plant.namespace, "--set", &chart])
}

/// Everything that is asked before the dump.
fn answer(pty: &mut Pty) {
    gather(pty);
    walk::begin_downtime(pty);
}

/// Everything that is asked before the preflight.
pub fn gather(pty: &mut Pty) {
    walk::approve(pty);
    walk::make_vault(pty, PASSPHRASE);
    walk::environment(pty, "./.env");
    walk::connections(pty, 2, &BY_HAND);
    walk::workers(pty, 5);
    walk::nothing_else(pty);
}

/// Lets the rehearsal's copy run: the network of the test cluster ignores policies, and the question says so.
pub fn let_the_copy_run(pty: &mut Pty) {
    pty.wait_for("Run the copy all the same");
    pty.wait_for("? help");
    pty.keys("2<Enter>");
}

/// The run's journal, as far as it is written.
fn journal(plant: &Plant) -> String {
    std::fs::read_to_string(plant.run_folder().join("journal.jsonl")).unwrap_or_default()
}

/// Waits until the journal tells `mark` of a step.
fn until(pty: &Pty, plant: &Plant, mark: &str, step: &str) {
    let (mark, of) = (format!("\"type\":\"{mark}\""), format!("\"step\":\"{step}\""));
    pty.until(&format!("{mark} of {step}"), || {
        journal(plant).lines().any(|line| line.contains(&mark) && line.contains(&of))
    });
}

/// Since when the database's server runs.
fn server_since(plant: &Plant) -> String {
    plant.sql("SELECT pg_postmaster_start_time()")
}

/// Nothing that died under the database has made it end its other sessions.
fn assert_no_crash(plant: &Plant) {
    let log = plant.kubectl(&["-n", &plant.namespace, "logs", "pix-db-0"]);
    assert!(log.contains("ready to accept connections"), "{log}");
    assert!(!log.contains("terminating any other active server processes"), "{log}");
}

/// Files of a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

fn assert_secret(plant: &Plant, all: Vec<Shown>) {
    let known = [&ALL_SECRET[..], &[PASSPHRASE, BY_HAND.token]].concat();
    for shown in all {
        assert!(shown.processes.iter().any(|words| words.starts_with(PROGRAM.as_bytes())));
        secrets::assert_shown_none(&known, &shown);
    }
    secrets::assert_none_under(&known, &plant.state(), &[]);
}

#[test]
fn the_whole_upgrade_by_keys() {
    let Some(plant) = Plant::install("dd-keys", 20_000) else { return };
    let before = plant.fingerprint(None);
    let mut pty = start(&plant);
    answer(&mut pty);
    let_the_copy_run(&mut pty);
    walk::remove(&mut pty, &plant.namespace);
    walk::leave_out(&mut pty, BY_HAND.name);
    walk::finish(&mut pty);
    assert_upgraded(&plant, &before);
    let shown = pty.shown();
    let is_helm = |words: &Vec<u8>| words.split(|byte| *byte == 0).next().is_some_and(|word| word.ends_with(b"helm"));
    assert!(shown.processes.iter().any(is_helm), "what it starts was not looked at");
    assert_secret(&plant, vec![shown]);
}

#[test]
fn killed_in_dump_removal_and_restore_and_resumed_by_keys() {
    let Some(plant) = Plant::install("dd-keys-kill", 60_000) else { return };
    let before = plant.fingerprint(None);
    let since = server_since(&plant);
    let mut all = Vec::new();

    let mut pty = start(&plant);
    answer(&mut pty);
    until(&pty, &plant, "intent", "dump");
    pty.wait_for(JOB_RUNS);
    all.push(pty.kill());
    assert_eq!(plant.done("dump"), 0, "it was over before it was killed");

    let mut pty = wizard(&plant, &["resume"]);
    walk::come_back(&mut pty, PASSPHRASE);
    let_the_copy_run(&mut pty);
    pty.wait_for("Typing only; paste is not accepted here.");
    assert_eq!(server_since(&plant), since, "the database was restarted");
    assert_no_crash(&plant);
    let files = names(&plant.run_folder().join("artifacts"));
    assert_eq!(files.len(), 3, "two files of the dump and the chart: {files:?}");
    walk::remove(&mut pty, &plant.namespace);
    until(&pty, &plant, "effected", "remove");
    all.push(pty.kill());
    assert_eq!(plant.done("remove"), 0, "it was over before it was killed");

    let mut pty = wizard(&plant, &["resume"]);
    walk::come_back(&mut pty, PASSPHRASE);
    // the rest of the removal is opened by a person again
    walk::remove(&mut pty, &plant.namespace);
    until(&pty, &plant, "intent", "restore");
    pty.wait_for(JOB_RUNS);
    all.push(pty.kill());
    assert_eq!(plant.done("restore"), 0, "it was over before it was killed");

    let mut pty = wizard(&plant, &["resume"]);
    walk::come_back(&mut pty, PASSPHRASE);
    walk::leave_out(&mut pty, BY_HAND.name);
    walk::finish(&mut pty);
    all.push(pty.shown());

    assert_upgraded(&plant, &before);
    assert_no_crash(&plant);
    assert_deleted_once(&plant);
    for step in ["dump", "rehearse", "remove", "restore", "compare"] {
        assert_eq!(plant.done(step), 1, "{step}");
    }
    assert_eq!(names(&plant.run_folder().join("artifacts")), files);
    assert_secret(&plant, all);
}

#[test]
fn from_home_to_the_plan_nothing_is_changed() {
    let Some(plant) = Plant::install("dd-keys-door", 1_000) else { return };
    let before = plant.versions();
    let mut pty = wizard(&plant, &[]);
    walk::home_to_plan(&mut pty, &plant.namespace, &plant.chart());
    pty.keys("q");
    assert_eq!(pty.ends().exit_code(), 5);
    assert!(pty.is_given_back());
    assert_eq!(plant.versions(), before);
    assert_secret(&plant, vec![pty.shown()]);
}
