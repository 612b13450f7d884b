//! S09: the gate of a removal.

use std::collections::BTreeMap;

use super::{Room, above_buttons, button_rows, common};
use crate::{
    app::{
        App,
        screens::{GateFocus, GateScreen},
        text_field::TextField,
    },
    run::Lock,
    text::units,
    tui::{
        Ink, Line,
        picture::{cut, width, wrap},
    },
};

/// Cells of a field.
const FIELD: usize = 22;

pub fn view(app: &App, screen: &GateScreen, room: Room) -> Vec<Line> {
    if screen.gate.is_open() { typing(app, screen, room) } else { shut(app, screen, room) }
}

/// Column of a lock's sentence, and its rows at most.
const SENTENCE: usize = 26;
const MOST: usize = 3;

/// Cells for the sentence of a lock: the step that opens it stands at the right edge of its first row, and the mark of a cut
/// may follow.
fn sentence_room(step: &str, room: Room) -> usize {
    room.width.saturating_sub(SENTENCE + width(step) + 4)
}

fn shut(app: &App, screen: &GateScreen, room: Room) -> Vec<Line> {
    let all = screen.gate.locks.len();
    let closed = screen.gate.locks.iter().filter(|lock| !lock.open).count();
    let mut lines = vec![
        common::heading(app, &format!("LOCKED, {closed} of {all} shut")),
        Line::blank(),
        Line::text("This step opens by itself when all are open. No key forces it."),
        Line::blank(),
    ];
    // what is shut is told first; an open lock has a second row where all have room for one
    let rows = |lock: &Lock, most: usize| wrap(&lock.sentence, sentence_room(&lock.step, room)).len().min(most);
    let all_rows = |open: usize| -> usize {
        screen.gate.locks.iter().map(|lock| rows(lock, if lock.open { open } else { MOST })).sum()
    };
    let open_rows = if lines.len() + all_rows(2) + 2 <= room.height { 2 } else { 1 };
    for (index, lock) in screen.gate.locks.iter().enumerate() {
        let focused = screen.focus == GateFocus::Locks && screen.locks.at == index;
        let (word, ink) = if lock.open { ("open", Ink::Ok) } else { ("SHUT", Ink::Warn) };
        let parts = wrap(&lock.sentence, sentence_room(&lock.step, room));
        let most = if lock.open { open_rows } else { MOST };
        for (n, part) in parts.iter().enumerate().take(most) {
            let line = if n == 0 {
                Line::blank().focus(focused).at(4, word, ink).at(11, &lock.name, Ink::Plain)
            } else {
                Line::blank()
            };
            let cut_off = if n + 1 == most && most < parts.len() { " …" } else { "" };
            let line = line.at(SENTENCE, &format!("{part}{cut_off}"), Ink::Plain);
            lines.push(if n == 0 { line.right(&lock.step, Ink::Plain) } else { line });
        }
    }
    lines.push(Line::blank());
    let focus = match screen.focus {
        GateFocus::Back => Some(0),
        GateFocus::Delete => Some(1),
        _ => None,
    };
    let not_yet = if screen.sent { "looking again" } else { "" };
    above_buttons(lines, button_rows(&["Go back, delete nothing", "Look again"], focus, not_yet, None, room), room)
}

fn field(label: &str, text: &TextField, wanted: &str, focused: bool) -> Line {
    let typed = text.text();
    let mark = if focused { "▏" } else { "" };
    let rest = FIELD.saturating_sub(text.chars() + usize::from(focused));
    let line = Line::blank().focus(focused).at(2, label, Ink::Plain).at(
        26,
        &format!("{}{mark}{}", cut(typed, FIELD), "_".repeat(rest)),
        Ink::Plain,
    );
    let (have, want) = (typed.chars().count(), wanted.chars().count());
    let mut line = if typed == wanted {
        line.at(51, "✓", Ink::Ok).then(" same", Ink::Plain)
    } else if typed.is_empty() {
        line
    } else if wanted.starts_with(typed) {
        line.at(51, &format!("· {have} of {want} letters"), Ink::Plain)
    } else {
        line.at(51, "✗", Ink::Bad).then(" not the same", Ink::Plain)
    };
    if focused {
        line.cursor = Some(26 + text.cursor().min(FIELD));
    }
    line
}

/// A kind with its number, as `2 Claims`.
fn counted(kind: &str, count: usize) -> String {
    match (kind, count) {
        ("PersistentVolumeClaim", 1) => " 1 Claim".to_owned(),
        ("PersistentVolumeClaim", _) => format!("{count:>2} Claims"),
        (_, 1) => format!(" 1 {kind}"),
        (_, _) => format!("{count:>2} {kind}s"),
    }
}

/// What goes, kind by kind, with as many whole names as there is room for; of the others their number.
fn goes(kinds: &BTreeMap<&str, Vec<&str>>, cells: usize, space: usize) -> Vec<String> {
    let brief = |kind: &str, names: &[&str]| {
        let head = counted(kind, names.len());
        let row = |count: usize| match names.len() - count {
            0 => format!("{head}  {}", names.join(" ")),
            _ if count == 0 => head.clone(),
            more => format!("{head}  {} +{more}", names[..count].join(" ")),
        };
        (0..=names.len()).rev().map(row).find(|row| width(row) <= cells).unwrap_or_else(|| cut(&head, cells))
    };
    let whole = |kind: &str, names: &[&str]| {
        let mut rows = vec![format!("{} ", counted(kind, names.len()))];
        for name in names {
            match rows.last_mut().filter(|row| width(row) + 1 + width(name) <= cells) {
                Some(row) => *row = format!("{row} {name}"),
                None => rows.push(format!("   {}", cut(name, cells - 3))),
            }
        }
        rows
    };
    if kinds.len() > space {
        let (shown, more) = (space.saturating_sub(1), kinds.len() + 1 - space.max(1));
        let rows = kinds.iter().take(shown).map(|(kind, names)| brief(kind, names));
        return rows.chain([format!("   and {more} kinds: Ctrl-O")]).collect();
    }
    let mut spare = space.saturating_sub(kinds.len());
    let mut rows = Vec::new();
    for (kind, names) in kinds {
        let whole = whole(kind, names);
        if whole.len() <= spare + 1 {
            spare -= whole.len() - 1;
            rows.extend(whole);
        } else {
            rows.push(brief(kind, names));
        }
    }
    rows
}

/// A line as it fits into a row: the remark in brackets at its end gives way, as the name of a volume, which is longer than
/// any row; the list of all objects has it whole.
fn without_remark(line: &str, cells: usize) -> String {
    let brief = line.rsplit_once(" (").filter(|_| width(line) > cells && line.ends_with(')'));
    brief.map_or(line, |(brief, _)| brief).split(' ').map(|word| cut(word, cells)).collect::<Vec<_>>().join(" ")
}

/// Lines in a space; where that is too little the last row says how many lines are missing.
fn folded(lines: &[String], cells: usize, space: usize) -> Vec<String> {
    let mut rows = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let wrapped = wrap(line, cells);
        let last = usize::from(index + 1 < lines.len());
        if rows.len() + wrapped.len() + last > space {
            if rows.len() < space {
                rows.push(format!("and {} more: Ctrl-O", lines.len() - index));
            }
            break;
        }
        rows.extend(wrapped);
    }
    rows
}

fn typing(app: &App, screen: &GateScreen, room: Room) -> Vec<Line> {
    let gate = &screen.gate;
    let all = gate.locks.len();
    let is_low = room.height < 14;
    let mut lines = vec![common::heading(app, &format!("{all} of {all} open"))];
    if !is_low {
        lines.push(Line::blank());
    }
    // a name that its field cannot show is told whole: it has to be typed
    let named = if gate.namespace.chars().count() < FIELD {
        Vec::new()
    } else {
        wrap(&format!("Namespace {}", gate.namespace), room.width - 3)
    };
    lines.extend(named.iter().map(|part| Line::text(part)));
    // where what stays begins
    let right = if room.width < 79 { 26 } else { 42 };
    lines.push(Line::text(&format!("{} now", units::plural(gate.goes.len(), "object goes", "objects go"))).at(
        right,
        "What stays",
        Ink::Plain,
    ));
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for removal in &gate.goes {
        kinds.entry(&removal.kind).or_default().push(&removal.name);
    }
    let mut stays = gate.stays.clone();
    stays.push(format!("way back: {}", gate.way_back));
    let refusal = if gate.refusal.is_empty() { Vec::new() } else { wrap(&gate.refusal, room.width - 5) };
    let focus = match screen.focus {
        GateFocus::Back => Some(0),
        GateFocus::Delete => Some(1),
        _ => None,
    };
    let delete = format!("Delete {}", units::plural(gate.goes.len(), "object", "objects"));
    let back = if room.width < 70 { "Go back" } else { "Go back, delete nothing" };
    let buttons = button_rows(&[back, &delete], focus, screen.missing(), Some(1), room);
    // what stands around the two lists: heading, titles, rule, two fields, note, buttons, and empty rows where there is room
    let around = named.len() + if is_low { 7 } else { 9 };
    let (space, cells) =
        (room.height.saturating_sub(around + refusal.len().max(1) + buttons.len() - 2), room.width - right - 1);
    let goes = goes(&kinds, right - 5, space);
    let stays: Vec<String> = stays.iter().map(|line| without_remark(line, cells)).collect();
    let whole: Vec<String> = stays.iter().flat_map(|line| wrap(line, cells)).collect();
    // the way back is the last line, and must be read
    let stays = match stays.split_last() {
        Some((way_back, others)) if whole.len() > space => {
            let way_back = wrap(way_back, cells);
            folded(others, cells, space.saturating_sub(way_back.len())).into_iter().chain(way_back).collect()
        }
        _ => whole,
    };
    for index in 0..goes.len().max(stays.len()).min(space) {
        let goes = goes.get(index).map_or("", String::as_str);
        let stays = stays.get(index).map_or("", String::as_str);
        lines.push(Line::blank().at(2, goes, Ink::Plain).at(right, stays, Ink::Plain));
    }
    let ink = if gate.prod { Ink::Prod } else { Ink::Rule };
    lines.push(Line::blank().at(2, &"─".repeat(room.width - 2), ink));
    lines.push(field("Type the namespace", &screen.namespace, &gate.namespace, screen.focus == GateFocus::Namespace));
    lines.push(field(
        &format!("Type the word  {}", gate.word),
        &screen.word,
        &gate.word,
        screen.focus == GateFocus::Word,
    ));
    if gate.refusal.is_empty() {
        let rule = "Typing only; paste is not accepted here.";
        let both = format!("{rule} Delete waits 2 s after it.");
        lines.push(Line::text(if width(&both) + 2 < room.width { &both } else { rule }));
    }
    for (index, part) in refusal.iter().enumerate() {
        let line = if index == 0 { Line::blank().at(2, "✗", Ink::Bad) } else { Line::blank() };
        lines.push(line.at(4, part, Ink::Plain));
    }
    if !is_low {
        lines.push(Line::blank());
    }
    lines.extend(buttons);
    lines
}
