//! What the screen in front shows, whole, as lines of text: rows of a terminal are short, and nothing may be lost in them.
//!
//! Owns these texts only; `look` puts them before the evidence of the step. No secret is among them: what is told of one is
//! its length and its check.

use super::{
    App, Front,
    screens::{ChecksScreen, FormScreen, GateScreen, ReapplyScreen, ResumeScreen},
};
use crate::run::{CheckResult, FieldValue, Live, Progress, ReapplyState};

impl App {
    /// The texts of the screen in front.
    pub(super) fn whole(&self) -> Vec<String> {
        match &self.front {
            Front::Running => self.told().map_or_else(Vec::new, progress),
            Front::Plan(_) | Front::Finish(_) => Vec::new(),
            Front::Vault(screen) if screen.fault.is_empty() => Vec::new(),
            Front::Vault(screen) => vec![screen.fault.clone()],
            Front::Form(screen) => form(screen),
            Front::Checks(screen) => checks(screen),
            Front::Gate(screen) => gate(screen),
            Front::Choose(screen) => screen.problem.lines(),
            Front::Confirm(screen) => screen.text.clone(),
            Front::Reapply(screen) => reapply(screen, &self.around.zone),
            Front::Resume(screen) => resume(screen),
        }
    }

    /// Where the run is, and how one comes back to it.
    pub(super) fn place_whole(&self) -> Vec<String> {
        let namespace = self.run.target.as_ref().map(|target| format!("namespace  {}", target.namespace));
        let context = (!self.run.context.is_empty()).then(|| format!("context    {}", self.run.context));
        let acting = (!self.run.acting.is_oneself()).then(|| format!("acts as    {}", self.run.acting));
        let back = format!("back with  {}", self.around.come_back);
        namespace.into_iter().chain(context).chain(acting).chain([back]).collect()
    }
}

fn progress(told: &Progress) -> Vec<String> {
    let sentence = (!told.sentence.is_empty()).then(|| told.sentence.clone());
    let rows = told.rows.iter().map(|row| {
        let word = if row.word.is_empty() { String::new() } else { format!("{} · ", row.word) };
        format!("{}: {word}{}", row.name, row.detail)
    });
    sentence.into_iter().chain(rows).collect()
}

fn form(screen: &FormScreen) -> Vec<String> {
    let mut lines = vec![format!("Look here: {}", screen.form.look)];
    lines.extend((!screen.fault.is_empty()).then(|| screen.fault.clone()));
    for item in &screen.items {
        lines.push(format!("{}: {}", item.id, if item.confirmed { "confirmed" } else { "not confirmed" }));
        for field in &screen.form.fields {
            let value = match item.values.get(&field.id) {
                Some(FieldValue::Empty) | None => "–".to_owned(),
                Some(value) => value.told(),
            };
            lines.push(format!("  {}: {value}", field.label));
            lines.extend(item.faults.get(&field.id).map(|fault| format!("    {fault}")));
            lines.extend(item.live.of(&field.id).map(|now| format!("    the application says now: {now}")));
        }
        lines.extend(item.further_live(&screen.form).map(|now| format!("  in the application now: {now}")));
        lines.extend((item.live == Live::Gone).then(|| "  it is gone from the application".to_owned()));
        lines.extend(item.further_faults(&screen.form).map(|fault| format!("  {fault}")));
        lines.extend((!item.extra.is_empty()).then(|| format!("  further settings: {}", item.extra)));
    }
    lines.extend((!screen.none_reason.is_empty()).then(|| format!("none, because {}", screen.none_reason)));
    lines
}

fn checks(screen: &ChecksScreen) -> Vec<String> {
    let mut lines = Vec::new();
    for check in &screen.checks {
        let word = match check.result {
            CheckResult::Pass => "pass",
            CheckResult::Warn => "WARN",
            CheckResult::Fail => "FAIL",
            CheckResult::NotAsked => "not yet",
        };
        lines.push(format!("{word} {}: {}", check.name, check.sentence));
        lines.extend(check.help.iter().map(|help| format!("  You can: {help}")));
    }
    lines
}

fn gate(screen: &GateScreen) -> Vec<String> {
    let gate = &screen.gate;
    let mut lines: Vec<String> = (!gate.refusal.is_empty()).then(|| gate.refusal.clone()).into_iter().collect();
    let word = |open| if open { "open" } else { "SHUT" };
    lines.extend(gate.locks.iter().map(|lock| format!("{} {}: {}", word(lock.open), lock.name, lock.sentence)));
    lines.extend(gate.goes.iter().map(|goes| format!("goes  {} {}", goes.kind, goes.name)));
    lines.extend(gate.stays.iter().map(|stays| format!("stays {stays}")));
    lines.push(format!("way back: {}", gate.way_back));
    lines
}

/// The state of an item that was captured.
fn state(state: ReapplyState) -> &'static str {
    match state {
        ReapplyState::NotYet => "not yet",
        ReapplyState::Same => "same",
        ReapplyState::Differs => "differs",
        ReapplyState::Refused => "refused",
        ReapplyState::ByHand => "by hand",
        ReapplyState::ByEye => "by eye",
        ReapplyState::Waived => "waived",
    }
}

fn reapply(screen: &ReapplyScreen, zone: &jiff::tz::TimeZone) -> Vec<String> {
    let clock = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
    let mut lines = Vec::new();
    for item in &screen.items {
        lines.push(format!("{} {}: {}", state(item.state), item.title, item.told(clock)));
        lines.extend(item.fields.iter().map(|(label, value)| format!("  {label}: {value}")));
    }
    lines
}

fn resume(screen: &ResumeScreen) -> Vec<String> {
    let row = |(_, name, says, so): &(_, String, String, String)| format!("{so}: {name} · {says}");
    let mut lines: Vec<String> = screen.rows.iter().map(row).collect();
    lines.extend(screen.uncertain.iter().map(|line| format!("Uncertain: {line}")));
    lines
}
