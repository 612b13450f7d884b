//! S13: a failure with what it proves, what is safe and what can be done. And the question of a step that waits for a person.

use super::{Room, common};
use crate::{
    app::{
        App,
        screens::{ChooseScreen, ConfirmScreen},
    },
    run::StepState,
    tui::{Ink, Line, picture::wrap},
};

fn told(label: &str, text: &[String], room: Room, rows: usize) -> Vec<Line> {
    let parts: Vec<String> = text.iter().flat_map(|line| wrap(line, room.width - 20)).collect();
    let more = parts.len() > rows;
    let mut lines: Vec<Line> = parts
        .iter()
        .take(rows)
        .enumerate()
        .map(|(index, part)| Line::text(if index == 0 { label } else { "" }).at(20, part, Ink::Plain))
        .collect();
    if more && let Some(last) = lines.pop() {
        lines.push(last.then(" …", Ink::Plain));
    }
    lines
}

pub fn view(app: &App, screen: &ChooseScreen, room: Room) -> Vec<Line> {
    let problem = &screen.problem;
    let step = app.run.planned(&screen.step);
    let (number, title, index) =
        step.map_or(("", "", 0), |step| (step.number.as_str(), step.title.as_str(), app.index(step)));
    let since = match app.run.step(&screen.step) {
        StepState::Failed { at, .. } => format!(" · since {}", common::clock(app, *at)),
        _ => String::new(),
    };
    let mut lines = vec![
        Line::blank()
            .at(2, "PAUSED", Ink::Bad)
            .then(&format!(" in {number} {title}"), Ink::Plain)
            .right(&format!("step {index} of {}{since}", app.run.plan.len()), Ink::Plain),
        Line::blank(),
    ];
    let mut happened = vec![problem.what.clone()];
    happened.extend(problem.causes.iter().cloned());
    let proves = if problem.proves.is_empty() {
        "Not known yet. drydock treats it as failed.".to_owned()
    } else {
        problem.proves.clone()
    };
    let mut safe = problem.safe.clone();
    if safe.is_empty() {
        safe.push("what earlier steps wrote down; nothing goes on by itself".to_owned());
    }
    let space = room.height.saturating_sub(lines.len() + screen.choices.len() + 2);
    lines.extend(told("What happened", &happened, room, (space / 2).max(2)));
    lines.extend(told("What that proves", &[proves], room, 3));
    lines.extend(told("Still safe", &safe, room, 2));
    let free = room.height.saturating_sub(lines.len() + screen.choices.len() + 2);
    if free > 0 {
        lines.extend(told("You can", &problem.help, room, free));
    }
    lines.truncate(room.height.saturating_sub(screen.choices.len() + 1));
    lines.push(Line::blank());
    let options: Vec<(String, String)> = screen
        .choices
        .iter()
        .enumerate()
        .map(|(index, choice)| {
            let cost = if index == 0 { format!("{}  recommended", choice.cost) } else { choice.cost.clone() };
            (choice.label.clone(), cost)
        })
        .collect();
    lines.extend(common::options(&options, screen.menu.at, 1));
    lines
}

pub fn confirm(app: &App, screen: &ConfirmScreen, room: Room) -> Vec<Line> {
    let mut lines = vec![common::heading(app, "waits for you"), Line::blank()];
    for text in &screen.text {
        lines.extend(wrap(text, room.width - 3).iter().map(|part| Line::text(part)));
    }
    lines.truncate(room.height.saturating_sub(4));
    lines.push(Line::blank());
    let options =
        [("Go back".to_owned(), "changes nothing; the run pauses".to_owned()), (screen.button.clone(), String::new())];
    lines.extend(common::options(&options, screen.menu.at, 1));
    lines
}
