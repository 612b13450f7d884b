//! `runs`, `show`, `logs`, `abandon`: what happened, from the journals.

use std::io::{BufRead, Write};

use jiff::Timestamp;
use serde_json::json;

use super::{Exit, Failure, Global, Outcome};
use crate::{
    run::{OutputLine, Record, RunState, StepState, Tag},
    runner::records,
    store::{Entry, Paths, RunFolder},
    text::printable,
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
    /// Id of the run, or its unique ending
    pub run: String,
    /// Id of the step; all without one
    pub step: Option<String>,
}

/// A run and a reason.
#[derive(Debug, clap::Args)]
pub struct AbandonArg {
    /// Id of the run, or its unique ending
    pub run: String,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// The run of that name or ending; the newest for an empty name.
pub fn find(global: &Global, name: &str) -> Result<RunFolder, Failure> {
    let runs = Paths::resolve(global.state_dir.clone())?.runs();
    if name.is_empty() {
        return runs.newest()?.ok_or_else(|| Failure::usage("there is no run yet; begin one with: drydock start"));
    }
    Ok(runs.find(name)?)
}

/// How a run stands, and its records.
pub fn fold(run: &RunFolder) -> Result<(RunState, Vec<(Timestamp, Record)>), Failure> {
    let entries = records(run).map_err(|problem| Failure::new(Exit::Environment, problem))?;
    let mut state = RunState::default();
    for entry in &entries {
        state.apply(entry.at, &entry.record);
    }
    Ok((state, entries.into_iter().map(|entry| (entry.at, entry.record)).collect()))
}

/// How a run stands, in a few words.
pub fn word(state: &RunState) -> String {
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
        return "is being rolled back".to_owned();
    }
    state.next().map_or_else(|| "at its end".to_owned(), |step| format!("stands at {} {}", step.number, step.title))
}

/// `drydock runs`
pub fn list(global: &Global) -> Outcome {
    let runs = Paths::resolve(global.state_dir.clone())?.runs();
    let mut out = std::io::stdout();
    for run in runs.list()?.into_iter().filter(|run| run.journal().exists()) {
        let (id, state) = (&run.id, fold(&run));
        let (namespace, word) = match &state {
            Ok((state, _)) => {
                (state.target.as_ref().map_or("", |target| target.namespace.as_str()).to_owned(), word(state))
            }
            Err(failure) => {
                (String::new(), failure.problems.first().map_or_else(String::new, |problem| problem.what.clone()))
            }
        };
        if global.json {
            writeln!(out, "{}", json!({"type": "run", "run": id, "namespace": namespace, "state": word}))?;
        } else {
            writeln!(out, "{id}  {namespace}  {}", printable(&word))?;
        }
    }
    Ok(Exit::Done)
}

/// `drydock show RUN`
pub fn show(global: &Global, args: &RunArg) -> Outcome {
    let run = find(global, &args.run)?;
    let mut out = std::io::stdout();
    if global.json {
        for Entry { seq, at, record } in records(&run).map_err(|problem| Failure::new(Exit::Environment, problem))? {
            writeln!(out, "{}", json!({"type": "recorded", "seq": seq, "at": at, "record": record}))?;
        }
        return Ok(Exit::Done);
    }
    let (state, _) = fold(&run)?;
    writeln!(out, "run {}: {}", run.id, word(&state))?;
    for step in &state.plan {
        let line = match state.step(&step.id) {
            StepState::NotYet => "not yet".to_owned(),
            StepState::Begun { since, .. } => format!("begun {since:.0}, its end was not written"),
            StepState::Done { summary, .. } => format!("done. {summary}"),
            StepState::Skipped { reason } => format!("skipped. {reason}"),
            StepState::Failed { problem, .. } => format!("failed. {}", problem.what),
            StepState::Stopped { reason } => format!("stopped. {reason}"),
            StepState::Undone { sentence } => format!("undone. {sentence}"),
        };
        writeln!(out, "  {} {}: {}", step.number, step.title, printable(&line))?;
    }
    for evidence in &state.evidence {
        writeln!(out, "  rung {}: {}", evidence.level, printable(&evidence.sentence))?;
    }
    Ok(Exit::Done)
}

/// `drydock logs RUN [STEP]`
pub fn logs(global: &Global, args: &LogsArg) -> Outcome {
    let run = find(global, &args.run)?;
    let (state, _) = fold(&run)?;
    let mut out = std::io::stdout();
    for step in state.plan.iter().filter(|step| args.step.as_ref().is_none_or(|wanted| *wanted == step.id.0)) {
        let Ok(file) = std::fs::File::open(run.output(&step.id.0)) else {
            continue;
        };
        for line in std::io::BufReader::new(file).lines() {
            let line = line?;
            let Some(line) = OutputLine::decode(&line) else { continue };
            let mark = match line.tag {
                Tag::Plain | Tag::Note => "",
                Tag::Expected => "   expected",
                Tag::Error => "   error",
            };
            writeln!(out, "{:.0} {} {}{mark}", line.at, line.source, line.text)?;
        }
    }
    Ok(Exit::Done)
}

/// `drydock abandon RUN --reason …`
pub fn abandon(global: &Global, args: &AbandonArg) -> Outcome {
    let run = find(global, &args.run)?;
    if args.reason.chars().count() < 10 {
        return Err(Failure::usage("the reason needs at least 10 letters; it stays in the run for ever"));
    }
    crate::runner::abandon(&run, crate::ports::operator(), args.reason.clone())
        .map_err(|problem| Failure::new(Exit::Environment, problem))?;
    writeln!(std::io::stdout(), "abandoned. {}; nothing in the cluster was changed by this.", run.id)?;
    Ok(Exit::Done)
}
