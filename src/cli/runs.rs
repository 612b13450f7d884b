//! `runs`, `show`, `logs`, `abandon`: what happened, from the journals.

use std::io::{BufRead, Write};

use jiff::Timestamp;

use super::{Exit, Failure, Global, Outcome};
use crate::{
    run::{OutputLine, Record, RunState, StepState, Tag},
    runner::records,
    store::{Journal, Lock, Paths, find_run, runs},
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

fn folder(global: &Global, name: &str) -> Result<(Paths, String), Failure> {
    let paths = Paths::resolve(global.state_dir.as_deref())?;
    let id = find_run(&paths.runs(), name).map_err(|error| Failure::usage(error.to_string()))?;
    Ok((paths, id))
}

fn fold(paths: &Paths, id: &str) -> Result<RunState, Failure> {
    let entries = records(&paths.run(id)).map_err(|problem| Failure::new(Exit::Environment, problem))?;
    let mut state = RunState::default();
    for entry in &entries {
        state.apply(entry.at, &entry.record);
    }
    Ok(state)
}

fn word(state: &RunState) -> String {
    if state.finished {
        return "finished".to_owned();
    }
    if state.abandoned {
        return "abandoned".to_owned();
    }
    state.next().map_or_else(|| "at its end".to_owned(), |step| format!("stands at {} {}", step.number, step.title))
}

/// `drydock runs`
pub fn list(global: &Global) -> Outcome {
    let paths = Paths::resolve(global.state_dir.as_deref())?;
    let mut out = std::io::stdout();
    for id in runs(&paths.runs())? {
        let state = fold(&paths, &id);
        let (namespace, word) = match &state {
            Ok(state) => (state.target.as_ref().map_or("", |target| target.namespace.as_str()).to_owned(), word(state)),
            Err(failure) => {
                (String::new(), failure.problems.first().map_or_else(String::new, |problem| problem.what.clone()))
            }
        };
        if global.json {
            writeln!(out, "{}", serde_json::json!({"type": "run", "run": id, "namespace": namespace, "state": word}))?;
        } else {
            writeln!(out, "{id}  {namespace}  {}", printable(&word))?;
        }
    }
    Ok(Exit::Done)
}

/// `drydock show RUN`
pub fn show(global: &Global, args: &RunArg) -> Outcome {
    let (paths, id) = folder(global, &args.run)?;
    let mut out = std::io::stdout();
    if global.json {
        for entry in records(&paths.run(&id)).map_err(|problem| Failure::new(Exit::Environment, problem))? {
            writeln!(out, "{}", serde_json::to_string(&entry).map_err(std::io::Error::from)?)?;
        }
        return Ok(Exit::Done);
    }
    let state = fold(&paths, &id)?;
    writeln!(out, "run {id}: {}", word(&state))?;
    for step in &state.plan {
        let line = match state.step(&step.id) {
            StepState::NotYet => "not yet".to_owned(),
            StepState::Begun { since, .. } => format!("begun {since:.0}, its end was not written"),
            StepState::Done { summary, .. } => format!("done. {summary}"),
            StepState::Skipped { reason } => format!("skipped. {reason}"),
            StepState::Failed { problem, .. } => format!("failed. {}", problem.what),
            StepState::Stopped { reason } => format!("stopped. {reason}"),
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
    let (paths, id) = folder(global, &args.run)?;
    let state = fold(&paths, &id)?;
    let mut out = std::io::stdout();
    for step in state.plan.iter().filter(|step| args.step.as_ref().is_none_or(|wanted| *wanted == step.id.0)) {
        let Ok(file) = std::fs::File::open(paths.run(&id).join("output").join(format!("{}.log", step.id))) else {
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
    let (paths, id) = folder(global, &args.run)?;
    if args.reason.chars().count() < 10 {
        return Err(Failure::usage("the reason needs at least 10 letters; it stays in the run for ever"));
    }
    let folder = paths.run(&id);
    let _lock = Lock::take(&folder.join("lock"), "this machine").map_err(|error| {
        Failure::new(
            Exit::Environment,
            crate::text::Diagnostic::new("this run is in other hands").cause(error.to_string()),
        )
    })?;
    let mut opened = Journal::open::<Record>(&folder.join("journal.jsonl"))
        .map_err(|error| Failure::new(Exit::Environment, crate::text::Diagnostic::new(error.to_string())))?;
    let by = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    let record = Record::Abandoned { by, reason: args.reason.clone() };
    opened
        .journal
        .append(Timestamp::now(), &record)
        .map_err(|error| Failure::new(Exit::Environment, crate::text::Diagnostic::new(error.to_string())))?;
    writeln!(std::io::stdout(), "abandoned. {id}; nothing in the cluster was changed by this.")?;
    Ok(Exit::Done)
}
