//! The change record of a run, from its records alone: who did what, when, on what, with which proof.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Environment, Outage, Record, RunState, RunbookRef, StepId, StepState, Timings};
use crate::{
    ports::{Acting, Identity},
    text::{printable, units},
};

/// A change record. Holds no secret, as the journal holds none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// `report`, for readers of many lines.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Id of the run.
    pub run: String,
    /// How it stands: `finished`, `taken in`, `abandoned` or `not finished`.
    pub state: &'static str,
    /// Times of the first and last record.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// What it followed, and where.
    pub runbook: Option<RunbookRef>,
    pub target: Option<Identity>,
    pub context: String,
    #[serde(skip_serializing_if = "Acting::is_oneself")]
    pub acting: Acting,
    pub environment: Environment,
    pub practice: bool,
    /// Version of drydock, and who began the run on which machine.
    pub tool: String,
    pub operator: String,
    pub host: String,
    /// Seconds of all tries of all steps, and of the time between them: together from the first record to the last.
    pub steps_seconds: u64,
    pub between_seconds: u64,
    /// How long the users had less than everything.
    pub outage: Outage,
    /// Steps, proofs and decisions, each in order.
    pub steps: Vec<StepLine>,
    pub proofs: Vec<ProofLine>,
    pub events: Vec<EventLine>,
    /// How to go back after the end, one command a line; empty where nothing was removed.
    pub way_back: Vec<String>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepLine {
    pub number: String,
    pub id: StepId,
    pub title: String,
    /// `not yet`, `opened again`, `begun`, `done`, `not needed`, `failed`, `stopped` or `undone`.
    pub state: &'static str,
    pub result: String,
    /// When its last try began, and how often it was begun.
    pub began: Option<Timestamp>,
    pub attempts: u32,
    /// Seconds of that last try, and of all tries.
    pub seconds: Option<u64>,
    pub all_seconds: Option<u64>,
}

/// Something that was proven.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProofLine {
    pub at: Timestamp,
    pub step: StepId,
    pub level: u8,
    pub subject: String,
    pub sentence: String,
    pub facts: Value,
}

/// Something that was decided or changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventLine {
    pub at: Timestamp,
    pub what: String,
}

impl Report {
    /// The record of a run.
    pub fn new(run: &RunState, records: &[(Timestamp, Record)]) -> Self {
        let (mut tool, mut operator, mut host) = (String::new(), String::new(), String::new());
        if let Some(Record::Started { tool: with, operator: by, host: on, .. }) = records.first().map(|(_, r)| r) {
            (tool, operator, host) = (with.clone(), by.clone(), on.clone());
        }
        let proof = |evidence: &super::EvidenceState| ProofLine {
            at: evidence.at,
            step: evidence.step.clone(),
            level: evidence.level,
            subject: evidence.subject.clone(),
            sentence: evidence.sentence.clone(),
            facts: evidence.facts.clone(),
        };
        let timings = Timings::new(records);
        Self {
            kind: "report",
            run: run.run.clone(),
            state: match (run.finished, run.rolled_back, run.abandoned) {
                _ if run.imported => "taken in",
                (true, ..) => "finished",
                (false, true, _) => "rolled back",
                (false, false, true) => "abandoned",
                (false, false, false) => "not finished",
            },
            from: run.times.map(|(from, _)| from),
            to: run.times.map(|(_, to)| to),
            runbook: run.runbook.clone(),
            target: run.target.clone(),
            context: run.context.clone(),
            acting: run.acting.clone(),
            environment: run.environment,
            practice: run.practice,
            tool,
            operator,
            host,
            steps_seconds: timings.steps_s(),
            between_seconds: timings.between_s(),
            outage: Outage::real(run),
            steps: steps(run, &timings),
            proofs: run.evidence.iter().map(proof).collect(),
            events: records
                .iter()
                .filter_map(|(at, record)| Some(EventLine { at: *at, what: told(record)? }))
                .collect(),
            way_back: run.way_back.clone(),
        }
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut out = vec![format!("# Change record {}", printable(&self.run)), String::new()];
        if let (Some(from), Some(to)) = (self.from, self.to) {
            let took = units::seconds(self.steps_seconds + self.between_seconds);
            out.push(format!("From {from:.0} to {to:.0} (UTC), {took}. The run is {}.", self.state));
        }
        if let Some(runbook) = &self.runbook {
            out.push(format!(
                "Runbook {} {} ({}), digest {}. drydock {}.",
                printable(&runbook.title),
                printable(&runbook.version),
                runbook.intent,
                runbook.digest,
                self.tool
            ));
        }
        out.push(format!("Operator {} on {}.", printable(&self.operator), printable(&self.host)));
        if let Some(target) = self.target.as_ref().filter(|target| !target.namespace.is_empty()) {
            out.push(format!(
                "Target: namespace {} (uid {}{}), context {}, cluster {}, {}, Kubernetes {}.",
                target.namespace,
                target.namespace_uid,
                if target.is_namespace_read() { "" } else { " of its kube-root-ca.crt" },
                printable(&self.context),
                target.cluster_uid.as_deref().unwrap_or("not readable"),
                self.environment,
                target.server_version
            ));
        }
        if !self.acting.is_oneself() {
            out.push(format!("There the operator acted as {}.", printable(&self.acting.to_string())));
        }
        if self.practice {
            out.push("Practice: nothing here is real.".to_owned());
        }
        let days = self.from.map(day) != self.to.map(day);
        let head = ["| Step | State | Began (UTC) | Took | Result |", "|---|---|---|---|---|"];
        out.push(String::new());
        out.extend(head.map(str::to_owned));
        for step in &self.steps {
            let began = step.began.map_or_else(String::new, |at| clock(at, days));
            let (title, result) = (cell(&step.title), cell(&step.result));
            out.push(format!("| {} {title} | {} | {began} | {} | {result} |", step.number, step.state, took(step)));
        }
        if self.steps.iter().any(|step| step.attempts > 1) {
            out.extend([String::new(), "A step that was tried again has begin and time of its last try.".to_owned()]);
        }
        let [steps, between] = [self.steps_seconds, self.between_seconds].map(units::seconds);
        out.push(String::new());
        out.push(format!(
            "All steps with all their tries took {steps}; {between} lay between them: a plan or choice that waited, pauses, absence. Together {}.",
            units::seconds(self.steps_seconds + self.between_seconds)
        ));
        if self.outage != Outage::default() {
            let [read_only, down] = [self.outage.read_only_s, self.outage.down_s].map(units::seconds);
            out.push(format!("Its users had it read-only for {read_only}, and not at all for {down}."));
        }
        out.extend([String::new(), "## Proofs".to_owned(), String::new()]);
        out.extend(self.proofs.iter().map(|proof| {
            let (sentence, subject) = (cell(&proof.sentence), cell(&proof.subject));
            format!("- {:.0} rung {}: {sentence} ({subject})", proof.at, proof.level)
        }));
        out.extend([String::new(), "## Decisions and changes, in order".to_owned(), String::new()]);
        out.extend(self.events.iter().map(|event| format!("- {:.0} {}", event.at, cell(&event.what))));
        if !self.way_back.is_empty() {
            let warning = "What was written since the end would be lost by it.";
            out.extend([String::new(), "## The way back".to_owned(), String::new(), warning.to_owned(), String::new()]);
            out.extend(self.way_back.iter().map(|line| format!("    {}", printable(line))));
        }
        out.push(String::new());
        out.join("\n")
    }
}

/// The record as Markdown.
pub fn markdown(run: &RunState, records: &[(Timestamp, Record)]) -> String {
    Report::new(run, records).markdown()
}

fn cell(text: &str) -> String {
    printable(text).replace('|', "\\|")
}

fn day(at: Timestamp) -> String {
    at.strftime("%F").to_string()
}

/// Time of day; with its day where the run had more than one.
fn clock(at: Timestamp, days: bool) -> String {
    at.strftime(if days { "%F %T" } else { "%T" }).to_string()
}

/// How long a step took: its last try, and all of them where there were more.
fn took(step: &StepLine) -> String {
    match (step.seconds, step.all_seconds) {
        (Some(last), Some(all)) if step.attempts > 1 || all != last => {
            let tries = units::plural(step.attempts, "try", "tries");
            format!("{} ({tries}, {} in all)", units::seconds(last), units::seconds(all))
        }
        (Some(last), _) => units::seconds(last),
        (None, _) => String::new(),
    }
}

fn steps(run: &RunState, timings: &Timings) -> Vec<StepLine> {
    let line = |step: &super::PlannedStep| {
        let timing = timings.of(&step.id);
        let (state, result) = match run.step(&step.id) {
            StepState::NotYet if timing.is_some() => ("opened again", String::new()),
            StepState::NotYet => ("not yet", String::new()),
            StepState::Begun { since, .. } => ("begun", format!("since {since:.0}, its end is not written")),
            StepState::Done { summary, .. } => ("done", summary.clone()),
            StepState::Skipped { reason } => ("not needed", reason.clone()),
            StepState::Failed { problem, .. } => ("failed", problem.what.clone()),
            StepState::Stopped { reason } => ("stopped", reason.clone()),
            StepState::Undone { sentence, .. } => ("undone", sentence.clone()),
        };
        StepLine {
            number: step.number.clone(),
            id: step.id.clone(),
            title: step.title.clone(),
            state,
            result,
            began: timing.map(|timing| timing.began),
            attempts: timing.map_or(0, |timing| timing.tries),
            seconds: timing.map(|timing| timing.last_s),
            all_seconds: timing.map(|timing| timing.all_s),
        }
    };
    run.plan.iter().map(line).collect()
}

/// What a reader of a change record wants to know of a record; nothing for what the other parts tell.
fn told(record: &Record) -> Option<String> {
    Some(match record {
        Record::Approved { by } => format!("plan approved by {by}"),
        Record::GateOpened { step, by, removals } => {
            format!("gate of {step} opened by {by}: {}", units::plural(*removals, "object", "objects"))
        }
        Record::Decided { step, choice, by, reason, .. } if reason.is_empty() => {
            format!("{by} chose {choice} at {step}")
        }
        Record::Decided { step, choice, by, reason, .. } => format!("{by} chose {choice} at {step}: {reason}"),
        Record::Confirmed { step, item, by, reason } if reason.is_empty() => format!("{by} confirmed {item} of {step}"),
        Record::Confirmed { step, item, by, reason } => format!("{by} settled {item} of {step}: {reason}"),
        Record::Effected { effect, result, .. } => format!("{effect}: {result}"),
        Record::Refused { effect, reason, .. } => format!("{effect}: refused, not made: {reason}"),
        Record::Reopened { steps, by, reason } => {
            let names: Vec<&str> = steps.iter().map(|step| step.0.as_str()).collect();
            format!("{by} reopened {}: {reason}", names.join(", "))
        }
        Record::Probed { step, sentence, .. } => format!("{step} was looked at again: {sentence}"),
        Record::Resumed { operator, host, .. } => format!("taken up again by {operator} on {host}"),
        Record::Paused { reason } => format!("paused: {reason}"),
        Record::Imported { by, from } => format!("taken in by {by} from the recovery set {from}"),
        Record::Abandoned { by, reason } => format!("given up by {by}: {reason}"),
        Record::RollBack { by, reason } => format!("{by} chose to undo what this run changed, after: {reason}"),
        Record::RolledBack { summary } => format!("rolled back: {summary}"),
        Record::Finished { summary, .. } => format!("finished: {summary}"),
        Record::TakenOver { run, intent, .. } => format!("goes on from run {run} ({intent})"),
        Record::Started { .. }
        | Record::Planned { .. }
        | Record::Intent { .. }
        | Record::Effect { .. }
        | Record::Ended { .. }
        | Record::Captured { .. }
        | Record::Evidence { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Outcome, PlannedStep, Repeat, Risk};

    fn planned() -> PlannedStep {
        PlannedStep {
            id: StepId("dump".into()),
            number: "2.3".into(),
            phase: 0,
            title: "Dump the database".into(),
            why: String::new(),
            kind: "dump".into(),
            risk: Risk::None,
            changes: String::new(),
            undo: String::new(),
            service: None,
            estimate_s: 60,
            commands: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// The row of the step, in a run where it ended at these seconds after it began at those.
    fn told(tries: &[(i64, i64)]) -> (String, String) {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let step = StepId("dump".into());
        let mut records = vec![(at(0), Record::Planned { phases: Vec::new(), steps: vec![planned()] })];
        for (attempt, (from, to)) in (1..).zip(tries) {
            let outcome = Outcome::Stopped { reason: "x".into() };
            let repeat = Repeat::Safe;
            records.push((at(*from), Record::Intent { step: step.clone(), attempt, repeat }));
            records.push((at(*to), Record::Ended { step: step.clone(), attempt, outcome }));
        }
        let mut run = RunState::default();
        for (at, record) in &records {
            run.apply(*at, record);
        }
        let text = markdown(&run, &records);
        (text.lines().find(|line| line.starts_with("| 2.3")).unwrap().to_owned(), text)
    }

    #[test]
    fn begin_and_time_of_a_step_are_of_one_try_and_more_than_one_are_counted() {
        let (row, text) = told(&[(0, 30), (600, 607)]);
        assert!(row.contains("| 08:10:00 | 7 s (2 tries, 37 s in all) |"), "{row}");
        assert!(text.contains("begin and time of its last try"), "{text}");
        let (row, text) = told(&[(0, 30)]);
        assert!(row.contains("| 08:00:00 | 30 s |") && !text.contains("last try"), "{text}");
    }
}
