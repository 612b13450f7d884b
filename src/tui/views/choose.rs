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

/// What is told, part by part, in at most `space` rows. Where that is too little the longest parts give way, the first of
/// them last.
fn told(parts: &[(&str, &[String])], room: Room, space: usize) -> Vec<Line> {
    let wrapped =
        |text: &[String]| -> Vec<String> { text.iter().flat_map(|line| wrap(line, room.width - 22)).collect() };
    let parts: Vec<(&str, Vec<String>)> = parts.iter().map(|(label, text)| (*label, wrapped(text))).collect();
    let mut rows: Vec<usize> = parts.iter().map(|(_, lines)| lines.len()).collect();
    while rows.iter().sum::<usize>() > space {
        let Some(longest) = (0..rows.len()).max_by_key(|index| rows[*index]).filter(|index| rows[*index] > 0) else {
            break;
        };
        rows[longest] -= 1;
    }
    let mut lines = Vec::new();
    for ((label, text), rows) in parts.iter().zip(rows) {
        for (index, part) in text.iter().enumerate().take(rows) {
            let line = Line::text(if index == 0 { label } else { "" }).at(20, part, Ink::Plain);
            let cut = index + 1 == rows && rows < text.len();
            lines.push(if cut { line.then(" …", Ink::Plain) } else { line });
        }
    }
    lines
}

pub fn view(app: &App, screen: &ChooseScreen, room: Room) -> Vec<Line> {
    let problem = &screen.problem;
    let step = app.run.planned(&screen.step);
    let (number, title, index) =
        step.map_or(("", String::new(), 0), |step| (step.number.as_str(), app.called(step), app.index(step)));
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
    let parts = [
        ("What happened", happened.as_slice()),
        ("What that proves", &[proves]),
        ("Still safe", &safe),
        ("You can", &problem.help),
    ];
    let options: Vec<(String, String)> = screen
        .choices
        .iter()
        .enumerate()
        .map(|(index, choice)| {
            let cost = match (index == screen.recommended, choice.cost.is_empty()) {
                (true, true) => "recommended".to_owned(),
                (true, false) => format!("{}  recommended", choice.cost),
                (false, _) => choice.cost.clone(),
            };
            (choice.label.clone(), cost)
        })
        .collect();
    let options = common::options(&options, screen.options.at(), room);
    let space = room.height.saturating_sub(lines.len() + options.len() + 1);
    lines.extend(told(&parts, room, space));
    lines.push(Line::blank());
    lines.extend(options);
    lines
}

pub fn confirm(app: &App, screen: &ConfirmScreen, room: Room) -> Vec<Line> {
    let mut lines = vec![common::heading(app, "waits for you"), Line::blank()];
    for text in &screen.text {
        lines.extend(wrap(text, room.width - 3).iter().map(|part| Line::text(part)));
    }
    let options = [
        ("Go back".to_owned(), "changes nothing; to the step before".to_owned()),
        (screen.button.clone(), String::new()),
    ];
    let options = common::options(&options, screen.options.at(), room);
    lines = common::fold(lines, room.height.saturating_sub(options.len() + 1));
    lines.push(Line::blank());
    lines.extend(options);
    lines
}
