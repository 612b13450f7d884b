//! S20: the window is too small. The most important line first; nothing typed is lost, no key presses a button.

use super::common;
use crate::{
    app::App,
    text::units,
    tui::{
        Ink, Line, Picture,
        picture::{width, wrap},
    },
};

/// How far the step in hand is, where it tells.
fn percent(app: &App) -> String {
    let bar = app.progress.as_ref().and_then(|progress| progress.bar).filter(|(_, total)| *total > 0);
    bar.map_or_else(String::new, |(done, total)| format!(" {} %", done.min(total) * 100 / total))
}

pub(super) fn left(app: &App) -> String {
    let left = app.progress.as_ref().and_then(|progress| progress.left_s);
    let left = left.map_or_else(String::new, |s| format!(", {} left", units::seconds(s)));
    match percent(app) {
        empty if empty.is_empty() => left,
        percent => format!(":{percent}{left}"),
    }
}

pub fn view(app: &App, columns: u16, rows: u16) -> Picture {
    let (_, _, badge) = common::title(app, usize::from(columns));
    let namespace = app.run.target.as_ref().map_or("", |target| target.namespace.as_str());
    let step = app.step().map_or_else(String::new, |step| format!("{} {}", step.number, app.called(step)));
    let what =
        if app.is_working() { format!("{step} goes on{}.", left(app)) } else { format!("{step} waits for you.") };
    if columns < 20 || rows < 3 {
        let line = format!("{}{} drydock", badge.0, percent(app));
        return Picture { body: vec![Line::blank().at(0, &line, Ink::Plain)], ..Picture::default() };
    }
    let name = app.run.runbook.as_ref().map_or("", |runbook| runbook.title.as_str());
    let place = if namespace.is_empty() { name.to_owned() } else { format!("{} {namespace}", badge.0) };
    let after = if app.is_working() { " after this step" } else { "" };
    let (plain, leave) = ("Ctrl-T plain text mode", format!("Ctrl-C leave{after}"));
    let mut body = vec![
        format!("drydock · {place}"),
        String::new(),
        format!("This window is {columns}x{rows}. drydock needs 60x18."),
        what,
        String::new(),
    ];
    if columns < 46 {
        body.extend(["Make it larger, or:".to_owned(), format!("  {plain}"), format!("  {leave}")]);
    } else {
        body.extend([format!("Make it larger, or:  {plain}"), format!("                     {leave}")]);
    }
    body.push(format!("Back with: {}", app.around.come_back));
    if body.len() > usize::from(rows) {
        body.retain(|line| !line.is_empty());
    }
    let cells = usize::from(columns).saturating_sub(2);
    let rows = body
        .iter()
        .flat_map(|line| if width(line) > cells { wrap(line.trim_start(), cells) } else { vec![line.clone()] });
    let body = rows.map(|line| Line::blank().at(1, &line, Ink::Plain)).collect();
    Picture { badge, body, ..Picture::default() }
}
