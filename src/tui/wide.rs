//! The list of steps at the left of a wide terminal.

use super::{
    Line,
    picture::{cut_end, width},
};
use crate::{
    app::App,
    run::{PlannedStep, Record, Risk, Sign, StepState},
    text::units,
    tui::Ink,
};

fn sign(app: &App, step: &PlannedStep) -> (&'static str, Ink) {
    let sign = match app.run.step(&step.id) {
        StepState::NotYet | StepState::Stopped { .. } => Sign::NotYet,
        StepState::Begun { .. } if app.rolls_back() => return ("‹", Ink::Accent),
        StepState::Begun { .. } => Sign::Running,
        StepState::Done { .. } => Sign::Done,
        StepState::Skipped { .. } | StepState::Undone { .. } => Sign::Waived,
        StepState::Failed { .. } => Sign::Failed,
    };
    super::views::sign(sign)
}

/// The steps with their times, a window around the one in hand.
pub fn steps(app: &App, side: usize, rows: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut current = 0;
    for (index, phase) in app.run.phases.iter().enumerate() {
        let steps: Vec<&PlannedStep> = app.run.plan.iter().filter(|step| step.phase == index).collect();
        let hard = if steps.iter().any(|step| step.risk == Risk::Irreversible) { " !" } else { "" };
        let seconds: u64 = steps.iter().map(|step| step.estimate_s).sum();
        let mark = super::views::phase_mark(app, index);
        let real: u64 = steps.iter().filter_map(|step| took(app, step)).sum();
        let over = steps.iter().all(|step| app.run.step(&step.id).is_over());
        let time = match over {
            true => short(real),
            // nothing of it is done any more
            false if app.rolls_back() => String::new(),
            false => format!("~{}", short(seconds)),
        };
        lines.push(row(mark, 1, &format!("{} {}", index + 1, phase.title), hard, &time, side));
        for step in steps {
            if app.step().is_some_and(|now| now.id == step.id) {
                current = lines.len();
            }
            let hard = if step.risk == Risk::Irreversible { " !" } else { "" };
            let time = match app.run.step(&step.id) {
                StepState::Done { .. } => took(app, step).map_or_else(String::new, short),
                StepState::Skipped { .. } => String::new(),
                StepState::Begun { .. } => app.running_s().map_or_else(String::new, short),
                _ if app.rolls_back() => String::new(),
                _ => format!("~{}", short(step.estimate_s)),
            };
            lines.push(row(sign(app, step), 3, &format!("{} {}", step.number, step.title), hard, &time, side));
        }
    }
    let skip = if lines.len() > rows { current.saturating_sub(rows / 2).min(lines.len() - rows) } else { 0 };
    lines.into_iter().skip(skip).take(rows).collect()
}

/// Seconds from the last beginning of a step to its end.
fn took(app: &App, step: &PlannedStep) -> Option<u64> {
    let StepState::Done { at, .. } = app.run.step(&step.id) else { return None };
    let begun = app.records.iter().rev().find_map(|(at, record)| match record {
        Record::Intent { step: begun, .. } if *begun == step.id => Some(*at),
        _ => None,
    })?;
    u64::try_from(at.as_second() - begun.as_second()).ok()
}

fn short(seconds: u64) -> String {
    if seconds < 60 { format!("{seconds} s") } else { units::seconds(seconds / 60 * 60).replace(" 00 s", "") }
}

fn row(mark: (&'static str, Ink), column: usize, text: &str, hard: &str, time: &str, side: usize) -> Line {
    // the mark of what cannot be undone is never cut
    let room = side.saturating_sub(column + 2 + width(hard) + width(time) + 3);
    let text = format!("{}{hard}", cut_end(text, room));
    Line::blank().at(column, mark.0, mark.1).at(column + 2, &text, Ink::Plain).at(
        side.saturating_sub(width(time) + 2),
        time,
        Ink::Plain,
    )
}
