//! S04: the vault is made, or opened.

use super::{Room, above_buttons, button_rows, buttons};
use crate::{
    app::{
        screens::{VaultFocus, VaultScreen},
        text_field::TextField,
    },
    tui::{Ink, Line, picture::wrap},
};

/// Cells of a field.
const FIELD: usize = 40;

/// A secret as dots, at most 40 of them, or in clear while it is shown.
fn dots(field: &TextField, shown: bool) -> String {
    if shown { field.reveal().to_owned() } else { "•".repeat(field.chars().min(FIELD - 1)) }
}

pub(super) fn row(label: &str, field: &TextField, focused: bool, shown: bool) -> Line {
    let text = dots(field, shown);
    let cells = crate::tui::picture::width(&text).min(FIELD - 1);
    let mark = if focused { "▏" } else { "" };
    let rest = FIELD.saturating_sub(cells + usize::from(focused));
    let mut line = Line::blank().focus(focused).at(2, label, Ink::Plain).at(
        16,
        &format!("{text}{mark}{}", "_".repeat(rest)),
        Ink::Plain,
    );
    if focused {
        line.cursor = Some(16 + cells);
    }
    line
}

/// A sign and a sentence below a field, in as many rows as it needs.
fn said(sign: &str, ink: Ink, sentence: &str, room: Room) -> Vec<Line> {
    let row = |(index, part): (usize, &String)| {
        let line = if index == 0 { Line::blank().at(16, sign, ink) } else { Line::blank() };
        line.at(18, part, Ink::Plain)
    };
    wrap(sentence, room.width - 19).iter().enumerate().map(row).collect()
}

pub(super) fn faulty(fault: &str, room: Room) -> Vec<Line> {
    said("✗", Ink::Bad, fault, room)
}

pub fn view(screen: &VaultScreen, room: Room) -> Vec<Line> {
    let shown = room.at < screen.shown_until;
    let first = screen.focus == VaultFocus::First;
    let count = |line: Line, field: &TextField| match field.chars() {
        0 => line,
        n => line.at(58, &format!("{n} characters"), Ink::Plain),
    };
    if screen.exists {
        let mut lines = vec![
            Line::text("1.0  Open the vault").right("it holds this run's secrets", Ink::Plain),
            Line::blank(),
            Line::text("The vault is locked. Nothing runs until it is open."),
            Line::blank(),
            count(row("Passphrase", &screen.first, first, shown), &screen.first),
        ];
        if screen.sent {
            lines.push(Line::blank().at(16, "opening …", Ink::Accent));
        } else if !screen.fault.is_empty() {
            lines.extend(faulty(&screen.fault, room));
            lines.push(Line::blank().at(18, &format!("Try {}. Caps Lock may be on.", screen.tries + 1), Ink::Plain));
        }
        lines.push(Line::blank());
        let focus = match screen.focus {
            VaultFocus::Back => Some(0),
            VaultFocus::Make => Some(1),
            _ => None,
        };
        lines.push(buttons(&["Stay locked", "Unlock"], focus, "", None).then("   takes about 1 s", Ink::Plain));
        return lines;
    }
    let mut lines = vec![
        Line::text("1.0  Make a vault for the secrets").right("once per host", Ink::Plain),
        Line::blank(),
        Line::text("Tokens and passwords go into one encrypted file here (age format)."),
        Line::text("Without the passphrase nobody can open it. That includes you and drydock."),
        Line::blank(),
        count(row("Passphrase", &screen.first, first, shown), &screen.first),
    ];
    lines.extend(match &screen.strength {
        Some(strength) if strength.enough => said("✓", Ink::Ok, &strength.sentence, room),
        Some(strength) => said("!", Ink::Warn, &strength.sentence, room),
        None if !screen.fault.is_empty() => faulty(&screen.fault, room),
        None => vec![Line::blank().at(16, "· four words are better than one with signs", Ink::Plain)],
    });
    lines.push(row("Once more", &screen.second, screen.focus == VaultFocus::Second, false));
    let (have, want) = (screen.second.chars(), screen.first.chars());
    lines.push(if have == 0 {
        Line::blank()
    } else if screen.second.reveal() == screen.first.reveal() {
        Line::blank().at(16, "✓", Ink::Ok).then(" the same", Ink::Plain)
    } else if screen.first.reveal().starts_with(screen.second.reveal()) {
        Line::blank().at(16, &format!("· {have} of {want} characters, the same so far"), Ink::Plain)
    } else {
        Line::blank().at(16, "✗", Ink::Bad).then(" not the same", Ink::Plain)
    });
    lines.push(Line::blank());
    lines.push(Line::text("If you forget it").at(23, "the secrets are gone; nobody can bring them back.", Ink::Plain));
    lines.push(Line::text("To open without us").at(
        23,
        "age -d -i identity.age vault.age   same passphrase",
        Ink::Plain,
    ));
    lines.push(Line::blank());
    let focus = match screen.focus {
        VaultFocus::Back => Some(0),
        VaultFocus::Suggest => Some(1),
        VaultFocus::Make => Some(2),
        VaultFocus::First | VaultFocus::Second => None,
    };
    let missing = if screen.sent { "working" } else { screen.missing() };
    let buttons = button_rows(&["Back", "Suggest a passphrase", "Make the vault"], focus, missing, None, room);
    above_buttons(lines, buttons, room)
}
