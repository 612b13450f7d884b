//! S01, S02 and the runbook's inputs: what is shown before a run.

use super::{Room, button_rows, common, over};
use crate::{
    app::{
        Place,
        door::{Door, DoorScreen, Entry, HomeScreen, InputsFocus, InputsScreen, Shelf, TargetFocus, TargetScreen},
        keymap,
        text_field::TextField,
    },
    tui::{
        Ink, Line, Picture,
        draw::{FRAME, is_small},
        picture::{cut, cut_end, width, wrap},
    },
};

mod target;

/// Column where what belongs to a label begins.
const VALUES: usize = 15;

/// The picture of the door in a terminal of this size.
pub fn door_picture(door: &Door, columns: u16, rows: u16) -> Picture {
    if is_small(columns, rows) {
        let lines = [
            "drydock".to_owned(),
            format!("This window is {columns}x{rows}. drydock needs 60x18."),
            "Make it larger. Ctrl-C leaves; nothing was begun.".to_owned(),
        ];
        let body = lines.iter().map(|line| Line::blank().at(1, line, Ink::Plain)).collect();
        return Picture { body, ..Picture::default() };
    }
    let room = Room { width: usize::from(columns) - 1, height: usize::from(rows - FRAME), at: 0 };
    let (mut body, mut scroll) = match &door.screen {
        DoorScreen::Home(screen) => (home(screen, &door.shelf, room), 0),
        DoorScreen::Target(screen) => (target::view(screen, room), 0),
        DoorScreen::Inputs(screen) => (inputs(screen, room), 0),
    };
    if let Some(page) = &door.page {
        (body, scroll) = over::page(page, room);
    }
    body.truncate(room.height);
    if body.iter().all(|line| line.cursor.is_none())
        && let Some(line) =
            body.iter_mut().find(|line| line.pieces.iter().any(|(column, text, _)| *column == 0 && text == "›"))
    {
        line.cursor = Some(0);
    }
    let (title, place, badge) = title(door, usize::from(columns));
    let rail = match &door.screen {
        DoorScreen::Home(_) => {
            Line::blank().at(1, "Guided database upgrades. Nothing starts until you say so.", Ink::Plain)
        }
        DoorScreen::Target(_) => Line::blank().at(1, "● Target   · Plan", Ink::Plain),
        DoorScreen::Inputs(_) => Line::blank().at(1, "✓ Target   ● Plan", Ink::Plain),
    };
    let leave = if matches!(door.screen, DoorScreen::Home(_)) { "q" } else { "Esc" };
    let time = if matches!(door.screen, DoorScreen::Home(_)) { "1 s" } else { "1 min" };
    let safety = match (&door.notice, &door.screen) {
        (Some(notice), _) => (notice.clone(), Ink::Accent),
        (None, DoorScreen::Home(_)) if door.shelf.runs.is_empty() => {
            ("No cluster is changed before you approved a plan".to_owned(), Ink::Plain)
        }
        (None, DoorScreen::Home(_)) => {
            (format!("come back any time, from any shell here: {}", door.shelf.typed.command("")), Ink::Plain)
        }
        (None, _) if room.width < 79 => {
            ("Only reads until you approve · kubeconfig is never changed".to_owned(), Ink::Plain)
        }
        (None, _) => {
            ("Only reads until you approve the plan · your kubeconfig is never changed".to_owned(), Ink::Plain)
        }
    };
    let typing = door.is_typing();
    let keys = keymap::footer(door.place())
        .filter(|binding| !typing || !matches!(binding.keys, [crate::app::Key::Char(_), ..]))
        .filter(|binding| door.place() != Place::Page || binding.cmd != crate::app::Cmd::Save)
        .map(|binding| (binding.shown.to_owned(), binding.label.to_owned()))
        .collect();
    Picture {
        title,
        place,
        badge,
        rail,
        body,
        facts: ["nothing".to_owned(), "not needed".to_owned(), time.to_owned(), leave.to_owned()],
        safety: (cut_end(&safety.0, room.width - 2), safety.1),
        keys,
        side: Vec::new(),
        scroll,
        covers: false,
    }
}

/// Left and right of the title, and the badge: the environment, once a target is chosen.
fn title(door: &Door, columns: usize) -> (String, String, (String, Ink)) {
    let none = |title: String| (title, "no target chosen".to_owned(), (String::new(), Ink::Title));
    match &door.screen {
        DoorScreen::Home(_) => none("drydock".to_owned()),
        DoorScreen::Target(screen) => none(format!("drydock · {}", runbook(&door.shelf, &screen.procedure.runbook))),
        DoorScreen::Inputs(screen) => {
            let name = runbook(&door.shelf, &screen.begin.procedure.runbook);
            let badge = common::badge(screen.environment);
            let place =
                common::Place { namespace: &screen.begin.namespace, context: &screen.begin.context, mark: "✓" };
            let (title, place) = place.beside(format!("drydock · {name}"), name, &badge.0, columns);
            (title, place, badge)
        }
    }
}

fn runbook<'a>(shelf: &'a Shelf, id: &'a str) -> &'a str {
    shelf.procedures.iter().find(|(known, ..)| known.runbook == id).map_or(id, |(_, title, _)| title)
}

fn home(screen: &HomeScreen, shelf: &Shelf, room: Room) -> Vec<Line> {
    let mut lines = Vec::new();
    if screen.first_time {
        lines.push(Line::text("Welcome. Nothing has been set up or written yet."));
        lines.push(Line::blank());
        let text = "drydock takes you through a risky database upgrade one step at a time. It saves what you would lose, proves the backup by really restoring it, and only then lets you delete anything. You can stop at any step and come back later, even after a lost connection.";
        lines.extend(wrap(text, room.width - 6).iter().map(|line| Line::text(line)));
        lines.push(Line::blank());
    } else if !shelf.runs.is_empty() {
        let text = match shelf.runs.len() {
            1 => "One run is not finished".to_owned(),
            count => format!("{count} runs are not finished"),
        };
        lines.extend([Line::text(&text), Line::blank()]);
    }
    let mut last = None;
    for (index, entry) in screen.entries.iter().enumerate() {
        let group = match entry {
            Entry::Resume(_) => "",
            Entry::Procedure { .. } | Entry::Practice => "Start",
            Entry::GoOn(_) => "Go on from a run",
            Entry::Vault | Entry::Past | Entry::Host => "Look something up",
        };
        if !screen.first_time && last != Some(group) && !group.is_empty() {
            if last.is_some() {
                lines.push(Line::blank());
            }
            lines.extend([Line::text(group), Line::blank()]);
        }
        last = Some(group);
        lines.extend(entry_lines(screen, shelf, index, entry, room));
    }
    lines
}

fn entry_lines(screen: &HomeScreen, shelf: &Shelf, index: usize, entry: &Entry, room: Room) -> Vec<Line> {
    let number = index + 1;
    let line = |label: &str, text: &str| {
        let text = cut_end(text, room.width.saturating_sub(24));
        Line::blank().focus(screen.menu.at == index).at(2, &format!("{number}  {label}"), Ink::Plain).at(
            22.max(width(label) + 8),
            &text,
            Ink::Plain,
        )
    };
    match entry {
        Entry::Resume(id) => {
            let Some(run) = shelf.runs.iter().find(|run| run.id == *id) else { return Vec::new() };
            let title = cut_end(&format!("{number}  {}", run.title), 40);
            let first = Line::blank().focus(screen.menu.at == index).at(2, &title, Ink::Plain);
            // a place that is long has a row of its own: it is never cut to its badge
            let mut lines = if width(&title) + width(&run.place) + 4 < room.width {
                vec![first.right(&run.place, Ink::Plain)]
            } else {
                let place = wrap(&run.place, room.width - 6);
                let place = place.iter().map(|part| Line::blank().at(5, part, Ink::Plain));
                std::iter::once(first).chain(place).collect()
            };
            let now = wrap(&format!("{} · {}", run.id, run.now), room.width - 6);
            lines.extend(now.iter().map(|part| Line::blank().at(5, part, Ink::Plain)));
            lines
        }
        Entry::Procedure { title, about, .. } => {
            vec![line(title, &format!("{about}: choose the cluster, then see the plan"))]
        }
        Entry::Practice if screen.first_time => {
            vec![line("Practice first", "the same screens on a simulated cluster").right("recommended", Ink::Ok)]
        }
        Entry::Practice => vec![line("Practice", "simulated cluster, nothing is real")],
        Entry::GoOn(further) => {
            let place = format!("{} @ {} · {}", further.namespace, further.context, further.environment);
            let mut lines = vec![Line::blank().focus(screen.menu.at == index).at(
                2,
                &cut_end(&format!("{number}  {}", further.title), room.width - 4),
                Ink::Plain,
            )];
            let what = wrap(&format!("{place} · after run {}", further.run), room.width - 6);
            lines.extend(what.iter().map(|part| Line::blank().at(5, part, Ink::Plain)));
            lines
        }
        Entry::Vault => vec![line("Vault", &shelf.vault)],
        Entry::Past => {
            let text = match shelf.past.len() {
                0 => "none yet".to_owned(),
                1 => "1 run".to_owned(),
                count => format!("{count} runs"),
            };
            vec![line("Past runs", &text)]
        }
        Entry::Host => vec![line("Check host", "terminal, programs, folders, cluster; changes nothing")],
    }
}

/// A field with a label: what is typed, padded with underscores, and the cursor where the focus is.
fn field(label: &str, text: &TextField, focused: bool, cells: usize) -> Line {
    // the end of a long text is what is being typed
    let typed = text.text();
    let skip = text.cursor().saturating_sub(cells.saturating_sub(1));
    let shown: String = typed.chars().skip(skip).take(cells).collect();
    let filled = format!("{shown}{}", "_".repeat(cells.saturating_sub(width(&shown))));
    let ink = if focused { Ink::Accent } else { Ink::Plain };
    let mut line = Line::blank().focus(focused).at(2, label, Ink::Plain).at(VALUES, &filled, ink);
    if focused {
        line.cursor = Some(VALUES + text.cursor() - skip);
    }
    line
}

fn inputs(screen: &InputsScreen, room: Room) -> Vec<Line> {
    let mut lines =
        vec![Line::text("What this runbook needs to know").right("before the plan", Ink::Plain), Line::blank()];
    if screen.fields.is_empty() {
        let text = "Nothing: what was chosen for the run that this goes on from holds here, too.";
        lines.extend(wrap(text, room.width - 3).iter().map(|part| Line::text(part)));
    }
    for (index, (input, text, fault)) in screen.fields.iter().enumerate() {
        let focused = screen.focus == InputsFocus::Field(index);
        lines.push(if input.choices.is_empty() {
            field(&cut(&input.id, 12), text, focused, room.width - VALUES - 2)
        } else {
            let options: Vec<String> = input
                .choices
                .iter()
                .map(|choice| format!("{} {choice}", if choice == text.text() { "(•)" } else { "( )" }))
                .collect();
            Line::blank().focus(focused).at(2, &cut(&input.id, 12), Ink::Plain).at(
                VALUES,
                &options.join("   "),
                Ink::Plain,
            )
        });
        if !fault.is_empty() {
            lines.extend(
                wrap(&format!("✗ {fault}"), room.width - VALUES - 1)
                    .iter()
                    .map(|part| Line::blank().at(VALUES, part, Ink::Bad)),
            );
        } else if focused || room.height > screen.fields.len() * 2 + 6 {
            lines.push(Line::blank().at(VALUES, &cut_end(&input.title, room.width - VALUES - 1), Ink::Dim));
        }
    }
    lines.push(if screen.checking {
        Line::blank().at(2, "This is looked at, here and in the cluster …", Ink::Dim)
    } else {
        Line::blank()
    });
    let focus = match screen.focus {
        InputsFocus::Back => Some(0),
        InputsFocus::Go => Some(1),
        InputsFocus::Field(_) => None,
    };
    lines.extend(button_rows(&["Back", "Make the plan"], focus, screen.missing(), None, room));
    lines
}

/// Whether a part of the target has the focus.
fn at(screen: &TargetScreen, focus: TargetFocus) -> bool {
    screen.focus == focus
}
