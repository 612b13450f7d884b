//! From the start of a program to its first whole screen, beside the peers that are on this machine; runs of one and another
//! in turn, so that a busy moment meets both.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use portable_pty::CommandBuilder;

use crate::{
    PROGRAM,
    table::{Row, Times, ms},
    terminal::{House, Terminal, is_whole},
};

const RUNS: usize = 15;
/// The promise for every first frame (research P2).
const FIRST: Duration = Duration::from_millis(150);
/// The promise for a screen that can be worked with (research P2).
const USABLE: Duration = Duration::from_secs(1);

/// A program of this name in the PATH.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The cluster that may be used, as the tests name it.
pub fn kubeconfig() -> Option<String> {
    std::env::var("DRYDOCK_TEST_KUBECONFIG").ok()
}

pub fn rows() -> Vec<Row> {
    vec![frames("first frame, home", &[]), practice(), peers(), version()].into_iter().flatten().collect()
}

/// Starts of the program with nothing there yet, to the first whole screen.
fn frames(figure: &str, args: &[&str]) -> Vec<Row> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let house = House::new();
        let mut terminal = Terminal::start(house.command(PROGRAM, args));
        times.push(terminal.until("whole screen", is_whole) - terminal.begun);
    }
    let times = Times::new(times);
    let row = Row::new(figure, times.text(), format!("{RUNS} starts, 80x24, no state yet"));
    vec![row.within("p99 <= 150 ms", times.percentile(99) <= FIRST)]
}

/// Practice begins a simulated cluster: its first frame may not wait for that, and the plan follows soon.
fn practice() -> Vec<Row> {
    let (mut first, mut usable, mut sockets) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let house = House::new();
        let mut terminal = Terminal::start(house.command(PROGRAM, &["practice"]));
        let at = terminal.until("whole screen", is_whole);
        sockets.push(terminal.process().tcp_sockets());
        first.push(at - terminal.begun);
        usable.push(terminal.sees("Approve and start") - terminal.begun);
    }
    let (first, usable) = (Times::new(first), Times::new(usable));
    let known: Option<Vec<usize>> = sockets.into_iter().collect();
    let (asked, none) = match known.map(|all| all.into_iter().max().unwrap_or(0)) {
        // the practice world's own API is spoken to over TCP as well
        Some(open) => (format!("{open} TCP sockets at that moment, so no API call"), open == 0),
        None => ("its sockets may not be looked at by this user".to_owned(), true),
    };
    let kept = first.percentile(99) <= FIRST && none;
    vec![
        Row::new("first frame, practice", first.text(), asked).within("p99 <= 150 ms, no API call before", kept),
        Row::new("the plan to approve, practice", usable.text(), "a simulated cluster was begun for it".to_owned())
            .within("p95 <= 1 s", usable.percentile(95) <= USABLE),
    ]
}

/// The same moment of other programs on the real cluster, and ours on it.
fn peers() -> Vec<Row> {
    const FIGURE: &str = "first frame of the peers";
    let Some(config) = kubeconfig() else {
        return vec![Row::not_run(FIGURE, "DRYDOCK_TEST_KUBECONFIG is not set")];
    };
    let with_config = |mut command: CommandBuilder| {
        command.env("KUBECONFIG", &config);
        command
    };
    let subjects = [("kubectl", &["get", "pods", "-n", "default"][..]), ("k9s", &["--splashless"]), ("kubetui", &[])];
    let mut shown = Vec::new();
    for (name, args) in subjects {
        let Some(path) = program(name) else {
            shown.push(format!("{name}: not on this machine"));
            continue;
        };
        let mut times = Vec::new();
        for _ in 0..RUNS.min(7) {
            let house = House::new();
            let mut terminal = Terminal::start(with_config(house.command(&path.display().to_string(), args)));
            let at = terminal.until("first text", |screen| !screen.contents().trim().is_empty());
            times.push(at - terminal.begun);
        }
        shown.push(format!("{name} {} {}", args.join(" "), Times::new(times).text()));
    }
    vec![Row::new(FIGURE, "-".to_owned(), shown.join("; "))]
}

/// A whole process that only says what it is.
fn version() -> Vec<Row> {
    let time = |program: &str, args: &[&str]| {
        let begun = Instant::now();
        let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{program} {args:?}");
        begun.elapsed()
    };
    let peer = program("kubectl").map(|path| path.display().to_string());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(time(PROGRAM, &["--version"]));
        theirs.extend(peer.as_ref().map(|peer| time(peer, &["version", "--client"])));
    }
    let ours = Times::new(ours);
    let (beside, kept) = if theirs.is_empty() {
        ("kubectl is not in the PATH".to_owned(), true)
    } else {
        let theirs = Times::new(theirs);
        (format!("kubectl version --client: {}", theirs.text()), ours.percentile(50) <= theirs.percentile(50))
    };
    let size = std::fs::metadata(PROGRAM).map_or(0, |file| file.len());
    vec![
        Row::new("drydock --version", ours.text(), beside).within("p50 <= kubectl's", kept),
        Row::new(
            "size of the program",
            crate::table::mib(size),
            format!("{} to load and end", ms(ours.percentile(50))),
        ),
    ]
}
