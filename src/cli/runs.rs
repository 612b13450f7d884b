//! `runs`, `show`, `logs`: what happened, from the journals.

use std::io::{BufRead, IsTerminal, Write};

use jiff::Timestamp;
use serde_json::json;

use super::{
    Exit, Failure, Global, Outcome,
    attend::{Realm, come_back},
};
use crate::{
    plain::wrapped,
    run::{Environment, EvidenceState, OutputLine, PlannedStep, Record, RunState, StepState, Tag, Timings},
    runner::records,
    store::{Entry, FileLock, Holder, Paths, RunFolder},
    text::{printable, units},
};

/// A run.
#[derive(Debug, clap::Args)]
pub struct RunArg {
    /// Id of the run, or its unique ending; the newest without one
    #[arg(default_value = "")]
    pub run: String,
}

/// A run's step.
#[derive(Debug, clap::Args)]
pub struct LogsArg {
    /// Id of the run, or its unique ending; the newest without one
    #[arg(default_value = "")]
    pub run: String,
    /// Id or number of the step; all without one
    pub step: Option<String>,
}

/// The run of that name or ending; the newest for an empty name.
pub fn find(global: &Global, name: &str) -> Result<RunFolder, Failure> {
    let runs = Paths::resolve(global.state_dir.clone())?.runs();
    if name.is_empty() {
        return runs.newest()?.ok_or_else(|| Failure::usage(none_yet(global)));
    }
    Ok(runs.find(name)?)
}

fn none_yet(global: &Global) -> String {
    format!("there is no run yet; begin one with: {}", global.typed().command("start"))
}

/// How a run stands, and its records.
pub fn fold(run: &RunFolder) -> Result<(RunState, Vec<(Timestamp, Record)>), Failure> {
    let entries = records(run).map_err(|problem| Failure::new(Exit::Environment, problem))?;
    let state = RunState::of(entries.iter().map(|entry| (entry.at, &entry.record)));
    Ok((state, entries.into_iter().map(|entry| (entry.at, entry.record)).collect()))
}

/// How a run stands, in a few words; `holder` is the process that works on it just now.
pub fn word(state: &RunState, holder: Option<&Holder>) -> String {
    if state.imported {
        return "taken in, can be restored".to_owned();
    }
    if state.finished {
        return "finished".to_owned();
    }
    if state.rolled_back {
        return "rolled back".to_owned();
    }
    if state.abandoned {
        return "abandoned".to_owned();
    }
    if state.rolling_back {
        return if holder.is_some() { "is being rolled back" } else { "its roll back is not at its end" }.to_owned();
    }
    if !state.approved && state.attempts.is_empty() {
        return "its plan is not approved".to_owned();
    }
    let Some(step) = state.next() else { return "at its end".to_owned() };
    let how = match (state.step(&step.id), holder) {
        (StepState::Begun { .. }, Some(_)) => "at work on",
        (StepState::Begun { .. }, None) => "cut off in",
        (StepState::Failed { .. }, _) => "failed at",
        (_, Some(_)) => "open at",
        (_, None) => "paused at",
    };
    format!("{how} {} {}", step.number, step.title)
}

/// The process that works on a run just now.
pub fn holder(run: &RunFolder) -> Option<Holder> {
    FileLock::held(&run.lock())
}

/// `drydock runs`
pub fn list(global: &Global) -> Outcome {
    let runs = Paths::resolve(global.state_dir.clone())?.runs();
    let mut rows = Vec::new();
    for run in runs.list()?.into_iter().filter(|run| run.journal().exists()) {
        rows.push(match fold(&run) {
            Ok((state, _)) => {
                let namespace = state.target.as_ref().map_or("", |target| target.namespace.as_str()).to_owned();
                let environment = environment(&state);
                (run.id.to_string(), namespace, environment, word(&state, holder(&run).as_ref()))
            }
            Err(failure) => {
                let what = failure.problems.first().map_or_else(String::new, |problem| problem.what.clone());
                (run.id.to_string(), String::new(), String::new(), what)
            }
        });
    }
    let mut out = std::io::stdout();
    if rows.is_empty() && !global.json {
        writeln!(std::io::stderr(), "{}", none_yet(global))?;
    }
    let widest = |column: fn(&(String, String, String, String)) -> &str| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
    };
    let (first, second, third) = (widest(|row| &row.0), widest(|row| &row.1), widest(|row| &row.2));
    for (id, namespace, environment, word) in &rows {
        if global.json {
            let row =
                json!({"type": "run", "run": id, "namespace": namespace, "environment": environment, "state": word});
            writeln!(out, "{row}")?;
        } else {
            let word = printable(word);
            writeln!(out, "{id:<first$}  {namespace:<second$}  {environment:<third$}  {word}")?;
        }
    }
    Ok(Exit::Done)
}

fn environment(state: &RunState) -> String {
    match state.environment {
        _ if state.practice => "PRACTICE".to_owned(),
        Environment::None => String::new(),
        known => known.to_string(),
    }
}

/// `drydock show RUN`
pub fn show(global: &Global, args: &RunArg) -> Outcome {
    let run = find(global, &args.run)?;
    if global.json {
        let mut out = std::io::stdout();
        for Entry { seq, at, record } in records(&run).map_err(|problem| Failure::new(Exit::Environment, problem))? {
            writeln!(out, "{}", json!({"type": "recorded", "seq": seq, "at": at, "record": record}))?;
        }
        return Ok(Exit::Done);
    }
    let (state, records) = fold(&run)?;
    let holder = holder(&run);
    let mut lines = vec![format!("run {}: {}", run.id, word(&state, holder.as_ref()))];
    lines.extend(head(&state, &records, holder.as_ref()));
    lines.push(String::new());
    let timings = Timings::new(&records);
    for step in &state.plan {
        let time =
            timings.of(&step.id).map_or_else(String::new, |timing| format!(" ({})", units::seconds(timing.last_s)));
        let stands = match state.step(&step.id) {
            StepState::NotYet if timings.of(&step.id).is_some() => "opened again, not done again yet".to_owned(),
            StepState::NotYet => "not yet".to_owned(),
            StepState::Begun { since, .. } if holder.is_some() => format!("at work since {since:.0}"),
            StepState::Begun { since, .. } => {
                format!("begun {since:.0}, cut off: its end was not written; resumed, it is looked at first")
            }
            StepState::Done { summary, .. } => format!("done{time}. {summary}"),
            StepState::Skipped { reason } => format!("not needed. {reason}"),
            StepState::Failed { problem, .. } => format!("failed. {}", problem.what),
            StepState::Stopped { reason } => format!("stopped. {reason}"),
            StepState::Undone { sentence, .. } => format!("undone. {sentence}"),
        };
        lines.push(format!("  {} {}: {stands}", step.number, step.title));
        if let StepState::Failed { problem, .. } = state.step(&step.id) {
            lines.extend(problem.lines().iter().skip(1).map(|line| format!("      {line}")));
        }
    }
    if !state.evidence.is_empty() {
        lines.extend([String::new(), "proven:".to_owned()]);
        let proof = |proof: &EvidenceState| {
            format!("  rung {}: {} ({:.0}, {})", proof.level, proof.sentence, proof.at, subject(&proof.subject))
        };
        lines.extend(state.evidence.iter().map(proof));
    }
    lines.push(String::new());
    let typed = global.typed();
    // a practice lies in a folder of its own within the one it was begun with
    let (mut global, realm) = (global.clone(), if state.practice { Realm::Practice } else { Realm::Real });
    if state.practice && global.state_dir.as_ref().is_some_and(|dir| dir.ends_with("practice")) {
        global.state_dir = global.state_dir.and_then(|dir| dir.parent().map(std::path::Path::to_path_buf));
    }
    let next = if state.is_at_end() || holder.is_some() {
        let (report, logs) = (format!("report {}", state.short()), format!("logs {}", state.short()));
        format!("read on: {} · {}", typed.command(&report), typed.command(&logs))
    } else {
        format!("go on with: {}", come_back(&global, &state, realm))
    };
    lines.push(next);
    say(&lines)
}

/// What a proof is about, without the hashes: the report has them.
fn subject(subject: &str) -> String {
    subject.split(' ').filter(|word| word.len() < 40).collect::<Vec<_>>().join(" ")
}

/// What a run is about, where, when, and in whose hands.
fn head(state: &RunState, records: &[(Timestamp, Record)], holder: Option<&Holder>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(runbook) = &state.runbook {
        lines.push(format!("  {} {}, {}", runbook.title, runbook.version, runbook.intent));
    }
    if let Some(target) = state.target.as_ref().filter(|target| !target.namespace.is_empty()) {
        lines.push(format!("  on {} @ {}, {}", target.namespace, state.context, environment(state)));
    }
    if !state.acting.is_oneself() {
        lines.push(format!("  acts there as {}", state.acting));
    }
    if let (Some((from, to)), Some((_, Record::Started { operator, host, .. }))) = (state.times, records.first()) {
        lines.push(format!("  begun {from:.0} by {operator} on {host}, last word {to:.0}"));
    }
    lines.extend(holder.map(|holder| format!("  {holder}")));
    lines
}

/// Writes lines; for a person none is broken within a word.
fn say(lines: &[String]) -> Outcome {
    let mut out = std::io::stdout();
    let rows = |line: &String| if out.is_terminal() { wrapped(line) } else { vec![printable(line)] };
    let rows: Vec<String> = lines.iter().flat_map(rows).collect();
    writeln!(out, "{}", rows.join("\n"))?;
    Ok(Exit::Done)
}

/// `drydock logs RUN [STEP]`
pub fn logs(global: &Global, args: &LogsArg) -> Outcome {
    let run = find(global, &args.run)?;
    let (state, _) = fold(&run)?;
    let wanted = |step: &&PlannedStep| args.step.as_ref().is_none_or(|name| *name == step.id.0 || *name == step.number);
    let steps: Vec<&PlannedStep> = state.plan.iter().filter(wanted).collect();
    if steps.is_empty() {
        let known: Vec<&str> = state.plan.iter().map(|step| step.id.0.as_str()).collect();
        let name = args.step.as_deref().unwrap_or_default();
        return Err(Failure::usage(format!("the run has no step {name}; it has {}", known.join(", "))));
    }
    let (mut out, mut empty) = (std::io::stdout(), true);
    for step in steps {
        let Ok(file) = std::fs::File::open(run.output(&step.id.0)) else {
            continue;
        };
        let mut lines = std::io::BufReader::new(file).lines().peekable();
        if lines.peek().is_some() && args.step.is_none() {
            writeln!(out, "── {} {} [{}]", step.number, step.title, step.id)?;
        }
        for line in lines {
            let Some(line) = OutputLine::decode(&line?) else { continue };
            empty = false;
            let mark = match line.tag {
                Tag::Plain | Tag::Note => "",
                Tag::Expected => "   expected",
                Tag::Error => "   error",
            };
            writeln!(out, "{:.0} {} {}{mark}", line.at, line.source, line.text)?;
        }
    }
    if empty {
        writeln!(std::io::stderr(), "nothing was written there: no program of it said anything yet")?;
    }
    Ok(Exit::Done)
}
