//! S04b: the wizard is locked, over the lower part of any screen.

use super::{Room, buttons, vault};
use crate::{
    app::{App, Front, Unlock, UnlockFocus},
    tui::{Ink, Line, picture::wrap},
};

/// What goes on behind the dialog.
fn behind(app: &App) -> String {
    let step = app.step().map_or_else(|| "The run".to_owned(), |step| format!("{} {}", step.number, app.called(step)));
    if app.is_working() {
        let left = super::small::left(app);
        format!("{step} goes on behind this{left}. Nothing waits for you.")
    } else if matches!(app.front, Front::Running) {
        format!("{step} is next. Nothing waits for you.")
    } else {
        format!("{step} waits for you behind this. Nothing goes on without you.")
    }
}

/// The lower body while it is locked.
pub fn view(app: &App, dialog: &Unlock, room: Room) -> Vec<Line> {
    let mut lines =
        vec![Line::titled_rule("Locked: what is secret is closed", "no key for some minutes"), Line::blank()];
    lines.extend(wrap(&behind(app), room.width - 4).iter().map(|part| Line::text(part)));
    lines.push(Line::blank());
    lines.push(vault::row("Passphrase", &dialog.text, dialog.focus == UnlockFocus::Passphrase, false));
    if dialog.sent {
        lines.push(Line::blank().at(16, "opening …", Ink::Accent));
    } else if !dialog.fault.is_empty() {
        lines.extend(vault::faulty(&dialog.fault, room));
        lines.push(Line::blank().at(18, &format!("Try {}. Caps Lock may be on.", dialog.tries + 1), Ink::Plain));
    }
    lines.push(Line::blank());
    let focus = match dialog.focus {
        UnlockFocus::Passphrase => None,
        UnlockFocus::Stay => Some(0),
        UnlockFocus::Unlock => Some(1),
    };
    lines.push(buttons(&["Stay locked", "Unlock"], focus, "", None).then("   takes about 1 s", Ink::Plain));
    lines.push(Line::blank());
    lines
}
