//! From a key to what it paints: at rest, and while a step prints ten thousand lines a second.

use std::{
    fmt::Write as _,
    io::{BufRead, Write},
    os::unix::fs::PermissionsExt,
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::{
    PROGRAM,
    table::{Row, Times},
    terminal::{COLUMNS, House, Terminal},
};

/// The argument with which this program is the one that prints.
pub const CHILD: &str = "flood-of-lines";
const PRESSES: usize = 200;
/// Lines of the flood in each of its beats.
const LINES: u32 = 100;
const BEAT: Duration = Duration::from_millis(10);
/// Longest that it prints when nobody ends it.
const LONGEST: Duration = Duration::from_secs(120);

/// Prints ten thousand lines of 100 bytes each second.
pub fn flood() -> ExitCode {
    let (begun, mut out, mut number) = (Instant::now(), std::io::stdout().lock(), 0_u64);
    for beat in 1.. {
        let mut text = String::new();
        for _ in 0..LINES {
            number += 1;
            let words = "row copied, a line of the length that programs write when they tell what they do now";
            let _ = writeln!(text, "{number:>9} {words}");
        }
        if out.write_all(text.as_bytes()).is_err() || begun.elapsed() > LONGEST {
            break;
        }
        std::thread::sleep((BEAT * beat).saturating_sub(begun.elapsed()));
    }
    ExitCode::SUCCESS
}

/// A house whose second step prints until the run is left.
pub fn flooded() -> (House, Terminal) {
    let house = House::new();
    std::fs::create_dir(house.path("bin")).unwrap();
    let me = std::env::current_exe().unwrap();
    script(&house, "say", "echo said");
    script(&house, "strike", &format!("exec {} {CHILD}", me.display()));
    let terminal = begin(&house, &[]);
    (house, terminal)
}

pub fn script(house: &House, name: &str, text: &str) {
    let path = house.path("bin").join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Starts the four steps and approves their plan.
pub fn begin(house: &House, flags: &[&str]) -> Terminal {
    let mut terminal = plan(house, flags);
    terminal.rest(Duration::from_millis(400));
    terminal.press("\t");
    terminal.rest(Duration::from_millis(400));
    terminal.press("\r");
    terminal.sees("Strike once");
    terminal
}

/// Starts the four steps; their plan is on the screen.
pub fn plan(house: &House, flags: &[&str]) -> Terminal {
    let file = house.path("runbook.yaml");
    std::fs::write(&file, include_str!("../../tests/data/four-steps.yaml")).unwrap();
    let file = file.display().to_string();
    let mut command = house.command(PROGRAM, &[&["start", "--file", &file], flags].concat());
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", house.path("bin").display()));
    let mut terminal = Terminal::start(command);
    terminal.sees("Approve and start phase 1");
    terminal
}

/// Opens and closes the help, again and again: each is a whole page, and its text says when it is painted.
fn presses(terminal: &mut Terminal) -> Times {
    // keys before a screen could be read are thrown away there
    terminal.rest(Duration::from_millis(600));
    let mut times = Vec::new();
    for round in 0..PRESSES {
        terminal.rest(Duration::from_millis(23 + (round as u64 * 7) % 40));
        let opens = round % 2 == 0;
        let key = if opens { "?" } else { "\u{1b}" };
        let at = terminal.press(key);
        let painted = terminal.until("page", |screen| is_shown(screen, opens));
        times.push(painted.saturating_duration_since(at));
    }
    Times::new(times)
}

/// Whether the page of keys is on the screen, or the page below it, whole: the last row is the last that is drawn.
fn is_shown(screen: &vt100::Screen, help: bool) -> bool {
    let last = screen.rows(0, COLUMNS).last().unwrap_or_default();
    screen.contents().contains("You are here") == help && last.contains(if help { "close" } else { "? help" })
}

pub fn rows() -> Vec<Row> {
    let house = House::new();
    std::fs::create_dir(house.path("bin")).unwrap();
    script(&house, "say", "echo said");
    let mut quiet = plan(&house, &[]);
    let idle = presses(&mut quiet);
    drop(quiet);

    let (house, mut busy) = flooded();
    busy.rest(Duration::from_secs(2));
    let lines = || {
        let file = std::fs::File::open(house.run().join("output/strike.log")).unwrap();
        std::io::BufReader::new(file).lines().count()
    };
    let (before, begun) = (lines(), Instant::now());
    let flooded = presses(&mut busy);
    let took = begun.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a rate of five digits")]
    let rate = (lines() - before) as f64 / took;
    let memory = crate::table::mib(busy.process().memory("VmHWM"));
    drop(busy);
    let enough = rate >= 9_000.0;
    vec![
        Row::new("key to paint, idle", idle.text(), format!("{} presses, a whole page each", idle.count()))
            .within("p99 <= 16 ms", idle.percentile(99) <= Duration::from_millis(16)),
        Row::new(
            "key to paint, flooded log",
            flooded.text(),
            format!("{rate:.0} lines/s reached the file, {memory} at most"),
        )
        .within("p99 <= 100 ms at 10,000 lines/s", enough && flooded.percentile(99) <= Duration::from_millis(100)),
    ]
}
