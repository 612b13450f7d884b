//! S05: a form. The list of items above, the fields of the chosen one below.

use super::{
    Room, button_rows, common,
    form_line::{self, field_text, tail},
    kept,
};
use crate::{
    app::{
        App,
        screens::{FormFocus, FormScreen},
        text_field::TextField,
    },
    ports::Provenance,
    run::{Field, FieldKind, FieldValue, Item, Live},
    tui::{
        Ink, Line,
        picture::{cut, cut_end, width, wrap},
    },
};

/// Dots of a secret at most: the length is told in words.
const DOTS: usize = 16;
/// Where a secret is, and where the file is that one was read from. What others hold of it is not known here.
const SECRET_KEPT: &str = "drydock keeps it in the vault only";
const FILE_KEPT: &str = "a copy is in the vault, your file stays";

/// Heading and list.
fn above(app: &App, screen: &FormScreen, room: Room) -> Vec<Line> {
    let confirmed = screen.items.iter().filter(|item| item.confirmed).count();
    let state = format!("{confirmed} of {} confirmed", screen.items.len());
    let mut lines = vec![common::heading(app, &state), Line::blank()];
    if screen.form.repeated {
        lines.extend(list(screen, room));
        lines.push(Line::blank());
    }
    lines
}

/// Column of a field's value.
fn column_of(field: &Field) -> usize {
    15.max(6 + width(&field.label))
}

/// Whether the secret of the field in focus fits in below it.
pub fn has_room(app: &App, screen: &FormScreen, room: Room, secret: &str) -> bool {
    let FormFocus::Field(index) = screen.focus else { return false };
    let Some(field) = screen.form.fields.get(index) else { return false };
    // the field's own row and the buttons stay
    above(app, screen, room).len() + kept::lines(secret, column_of(field), room).len() + 2 <= room.height
}

pub fn view(app: &App, screen: &FormScreen, room: Room) -> Vec<Line> {
    let mut lines = above(app, screen, room);
    let below = if screen.dialog.is_some() { Vec::new() } else { below(screen, room) };
    if let Some(dialog) = &screen.dialog {
        lines.extend(form_line::view(screen, dialog, room));
    } else {
        let space = room.height.saturating_sub(lines.len() + below.len());
        lines.extend(detail(app, screen, room, space));
    }
    lines.truncate(room.height.saturating_sub(below.len()));
    lines.extend(below);
    lines
}

/// A value of a field in few words.
fn short(field: &Field, item: &Item) -> (String, Ink) {
    if item.faults.contains_key(&field.id) {
        return ("✗ see below".to_owned(), Ink::Bad);
    }
    if item.live.of(&field.id).is_some() {
        return ("! see below".to_owned(), Ink::Warn);
    }
    match item.values.get(&field.id) {
        Some(FieldValue::Text { value, .. }) if !value.is_empty() => (value.clone(), Ink::Plain),
        Some(FieldValue::Secret { members, .. }) if !members.is_empty() => (members.clone(), Ink::Plain),
        Some(FieldValue::Secret { provenance, .. }) => match provenance {
            Provenance::Typed { .. } => ("typed".to_owned(), Ink::Plain),
            _ => ("found".to_owned(), Ink::Plain),
        },
        _ if field.optional => ("–".to_owned(), Ink::Plain),
        _ => ("missing".to_owned(), Ink::Warn),
    }
}

/// Where the fields' columns begin: what is short is shown in full, what is long shares the rest.
fn columns(screen: &FormScreen, fields: &[&Field], room: Room) -> Vec<usize> {
    let longest = |field: &&Field| {
        let values = screen.items.iter().map(|item| width(&short(field, item).0));
        values.chain([width(&field.label)]).max().unwrap_or(0).clamp(6, 34) + 2
    };
    let mut cells: Vec<usize> = fields.iter().map(longest).collect();
    // the widest columns give way
    while cells.iter().sum::<usize>() > room.width - 21 {
        let Some(widest) = cells.iter_mut().max().filter(|cells| **cells > 1) else { break };
        *widest -= 1;
    }
    let begin = |index: usize| 21 + cells.iter().take(index).sum::<usize>();
    (0..cells.len()).map(begin).collect()
}

fn list(screen: &FormScreen, room: Room) -> Vec<Line> {
    let fields: Vec<&Field> = screen.form.fields.iter().filter(|field| field.id != "name").collect();
    let columns = columns(screen, &fields, room);
    let column = |index: usize| columns.get(index).copied().unwrap_or(room.width);
    let mut head = Line::blank().at(4, &screen.form.noun, Ink::Dim);
    for (index, field) in fields.iter().enumerate() {
        let cells = (column(index + 1) - column(index)).saturating_sub(1);
        head = head.at(column(index), &cut_end(&field.label, cells), Ink::Dim);
    }
    let mut rows = Vec::new();
    for (index, item) in screen.items.iter().enumerate() {
        let (sign, ink) = if item.confirmed { ("✓", Ink::Ok) } else { ("?", Ink::Warn) };
        let chosen = screen.list.at == index;
        let mut line = Line::blank()
            .focus(chosen && screen.focus == FormFocus::List && screen.dialog.is_none())
            .at(2, sign, ink)
            .at(4, &format!("{} {}", index + 1, item.id), if chosen { Ink::Accent } else { Ink::Plain });
        for (index, field) in fields.iter().enumerate() {
            let (text, ink) = short(field, item);
            let cells = (column(index + 1) - column(index)).saturating_sub(1);
            // a value may be cut in its middle, what is said of one at its end
            let is_value = matches!(item.values.get(&field.id), Some(FieldValue::Text { value, .. }) if *value == text);
            let text = if is_value { cut(&text, cells) } else { cut_end(&text, cells) };
            line = line.at(column(index), &text, ink);
        }
        rows.push(line);
    }
    let count = screen.items.len();
    let asks = screen.dialog.is_some();
    let focus = |at: usize| !asks && screen.focus == FormFocus::List && screen.list.at == at;
    rows.push(Line::blank().focus(focus(count)).at(4, &format!("{} add one by hand", count + 1), Ink::Plain));
    let none = if screen.none_reason.is_empty() {
        format!("{} none at all, because…", count + 2)
    } else {
        format!("{} none, because {}", count + 2, screen.none_reason)
    };
    rows.push(Line::blank().focus(focus(count + 1)).at(4, &none, Ink::Plain));
    // what is below needs two rows a field; the list is a window around the chosen one
    let needed = 2 * screen.form.fields.len() + 6;
    let window = room.height.saturating_sub(needed).max(3);
    let skip = screen.list.at.saturating_sub(window.saturating_sub(1)).min(rows.len().saturating_sub(window));
    let hidden = rows.len().saturating_sub(window);
    let mut lines = vec![if hidden > 0 { head.right(&format!("{hidden} more"), Ink::Dim) } else { head }];
    lines.extend(rows.into_iter().skip(skip).take(window));
    lines
}

fn detail(app: &App, screen: &FormScreen, room: Room, space: usize) -> Vec<Line> {
    let shown = app.shown().map(|(_, secret, _)| secret);
    let Some(item) = screen.item() else {
        let look = wrap(&format!("Look here: {}", screen.form.look), room.width - 3);
        let mut lines: Vec<Line> = look.iter().map(|part| Line::text(part)).collect();
        if !screen.fault.is_empty() {
            lines.extend(faulty(&screen.fault, 2, room));
        }
        return lines;
    };
    let mut lines = Vec::new();
    if screen.form.repeated {
        lines.extend(title(screen, item, room));
    } else {
        lines.extend(wrap(&screen.form.look, room.width - 3).iter().map(|part| Line::text(part)));
        if let Some(laid) = app.run.laid_file(&screen.form) {
            lines.push(Line::text(&format!("Practice has laid it for you; type {laid}")));
        }
        lines.push(Line::blank());
    }
    if !screen.fault.is_empty() {
        lines.extend(faulty(&screen.fault, 2, room));
    }
    let mut focus = 0;
    for (index, field) in screen.form.fields.iter().enumerate() {
        let mut rows = field_rows(screen, index, field, item, room);
        if let Some(secret) = shown.filter(|_| screen.focus == FormFocus::Field(index)) {
            rows.truncate(1);
            rows.extend(kept::lines(secret, column_of(field), room));
        }
        if screen.focus == FormFocus::Field(index) {
            focus = lines.len() + rows.len();
        }
        lines.extend(rows);
    }
    // in a low window what is above the field in focus makes room
    let skip = focus.saturating_sub(space);
    lines.drain(..skip);
    if !item.extra.is_empty() && lines.len() + 4 < room.height {
        let extra = format!("further settings, kept and put back with it: {}", item.extra);
        lines.push(Line::blank().at(4, &cut_end(&extra, room.width - 5), Ink::Plain));
    }
    for fault in item.further_faults(&screen.form) {
        lines.extend(wrap(fault, room.width - 5).iter().map(|line| Line::blank().at(4, line, Ink::Bad)));
    }
    lines
}

/// The chosen item's name, and what became of it in the application since it was captured.
fn title(screen: &FormScreen, item: &Item, room: Room) -> Vec<Line> {
    let line = Line::text(&format!("{} {}", screen.list.at + 1, item.id));
    let note = match (&item.live, item.further_live(&screen.form)) {
        (Live::Same, _) => return vec![line],
        (Live::Gone, _) => "gone from the application since; x takes it out".to_owned(),
        (Live::Differs(_), Some(further)) => format!("changed since: {further}; t takes what it says now"),
        (Live::Differs(_), None) => "changed in the application since; t takes what it says now".to_owned(),
    };
    let beside = line.end() + 2;
    if beside + 2 + width(&note) < room.width {
        return vec![line.at(beside, "!", Ink::Warn).at(beside + 2, &note, Ink::Plain)];
    }
    [vec![line], noted(&note, 2, room)].concat()
}

fn provenance(from: &Provenance) -> String {
    match from {
        Provenance::Found { place } => format!("found in {place}"),
        Provenance::Typed { .. } => "typed by you".to_owned(),
        Provenance::File { path } => format!("from {path}"),
        Provenance::Run { run } => format!("from the run {run}"),
        Provenance::Default => "is the default".to_owned(),
    }
}

fn field_rows(screen: &FormScreen, index: usize, field: &Field, item: &Item, room: Room) -> Vec<Line> {
    let focused = screen.focus == FormFocus::Field(index);
    let cells = room.width - 16;
    let value = item.values.get(&field.id);
    let mut line = Line::blank().focus(focused).at(4, &field.label, Ink::Plain);
    let column = column_of(field);
    let edit = screen.edit.as_ref().filter(|_| focused);
    match (edit, value) {
        (Some(edit @ TextField::Open(_)), _) => {
            line = line.at(column, &field_text(edit, cells - (column - 15), true), Ink::Plain);
            line.cursor = Some(column + edit.cursor().min(cells - 2));
        }
        (Some(edit @ TextField::Secret(_)), _) if !edit.is_empty() => {
            let shown = room.at < screen.shown_until;
            let count = format!("   {} characters", edit.chars());
            let room = cells.saturating_sub(column - 15 + width(&count) + 8);
            let text = if shown { tail(edit.reveal(), room) } else { "•".repeat(edit.chars().min(DOTS)) };
            line = line.at(column, &format!("{text}▏_______"), Ink::Plain);
            line = line.then(&count, Ink::Plain);
            line.cursor = Some(column + width(&text).min(cells));
        }
        (edit, Some(FieldValue::Secret { length, check, members, .. })) => {
            let counted = format!("{length} characters · check {check}");
            // the names are what a human knows it by; the dots of other secrets say as much as a length
            let text = if members.is_empty() {
                format!("{}_______   {counted}", "•".repeat((*length).min(DOTS)))
            } else {
                let room = cells.saturating_sub(column - 15 + width(&counted) + 3);
                format!("{} · {counted}", cut_end(members, room))
            };
            line = line.at(column, &text, Ink::Plain);
            if edit.is_some() {
                line.cursor = Some(column);
            }
        }
        (edit, value) => {
            let text = if let Some(FieldValue::Text { value, .. }) = value { value.as_str() } else { "" };
            let mark = if edit.is_some() { "▏" } else { "" };
            let text = cut(text, cells - 1);
            let rest = cells.saturating_sub(width(&text) + width(mark) + (column - 15));
            line = line.at(column, &format!("{text}{mark}{}", "_".repeat(rest)), Ink::Plain);
            if edit.is_some() {
                line.cursor = Some(column);
            }
        }
    }
    let typed = screen.typed_fault().filter(|_| focused);
    let below = match (typed, item.faults.get(&field.id), value) {
        (Some(fault), ..) => return [vec![line], faulty(&fault, column, room)].concat(),
        (None, Some(fault), _) => return [vec![line], faulty(fault, column, room)].concat(),
        (None, None, _) if item.live.of(&field.id).is_some() => {
            let now = item.live.of(&field.id).unwrap_or_default();
            return [vec![line], noted(&format!("now: {now}"), column, room)].concat();
        }
        (None, None, Some(FieldValue::Text { provenance: from, .. })) => {
            let (sign, ink) = if item.confirmed { ("✓", Ink::Ok) } else { ("?", Ink::Warn) };
            let parts = wrap(&provenance(from), room.width - column - 3);
            let row = |(index, part): (usize, &String)| {
                let line = if index == 0 { Line::blank().at(column, sign, ink) } else { Line::blank() };
                line.at(column + 2, part, Ink::Plain)
            };
            let rows = parts.iter().take(2).enumerate().map(row);
            return std::iter::once(line).chain(rows).collect();
        }
        (None, None, Some(FieldValue::Secret { provenance: from, .. })) => {
            let kept = if field.kind == FieldKind::SecretFile { FILE_KEPT } else { SECRET_KEPT };
            let whole = format!("{} · {kept}", provenance(from));
            // which member it was stands in the rows above and in the journal; where it is kept nowhere else
            let is_long = column + width(&whole) >= room.width && matches!(from, Provenance::Found { .. });
            let text = if is_long { format!("found in the application · {kept}") } else { whole };
            Line::blank().at(column, &text, Ink::Plain)
        }
        (None, None, _) if field.kind == FieldKind::SecretJson && focused => {
            let what = format!("paste or type JSON, Ctrl-R shows it; as {}", field.example);
            Line::blank().at(column, &what, Ink::Plain)
        }
        (None, None, _) if field.optional => Line::blank().at(column, "may stay empty", Ink::Plain),
        (None, None, _) if field.kind == FieldKind::Secret => {
            Line::blank().at(column, &format!("type it · {SECRET_KEPT}"), Ink::Plain)
        }
        (None, None, _) if field.example.is_empty() => Line::blank(),
        (None, None, _) => Line::blank().at(column, &format!("example: {}", field.example), Ink::Plain),
    };
    vec![line, below]
}

/// A fault in as many rows as it needs, three at most.
pub(super) fn faulty(fault: &str, column: usize, room: Room) -> Vec<Line> {
    signed(("✗", Ink::Bad), fault, column, room)
}

/// The same for what is to be known.
fn noted(note: &str, column: usize, room: Room) -> Vec<Line> {
    signed(("!", Ink::Warn), note, column, room)
}

fn signed((sign, ink): (&str, Ink), text: &str, column: usize, room: Room) -> Vec<Line> {
    let parts = wrap(text, room.width - column - 3);
    let row = |(index, part): (usize, &String)| {
        let line = if index == 0 { Line::blank().at(column, sign, ink) } else { Line::blank() };
        line.at(column + 2, part, Ink::Plain)
    };
    parts.iter().take(3).enumerate().map(row).collect()
}

/// What is missing of an item, by the label of its first field that does not do.
fn missing(screen: &FormScreen, item: &Item) -> String {
    let bad = |field: &&Field| {
        item.faults.contains_key(&field.id)
            || !field.optional && matches!(item.values.get(&field.id), None | Some(FieldValue::Empty))
    };
    screen.form.fields.iter().find(bad).map_or_else(String::new, |field| field.label.to_lowercase())
}

fn below(screen: &FormScreen, room: Room) -> Vec<Line> {
    let seal = if room.width < 70 { "Seal" } else { "Seal this step" };
    if let Some(item) = screen.item().filter(|item| !item.confirmed) {
        let label = if screen.form.repeated { format!("Confirm {}", screen.list.at + 1) } else { "Confirm".to_owned() };
        let focus = match screen.focus {
            FormFocus::Confirm => Some(0),
            FormFocus::Back => Some(1),
            FormFocus::Seal => Some(2),
            FormFocus::List | FormFocus::Field(_) => None,
        };
        button_rows(&[&label, "Back", seal], focus, &missing(screen, item), None, room)
    } else {
        let focus = match screen.focus {
            FormFocus::Back => Some(0),
            FormFocus::Seal | FormFocus::Confirm => Some(1),
            FormFocus::List | FormFocus::Field(_) => None,
        };
        let open = screen.items.iter().find(|item| !item.confirmed).map(|item| item.id.clone());
        let why = match open {
            Some(id) => id,
            None if screen.is_complete() => String::new(),
            None => format!("a {}, or why there is none", screen.form.noun),
        };
        button_rows(&["Back", seal], focus, &why, None, room)
    }
}
