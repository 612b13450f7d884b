//! S19: the end of a run, with what was proven and how long it took.

use super::{Room, common};
use crate::{
    app::{App, screens::FinishScreen},
    run::{Outage, PlannedStep, Purpose, StepState},
    text::units,
    tui::{Ink, Line, picture::wrap},
};

/// The steps of a kind that are done, with what they say of themselves.
fn summaries<'a>(app: &'a App, kind: &str) -> Vec<(&'a PlannedStep, &'a str)> {
    let done = |step: &'a PlannedStep| match app.run.step(&step.id) {
        StepState::Done { summary, .. } => Some((step, summary.as_str())),
        _ => None,
    };
    app.run.plan.iter().filter(|step| step.kind == kind).filter_map(done).collect()
}

pub fn view(app: &App, screen: &FinishScreen, room: Room) -> Vec<Line> {
    let name = app.run.runbook.as_ref().map_or("", |runbook| runbook.title.as_str());
    let to = app.run.leads_to();
    let is_for = |purpose| app.run.taken.as_ref().is_some_and(|taken| taken.purpose == purpose);
    let (back, cleared) = (is_for(Purpose::WayBack) || is_for(Purpose::Restore), is_for(Purpose::ClearUp));
    let sealed = !summaries(app, "seal").is_empty();
    let title = match to {
        _ if app.run.rolled_back => format!("{name}: what this run changed is put back"),
        _ if sealed => format!("{name}: the backup is restored once, proven and sealed"),
        "" => format!("{name}: every step is done"),
        _ if cleared && !summaries(app, "delete").is_empty() => {
            format!("{name}: the old deployment is removed, its volumes are kept")
        }
        _ if cleared => format!("{name}: what was kept of the version before is given back"),
        to if back => format!("{name} {to} is back, with the rows that were dumped"),
        to => format!("{name} {to} is up, with as many rows as were dumped"),
    };
    let times = app.run.times.map_or_else(String::new, |(from, last)| {
        format!("{} to {}", &common::clock(app, from)[..5], &common::clock(app, last)[..5])
    });
    let mut lines = vec![Line::text(&title).right(&times, Ink::Plain), Line::blank()];
    if app.run.rolled_back {
        for step in &app.run.plan {
            let StepState::Undone { sentence, .. } = app.run.step(&step.id) else { continue };
            for (index, part) in wrap(sentence, room.width - 12).iter().enumerate() {
                let line = if index == 0 {
                    Line::blank().at(2, "✓", Ink::Ok).at(4, &step.number, Ink::Plain)
                } else {
                    Line::blank()
                };
                lines.push(line.at(10, part, Ink::Plain));
            }
        }
        lines.push(Line::blank());
        let text = "Nothing was removed; the version before runs as it did. What was gathered stays in the vault.";
        lines.extend(wrap(text, room.width - 3).iter().map(|part| Line::text(part)));
        return with_options(lines, screen, room);
    }
    for (label, kind) in [("data", "verify"), ("settings", "http"), ("app", "check"), ("set", "seal")] {
        let all = summaries(app, kind);
        // settings are put back by several steps; of what is measured the last word counts
        let from = if kind == "http" { 0 } else { all.len().saturating_sub(1) };
        for (step, text) in &all[from..] {
            let text = if kind == "http" { format!("{} {text}", step.number) } else { (*text).to_owned() };
            for (index, part) in wrap(&text, room.width - 18).iter().enumerate() {
                let line = if index == 0 {
                    Line::blank().at(2, "✓", Ink::Ok).at(4, label, Ink::Plain)
                } else {
                    Line::blank()
                };
                lines.push(line.at(16, part, Ink::Plain));
            }
        }
    }
    lines.push(Line::blank());
    let planned: u64 = app.run.plan.iter().map(|step| step.estimate_s).sum();
    let real = app.run.times.map_or(0, |(from, last)| u64::try_from(last.as_second() - from.as_second()).unwrap_or(0));
    lines.push(times_of("whole run", planned, real));
    let (planned, real) = (Outage::planned(&app.run.plan), Outage::real(&app.run));
    let rows = [("read-only", planned.read_only_s, real.read_only_s), ("down", planned.down_s, real.down_s)];
    for (label, planned, real) in rows.into_iter().filter(|(_, planned, _)| *planned > 0) {
        lines.push(times_of(label, planned, real));
    }
    if !summaries(app, "delete").is_empty() {
        lines.push(Line::blank());
        let text = if is_for(Purpose::Restore) {
            "What was written since the backup is on its own volumes, which are kept, and nowhere else."
        } else if back {
            "What was written to the version in between is on its own volumes, which are kept, and nowhere else."
        } else {
            "The volumes of the old version are kept. Data written from now on would be lost by going back to them."
        };
        lines.extend(wrap(text, room.width - 3).iter().map(|part| Line::text(part)));
    }
    with_options(lines, screen, room)
}

fn with_options(mut lines: Vec<Line>, screen: &FinishScreen, room: Room) -> Vec<Line> {
    lines.push(Line::blank());
    let words = |(label, note): (&str, &str)| (label.to_owned(), note.to_owned());
    let options: Vec<(String, String)> = screen.all.iter().map(|option| words(option.words())).collect();
    let options = common::options(&options, screen.options.at(), room);
    lines.truncate(room.height.saturating_sub(options.len()));
    lines.extend(options);
    lines
}

fn times_of(label: &str, planned: u64, real: u64) -> Line {
    Line::text(label).at(16, &format!("planned {}", units::about(planned).trim_start_matches("about ")), Ink::Plain).at(
        36,
        &format!("real {}", units::seconds(real)),
        Ink::Plain,
    )
}
