//! A page of text over a screen: why, evidence, steps, details. And the texts that are made from the run's state.

use jiff::Timestamp;

use crate::{
    run::{PlannedStep, Record, Risk, RunState, StepState, Timings},
    text::units,
};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Its lines; wrapped by the view.
    pub lines: Vec<String>,
    /// First line shown.
    pub from: usize,
}

impl Page {
    /// A page shown from its beginning.
    pub fn new(title: &str, lines: Vec<String>) -> Self {
        Self { title: title.to_owned(), lines, from: 0 }
    }
}

fn risk(step: &PlannedStep) -> &'static str {
    match step.risk {
        Risk::None => "changes nothing that lasts",
        Risk::Reversible => "can be put back",
        Risk::Irreversible => "HARD TO UNDO: only the proven dump or the kept volume brings it back",
    }
}

/// Why a step is done, its risk, its undo, its time, one line each.
fn reasons(step: &PlannedStep) -> [String; 5] {
    [
        format!("Why     {}", step.why),
        format!("Risk    {}", risk(step)),
        format!("Changes {}", step.changes),
        format!("Undo    {}", step.undo),
        format!("Time    {}", units::about(step.estimate_s)),
    ]
}

/// Why a step is done, its risk, its undo, its time.
pub fn why(step: &PlannedStep) -> Page {
    Page::new(&format!("{}  {}", step.number, step.title), reasons(step).to_vec())
}

/// The same of every step of a phase.
pub fn why_phase(run: &RunState, phase: usize) -> Page {
    let Some(planned) = run.phases.get(phase) else { return Page::new("Why", Vec::new()) };
    let mut lines = vec![format!("What for {}", planned.purpose), format!("Changes  {}", planned.changes)];
    for step in run.plan.iter().filter(|step| step.phase == phase) {
        lines.push(String::new());
        lines.push(format!("{}  {}", step.number, step.title));
        lines.extend(reasons(step).iter().map(|line| format!("     {line}")));
    }
    Page::new(&format!("Phase {} {}: why and undo", phase + 1, planned.title), lines)
}

fn proofs(run: &RunState) -> impl Iterator<Item = String> {
    run.evidence.iter().map(|proof| format!("  rung {} {} · {}", proof.level, proof.sentence, proof.subject))
}

/// What a whole run proved.
pub fn proven(run: &RunState) -> Page {
    let mut lines: Vec<String> = proofs(run).collect();
    if lines.is_empty() {
        lines.push("Nothing was proven by a rung of its own in this run.".to_owned());
    }
    Page::new("Evidence: what this run proved", lines)
}

/// The exact commands of a step, and what was proven.
pub fn evidence(run: &RunState, step: &PlannedStep) -> Page {
    let mut lines = vec!["What it does, as commands to copy:".to_owned()];
    lines.extend(step.commands.iter().map(|command| format!("  {command}")));
    let effects: Vec<String> = run
        .effects
        .iter()
        .filter(|effect| effect.step == step.id)
        .map(|effect| format!("  {} · {}", effect.effect, effect.result.as_deref().unwrap_or("not answered")))
        .collect();
    if !effects.is_empty() {
        lines.push(String::new());
        lines.push("What it changed, each written down before it was sent:".to_owned());
        lines.extend(effects);
    }
    if !run.evidence.is_empty() {
        lines.push(String::new());
        lines.push("Proven so far:".to_owned());
        lines.extend(proofs(run));
    }
    Page::new(&format!("Evidence: {}  {}", step.number, step.title), lines)
}

/// State of a step in a word or two.
pub fn state_word(run: &RunState, step: &PlannedStep) -> String {
    match run.step(&step.id) {
        StepState::NotYet => "not yet".to_owned(),
        StepState::Begun { .. } => "running".to_owned(),
        StepState::Done { summary, .. } => format!("done · {summary}"),
        StepState::Skipped { .. } => "not needed".to_owned(),
        StepState::Failed { .. } => "FAILED".to_owned(),
        StepState::Stopped { .. } => "stopped".to_owned(),
        StepState::Undone { sentence, .. } => format!("undone · {sentence}"),
    }
}

/// The steps of a phase with their commands.
pub fn phase(run: &RunState, phase: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for step in run.plan.iter().filter(|step| step.phase == phase) {
        let time = units::about(step.estimate_s);
        lines.push(format!("{}  {} · {} · {time}", step.number, step.title, risk(step)));
        lines.push(format!("     {}", step.why));
        lines.extend(step.commands.iter().map(|command| format!("     {command}")));
        lines.extend(step.unknown.iter().map(|unknown| format!("     not known yet: {unknown}")));
        lines.push(String::new());
    }
    lines
}

/// The whole plan as text.
pub fn plan(run: &RunState) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, planned) in run.phases.iter().enumerate() {
        lines.push(format!("Phase {} {}: {}. Changes {}.", index + 1, planned.title, planned.purpose, planned.changes));
        lines.extend(phase(run, index).into_iter().map(|line| format!("  {line}")));
    }
    lines
}

/// Every step with its state and its time: what it took, or is estimated to take. The times make up the whole.
pub fn overview(run: &RunState, records: &[(Timestamp, Record)]) -> Page {
    let timings = Timings::new(records);
    let line = |step: &PlannedStep| {
        let timing = timings.of(&step.id);
        let over = run.step(&step.id).is_over() || run.is_at_end() || run.rolling_back;
        let time = match timing {
            Some(timing) => units::seconds(timing.last_s),
            None if over => String::new(),
            None => format!("~{}", units::about(step.estimate_s).trim_start_matches("about ")),
        };
        let more = timing
            .filter(|timing| timing.tries > 1)
            .map(|timing| format!(" · try {}, {} in all", timing.tries, units::seconds(timing.all_s)));
        let state = state_word(run, step);
        format!("{:<5}{:<30}{time:>11}   {state}{}", step.number, step.title, more.unwrap_or_default())
    };
    let mut lines = Vec::new();
    if timings.steps_s() > 0 {
        let sums = [
            ("all steps, with all their tries", timings.steps_s()),
            ("between them: choices, pauses", timings.between_s()),
            ("together", timings.total_s()),
        ];
        lines.extend(sums.map(|(what, seconds)| format!("{what:<35}{:>11}", units::seconds(seconds))));
        lines.push(String::new());
    }
    lines.extend(run.plan.iter().map(line));
    Page::new("All steps and their times", lines)
}
