//! S05: the line that is asked for over the list of a form, and how a text looks while it is typed. Called by `form`.

use super::{Room, form::faulty};
use crate::{
    app::{
        screens::{Dialog, FormScreen},
        text_field::TextField,
    },
    tui::{
        Ink, Line,
        picture::{width, wrap},
    },
};

pub(super) fn view(screen: &FormScreen, dialog: &Dialog, room: Room) -> Vec<Line> {
    let (title, label, text, help) = match dialog {
        Dialog::Add(text) => {
            (format!("Add one {} by hand", screen.form.noun), "Name", text, format!("Look here: {}", screen.form.look))
        }
        Dialog::None(text) => (
            format!("There is no {} at all", screen.form.noun),
            "Because",
            text,
            "At least 10 letters; it stays in the change record.".to_owned(),
        ),
    };
    let cells = room.width - 16;
    let mut line =
        Line::blank().focus(true).at(2, label, Ink::Plain).at(13, &field_text(text, cells, true), Ink::Plain);
    line.cursor = Some(13 + text.cursor().min(cells));
    let mut lines = vec![Line::titled_rule(&title, "Esc closes"), line];
    lines.extend(wrap(&help, room.width - 14).iter().map(|part| Line::blank().at(13, part, Ink::Plain)));
    if let Some(fault) = screen.line_fault() {
        lines.extend(faulty(&fault, 13, room));
    }
    lines
}

/// An open text with the rest of its field.
pub(super) fn field_text(text: &TextField, cells: usize, focused: bool) -> String {
    let shown = text.text();
    let tail = tail(shown, cells - 2);
    let mark = if focused && text.cursor() == shown.chars().count() { "▏" } else { "" };
    let rest = cells.saturating_sub(width(&tail) + width(mark));
    format!("{tail}{mark}{}", "_".repeat(rest))
}

/// The end of a text, which is what is being typed.
pub(super) fn tail(text: &str, cells: usize) -> String {
    if width(text) <= cells + 1 {
        return text.to_owned();
    }
    text.chars().rev().take(cells).collect::<Vec<_>>().into_iter().rev().collect()
}
