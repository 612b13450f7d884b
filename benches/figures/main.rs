//! `cargo bench`: the figures drydock promises, each beside a peer or a limit of the machine in the same run, as one table.
//!
//! `cargo bench -- NAME…` takes only the parts of these names (`start`, `keys`, `rest`, `disk`, `dump`, `pod`). Parts that
//! need a cluster run when `DRYDOCK_TEST_KUBECONFIG` is set, with kubectl in the PATH; else the table says that they did not.
//! Peers are other programs of the same field: kubectl, and k9s and kubetui where they are in the PATH.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod disk;
mod dump;
mod keys;
mod pod;
mod rest;
mod start;
mod table;
mod terminal;

use std::{panic::catch_unwind, process::ExitCode};

use table::{Row, left_out, print};

/// The program that is measured.
const PROGRAM: &str = env!("CARGO_BIN_EXE_drydock");

type Part = fn() -> Vec<Row>;

const PARTS: [(&str, Part); 6] = [
    ("start", start::rows),
    ("keys", keys::rows),
    ("rest", rest::rows),
    ("disk", disk::rows),
    ("dump", dump::rows),
    ("pod", pod::rows),
];

/// How busy all processors were since they were started, and since when: two numbers of `/proc/stat`.
fn busy() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let numbers: Vec<u64> = line.split_whitespace().skip(1).filter_map(|number| number.parse().ok()).collect();
    let idle = numbers.get(3).copied().unwrap_or(0) + numbers.get(4).copied().unwrap_or(0);
    let all = numbers.iter().take(8).sum::<u64>();
    (all - idle, all)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let parts: Vec<&str> = words.iter().map(String::as_str).collect();
    match parts.as_slice() {
        [pod::CHILD, rest @ ..] => return pod::child(rest),
        [keys::CHILD] => return keys::flood(),
        _ => {}
    }
    if let Some(unknown) = parts.iter().find(|word| !PARTS.iter().any(|(name, _)| name == *word)) {
        eprintln!("there is no part {unknown}; there are: {}", PARTS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    let (before, mut rows) = (busy(), Vec::new());
    for (name, part) in PARTS.iter().filter(|(name, _)| parts.is_empty() || parts.contains(name)) {
        eprintln!("measuring: {name}");
        match catch_unwind(part) {
            Ok(found) => rows.extend(found),
            Err(_) => rows.push(Row::not_run(name, "this part failed, see above").within("it runs", false)),
        }
    }
    let after = busy();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = (after.0 - before.0) * 100 / (after.1 - before.1).max(1);
    let profile = if cfg!(debug_assertions) { "without optimisation" } else { "optimised" };
    println!("\n{cores} processors, {share} % busy on the whole while this was measured, built {profile}\n");
    print(&rows);
    if let Some(line) = left_out(&rows) {
        println!("\n{line}");
    }
    let missed = rows.iter().any(|row| row.verdict == table::Verdict::Missed);
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
