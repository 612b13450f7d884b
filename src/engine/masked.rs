//! Records and events without secrets: where each of them holds words that another side may have said.
//!
//! Owns which texts those are. Not the whole of a record: ids, names of changes, subjects and facts are read back by later
//! steps and by a resume, and would lead to another thing when they were changed; no foreign words get into them, but for
//! the output of a program that the runbook runs, which is its step's fact. Called by `core` for all that is written or told.

use super::{known::Known, plan::Plan};
use crate::{
    actions::ActionSpec,
    run::{Event, Outcome, Question, Record, Stopped},
    text::Diagnostic,
};

/// Hides the secrets in a record before it is durable.
pub fn record(record: &mut Record, known: &Known, plan: &Plan) {
    match record {
        Record::Ended { step, outcome, .. } => match outcome {
            Outcome::Done { summary, facts } => {
                known.hide(summary);
                if plan.step(step).is_some_and(|step| matches!(step.spec, ActionSpec::Run(_))) {
                    known.hide_within(facts);
                }
            }
            Outcome::Failed { problem } => diagnostic(problem, known),
            Outcome::Skipped { reason: text }
            | Outcome::Stopped { reason: text }
            | Outcome::Undone { sentence: text } => known.hide(text),
        },
        Record::Finished { summary, way_back } => {
            known.hide(summary);
            for line in way_back {
                known.hide(line);
            }
        }
        Record::Effected { result: text, .. }
        | Record::Refused { reason: text, .. }
        | Record::Evidence { sentence: text, .. }
        | Record::Probed { sentence: text, .. }
        | Record::Decided { reason: text, .. }
        | Record::Reopened { reason: text, .. }
        | Record::Paused { reason: text }
        | Record::RollBack { reason: text, .. }
        | Record::RolledBack { summary: text }
        | Record::Abandoned { reason: text, .. } => known.hide(text),
        Record::Started { .. }
        | Record::Imported { .. }
        | Record::TakenOver { .. }
        | Record::Planned { .. }
        | Record::Approved { .. }
        | Record::Intent { .. }
        | Record::Effect { .. }
        | Record::Captured { .. }
        | Record::Confirmed { .. }
        | Record::GateOpened { .. }
        | Record::Resumed { .. } => {}
    }
}

/// Hides the secrets in an event before it is told. A record is told as it was written.
pub fn event(event: &mut Event, known: &Known) {
    match event {
        Event::Progress { progress } => {
            known.hide(&mut progress.sentence);
            for row in &mut progress.rows {
                known.hide(&mut row.name);
                known.hide(&mut row.detail);
            }
        }
        Event::Asking { question: asked, .. } => question(asked, known),
        Event::Stopped { stopped: end } => stopped(end, known),
        Event::NotShown { reason, .. } => known.hide(reason),
        Event::Recorded { .. } | Event::OutputChanged { .. } | Event::Answered | Event::Identity { .. } => {}
    }
}

/// Hides the secrets in how a run ended.
pub fn stopped(stopped: &mut Stopped, known: &Known) {
    match stopped {
        Stopped::Paused { reason: text } | Stopped::NeedsAnswer { what: text, .. } => known.hide(text),
        Stopped::Refused { problem } | Stopped::Failed { problem } | Stopped::Fault { problem } => {
            diagnostic(problem, known);
        }
        Stopped::Finished | Stopped::RolledBack => {}
    }
}

/// What a form holds and a gate removes stays as it is: answers name it.
fn question(question: &mut Question, known: &Known) {
    match question {
        Question::Vault { fault, .. } => known.hide(fault),
        Question::Form { items, fault, .. } => {
            known.hide(fault);
            items.iter_mut().flat_map(|item| item.faults.values_mut()).for_each(|fault| known.hide(fault));
        }
        Question::Checks { checks, .. } => {
            for check in checks {
                known.hide(&mut check.sentence);
                check.help.iter_mut().for_each(|line| known.hide(line));
            }
        }
        Question::Gate { gate, .. } => known.hide(&mut gate.refusal),
        Question::Confirm { text, .. } => text.iter_mut().for_each(|line| known.hide(line)),
        Question::Choose { problem, .. } => diagnostic(problem, known),
        Question::Reapply { items, .. } => items.iter_mut().for_each(|item| known.hide(&mut item.sentence)),
        Question::Resume { rows, uncertain, .. } => {
            let found = rows.iter_mut().map(|(_, _, sentence, _)| sentence);
            found.chain(uncertain).for_each(|line| known.hide(line));
        }
        Question::Approve => {}
    }
}

fn diagnostic(problem: &mut Diagnostic, known: &Known) {
    known.hide(&mut problem.what);
    known.hide(&mut problem.proves);
    let lists = [&mut problem.safe, &mut problem.causes, &mut problem.help];
    lists.into_iter().flatten().for_each(|line| known.hide(line));
    if let Some(place) = &mut problem.place {
        known.hide(&mut place.snippet);
    }
}
