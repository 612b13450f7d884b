//! S14: a run is taken up again.

use super::{Room, common};
use crate::{
    app::{App, screens::ResumeScreen},
    run::Sign,
    text::units,
    tui::{
        Ink, Line,
        picture::{width, wrap},
    },
};

/// Column of what is there.
const THERE: usize = 36;
/// Rows of a body in which explanations still have room.
const ROOMY: usize = 14;

type Row = (Sign, String, String, String);

/// A step in as many rows as it needs; in a narrow window what is there stands below the step's name.
fn rows(row: &Row, room: Room) -> Vec<Line> {
    let (sign, name, says, so) = row;
    let (mark, ink) = common::sign(*sign);
    let beside = room.width >= 79;
    let names = wrap(name, if beside { THERE - 6 } else { room.width - 6 - width(so) });
    let there = wrap(says, if beside { room.width - THERE - width(so) - 2 } else { room.width - 7 });
    let first = |index: usize, line: Line| {
        if index == 0 { line.at(2, mark, ink).right(so, Ink::Plain) } else { line }
    };
    if beside {
        let part = |parts: &[String], index: usize| parts.get(index).cloned().unwrap_or_default();
        return (0..names.len().max(there.len()))
            .map(|index| {
                let line = Line::blank().at(4, &part(&names, index), Ink::Plain);
                first(index, line.at(THERE, &part(&there, index), Ink::Plain))
            })
            .collect();
    }
    let names = names.iter().enumerate().map(|(index, part)| first(index, Line::blank().at(4, part, Ink::Plain)));
    names.chain(there.iter().map(|part| Line::blank().at(6, part, Ink::Plain))).collect()
}

/// Whether a step is told whatever else gives way.
fn matters(row: &Row) -> bool {
    matches!(row.0, Sign::Uncertain | Sign::Failed)
}

/// The steps that have room, first those in doubt, then the last; the others in one row.
fn table(all: &[Row], room: Room, space: usize) -> Vec<Line> {
    let blocks: Vec<Vec<Line>> = all.iter().map(|row| rows(row, room)).collect();
    let mut order: Vec<usize> = (0..all.len()).rev().collect();
    order.sort_by_key(|index| !matters(&all[*index]));
    let (mut shown, mut used) = (vec![false; all.len()], 0);
    for (taken, index) in order.into_iter().enumerate() {
        let rest = usize::from(taken + 1 < all.len());
        if taken > 0 && used + blocks[index].len() + rest > space {
            break;
        }
        shown[index] = true;
        used += blocks[index].len();
    }
    let hidden = shown.iter().filter(|shown| !**shown).count();
    let hides_doubt = all.iter().zip(&shown).any(|(row, shown)| !shown && matters(row));
    let (mark, ink) = common::sign(if hides_doubt { Sign::Uncertain } else { Sign::Done });
    let mut lines = Vec::new();
    if hidden > 0 {
        let others = format!("{}, e shows all", units::plural(hidden, "other step", "other steps"));
        lines.push(Line::blank().at(2, mark, ink).at(4, &others, Ink::Plain).right("over", Ink::Plain));
    }
    lines.extend(blocks.into_iter().zip(shown).filter(|(_, shown)| *shown).flat_map(|(block, _)| block));
    common::fold(lines, space)
}

/// When it was written to last, before it was opened now.
fn away(app: &App) -> String {
    app.last_written().map_or_else(String::new, |last| {
        let away = u64::try_from(app.now.as_second() - last.as_second()).unwrap_or(0);
        format!("away {} · last written {}", units::seconds(away), common::clock(app, last))
    })
}

pub fn view(app: &App, screen: &ResumeScreen, room: Room) -> Vec<Line> {
    let roomy = room.height >= ROOMY;
    let mut lines = vec![Line::text("Welcome back").right(&away(app), Ink::Plain)];
    if roomy {
        lines.push(Line::text("The program ended without a goodbye. Checked just now:"));
        lines.push(Line::blank());
        let head = Line::blank().at(4, "what the journal says", Ink::Dim);
        let head = if room.width >= 79 { head.at(THERE, "what is there", Ink::Dim) } else { head };
        lines.push(head.right("so", Ink::Dim));
    }
    let options: Vec<(String, String)> =
        screen.choices.iter().map(|choice| (choice.label.clone(), choice.cost.clone())).collect();
    let options = common::options(&options, screen.options.at(), room);
    let mut uncertain = Vec::new();
    for (index, line) in screen.uncertain.iter().enumerate() {
        for (row, part) in wrap(line, room.width - 14).iter().enumerate() {
            let label = if index + row == 0 { "Uncertain:" } else { "" };
            uncertain.push(Line::text(label).at(13, part, Ink::Plain));
        }
    }
    // what is left for both, without the empty rows before each part
    let space = room.height.saturating_sub(lines.len() + options.len() + 2);
    let doubts: usize = screen.rows.iter().filter(|row| matters(row)).map(|row| rows(row, room).len()).sum();
    let least = doubts + usize::from(screen.rows.iter().any(|row| !matters(row)));
    let left = space.saturating_sub(least).max(1);
    if uncertain.len() > left && left < 3 {
        uncertain = vec![Line::text("Uncertain:").at(13, "what was begun stands above; e shows all of it", Ink::Plain)];
    }
    let uncertain = common::fold(uncertain, left);
    lines.extend(table(&screen.rows, room, space.saturating_sub(uncertain.len())));
    lines.push(Line::blank());
    lines.extend(uncertain);
    lines.push(Line::blank());
    lines.extend(options);
    lines
}
