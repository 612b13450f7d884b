//! What the words of every prompt tell: why, evidence, plan, log. Lines of text, from the run's state and its output files.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use crate::{
    run::{Outage, OutputLine, Risk, RunState, StepId, StepState, Tag},
    text::units,
};

/// Longest log that is told at once.
const MOST: usize = 1000;
/// As much of the end of an output file is read.
const TAIL: u64 = 512 * 1024;

/// Why a step is done, what it changes, how it is undone.
pub(super) fn why(state: &RunState, step: Option<&StepId>) -> Vec<String> {
    let Some(step) = step.and_then(|step| state.planned(step)) else {
        let about = state.runbook.as_ref().map_or_else(String::new, |of| format!("{}, {}. ", of.title, of.intent));
        return vec![format!("why. {about}No step is at hand yet; \"plan\" tells all of them.")];
    };
    let risk = match step.risk {
        Risk::None => "nothing is changed",
        Risk::Reversible => "can be undone",
        Risk::Irreversible => "HARD TO UNDO: only the proven backup or a kept volume brings it back",
    };
    let mut lines = vec![
        format!("why. {} {}: {}", step.number, step.title, step.why),
        format!("  Risk: {risk}. Changes {}. Undo: {}.", step.changes, step.undo),
        format!("  Time: {}.", units::about(step.estimate_s)),
    ];
    lines.extend(step.unknown.iter().map(|line| format!("  Not known yet: {line}")));
    lines
}

/// The exact commands of a step, and everything that was proven so far.
pub(super) fn evidence(state: &RunState, step: Option<&StepId>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(step) = step.and_then(|step| state.planned(step)) {
        lines.push(format!("commands. {} {}:", step.number, step.title));
        lines.extend(step.commands.iter().map(|line| format!("  {line}")));
    }
    lines.push(match state.evidence.len() {
        0 => "evidence. Nothing was proven yet.".to_owned(),
        n => format!("evidence. {n} proven so far:"),
    });
    for proof in &state.evidence {
        lines.push(format!("  {:.0} rung {}, {}: {}", proof.at, proof.level, proof.subject, proof.sentence));
        if let serde_json::Value::Object(facts) = &proof.facts {
            lines.extend(facts.iter().filter(|(_, fact)| !fact.is_object() && !fact.is_array()).map(|(name, fact)| {
                let fact = fact.as_str().map_or_else(|| fact.to_string(), str::to_owned);
                format!("    {name}: {fact}")
            }));
        }
    }
    lines
}

/// All phases and steps, and how they stand.
pub(super) fn plan(state: &RunState) -> Vec<String> {
    let total: u64 = state.plan.iter().map(|step| step.estimate_s).sum();
    let mut lines = vec![format!("The plan: {} steps, {}.", state.plan.len(), units::about(total))];
    if let Some(taken) = &state.taken {
        lines.push(format!("  Goes on from run {}: its inputs and proofs hold here.", taken.run));
    }
    let outage = Outage::planned(&state.plan);
    if outage != Outage::default() {
        lines.push(format!("  Downtime: {}.", outage.words()));
    }
    for (index, phase) in state.phases.iter().enumerate() {
        let steps: Vec<_> = state.plan.iter().filter(|step| step.phase == index).collect();
        let hard = if steps.iter().any(|step| step.risk == Risk::Irreversible) { " HARD TO UNDO." } else { "" };
        lines.push(format!("  {} {}: {}. Changes {}.{hard}", index + 1, phase.title, phase.purpose, phase.changes));
        for step in steps {
            let stands = match state.step(&step.id) {
                StepState::NotYet => units::about(step.estimate_s),
                StepState::Begun { .. } => "begun".to_owned(),
                StepState::Done { .. } => "done".to_owned(),
                StepState::Skipped { .. } => "not needed".to_owned(),
                StepState::Failed { .. } => "failed".to_owned(),
                StepState::Stopped { .. } => "stopped".to_owned(),
                StepState::Undone { .. } => "undone".to_owned(),
            };
            lines.push(format!("    {} {} ({stands})", step.number, step.title));
            lines.extend(step.unknown.iter().map(|line| format!("      not known yet: {line}")));
        }
    }
    lines
}

/// The last lines of the step's output, or of the newest step that has any.
pub(super) fn log(state: &RunState, step: Option<&StepId>, outputs: Option<&Path>, count: usize) -> Vec<String> {
    let Some(folder) = outputs else { return vec!["log. There are no outputs here.".to_owned()] };
    let begun = state.plan.iter().rev().map(|step| &step.id).filter(|id| state.attempts.contains_key(*id));
    for id in step.into_iter().chain(begun) {
        let Ok(lines) = tail(&folder.join(format!("{id}.log")), count.min(MOST)) else { continue };
        if lines.is_empty() {
            continue;
        }
        let title = state.planned(id).map_or_else(|| id.0.clone(), |step| format!("{} {}", step.number, step.title));
        let mut told = vec![format!("log. The last {} lines of {title}:", lines.len())];
        told.extend(lines.iter().map(|line| {
            let mark = match line.tag {
                Tag::Plain | Tag::Note => "",
                Tag::Expected => "   expected",
                Tag::Error => "   error",
            };
            format!("  {} {}: {}{mark}", line.at.strftime("%H:%M:%S"), line.source, line.text)
        }));
        return told;
    }
    vec!["log. No step wrote anything yet.".to_owned()]
}

fn tail(path: &Path, count: usize) -> std::io::Result<Vec<OutputLine>> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<OutputLine> = text.lines().rev().filter_map(OutputLine::decode).take(count).collect();
    lines.reverse();
    Ok(lines)
}
