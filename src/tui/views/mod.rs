//! One view a screen: the model in, a picture out. Pure, so that tests compare text.

mod checks;
mod choose;
mod common;
mod door;
mod finish;
mod form;
mod form_line;
mod gate;
mod kept;
mod lock;
mod opening;
mod over;
mod plan;
mod reapply;
mod resume;
mod running;
mod small;
mod vault;
mod waiting;

use super::{
    Ink, Line, Picture,
    draw::{FRAME, is_small},
    wide,
};
use crate::app::{App, Cmd, Front, Key, Over, Place, keymap};

pub(super) use common::{phase_mark, sign};
pub use door::door_picture;
pub use opening::{Opening, view as opening_picture};

/// Room for the body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Cells of a row, the last of which stays empty.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Until when the clock of the program shows secrets, compared with `App::at`.
    pub at: u64,
}

/// The picture of the model in a terminal of this size.
pub fn picture(app: &App, columns: u16, rows: u16) -> Picture {
    if is_small(columns, rows) {
        return small::view(app, columns, rows);
    }
    let is_wide = columns >= 100 && rows >= 30 && !app.run.phases.is_empty() && app.run.approved;
    let side = if is_wide { usize::from(columns - 80).min(33) } else { 0 };
    let room = Room { width: usize::from(columns) - side - 1, height: usize::from(rows - FRAME), at: app.at };
    let (mut body, mut scroll) = (front(app, room), 0);
    let mut covers = None;
    match &app.over {
        None => {
            if let Some(page) = kept::page(app, room) {
                (body, scroll) = page;
                covers = app.shown().map(|(_, _, from)| from);
            }
        }
        Some(below @ (Over::Leave(_) | Over::Unlock(_))) => {
            let dialog = match below {
                Over::Unlock(dialog) => lock::view(app, dialog, room),
                Over::Leave(leave) => over::leave(app, leave, room),
                _ => Vec::new(),
            };
            body = body.into_iter().map(unfocused).collect();
            let keep = room.height.saturating_sub(dialog.len());
            body.truncate(keep);
            body.resize(keep, Line::blank());
            body.extend(dialog);
        }
        Some(other) => (body, scroll) = over::view(app, other, room),
    }
    body.truncate(room.height);
    // the real cursor stands at the focus, so that readers and magnifiers follow it
    if body.iter().all(|line| line.cursor.is_none())
        && let Some(line) =
            body.iter_mut().find(|line| line.pieces.iter().any(|(column, text, _)| *column == 0 && text == "›"))
    {
        line.cursor = Some(0);
    }
    let place = if covers.is_some() { Place::Secret } else { app.place() };
    let goes_on = |from: usize, binding: &keymap::Binding| binding.cmd != Cmd::ShowSecret || from < scroll;
    let keys = keymap::footer(place)
        .filter(|binding| covers.map_or_else(|| holds(app, binding), |from| goes_on(from, binding)));
    let keys = keys.map(|binding| (binding.shown.to_owned(), label(app, binding))).collect();
    let (title, place, badge) = common::title(app, usize::from(columns));
    Picture {
        title,
        place,
        badge,
        rail: common::rail(app, usize::from(columns)),
        body,
        facts: common::facts(app),
        safety: common::safety(app, usize::from(columns) - 2),
        keys,
        side: if is_wide { wide::steps(app, side, room.height) } else { Vec::new() },
        scroll,
        covers: covers.is_some(),
    }
}

/// A row behind a dialog: the focus is in front of it.
fn unfocused(mut line: Line) -> Line {
    line.cursor = None;
    line.pieces.retain(|(column, text, _)| !(*column == 0 && text == "›"));
    for (_, text, ink) in &mut line.pieces {
        if let Some(label) = text.strip_prefix("[› ").and_then(|rest| rest.strip_suffix(" ‹]")) {
            (*text, *ink) = (format!("[ {label} ]"), Ink::Plain);
        }
    }
    line
}

/// Whether a key of the footer does something just now: letters are text while one has the focus.
fn holds(app: &App, binding: &keymap::Binding) -> bool {
    let text = app.is_typing() && matches!(binding.keys[0], Key::Char(_));
    match (&app.front, binding.cmd) {
        (Front::Form(screen), Cmd::Up | Cmd::Add) if app.over.is_none() => !text && screen.form.repeated,
        (Front::Form(screen), Cmd::TakeLive) => !text && screen.can_take_live(),
        (Front::Form(screen), Cmd::ShowSecret) => !text && screen.is_secret(),
        (Front::Reapply(_), Cmd::ShowSecret) => !app.can_show().is_empty(),
        (Front::Checks(screen), Cmd::Space) => screen.warns(),
        _ => !text,
    }
}

fn label(app: &App, binding: &keymap::Binding) -> String {
    match (&app.front, binding.cmd) {
        (_, Cmd::Pause) if app.pausing => "go on after this".to_owned(),
        _ => binding.label.to_owned(),
    }
}

fn front(app: &App, room: Room) -> Vec<Line> {
    match &app.front {
        Front::Running => running::view(app, room),
        Front::Plan(screen) => plan::view(app, screen, room),
        Front::Vault(screen) => vault::view(screen, room),
        Front::Form(screen) => form::view(app, screen, room),
        Front::Checks(screen) => checks::view(app, screen, room),
        Front::Gate(screen) => gate::view(app, screen, room),
        Front::Choose(screen) => choose::view(app, screen, room),
        Front::Confirm(screen) => choose::confirm(app, screen, room),
        Front::Reapply(screen) => reapply::view(app, screen, room),
        Front::Resume(screen) => resume::view(app, screen, room),
        Front::Finish(screen) => finish::view(app, screen, room),
    }
}

/// Buttons, and why the last cannot be used yet: beside them, or in a row of its own where that is too narrow.
pub(super) fn button_rows(
    labels: &[&str],
    focus: Option<usize>,
    not_yet: &str,
    bad: Option<usize>,
    room: Room,
) -> Vec<Line> {
    let whole = buttons(labels, focus, not_yet, bad);
    // a low window has no second row to give
    if not_yet.is_empty() || whole.end() <= room.width || room.height < 14 {
        return vec![whole];
    }
    vec![buttons(labels, focus, "", bad), Line::blank().at(2, &format!("not yet: {not_yet}"), Ink::Warn)]
}

/// Rows above their buttons: in a low window the empty ones give way first, then the last of them.
pub(super) fn above_buttons(mut lines: Vec<Line>, buttons: Vec<Line>, room: Room) -> Vec<Line> {
    while lines.len() + buttons.len() > room.height {
        let Some(empty) = lines.iter().rposition(|line| *line == Line::blank()) else { break };
        lines.remove(empty);
    }
    lines.truncate(room.height.saturating_sub(buttons.len()));
    lines.extend(buttons);
    lines
}

/// A button row: which one has the focus, and why the last cannot be used yet.
pub(super) fn buttons(labels: &[&str], focus: Option<usize>, not_yet: &str, bad: Option<usize>) -> Line {
    let mut line = Line::blank();
    let mut column = 2;
    for (index, label) in labels.iter().enumerate() {
        let (text, ink) = if focus == Some(index) {
            (format!("[› {label} ‹]"), Ink::Focus)
        } else {
            (format!("[ {label} ]"), if bad == Some(index) { Ink::Bad } else { Ink::Plain })
        };
        line = line.at(column, &text, ink);
        if focus == Some(index) {
            line.cursor = Some(column + 1);
        }
        column += super::picture::width(&text) + if focus == Some(index) { 1 } else { 3 };
    }
    if !not_yet.is_empty() {
        let from = line.end() + 2;
        line = line.at(from, &format!("not yet: {not_yet}"), Ink::Warn);
    }
    line
}
