//! S18, S21: help, palette, pages, the log over the whole body, the question before leaving.

use super::{Room, common, running};
use crate::{
    app::{
        App, Leave, Over, Palette, Place,
        keymap::{self, Binding},
        page::Page,
    },
    text::units,
    tui::{
        Ink, Line,
        picture::{width, wrap},
    },
};

/// The rows, and the last one that they can be scrolled to.
pub fn view(app: &App, over: &Over, room: Room) -> (Vec<Line>, usize) {
    let lines = match over {
        Over::Help { place, from } => return help(app, *place, *from, room),
        Over::Page(page) => return self::page(page, room),
        Over::Palette(palette) => {
            return (self::palette(palette, room), 0);
        }
        Over::Log(page) => {
            let rows = room.height.saturating_sub(1);
            let mut lines = running::log(app, &app.log, app.log.step.as_ref(), room, rows, &page.search);
            lines.resize(rows, Line::blank());
            lines.push(match &page.typing {
                Some(text) => {
                    let mut line = Line::text(&format!("/ {}▏", text.text()));
                    line.cursor = Some(4 + text.cursor());
                    line
                }
                None if page.search.is_empty() => Line::text("The whole log is on disk; / searches what is held here."),
                None => Line::text(&format!(
                    "/ {} · {} lines of {} hold it",
                    page.search,
                    units::count(app.log.count(&page.search) as u64),
                    units::count(app.log.lines.len() as u64)
                )),
            });
            lines
        }
        Over::Leave(_) | Over::Unlock(_) => Vec::new(),
    };
    (lines, 0)
}

/// S18: the commands by name; those that are not possible now say why.
fn palette(palette: &Palette, room: Room) -> Vec<Line> {
    let found = palette.found();
    let mut line = Line::blank().at(2, &format!(": {}▏", palette.text.text()), Ink::Plain);
    line.cursor = Some(4 + palette.text.cursor());
    let right = format!("{} of {} commands", found.len(), palette.all.len());
    let mut lines = vec![line.right(&right, Ink::Plain), Line::blank()];
    // the last row says what the window hides
    let window = room.height.saturating_sub(3);
    let skip = palette.menu.at.saturating_sub(window.saturating_sub(1));
    let wanted = palette.text.text().to_lowercase();
    for (index, named) in found.iter().enumerate().skip(skip).take(window) {
        let ink = if named.not_now.is_empty() { Ink::Plain } else { Ink::Dim };
        let line = Line::blank().focus(index == palette.menu.at);
        let line = match named.name.to_lowercase().find(&wanted).filter(|_| !wanted.is_empty()) {
            // names are ASCII where it matters; one that is longer in lower case is not marked
            Some(at) if named.name.is_char_boundary(at) && named.name.is_char_boundary(at + wanted.len()) => line
                .at(2, &named.name[..at], ink)
                .then(&named.name[at..at + wanted.len()], Ink::Match)
                .then(&named.name[at + wanted.len()..], ink),
            _ => line.at(2, &named.name, ink),
        };
        lines.push(if named.not_now.is_empty() {
            line.right(&named.shown, Ink::Key)
        } else {
            line.right(&format!("not now: {}", named.not_now), Ink::Dim)
        });
    }
    let below = found.len().saturating_sub(skip + window);
    if below > 0 {
        lines.push(Line::text(&format!("↓ {below} more")));
    }
    lines
}

/// Column under which a line goes on: behind its first gap, as behind a label, else two further in.
fn hang(line: &str, most: usize) -> usize {
    let indent = line.len() - line.trim_start().len();
    let gap = line[indent..].find("  ").map(|gap| {
        let behind = &line[indent + gap..];
        width(&line[..indent + gap]) + behind.len() - behind.trim_start().len()
    });
    gap.filter(|column| *column <= most).unwrap_or(indent + 2)
}

/// A line in as many rows as it needs, what follows its first row under its text.
fn wrapped(line: &str, room: Room) -> Vec<Line> {
    let cells = room.width.saturating_sub(3);
    let hang = hang(line, cells / 2);
    // the blanks of the first row are kept: they align it with its neighbours
    let head = cut_at(line, cells);
    let mut rows = vec![Line::blank().at(2, &line[..head], Ink::Plain)];
    let rest = line[head..].trim_start();
    if !rest.is_empty() {
        let parts = wrap(rest, cells.saturating_sub(hang));
        rows.extend(parts.iter().map(|part| Line::blank().at(2 + hang, part, Ink::Plain)));
    }
    rows
}

pub fn page(page: &Page, room: Room) -> (Vec<Line>, usize) {
    let text: Vec<Line> = page.lines.iter().flat_map(|line| wrapped(line, room)).collect();
    let space = room.height.saturating_sub(2);
    let last = text.len().saturating_sub(space);
    let from = page.from.min(last);
    let more = text.len().saturating_sub(from + space);
    let right = if more > 0 { format!("{more} more rows below · Esc closes") } else { "Esc closes".to_owned() };
    let mut lines = vec![Line::text(&page.title).right(&right, Ink::Plain), Line::blank()];
    lines.extend(text.into_iter().skip(from).take(space));
    (lines, last)
}

/// Where a line that is too long is broken: after its last word that fits; in the word where none does.
fn cut_at(line: &str, cells: usize) -> usize {
    if width(line) <= cells {
        return line.len();
    }
    let mut used = 0;
    let fits = line.char_indices().find(|(_, c)| {
        used += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
        used > cells
    });
    let end = fits.map_or(line.len(), |(at, _)| at);
    let indent = line.len() - line.trim_start().len();
    if line[end..].starts_with(' ') {
        return end;
    }
    line[..end].rfind(' ').filter(|at| *at > indent).unwrap_or(end)
}

fn screen_name(place: Place) -> &'static str {
    match place {
        Place::Plan | Place::PlanButtons => "plan (S03)",
        Place::Vault | Place::VaultButtons => "vault (S04)",
        Place::FormList | Place::FormButtons | Place::FormField | Place::Inputs => "capture (S05)",
        Place::Checks => "preflight (S06)",
        Place::Running => "running step (S07)",
        Place::Waiting => "waiting (S10)",
        Place::GateShut | Place::GateTyping | Place::GateButtons => "destroy gate (S09)",
        Place::Choices => "decision (S13)",
        Place::Reapply => "re-apply (S12)",
        Place::Finish => "finish (S19)",
        Place::Leave => "leave (S21)",
        Place::Unlock => "locked (S04)",
        Place::Help | Place::Page | Place::Secret | Place::Log | Place::Palette => "page (S18)",
        Place::Choosing => "target (S02)",
        Place::Everywhere => "everywhere",
    }
}

/// Keys and what they do, two in a row where both fit; what does not has rows of its own.
fn two_columns(bindings: &[&Binding], room: Room) -> Vec<Line> {
    let half = (room.width - 4) / 2;
    let put = |line: Line, binding: &Binding, column: usize, text: &str| {
        line.at(column, binding.shown, Ink::Key).at(column + 11, text, Ink::Plain)
    };
    let fits = |binding: &Binding| width(binding.label) + 12 < half;
    let mut lines = Vec::new();
    let mut rest = bindings;
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        match others.split_first() {
            Some((second, further)) if fits(first) && fits(second) => {
                rest = further;
                lines.push(put(put(Line::blank(), first, 4, first.label), second, 4 + half, second.label));
            }
            _ => {
                let mut parts = wrap(first.label, room.width - 16).into_iter();
                lines.push(put(Line::blank(), first, 4, &parts.next().unwrap_or_default()));
                lines.extend(parts.map(|part| Line::blank().at(15, &part, Ink::Plain)));
            }
        }
    }
    lines
}

fn help(app: &App, place: Place, from: usize, room: Room) -> (Vec<Line>, usize) {
    let mut text = Vec::new();
    if let Some(step) = app.step() {
        let here = wrap(&format!("{} {}.", step.number, app.called(step)), room.width - 19);
        let why = wrap(&step.why, room.width - 19);
        for (index, part) in here.iter().chain(&why).enumerate() {
            text.push(Line::text(if index == 0 { "You are here" } else { "" }).at(18, part, Ink::Plain));
        }
        text.push(Line::blank());
    }
    text.push(Line::text("Here"));
    text.extend(two_columns(&keymap::of(place).collect::<Vec<_>>(), room));
    text.push(Line::blank());
    text.push(Line::text("Everywhere"));
    // a key that means something of its own here is told once
    let own =
        |binding: &&Binding| binding.keys.iter().any(|key| !keymap::of(place).any(|here| here.keys.contains(key)));
    text.extend(two_columns(&keymap::of(Place::Everywhere).filter(own).collect::<Vec<_>>(), room));
    text.push(Line::blank());
    for line in [
        "Signs            ✓ done or proven   ● running   · not yet   ? needs you",
        "                 ! careful   ✗ failed   ~ uncertain   – waived   ‹ goes back",
        "Words            proven    a test restore had the same rows, not just \"no error\"",
        "                 expected  a known harmless line, listed in the runbook",
        "                 gate      a removal that stays shut until all locks are open",
    ] {
        text.extend(wrapped(line, room));
    }
    let space = room.height.saturating_sub(2);
    let last = text.len().saturating_sub(space);
    let from = from.min(last);
    let more = text.len().saturating_sub(from + space);
    let right = if more > 0 { format!("{more} more rows below · Esc closes") } else { "Esc closes".to_owned() };
    let title = format!("Help for this screen: {}", screen_name(place));
    let mut lines = vec![Line::text(&title).right(&right, Ink::Plain), Line::blank()];
    lines.extend(text.into_iter().skip(from).take(space));
    (lines, last)
}

/// The lower body while leaving is asked.
pub fn leave(app: &App, leave: &Leave, room: Room) -> Vec<Line> {
    let title = app.step().map_or_else(String::new, |step| format!("{} {}", step.number, app.called(step)));
    let mut lines = vec![Line::titled_rule("Leave?", "Esc stays"), Line::blank()];
    let question = if leave.sure {
        format!("Stop {title} now? What it began is looked at when the run is taken up again.")
    } else {
        format!("{title} is running. What should happen to it?")
    };
    lines.extend(wrap(&question, room.width - 4).iter().map(|part| Line::blank().at(3, part, Ink::Plain)));
    lines.push(Line::blank());
    let options: Vec<(String, String)> =
        leave.options().iter().map(|(label, cost)| ((*label).to_owned(), (*cost).to_owned())).collect();
    lines.extend(common::options(&options, leave.chosen.at(), room));
    if !leave.uncut.is_empty() {
        let why = format!("Stopping now is not offered: {}.", leave.uncut);
        lines.extend(wrap(&why, room.width - 6).iter().map(|part| Line::blank().at(5, part, Ink::Plain)));
    }
    lines.push(Line::blank());
    let tmux = app.around.tmux.as_ref().map_or_else(
        || "This terminal is not inside tmux or screen: a lost connection ends the screen.".to_owned(),
        |session| format!("This terminal is inside tmux, session {session}: a lost connection keeps it."),
    );
    lines.extend(wrap(&tmux, room.width - 4).iter().map(|part| Line::blank().at(3, part, Ink::Plain)));
    lines
}
