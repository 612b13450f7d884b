//! S14: a run is taken up again.

use super::{Room, common};
use crate::{
    app::{App, screens::ResumeScreen},
    tui::{
        Ink, Line,
        picture::{cut, wrap},
    },
};

pub fn view(app: &App, screen: &ResumeScreen, room: Room) -> Vec<Line> {
    let away = app.run.times.map_or_else(String::new, |(_, last)| format!("last written {}", common::clock(app, last)));
    let mut lines = vec![
        Line::text("Welcome back").right(&away, Ink::Plain),
        Line::text("The program ended without a goodbye. Checked just now:"),
        Line::blank(),
        Line::blank().at(4, "what the journal says", Ink::Dim).at(36, "what is there", Ink::Dim).right("so", Ink::Dim),
    ];
    let tail = screen.choices.len() + 1;
    let uncertain: Vec<String> = screen.uncertain.iter().flat_map(|line| wrap(line, room.width - 14)).take(3).collect();
    // the step in doubt is always shown, whatever else gives way
    let window = room.height.saturating_sub(lines.len() + tail + uncertain.len() + 1).max(2);
    // done steps are folded into one row where there is no room
    let skip = screen.rows.len().saturating_sub(window.saturating_sub(1));
    if skip > 0 && screen.rows.len() > window {
        lines.push(
            Line::blank()
                .at(2, "✓", Ink::Ok)
                .at(4, &format!("{skip} earlier steps"), Ink::Plain)
                .right("over", Ink::Plain),
        );
    }
    let from = if screen.rows.len() > window { skip } else { 0 };
    for (sign, name, says, so) in screen.rows.iter().skip(from) {
        let (mark, ink) = common::sign(*sign);
        lines.push(
            Line::blank()
                .at(2, mark, ink)
                .at(4, &cut(name, 30), Ink::Plain)
                .at(36, &cut(says, room.width - 52), Ink::Plain)
                .right(so, Ink::Plain),
        );
    }
    lines.push(Line::blank());
    for (index, part) in uncertain.iter().enumerate() {
        lines.push(Line::text(if index == 0 { "Uncertain:" } else { "" }).at(13, part, Ink::Plain));
    }
    lines.truncate(room.height.saturating_sub(tail));
    lines.push(Line::blank());
    let options: Vec<(String, String)> =
        screen.choices.iter().map(|choice| (choice.label.clone(), choice.cost.clone())).collect();
    lines.extend(common::options(&options, screen.options.at(), 1));
    lines
}
