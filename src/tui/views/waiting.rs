//! S10: the parts that a step waits for, each with its reason in words, and what can be done meanwhile.

use super::{Room, common, running};
use crate::{
    app::App,
    run::{Progress, Row, Sign},
    tui::{
        Ink, Line,
        picture::{cut, cut_end, width, wrap},
    },
};

/// Least rows of a log.
const LOG: usize = 4;
/// Column of a part's name.
const NAME: usize = 15;
/// Cells of a name at most; it is whole behind `e`.
const LONGEST: usize = 28;

/// A part in as many rows as its reason needs.
fn part(app: &App, row: &Row, column: usize, room: Room) -> Vec<Line> {
    let (sign, ink) = common::sign(row.sign);
    let parts = wrap(&app.detail(row), room.width.saturating_sub(column + 1));
    let first = |index: usize| {
        if index > 0 {
            return Line::blank();
        }
        let line = Line::blank().at(2, sign, ink).at(4, &cut_end(&row.word, NAME - 5), ink);
        line.at(NAME, &cut(&row.name, LONGEST), Ink::Plain)
    };
    parts.iter().enumerate().map(|(index, part)| first(index).at(column, part, Ink::Plain)).collect()
}

/// The rows of all parts in a space: what is ready gives way first.
fn parts(app: &App, told: &Progress, room: Room, space: usize) -> Vec<Line> {
    let longest = told.rows.iter().map(|row| width(&row.name).min(LONGEST)).max().unwrap_or(0);
    let column = NAME + longest + 2;
    let blocks: Vec<(Sign, Vec<Line>)> = told.rows.iter().map(|row| (row.sign, part(app, row, column, room))).collect();
    let all: usize = blocks.iter().map(|(_, lines)| lines.len()).sum();
    if all <= space {
        return blocks.into_iter().flat_map(|(_, lines)| lines).collect();
    }
    let ready = blocks.iter().filter(|(sign, _)| *sign == Sign::Done).count();
    let open = blocks.into_iter().filter(|(sign, _)| *sign != Sign::Done).flat_map(|(_, lines)| lines).collect();
    let mut lines = common::fold(open, space.saturating_sub(usize::from(ready > 0)));
    if ready > 0 {
        let (sign, ink) = common::sign(Sign::Done);
        lines.push(Line::blank().at(2, sign, ink).at(4, &format!("{ready} more are ready"), Ink::Plain));
    }
    lines
}

pub fn view(app: &App, told: &Progress, room: Room, mut lines: Vec<Line>) -> Vec<Line> {
    // the state in one sentence stands where a running step has an empty row
    lines.pop();
    let sentence = wrap(&told.sentence, room.width - 3);
    lines.extend(sentence.iter().map(|part| Line::text(part)));
    lines.push(Line::blank());
    let options = common::options(&app.waiting_options(), app.parts.options.at(), room);
    let below = if options.is_empty() { LOG + 1 } else { options.len() + 1 };
    lines.extend(parts(app, told, room, room.height.saturating_sub(lines.len() + below).max(2)));
    lines.push(Line::blank());
    let rest = room.height.saturating_sub(lines.len() + options.len() + usize::from(!options.is_empty()));
    if rest >= LOG {
        lines.extend(running::log(app, &app.log, app.log.step.as_ref(), room, rest, ""));
        lines.extend((!options.is_empty()).then(Line::blank));
    }
    lines.extend(options);
    lines
}
