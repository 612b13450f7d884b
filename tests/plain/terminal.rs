//! The real program in plain mode at a real terminal: hidden typing, words, a fault at its field, Ctrl-C, no escape byte.

use std::{
    io::{Read, Write},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

const PASSPHRASE: &str = "harbour velvet tractor onion";
const TOKEN: &str = "canary-5d1e-token";

/// A program at a terminal of eighty columns.
pub struct Terminal {
    seen: Arc<Mutex<Vec<u8>>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    from: usize,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    pub fn start(state: &Path, args: &[&str]) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_drydock"));
        command.args(args);
        command.env("DRYDOCK_STATE_DIR", state);
        command.env("TERM", "xterm-256color");
        command.env("KUBECONFIG", state.join("kubeconfig"));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut block) {
                into.lock().unwrap().extend_from_slice(&block[..n]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { seen, keys, child, from: 0, _master: pair.master }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Waits until this stands after what was waited for before.
    pub fn wait(&mut self, wanted: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.text();
            if let Some(at) = text[self.from..].find(wanted) {
                self.from += at + wanted.len();
                return;
            }
            assert!(Instant::now() < end, "{wanted:?} did not come after:\n{text}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn answer(&mut self, prompt: &str, line: &str) {
        self.wait(prompt);
        self.keys(&format!("{line}\r"));
    }

    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub fn end(mut self) -> (u32, String) {
        let end = Instant::now() + Duration::from_secs(30);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        };
        std::thread::sleep(Duration::from_millis(50));
        (status.exit_code(), self.text())
    }
}

fn runbook(name: &str) -> String {
    format!("{}/tests/data/{name}.yaml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_person_fills_a_form_in_line_by_line() {
    let place = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(place.path(), &["start", "--plain", "--file", &runbook("one-form")]);
    terminal.answer("Choose 1 or 2:", "?");
    terminal.wait("Words of every prompt");
    terminal.answer("Choose 1 or 2:", "2");
    terminal.answer("New vault passphrase (typing stays hidden):", "short");
    terminal.wait("not yet. At least 8 characters");
    terminal.answer("New vault passphrase (typing stays hidden):", PASSPHRASE);
    terminal.answer("Once more (typing stays hidden):", PASSPHRASE);
    terminal.answer("Choose 1 or 2:", "2");
    terminal.answer("Name of the connection:", "lns-eu");
    terminal.answer("API url (example:", "lns.example.net");
    terminal.wait("not yet. API url begins with https:// or http://.");
    terminal.answer("Enter = try again):", "https://lns.example.net/api");
    terminal.wait("ok. API url saved.");
    terminal.answer("Owner (example: tenant-eu):", "why");
    terminal.wait("The upgrade wipes them, so they are kept first.");
    terminal.answer("Owner (example: tenant-eu):", "back");
    terminal.answer("Enter keeps it, or type another API url:", "");
    terminal.answer("Owner (example: tenant-eu):", "tenant-eu");
    terminal.answer("Token (typing stays hidden):", TOKEN);
    terminal.answer("Token once more (Enter = compare by check number):", "mistyped-5d1e");
    terminal.wait("not yet. The two are not the same.");
    terminal.answer("Token (typing stays hidden):", TOKEN);
    terminal.answer("Token once more (Enter = compare by check number):", TOKEN);
    terminal.wait("ok. Token saved in the vault: 17 characters, check ");
    terminal.answer("Note (Enter = none):", "");
    terminal.answer("Choose 1 to 3:", "1");
    terminal.wait("saved. Connection lns-eu confirmed.");
    terminal.answer("Choose 1 to 3:", "1");
    terminal.answer("Choose 1 or 2:", "evidence");
    terminal.wait("evidence. Nothing was proven yet.");
    terminal.answer("Choose 1 or 2:", "2");
    terminal.wait("finished. 2 of 2 steps are done");
    let (code, text) = terminal.end();
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains('\u{1b}'), "no escape byte: {text:?}");
    for secret in [PASSPHRASE, TOKEN, "mistyped-5d1e"] {
        assert!(!text.contains(secret), "what is typed stays hidden: {text}");
    }
    // what is typed stands behind its prompt on the same line
    let own = |line: &&str| !line.contains("https://lns.example.net/api; Enter");
    let wide: Vec<&str> = text.lines().filter(own).filter(|line| line.trim_end().chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
}

#[test]
fn a_pause_and_ctrl_c_leave_a_run_that_can_be_resumed() {
    let place = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(place.path(), &["start", "--plain", "--file", &runbook("three-steps")]);
    terminal.answer("Choose 1 or 2:", "2");
    terminal.answer("Choose 1 or 2:", "log 5");
    terminal.wait("log. The last 1 lines of 1.1");
    terminal.answer("Choose 1 or 2:", "pause");
    terminal.wait("come back with: drydock resume");
    assert_eq!(terminal.end().0, 5);

    let mut terminal = Terminal::start(place.path(), &["resume", "--plain"]);
    terminal.wait("Choose 1 or 2:");
    terminal.keys("\u{3}");
    terminal.wait("come back with: drydock resume");
    assert_eq!(terminal.end().0, 5, "Ctrl-C at a prompt is a pause");

    let mut terminal = Terminal::start(place.path(), &["resume", "--plain"]);
    terminal.answer("Choose 1 or 2:", "back");
    terminal.wait("Approve the plan and start phase 1");
    terminal.answer("Choose 1 or 2:", "2");
    terminal.wait("Step 2 of 3: 1.2 Look at it (try ");
    terminal.answer("Choose 1 or 2:", "back");
    terminal.answer("Choose 1 or 2:", "back");
    terminal.wait("left at the plan");
    assert_eq!(terminal.end().0, 5, "back from the first step leads to the plan, and from there out");
}

#[test]
fn ctrl_c_finishes_the_running_step_and_a_second_one_stops_it() {
    let place = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(place.path(), &["start", "--plain", "--file", &runbook("one-wait")]);
    terminal.answer("Choose 1 or 2:", "2");
    terminal.wait("Step 1 of 2: 1.1 Wait a little.");
    terminal.keys("\u{3}");
    terminal.wait("This step is finished first");
    terminal.keys("\u{3}");
    terminal.wait("stopped where it may be cut");
    terminal.wait("come back with: drydock resume");
    let (code, text) = terminal.end();
    assert!(code == 5 && !text.contains("done."), "{code} {text}");

    let mut terminal = Terminal::start(place.path(), &["resume", "--plain"]);
    terminal.wait("Step 1 of 2");
    terminal.keys("\u{3}");
    terminal.wait("This step is finished first");
    terminal.wait("done.");
    terminal.wait("come back with: drydock resume");
    assert_eq!(terminal.end().0, 5);
    let mut terminal = Terminal::start(place.path(), &["resume", "--plain"]);
    terminal.answer("Choose 1 or 2:", "2");
    terminal.wait("finished. 2 of 2 steps are done");
    assert_eq!(terminal.end().0, 0);
}

/// The practice cluster, for as long as this lives.
struct Served(std::process::Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves it, with a kubeconfig of two contexts that lead there.
fn serve(state: &Path) -> Served {
    let kubeconfig = state.join("kubeconfig");
    let served = std::process::Command::new(env!("CARGO_BIN_EXE_drydock"))
        .args(["practice", "--serve", "--kubeconfig", &kubeconfig.display().to_string()])
        .env("DRYDOCK_STATE_DIR", state.join("served"))
        .stdout(std::process::Stdio::null())
        .spawn()
        .map(Served)
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let mut config: serde_json::Value = loop {
        match std::fs::read(&kubeconfig).map(|text| serde_json::from_slice(&text)) {
            Ok(Ok(config)) => break config,
            _ => assert!(Instant::now() < end, "no kubeconfig is laid"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let contexts = config["contexts"].as_array_mut().unwrap();
    let mut other = contexts[0].clone();
    other["name"] = "other".into();
    contexts.push(other);
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    served
}

#[test]
fn a_target_that_is_not_named_is_asked_for_at_a_terminal_and_refused_without() {
    let place = tempfile::tempdir().unwrap();
    let _served = serve(place.path());
    std::fs::write(place.path().join("Chart.yaml"), "name: pix").unwrap();
    let chart = place.path().display().to_string();
    let mut terminal = Terminal::start(place.path(), &["start", "pixelcore", "--plain"]);
    terminal.wait("practice  http://127.0.0.1:");
    terminal.wait("current");
    terminal.answer("Number or name of the context:", "");
    terminal.answer("Number or name of the context:", "other");
    terminal.wait("plant  ");
    terminal.answer("Number or name of the namespace:", "nowhere");
    terminal.answer("Number or name of the namespace:", "plant");
    terminal.wait("Input chart:");
    terminal.answer("Value:", &chart);
    terminal.wait("namespace plant, context other,");
    terminal.answer("Choose 1 or 2:", "back");
    assert_eq!(terminal.end().0, 5);

    let mut terminal = Terminal::start(place.path(), &["start", "pixelcore", "--plain", "--context", "other"]);
    terminal.answer("Number or name of the namespace:", "back");
    terminal.wait("no target was chosen");
    assert_eq!(terminal.end().0, 5);

    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_drydock"))
        .args(["start", "pixelcore"])
        .env("DRYDOCK_STATE_DIR", place.path())
        .env("KUBECONFIG", place.path().join("kubeconfig"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("which namespace?") && said.contains("-n NAMESPACE"), "{said}");
}
