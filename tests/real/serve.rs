//! `practice --serve` as somebody who learns meets it: a stock kubectl looks at the practice PixelCore and changes it.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// The served cluster; it ends with the test.
struct Served {
    child: Child,
    folder: tempfile::TempDir,
}

impl Served {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config");
        let child = Command::new(env!("CARGO_BIN_EXE_drydock"))
            .args(["practice", "--serve", "--kubeconfig", config.to_str().unwrap()])
            .args(["--state-dir", folder.path().join("state").to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut served = Self { child, folder };
        let said = lines(served.child.stdout.take().unwrap());
        wait_for(&said, &format!("export KUBECONFIG={}", config.display()));
        served
    }

    fn kubectl(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        let (config, home): (_, &Path) = (self.folder.path().join("config"), self.folder.path());
        command.env("KUBECONFIG", config).env("HOME", home).args(["-n", "plant"]).args(args);
        command.stdin(Stdio::null());
        command
    }

    /// A call that works and says `expected` somewhere.
    #[track_caller]
    fn works(&self, args: &[&str], expected: &str) -> String {
        let output = self.kubectl(args).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains(expected), "kubectl {args:?}: {}\n{out}{err}", output.status);
        out.into_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as they come.
fn lines(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
    lines
}

#[track_caller]
fn wait_for(lines: &Receiver<String>, words: &str) {
    let (started, mut seen) = (Instant::now(), Vec::new());
    while let Ok(line) = lines.recv_timeout(PATIENCE.saturating_sub(started.elapsed())) {
        if line.contains(words) {
            return;
        }
        seen.push(line);
    }
    panic!("{words:?} was not said: {seen:?}");
}

#[test]
fn a_stock_kubectl_finds_its_way_in_the_served_practice() {
    if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        return crate::required::not_run("there is no kubectl in the PATH");
    }
    let mut served = Served::begin();
    let versions = served.works(&["version"], "Server Version: v1.36.0+practice");
    let client = versions.lines().find(|line| line.starts_with("Client Version: v")).expect(&versions);
    // past the capture of the harness: which kubectl it was is part of the result
    std::io::stderr().write_all(format!("\n== practice --serve beside kubectl, {client}\n").as_bytes()).unwrap();

    served.works(&["get", "pods"], "pix-db-0");
    served.works(&["get", "deploy,sts,svc,pvc,secrets"], "statefulset.apps/pix-db");
    let uid = ["get", "pod", "pix-db-0", "-o", "jsonpath={.metadata.uid}"];
    let before = served.works(&uid, "-");
    served.works(
        &[
            "exec",
            "pix-db-0",
            "--",
            "psql",
            "-U",
            "pix",
            "-d",
            "pixelcore",
            "-Atc",
            "SELECT version FROM schema_version",
        ],
        "4.2.0",
    );
    served.works(&["exec", "deploy/pix-core", "--", "sh", "-c", "echo one; echo two | cat"], "one\ntwo\n");
    let failed = served.kubectl(&["exec", "deploy/pix-core", "--", "sh", "-c", "exit 7"]).status().unwrap();
    assert_eq!(failed.code(), Some(7));

    // a followed log says what comes, and ends with its container
    let mut follow = served.kubectl(&["logs", "-f", "deploy/pix-worker"]).stdout(Stdio::piped()).spawn().unwrap();
    let log = lines(follow.stdout.take().unwrap());
    wait_for(&log, "starting");
    served.works(&["scale", "deploy/pix-worker", "--replicas=0"], "scaled");
    wait_for(&log, "stopping");
    assert!(follow.wait().unwrap().success());
    let gone = served.works(&["get", "pods", "-l", "app=pix-worker", "-o", "name"], "");
    if !gone.is_empty() {
        served.works(&["wait", "pod", "-l", "app=pix-worker", "--for=delete", "--timeout=60s"], "");
    }
    served.works(&["scale", "deploy/pix-worker", "--replicas=1"], "scaled");
    served.works(&["rollout", "status", "deploy/pix-worker", "--timeout=60s"], "successfully rolled out");
    served.works(&["wait", "deploy/pix-worker", "--for=condition=Available", "--timeout=60s"], "condition met");

    // a deleted pod of a StatefulSet comes back as another of the same name
    served.works(&["delete", "pod", "pix-db-0", "--wait"], "deleted");
    served.works(&["wait", "sts/pix-db", "--for=jsonpath={.status.readyReplicas}=1", "--timeout=60s"], "condition met");
    assert_ne!(served.works(&uid, "-"), before);

    let ended = Command::new("kill").args(["-TERM", &served.child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(served.child.wait().unwrap().code(), Some(0), "what was changed is kept");
}
