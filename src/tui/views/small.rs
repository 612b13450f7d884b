//! S20: the window is too small. The most important line first; nothing typed is lost, no key presses a button.

use super::common;
use crate::{
    app::App,
    tui::{Ink, Line, Picture},
};

pub fn view(app: &App, columns: u16, rows: u16) -> Picture {
    let (_, _, badge) = common::title(app);
    let namespace = app.run.target.as_ref().map_or("", |target| target.namespace.as_str());
    let step = app.step().map_or_else(String::new, |step| format!("{} {}", step.number, step.title));
    let what = if app.is_working() { format!("{step} goes on.") } else { format!("{step} waits.") };
    let body = [
        format!("drydock · {} {namespace}", badge.0),
        String::new(),
        format!("This window is {columns}x{rows}. drydock needs 60x18."),
        what,
        String::new(),
        "Make it larger, or:  Ctrl-T plain text mode".to_owned(),
        "                     Ctrl-C leave".to_owned(),
        format!("Back with: {}", app.around.come_back),
    ];
    let body = body.iter().map(|line| Line::blank().at(1, line, Ink::Plain)).collect();
    Picture { badge, body, ..Picture::default() }
}
