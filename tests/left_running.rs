//! The real program killed and asked to end while a program of a step runs: nothing is left beside the next run, and what is
//! asked to end writes down how it stands.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A state folder, a runbook whose first step takes so many seconds, and answers for it.
struct House(tempfile::TempDir);

impl House {
    fn new(seconds: u32) -> Self {
        let place = tempfile::tempdir().unwrap();
        let text = include_str!("data/one-wait.yaml").replace("[sleep, \"3\"]", &format!("[sleep, \"{seconds}\"]"));
        std::fs::write(place.path().join("runbook.yaml"), text).unwrap();
        let answers = place.path().join("answers.yaml");
        std::fs::write(&answers, "format: 1\napprove: true\nresume: go-on\nsteps:\n  look: {go_on: true}\n").unwrap();
        std::fs::set_permissions(&answers, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self(place)
    }

    fn drydock(&self, args: &[&str], front: &str) -> Child {
        // whoever runs the tests may ignore a hang-up, as nohup does, and hand that down
        let mut program = Command::new("env");
        program.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_drydock")]);
        self.begin(program, args, front)
    }

    fn begin(&self, mut program: Command, args: &[&str], front: &str) -> Child {
        program
            .args(args)
            .args(["--answers", "answers.yaml", front])
            .current_dir(self.0.path())
            .env("DRYDOCK_STATE_DIR", self.0.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn start(&self, front: &str) -> Child {
        self.drydock(&["start", "--file", "runbook.yaml"], front)
    }

    /// Files that say what runs.
    fn running(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.0.path().join("state")];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else if path.ends_with("running.json") {
                    found.push(path);
                }
            }
        }
        found
    }

    /// Waits until a program runs; its number.
    fn sleeper(&self) -> u32 {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            for path in self.running() {
                let text = std::fs::read(path).unwrap_or_default();
                let Ok(running) = serde_json::from_slice::<serde_json::Value>(&text) else { continue };
                let id = u32::try_from(running["group"].as_u64().unwrap()).unwrap();
                if command(id).starts_with('/') && command(id).contains("sleep") && !command(id).contains("/sh\0") {
                    return id;
                }
            }
            assert!(Instant::now() < end, "nothing runs");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The words of a process, empty where there is none or where it has ended.
fn command(id: u32) -> String {
    std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Status and both outputs, within half a minute.
fn ended(mut child: Child) -> (Option<i32>, String, String) {
    let end = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), None, "the signal ended it, not the program itself");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_a_killed_drydock_left_running_is_ended_before_the_step_is_taken_up_again() {
    let house = House::new(600);
    let mut first = house.start("--plain");
    let left = house.sleeper();
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(command(left).contains("sleep"), "it goes on without its drydock");

    let mut second = house.drydock(&["resume"], "--plain");
    let mut notes = BufReader::new(second.stderr.take().unwrap());
    let mut note = String::new();
    notes.read_line(&mut note).unwrap();
    assert!(note.starts_with("notice. ended what a killed drydock had left running: sleep, since 20"), "{note}");
    assert_eq!(command(left), "", "it is gone before anything else is said");
    assert_ne!(house.sleeper(), left);
    assert_eq!(house.running().len(), 1, "one at a time");
    // asked twice, it ends the step in hand
    signal(&second, "-TERM");
    std::thread::sleep(Duration::from_millis(300));
    signal(&second, "-TERM");
    let (code, out, _) = ended(second);
    assert_eq!(code, Some(5), "{out}");
    assert!(out.contains("stopped. stopped by the operator") && out.contains("come back with"), "{out}");
    assert!(house.running().is_empty());
}

#[test]
fn asked_to_end_it_finishes_the_step_in_hand_and_says_so() {
    for name in ["-TERM", "-HUP", "-INT"] {
        for front in ["--plain", "--json"] {
            let house = House::new(2);
            let child = house.start(front);
            let sleeper = house.sleeper();
            signal(&child, name);
            let (code, out, notes) = ended(child);
            assert_eq!(code, Some(5), "{name} {front}: {out}{notes}");
            assert_eq!(command(sleeper), "", "{name} {front}");
            let last = out.lines().rfind(|line| !line.is_empty()).unwrap();
            if front == "--json" {
                assert!(
                    last.contains("\"type\":\"stopped\"") && last.contains("paused by the operator"),
                    "{name}: {last}"
                );
                assert!(out.contains("\"type\":\"paused\""), "{name}: the journal has it, too: {out}");
            } else {
                assert!(out.contains("done.") && out.contains("paused. paused by the operator"), "{name}: {out}");
                assert!(last.contains("come back with: drydock resume"), "{name}: {last}");
            }
        }
    }
}

#[test]
fn a_hang_up_that_is_to_be_ignored_is() {
    let house = House::new(2);
    let mut nohup = Command::new("sh");
    nohup.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_drydock")]);
    let child = house.begin(nohup, &["start", "--file", "runbook.yaml"], "--json");
    house.sleeper();
    signal(&child, "-HUP");
    let (code, out, _) = ended(child);
    assert_eq!(code, Some(0), "{out}");
}
