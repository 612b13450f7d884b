//! The change record of a run, from its records alone: who did what, when, on what, with which proof.

use jiff::Timestamp;

use super::{Record, RunState, StepState};
use crate::text::{printable, units};

fn cell(text: &str) -> String {
    printable(text).replace('|', "\\|")
}

/// The record as Markdown. Holds no secret, as the journal holds none.
pub fn markdown(run: &RunState, records: &[(Timestamp, Record)]) -> String {
    let mut out = vec![format!("# Change record {}", run.run), String::new()];
    if let Some((from, to)) = run.times {
        out.push(format!("From {from:.0} to {to:.0} (UTC)."));
    }
    for (_, record) in records {
        if let Record::Started { runbook, tool, operator, host, context, environment, practice, target, .. } = record {
            out.push(format!(
                "Runbook {} {} ({}), digest {}. drydock {tool}.",
                runbook.title, runbook.version, runbook.intent, runbook.digest
            ));
            out.push(format!("Operator {operator} on {host}."));
            if !target.namespace.is_empty() {
                out.push(format!(
                    "Target: namespace {} (uid {}), context {context}, cluster {}, {environment}, Kubernetes {}.",
                    target.namespace,
                    target.namespace_uid,
                    target.cluster_uid.as_deref().unwrap_or("not readable"),
                    target.server_version
                ));
            }
            if *practice {
                out.push("Practice: nothing here is real.".to_owned());
            }
        }
    }
    out.extend([String::new(), "| Step | State | Result |".to_owned(), "|---|---|---|".to_owned()]);
    for step in &run.plan {
        let (state, result) = match run.step(&step.id) {
            StepState::NotYet => ("not yet", String::new()),
            StepState::Begun { since, .. } => ("begun", format!("since {since:.0}")),
            StepState::Done { summary, .. } => ("done", summary.clone()),
            StepState::Skipped { reason } => ("not needed", reason.clone()),
            StepState::Failed { problem, .. } => ("failed", problem.what.clone()),
            StepState::Stopped { reason } => ("stopped", reason.clone()),
        };
        out.push(format!("| {} {} | {state} | {} |", step.number, cell(&step.title), cell(&result)));
    }
    out.extend([String::new(), "## Proofs".to_owned(), String::new()]);
    let proofs = run.evidence.iter().map(|evidence| {
        format!("- {:.0} rung {}: {} ({})", evidence.at, evidence.level, cell(&evidence.sentence), evidence.subject)
    });
    out.extend(proofs);
    out.extend([String::new(), "## Decisions and changes, in order".to_owned(), String::new()]);
    for (at, record) in records {
        let line = match record {
            Record::Approved { by } => format!("plan approved by {by}"),
            Record::GateOpened { step, by, removals } => {
                format!("gate of {step} opened by {by}: {}", units::plural(*removals, "object", "objects"))
            }
            Record::Decided { step, choice, by, .. } => format!("{by} chose {choice} at {step}"),
            Record::Confirmed { step, item, by, reason } if reason.is_empty() => {
                format!("{by} confirmed {item} of {step}")
            }
            Record::Confirmed { step, item, by, reason } => format!("{by} settled {item} of {step}: {reason}"),
            Record::Effected { effect, result, .. } => format!("{effect}: {result}"),
            Record::Resumed { operator, host, .. } => format!("taken up again by {operator} on {host}"),
            Record::Paused { reason } => format!("paused: {reason}"),
            Record::Abandoned { by, reason } => format!("given up by {by}: {reason}"),
            Record::Finished { summary } => format!("finished: {summary}"),
            _ => continue,
        };
        out.push(format!("- {at:.0} {}", cell(&line)));
    }
    out.push(String::new());
    out.join("\n")
}
