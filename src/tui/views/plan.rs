//! S03: the plan.

use super::{Room, buttons};
use crate::{
    app::{App, screens::PlanScreen},
    run::{Outage, Purpose, Risk},
    text::{printable, units},
    tui::{Ink, Line, picture::wrap},
};

pub fn view(app: &App, screen: &PlanScreen, room: Room) -> Vec<Line> {
    let run = &app.run;
    let total: u64 = run.plan.iter().map(|step| step.estimate_s).sum();
    let changes = 52.min(room.width - 22);
    let mut lines = vec![
        Line::text("The plan").right(&format!("{} steps · {}", run.plan.len(), units::about(total)), Ink::Plain),
        Line::blank(),
        Line::blank().at(2, "phase", Ink::Dim).at(changes, "changes", Ink::Dim).right("time", Ink::Dim),
    ];
    for (index, phase) in run.phases.iter().enumerate() {
        let steps: Vec<_> = run.plan.iter().filter(|step| step.phase == index).collect();
        let hard = steps.iter().any(|step| step.risk == Risk::Irreversible);
        let seconds: u64 = steps.iter().map(|step| step.estimate_s).sum();
        let mut line = Line::blank().focus(screen.button.is_none() && screen.phases.at == index).at(
            2,
            &format!("{}  {}", index + 1, phase.title),
            Ink::Plain,
        );
        if hard {
            line = line.then(" ", Ink::Plain).then("!", Ink::Warn);
        }
        lines.push(
            line.at(18, &phase.purpose, Ink::Plain)
                .at(changes, &phase.changes, Ink::Plain)
                .right(units::about(seconds).trim_start_matches("about "), Ink::Plain),
        );
    }
    lines.push(Line::blank());
    if let Some(taken) = &run.taken {
        let text = format!("run {}: its inputs and proofs hold here", taken.run);
        lines.push(Line::text("Goes on from").at(16, &text, Ink::Plain));
    }
    if !run.acting.is_oneself() {
        lines.push(Line::text("Acts there as").at(16, &printable(&run.acting.to_string()), Ink::Plain));
    }
    let outage = Outage::planned(&run.plan);
    if outage != Outage::default() {
        lines.push(Line::text("Downtime").at(16, &outage.words(), Ink::Plain));
    }
    let hard: Vec<&str> =
        run.plan.iter().filter(|step| step.risk == Risk::Irreversible).map(|step| step.number.as_str()).collect();
    if !hard.is_empty() {
        let why = match run.taken.as_ref().map(|taken| taken.purpose) {
            Some(Purpose::WayBack) => {
                "It stays shut until the volumes that come back were read, and those that go are kept, too."
            }
            Some(Purpose::Restore) => {
                "It stays shut until the backup's files were hashed again, and the volumes of what goes are kept."
            }
            Some(Purpose::ClearUp) if run.plan.iter().any(|step| step.kind == "delete") => {
                "It stays shut unless the new version answers and nothing of the old one ran since. The volumes are kept."
            }
            Some(Purpose::ClearUp) => {
                "It stays shut while anything uses what goes. After it only the proven dump leads back."
            }
            None => {
                "It stays shut until the dump was restored and every table counted. The volumes are kept: that is the way \
                 back."
            }
        };
        let text = format!("only {}. {why}", hard.join(", "));
        for (index, part) in wrap(&text, room.width - 18).into_iter().enumerate() {
            let label = if index == 0 { "Hard to undo" } else { "" };
            lines.push(Line::text(label).at(16, &part, Ink::Plain));
        }
    }
    let mut label = "Not known yet";
    for step in &run.plan {
        for unknown in &step.unknown {
            if lines.len() + 2 < room.height {
                lines.push(Line::text(label).at(16, &format!("{}  {unknown}", step.number), Ink::Plain));
                label = "";
            }
        }
    }
    lines.truncate(room.height.saturating_sub(2));
    lines.push(Line::blank());
    lines.push(buttons(&["Back", "Save as file", "Approve and start phase 1"], screen.button, "", None));
    lines
}
