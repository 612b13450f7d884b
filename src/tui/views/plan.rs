//! S03: the plan.

use super::{Room, buttons};
use crate::{
    app::{App, screens::PlanScreen},
    run::{Outage, Risk},
    text::units,
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
    let outage = Outage::planned(&run.plan);
    if outage != Outage::default() {
        let (read_only, down) = (units::about(outage.read_only_s), units::about(outage.down_s));
        let down = down.trim_start_matches("about ");
        lines.push(Line::text("Downtime").at(16, &format!("{read_only} read-only, then {down} down"), Ink::Plain));
    }
    let hard: Vec<&str> =
        run.plan.iter().filter(|step| step.risk == Risk::Irreversible).map(|step| step.number.as_str()).collect();
    if !hard.is_empty() {
        let text = format!(
            "only {}. It stays shut until the dump was restored and every table counted. The volumes are kept: that is \
             the way back.",
            hard.join(", ")
        );
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
