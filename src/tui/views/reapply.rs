//! S12: settings put back.

use super::{Room, buttons, common::clock, kept};
use crate::{
    app::{
        App,
        screens::{ReapplyFocus, ReapplyScreen},
    },
    run::{ReapplyItem, ReapplyState},
    tui::{
        Ink, Line,
        picture::{cut, cut_end, width, wrap},
    },
};

/// Column of a field's value.
const VALUE: usize = 16;
/// What stands at the secret that the key would show.
const SHOWS: &str = "Ctrl-R show 10 s";

fn word(state: ReapplyState) -> (&'static str, &'static str, Ink) {
    match state {
        ReapplyState::NotYet => ("·", "not yet", Ink::Plain),
        ReapplyState::Same => ("✓", "same", Ink::Ok),
        ReapplyState::Differs => ("✗", "differs", Ink::Bad),
        ReapplyState::Refused => ("✗", "refused", Ink::Bad),
        ReapplyState::ByHand => ("?", "by hand", Ink::Warn),
        ReapplyState::ByEye => ("✓", "by eye", Ink::Ok),
        ReapplyState::Waived => ("–", "waived", Ink::Plain),
    }
}

/// Whether a secret of the chosen item fits in below its field.
pub fn has_room(app: &App, screen: &ReapplyScreen, room: Room, secret: &str) -> bool {
    // the field's own row and the buttons stay
    above(app, screen, room).len() + kept::lines(secret, VALUE, room).len() + 2 <= room.height
}

/// All above the fields of the chosen item.
fn above(app: &App, screen: &ReapplyScreen, room: Room) -> Vec<Line> {
    let count = |state| screen.items.iter().filter(|item| item.state == state).count();
    let done = count(ReapplyState::Same) + count(ReapplyState::ByEye);
    let waived = count(ReapplyState::Waived);
    let left = screen.items.len() - done - waived;
    let state = format!("{done} of {} confirmed · {waived} waived · {left} to do", screen.items.len());
    let mut lines = vec![
        Line::text(&app.step().map_or_else(String::new, |step| format!("{}  {}", step.number, step.title)))
            .right(&state, Ink::Plain),
        Line::blank(),
    ];
    let window = room.height.saturating_sub(10).max(3);
    let skip = screen.list.at.saturating_sub(window - 1);
    for (index, item) in screen.items.iter().enumerate().skip(skip).take(window) {
        let focused = screen.focus == ReapplyFocus::Items && screen.list.at == index;
        lines.push(row(app, item, focused, screen.list.at == index, room));
    }
    if screen.items.len() > window {
        lines.push(Line::blank().at(4, &format!("{} more: ↑↓", screen.items.len() - window), Ink::Plain));
    }
    lines.push(Line::blank());
    if let Some(item) = screen.items.get(screen.list.at) {
        lines.push(Line::text(&item.title));
        // what the row has no room for is said whole
        let sentence = item.told(|at| clock(app, at));
        if width(&sentence) > sentence_room(room) {
            let parts = wrap(&sentence, room.width - 5);
            lines.extend(parts.iter().map(|part| Line::blank().at(4, part, word(item.state).2)));
        }
    }
    lines
}

pub fn view(app: &App, screen: &ReapplyScreen, room: Room) -> Vec<Line> {
    let mut lines = above(app, screen, room);
    if let Some(item) = screen.items.get(screen.list.at) {
        let shown = app.shown();
        let next = app.next_shown().map(|name| name.field);
        // first what is shown: it is looked at now
        let is_shown = |label: &str| shown.is_some_and(|(name, ..)| name.field == label);
        let first = item.fields.iter().filter(|(label, _)| is_shown(label));
        let rest = item.fields.iter().filter(|(label, _)| !is_shown(label));
        for (label, value) in first.chain(rest) {
            if let Some((_, secret, _)) = shown.filter(|_| is_shown(label)) {
                lines.push(Line::blank().at(4, label, Ink::Plain).at(VALUE, &cut(value, room.width - 17), Ink::Plain));
                lines.extend(kept::lines(secret, VALUE, room));
                continue;
            }
            if lines.len() + 2 < room.height {
                let parts = wrap(value, room.width - 17);
                lines.extend(parts.iter().enumerate().take(2).map(|(index, part)| {
                    let label = if index == 0 { label } else { "" };
                    let more = if index == 1 && parts.len() > 2 { " …" } else { "" };
                    Line::blank().at(4, label, Ink::Plain).at(VALUE, &format!("{part}{more}"), Ink::Plain)
                }));
                // the key stands at what it shows, where the last row has room
                if next.as_ref() == Some(label)
                    && let Some(row) = lines.last_mut()
                    && row.end() + width(SHOWS) + 3 < room.width
                {
                    *row = std::mem::take(row).then("   ", Ink::Plain).then(SHOWS, Ink::Dim);
                }
            }
        }
    }
    lines.truncate(room.height.saturating_sub(1));
    if screen.focus == ReapplyFocus::Reason {
        let text = screen.reason.text();
        let mut line = Line::blank().focus(true).at(2, "Because", Ink::Plain).at(
            13,
            &format!("{text}▏{}", "_".repeat(50usize.saturating_sub(width(text)))),
            Ink::Plain,
        );
        line.cursor = Some(13 + screen.reason.cursor());
        lines.push(line);
    } else {
        let focus = if let ReapplyFocus::Button(at) = screen.focus { Some(at) } else { None };
        lines.push(buttons(&["Read it back", "Write it for me", "By eye: right", "Waive…"], focus, "", None));
    }
    lines
}

/// Cells of a row that are left for its sentence.
fn sentence_room(room: Room) -> usize {
    room.width - 39
}

fn row(app: &App, item: &ReapplyItem, focused: bool, chosen: bool, room: Room) -> Line {
    let (sign, word, ink) = word(item.state);
    Line::blank()
        .focus(focused)
        .at(2, sign, ink)
        .at(4, word, ink)
        .at(13, &cut(&item.title, 24), if chosen { Ink::Accent } else { Ink::Plain })
        .at(38, &cut_end(&item.told(|at| clock(app, at)), sentence_room(room)), Ink::Plain)
}
