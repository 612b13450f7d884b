//! What every screen has: title, rail, facts, safety, and the small words that many share.

use super::Room;
use crate::{
    app::{App, Front, Over},
    run::{Environment, Likeness, PlannedStep, Risk, Sign, StepState},
    text::units,
    tui::{
        Ink, Line,
        picture::{cut, width, wrap},
    },
};

/// Sign and style of a state.
pub fn sign(sign: Sign) -> (&'static str, Ink) {
    match sign {
        Sign::Done => ("✓", Ink::Ok),
        Sign::Running => ("●", Ink::Accent),
        Sign::NotYet => ("·", Ink::Plain),
        Sign::NeedsYou => ("?", Ink::Warn),
        Sign::Careful => ("!", Ink::Warn),
        Sign::Failed => ("✗", Ink::Bad),
        Sign::Uncertain => ("~", Ink::Warn),
        Sign::Waived => ("–", Ink::Plain),
    }
}

/// Time of day as the operator's clock shows it.
pub fn clock(app: &App, at: jiff::Timestamp) -> String {
    at.to_zoned(app.around.zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Left and right of the title, and the badge.
pub fn title(app: &App, columns: usize) -> (String, String, (String, Ink)) {
    let run = &app.run;
    let name = run.runbook.as_ref().map_or("", |runbook| runbook.title.as_str());
    // where it goes on from another run, what is there now is what that one left, or nothing
    let mut found = run.facts.values().filter(|_| run.taken.is_none());
    let from = found.find_map(|facts| facts.get("images").and(facts.get("version"))?.as_str());
    let to = Some(run.leads_to()).filter(|to| !to.is_empty());
    let left = match (from, to) {
        _ if run.finished && to.is_some() => format!("drydock · {name} {}", to.unwrap_or_default()),
        (Some(from), Some(to)) => format!("drydock · {name} {from} → {to}"),
        (None, Some(to)) => format!("drydock · {name} → {to}"),
        _ => format!("drydock · {name}"),
    };
    let badge = if run.practice { ("PRACTICE (simulated)".to_owned(), Ink::Practice) } else { badge(run.environment) };
    if badge.0.is_empty() {
        return (left, String::new(), badge);
    }
    let namespace = run.target.as_ref().map_or("", |target| target.namespace.as_str());
    let mark = match app.identity {
        None | Some((_, Likeness::Same)) => "✓",
        Some((_, Likeness::Different)) => "✗",
        Some((_, Likeness::Unknown)) => "?",
    };
    let place = Place { namespace, context: &run.context, mark };
    let (left, place) = place.beside(left, name, &badge.0, columns);
    (left, place, badge)
}

/// The word of an environment, as it stands in the title.
pub fn badge(environment: Environment) -> (String, Ink) {
    let ink = match environment {
        Environment::Prod => Ink::Prod,
        Environment::Staging => Ink::Staging,
        Environment::Test | Environment::Practice => Ink::Title,
        Environment::None => return (String::new(), Ink::Title),
    };
    (environment.word().to_owned(), ink)
}

/// Where the work is, as the title says it.
pub struct Place<'a> {
    /// Namespace.
    pub namespace: &'a str,
    /// Context.
    pub context: &'a str,
    /// How the identity stands, in one sign.
    pub mark: &'a str,
}

impl Place<'_> {
    /// The left part of a title and the place beside it, with what there is room for before the badge.
    pub fn beside(&self, left: String, name: &str, badge: &str, columns: usize) -> (String, String) {
        let Self { namespace, context, mark } = self;
        let fits = |left: &str, place: &str| width(left) + width(place) + width(badge) + 4 <= columns;
        let place = format!("{namespace} @ {context} · id {mark} · ");
        // versions give way first; the namespace and the badge never
        if fits(&left, &place) {
            return (left, place);
        }
        let left = format!("drydock · {name}");
        // then the cluster
        let place = if fits(&left, &place) { place } else { format!("{namespace} · id {mark} · ") };
        // then the name
        let left = if fits(&left, &place) { left } else { "drydock".to_owned() };
        // then the middle of a namespace that is too long for any row: `e` shows it whole
        let over = (width(&left) + width(&place) + width(badge) + 4).saturating_sub(columns);
        let place = if over == 0 {
            place
        } else {
            format!("{} · id {mark} · ", cut(namespace, width(namespace).saturating_sub(over).max(8)))
        };
        (left, place)
    }
}

/// State of a phase as it is drawn: while the run rolls back, where it is, and what is put back already.
pub fn phase_mark(app: &App, phase: usize) -> (&'static str, Ink) {
    if app.rolls_back() {
        let mut states = app.run.plan.iter().filter(|step| step.phase == phase).map(|step| app.run.step(&step.id));
        if app.step().is_some_and(|step| step.phase == phase) {
            return ("‹", Ink::Accent);
        }
        if states.any(|state| matches!(state, StepState::Undone { .. })) {
            return sign(Sign::Waived);
        }
    }
    sign(phase_sign(app, phase))
}

/// State of a phase in one sign.
fn phase_sign(app: &App, phase: usize) -> Sign {
    let run = &app.run;
    let states: Vec<&StepState> =
        run.plan.iter().filter(|step| step.phase == phase).map(|step| run.step(&step.id)).collect();
    if states.iter().all(|state| state.is_over()) {
        return Sign::Done;
    }
    let asked = app.step().is_some_and(|step| step.phase == phase) && app.front.screen().is_some();
    if states.iter().any(|state| matches!(state, StepState::Failed { .. })) {
        return Sign::Failed;
    }
    if matches!(app.front, Front::Resume(_)) && states.iter().any(|state| matches!(state, StepState::Begun { .. })) {
        return Sign::Uncertain;
    }
    match (&app.front, asked) {
        (Front::Gate(_) | Front::Confirm(_) | Front::Choose(_), true) => Sign::NeedsYou,
        (Front::Plan(_), _) => Sign::NotYet,
        _ if app.step().is_some_and(|step| step.phase == phase) => Sign::Running,
        _ if states.iter().any(|state| state.is_over()) => Sign::Running,
        _ => Sign::NotYet,
    }
}

fn deletes(app: &App, phase: usize) -> bool {
    app.run.plan.iter().any(|step| step.phase == phase && step.risk == Risk::Irreversible)
}

/// The phases in words, in numbers where there is no room.
pub fn rail(app: &App, columns: usize) -> Line {
    if !app.run.approved {
        let follow = match app.run.phases.len() {
            1 => "· 1 phase follows".to_owned(),
            phases => format!("· {phases} phases follow"),
        };
        return Line::blank()
            .at(1, "✓", Ink::Ok)
            .then(" Target   ", Ink::Plain)
            .then("●", Ink::Accent)
            .then(" Plan   ", Ink::Plain)
            .then(&follow, Ink::Plain);
    }
    let words: Vec<String> = app
        .run
        .phases
        .iter()
        .enumerate()
        .map(|(index, phase)| {
            let mark = if deletes(app, index) { "!" } else { "" };
            format!(" {} {}{mark}", index + 1, phase.title)
        })
        .collect();
    // one sign and a word each, three cells between them, one in front
    let wanted: usize = words.iter().map(|word| width(word) + 1).sum::<usize>() + 3 * words.len() - 2;
    let current = app.step().map_or(0, |step| step.phase);
    let (first, last) = if words.len() > 6 {
        let first = current.saturating_sub(2).min(words.len() - 5);
        (first, first + 5)
    } else {
        (0, words.len())
    };
    let mut line = Line::blank();
    let mut column = 1;
    if first > 0 {
        line = line.at(column, &format!("‹{first}"), Ink::Plain);
        column += 4;
    }
    for (index, word) in words.iter().enumerate().take(last).skip(first) {
        let (mark, ink) = phase_mark(app, index);
        let short = wanted > columns && words.len() <= 6;
        let word =
            if short { format!(" {}{}", index + 1, if deletes(app, index) { "!" } else { "" }) } else { word.clone() };
        line = line.at(column, mark, ink).then(&word, if index == current { Ink::Accent } else { Ink::Plain });
        column = line.end() + 3;
    }
    if last < words.len() {
        line = line.at(column, &format!("{}›", words.len() - last), Ink::Plain);
    }
    line
}

/// How the wizard is left from here, or what lies over the screen.
fn leave(app: &App) -> &'static str {
    match &app.over {
        Some(Over::Leave(leave)) if leave.sure => "Esc",
        Some(Over::Leave(_)) => "3",
        Some(_) => "Esc",
        // an open gate and checks are gone back from; nothing of them is lost by that
        None if matches!(app.front, Front::Gate(_) | Front::Checks(_)) => "Esc",
        None if app.is_typing() => "Ctrl-C",
        None => "q",
    }
}

/// What changes, undo, time, how to leave.
pub fn facts(app: &App) -> [String; 4] {
    let leave = leave(app).to_owned();
    let nothing = |time: String| ["nothing".to_owned(), "not needed".to_owned(), time, leave.clone()];
    match (&app.front, app.step()) {
        (Front::Plan(_), _) => nothing(units::about(app.run.plan.iter().map(|step| step.estimate_s).sum())),
        (Front::Vault(screen), _) if !screen.exists => {
            ["one new file here".to_owned(), "delete it".to_owned(), "1 min".to_owned(), leave]
        }
        (Front::Vault(_), _) => nothing("about 1 s".to_owned()),
        (Front::Finish(_), _) if app.run.plan.iter().any(|step| removed(app, step)) => {
            ["nothing".to_owned(), "the volumes are kept".to_owned(), "1 min".to_owned(), leave]
        }
        (Front::Finish(_), _) => nothing("1 min".to_owned()),
        (Front::Gate(screen), Some(step)) if screen.gate.is_open() => {
            let place = if screen.gate.prod { " in PROD" } else { "" };
            let changes = format!("{}{place}", units::plural(screen.gate.goes.len(), "object", "objects"));
            [changes, step.undo.trim_start_matches("from ").to_owned(), time(app, step), leave]
        }
        (Front::Gate(_), _) => {
            ["nothing while locked".to_owned(), "not needed".to_owned(), "no limit".to_owned(), leave]
        }
        (Front::Choose(_), _) => {
            ["nothing while paused".to_owned(), "not needed".to_owned(), "no limit".to_owned(), leave]
        }
        (Front::Resume(_), _) => ["nothing yet".to_owned(), "not needed".to_owned(), "no limit".to_owned(), leave],
        (_, Some(step)) if app.rolls_back() => {
            ["back as before".to_owned(), "a new run".to_owned(), time(app, step), leave]
        }
        (_, Some(step)) => [step.changes.clone(), step.undo.clone(), time(app, step), leave],
        (_, None) => nothing("1 s".to_owned()),
    }
}

fn removed(app: &App, step: &PlannedStep) -> bool {
    step.kind == "delete" && matches!(app.run.step(&step.id), StepState::Done { .. })
}

fn time(app: &App, step: &PlannedStep) -> String {
    match app.progress.as_ref().filter(|progress| progress.step == step.id).and_then(|progress| progress.left_s) {
        Some(left) => format!("{} left", units::seconds(left)),
        // the estimate is of doing the step
        None if app.rolls_back() => "not estimated".to_owned(),
        None => units::about(step.estimate_s),
    }
}

/// What cannot be lost; a notice stands here until the next key.
pub fn safety(app: &App, columns: usize) -> (String, Ink) {
    if let Some(notice) = &app.notice {
        return (notice.clone(), Ink::Accent);
    }
    if app.locks_soon() {
        return ("Locks in 30 s, what runs goes on · any key keeps it open".to_owned(), Ink::Warn);
    }
    if matches!(app.identity, Some((_, Likeness::Different))) {
        return ("Another cluster answers now · nothing is sent until it is the same again".to_owned(), Ink::Bad);
    }
    let saved = app
        .run
        .times
        .map_or_else(|| "Nothing to save yet".to_owned(), |(_, last)| format!("Saved {}", clock(app, last)));
    let real = if app.run.practice { " · nothing here is real" } else { "" };
    if app.run.is_at_end() {
        // nothing is left to come back to
        let look = app.around.look_again.as_ref().map_or_else(String::new, |cmd| format!(" · look again: {cmd}"));
        let long = format!("All saved{}{look}{real}", saved.trim_start_matches("Saved"));
        return (if width(&long) <= columns { long } else { look.trim_start_matches(" · ").to_owned() }, Ink::Plain);
    }
    let pause = if app.pausing { " · pauses after this step" } else { "" };
    let long = format!("{saved}{pause} · if this terminal goes: {}{real}", app.around.come_back);
    // the command is never cut: it is what has to be typed
    let short = format!("{pause} · back: {}{real}", app.around.come_back);
    (if width(&long) <= columns { long } else { short.trim_start_matches(" · ").to_owned() }, Ink::Plain)
}

/// The heading of a step: number and title left, its place and state right.
pub fn heading(app: &App, state: &str) -> Line {
    let Some(step) = app.step() else { return Line::text("") };
    let (index, all) = (app.index(step), app.run.plan.len());
    let right =
        if state.is_empty() { format!("step {index} of {all}") } else { format!("step {index} of {all} · {state}") };
    Line::text(&format!("{}  {}", step.number, app.called(step))).right(&right, Ink::Plain)
}

/// Options with numbers; the chosen one has the focus. What does not fit beside its label stands below it, whole.
pub fn options(options: &[(String, String)], chosen: usize, room: Room) -> Vec<Line> {
    let fits = |label: &str, cost: &str| width(label) + width(cost) + 9 <= room.width;
    let aligned = options.iter().filter(|(label, cost)| cost.is_empty() || fits(label, cost));
    let column = aligned.map(|(label, _)| width(label) + 8).max().unwrap_or(0).max(28);
    let mut lines = Vec::new();
    for (index, (label, cost)) in options.iter().enumerate() {
        let mut line = Line::blank().focus(index == chosen).at(2, &(index + 1).to_string(), Ink::Plain);
        if fits(label, cost) {
            let column = if column + width(cost) < room.width { column } else { width(label) + 8 };
            line = line.at(5, label, Ink::Plain);
            lines.push(if cost.is_empty() { line } else { line.at(column, cost, Ink::Plain) });
            continue;
        }
        for row in wrap(label, room.width - 6) {
            lines.push(std::mem::take(&mut line).at(5, &row, Ink::Plain));
        }
        lines.extend(wrap(cost, room.width - 10).iter().map(|row| Line::blank().at(9, row, Ink::Plain)));
    }
    lines
}

/// Rows in a space; where that is too little the last one says how many are missing, and where they are.
pub fn fold(mut lines: Vec<Line>, space: usize) -> Vec<Line> {
    if lines.len() > space {
        lines.truncate(space.saturating_sub(1));
        lines.push(Line::blank().at(2, "… e shows all of it", Ink::Warn));
    }
    lines
}
