//! A house for a program in a terminal: a state folder, a runbook of four steps, and the programs that it starts.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use portable_pty::CommandBuilder;

use crate::pty::{PROGRAM, Pty};

/// Longest time that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A state folder, the programs of the runbook, and the runbook.
pub struct House {
    place: tempfile::TempDir,
}

impl House {
    /// A new house. `strike` says where it is, then waits until it is let go.
    pub fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let house = Self { place };
        std::fs::create_dir(house.path("bin")).unwrap();
        let (begun, go) = (house.path("begun"), house.path("go"));
        house.script("say", "echo \"said $1\"");
        let strike = format!(
            "echo begun >> {}\nwhile [ ! -e {} ]; do sleep 0.05; done\necho \"struck $1\"",
            begun.display(),
            go.display()
        );
        house.script("strike", &strike);
        std::fs::write(house.path("runbook.yaml"), include_str!("../data/four-steps.yaml")).unwrap();
        house
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Lets the second step end.
    pub fn let_go(&self) {
        std::fs::write(self.path("go"), "").unwrap();
    }

    /// How often the second step was begun.
    pub fn strikes(&self) -> usize {
        std::fs::read_to_string(self.path("begun")).map_or(0, |text| text.lines().count())
    }

    /// The journal of the only run.
    pub fn journal(&self) -> String {
        let runs = std::fs::read_dir(self.path("state").join("state").join("runs")).unwrap();
        let folder = runs.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
        std::fs::read_to_string(folder.join("journal.jsonl")).unwrap()
    }

    /// Arguments of a new run.
    pub fn start(&self) -> Vec<String> {
        vec!["start".into(), "--file".into(), self.path("runbook.yaml").display().to_string()]
    }

    /// A command with this house's environment.
    pub fn command(&self, program: &str, args: &[impl AsRef<str>]) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.args(args.iter().map(AsRef::as_ref));
        command.env_clear();
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command.env("HOME", self.path("home"));
        command.env("DRYDOCK_STATE_DIR", self.path("state"));
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(self.place.path());
        command
    }

    /// The real program in a terminal of 80x24.
    pub fn drydock(&self, args: &[impl AsRef<str>]) -> Pty {
        Pty::start(self.command(PROGRAM, args), 80, 24)
    }
}

/// Whether a file is there before long.
pub fn appears(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}
