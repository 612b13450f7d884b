//! S02: contexts with their answers, the namespace, the three ids, what it counts as.

use super::{Room, VALUES, at, button_rows, field};
use crate::{
    app::door::{Found, Seen, TargetFocus, TargetScreen},
    run::Environment,
    tui::{
        Ink, Line,
        picture::{cut, cut_end, wrap},
    },
};

/// Cells of the namespace once it is known.
const FIELD: usize = 30;
/// Contexts shown at once.
const CONTEXTS: usize = 4;

pub fn view(screen: &TargetScreen, room: Room) -> Vec<Line> {
    let mut lines = vec![Line::text("Where does this run work?").right("before the start", Ink::Plain), Line::blank()];
    lines.extend(contexts(screen, room));
    let cells = if screen.target().is_some() { FIELD } else { room.width - VALUES - 2 };
    let mut namespace = field("Namespace", &screen.namespace, at(screen, TargetFocus::Namespace), cells);
    if let Some(found) = screen.target() {
        namespace = namespace.at(VALUES + 32, &cut_end(&found.holds, room.width - VALUES - 33), Ink::Plain);
    }
    lines.push(namespace);
    lines.push(Line::blank().at(VALUES, &proposals(screen, room), Ink::Dim));
    match &screen.found {
        Some(Ok(found)) => lines.extend(identity(screen, found, room)),
        Some(Err(problem)) => {
            for (index, line) in problem.iter().enumerate() {
                let mark = if index == 0 { "✗ " } else { "" };
                let ink = if index == 0 { Ink::Bad } else { Ink::Plain };
                let parts = wrap(&format!("{mark}{line}"), room.width - 4);
                lines.extend(parts.iter().map(|part| Line::blank().at(2, part, ink)));
            }
        }
        None if screen.reading => lines.push(Line::text("The server is asked who this is …")),
        None => {
            let text = "The run will be tied to three ids that the server itself says: its cluster's, its key's, and the namespace's.";
            lines.extend(wrap(text, room.width - 4).iter().map(|part| Line::blank().at(2, part, Ink::Dim)));
        }
    }
    let focus = match screen.focus {
        TargetFocus::Back => Some(0),
        TargetFocus::Use => Some(1),
        _ => None,
    };
    let name = screen.context().map_or("", |context| context.name.as_str());
    let label = match screen.target() {
        Some(_) => format!("Use {} / {}", cut(name, 20), cut(screen.namespace.text(), 24)),
        None => "Use this target".to_owned(),
    };
    let buttons = button_rows(&["Back", &label], focus, screen.missing(), None, room);
    lines.resize(lines.len().max(room.height.saturating_sub(buttons.len() + 1)), Line::blank());
    lines.truncate(room.height.saturating_sub(buttons.len()));
    lines.extend(buttons);
    lines
}

fn contexts(screen: &TargetScreen, room: Room) -> Vec<Line> {
    let first = screen.menu.at.saturating_sub(CONTEXTS - 1);
    let mut lines = Vec::new();
    for (index, context) in screen.contexts.iter().enumerate().skip(first).take(CONTEXTS) {
        let chosen = screen.menu.at == index;
        let mut line = Line::blank().focus(chosen && at(screen, TargetFocus::Context));
        if index == first {
            line = line.at(2, "Context", Ink::Plain);
        }
        let mark = if chosen { "(•)" } else { "( )" };
        let (said, ink) = match screen.contacts.get(&context.name) {
            Some(Ok(contact)) => (format!("answers in {} ms", contact.ms), Ink::Ok),
            Some(Err(why)) => (format!("✗ {why}"), Ink::Bad),
            None if context.current => ("current".to_owned(), Ink::Dim),
            None => (String::new(), Ink::Dim),
        };
        let server = context.server.trim_start_matches("https://").trim_start_matches("http://");
        line = line.at(VALUES, &format!("{mark} {}", cut(&context.name, 17)), Ink::Plain);
        // in a narrow window the address gives way to the answer
        let answer = if room.width < 79 { 22 } else { 45 };
        if room.width >= 79 {
            line = line.at(VALUES + 22, &cut(server, 22), Ink::Plain);
        }
        line = line.at(VALUES + answer, &cut_end(&said, room.width - VALUES - answer - 1), ink);
        lines.push(line);
        // why the chosen one does not answer is told whole
        if let Some(Err(why)) = screen.contacts.get(&context.name).filter(|_| chosen) {
            let parts = wrap(why, room.width - VALUES - 5);
            lines.extend(parts.iter().map(|part| Line::blank().at(VALUES + 4, part, Ink::Plain)));
        }
    }
    let hidden = screen.contexts.len().saturating_sub(CONTEXTS);
    if hidden > 0 {
        lines.push(Line::blank().at(VALUES, &format!("{hidden} more: ↑↓"), Ink::Dim));
    }
    lines
}

fn proposals(screen: &TargetScreen, room: Room) -> String {
    let found = screen.proposals();
    if found.is_empty() || found == [screen.namespace.text()] {
        // the field shows the end of a long name: here it is whole
        let name = screen.namespace.text();
        let contact = screen.context().and_then(|context| screen.contacts.get(&context.name));
        if screen.target().is_none() && matches!(contact, Some(Ok(contact)) if contact.namespaces.is_empty()) {
            return cut_end("they may not be listed: type it whole", room.width - VALUES - 1);
        }
        return if screen.target().is_some() && name.chars().count() > FIELD { name.to_owned() } else { String::new() };
    }
    cut_end(&format!("→ {}", found.join("  ")), room.width - VALUES - 1)
}

/// The first and last letters of an id, so that two can be compared by eye.
fn short(id: &str) -> String {
    match (id.get(..18), id.len() > 22) {
        (Some(head), true) => format!("{head}…"),
        _ => id.to_owned(),
    }
}

fn key(sha256: &str) -> String {
    let part = |from: usize| sha256.get(from..from + 4).unwrap_or_default();
    if sha256.len() < 16 {
        "not told".to_owned()
    } else {
        format!("{} {} … {}", part(0), part(4), part(sha256.len() - 4))
    }
}

fn identity(screen: &TargetScreen, found: &Found, room: Room) -> Vec<Line> {
    let id = &found.identity;
    let row = |label: &str, value: &str, what: &str| {
        Line::blank().at(2, label, Ink::Plain).at(VALUES, value, Ink::Plain).at(VALUES + 22, what, Ink::Dim)
    };
    let cluster = id.cluster_uid.as_deref().map_or_else(|| "may not be read".to_owned(), short);
    let (seen, ink) = match &found.seen {
        Seen::Never => ("! never seen before: compare the ids with your notes".to_owned(), Ink::Warn),
        Seen::Same(day) => (format!("✓ same ids as in the run of {day}"), Ink::Ok),
        Seen::Other(day) => {
            (format!("✗ not the cluster or namespace of {day} under this name: compare the ids"), Ink::Bad)
        }
    };
    let because = if screen.raised { "raised by you" } else { found.because.as_str() };
    let may = match (found.environment, screen.raised) {
        (Environment::Prod, _) => "It cannot be lowered.",
        (_, true) => "Enter here takes that back.",
        (_, false) => "Enter here raises it to PROD. You cannot lower it.",
    };
    let environment = screen.environment().unwrap_or_default();
    let badge = match environment {
        Environment::Prod => Ink::Prod,
        Environment::Staging => Ink::Staging,
        Environment::Test | Environment::Practice | Environment::None => Ink::Plain,
    };
    // where the namespace may not be read, what comes and goes with it stands in
    let of_namespace = if id.is_namespace_read() {
        format!("uid of {}", cut(&id.namespace, 30))
    } else {
        format!("of kube-root-ca.crt in {}", cut(&id.namespace, 20))
    };
    let seen = wrap(&seen, room.width - 3);
    let mut lines = vec![
        Line::text("The run will be tied to these, read from the server itself:"),
        row("cluster", &cluster, "uid of kube-system"),
        row("API key", &key(&id.ca_sha256), "SHA-256 of the CA"),
        row("namespace", &short(&id.namespace_uid), &of_namespace),
    ];
    lines.extend(seen.iter().map(|part| Line::blank().at(2, part, ink)));
    lines.extend([
        Line::blank(),
        Line::blank()
            .focus(at(screen, TargetFocus::Environment))
            .at(2, "Environment", Ink::Plain)
            .at(VALUES, environment.word(), badge)
            .at(VALUES + 10, &cut_end(because, room.width - VALUES - 11), Ink::Plain),
        Line::blank().at(VALUES, may, Ink::Dim),
    ]);
    lines
}
