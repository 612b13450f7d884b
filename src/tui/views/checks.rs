//! S06: the results of checks.

use super::{Room, button_rows, common};
use crate::{
    app::{App, screens::ChecksScreen},
    run::CheckResult,
    tui::{Ink, Line, picture::wrap},
};

fn word(result: CheckResult) -> (&'static str, &'static str, Ink) {
    match result {
        CheckResult::Pass => ("✓", "pass", Ink::Ok),
        CheckResult::Warn => ("!", "WARN", Ink::Warn),
        CheckResult::Fail => ("✗", "FAIL", Ink::Bad),
        CheckResult::NotAsked => ("·", "not yet", Ink::Plain),
    }
}

pub fn view(app: &App, screen: &ChecksScreen, room: Room) -> Vec<Line> {
    let (fail, warn, pass) =
        (screen.count(CheckResult::Fail), screen.count(CheckResult::Warn), screen.count(CheckResult::Pass));
    let asking = if screen.sent { "asking again …" } else { "" };
    let mut lines = vec![
        common::heading(app, &format!("{} checks", screen.checks.len())),
        Line::blank(),
        Line::text(&format!("{fail} fail · {warn} warn · {pass} pass")).right(asking, Ink::Plain),
    ];
    let space = room.height.saturating_sub(lines.len() + 3);
    let mut rows: Vec<(bool, Line)> = Vec::new();
    // what passed is folded where there is no room, until it is asked for or walked to
    let fold = !screen.all && screen.list.at < screen.checks.len() - pass;
    let mut folded = 0;
    for (index, check) in screen.checks.iter().enumerate() {
        if fold && check.result == CheckResult::Pass && rows.len() >= space {
            folded += 1;
            continue;
        }
        let (sign, word, ink) = word(check.result);
        let focused = screen.button.is_none() && screen.list.at == index;
        let seen = if check.seen { "seen · " } else { "" };
        let sentence = wrap(&format!("{seen}{}", check.sentence), room.width - 28);
        let open = matches!(check.result, CheckResult::Fail | CheckResult::Warn);
        let most = if open { 4 } else { 1 };
        for (n, part) in sentence.iter().enumerate().take(most) {
            let line = if n == 0 {
                Line::blank().focus(focused).at(2, sign, ink).at(4, word, ink).at(10, &check.name, Ink::Plain)
            } else {
                Line::blank()
            };
            let line = line.at(26, part, Ink::Plain);
            let more = n + 1 == most && most < sentence.len();
            rows.push((focused, if more { line.right("…", Ink::Plain) } else { line }));
        }
        if open {
            for help in check.help.iter().take(2) {
                let parts = wrap(help, room.width - 11);
                rows.extend(parts.iter().map(|part| (focused, Line::blank().at(10, part, Ink::Plain))));
            }
        }
    }
    let chosen = rows.iter().position(|(focused, _)| *focused).unwrap_or(0);
    let skip = if rows.len() > space { chosen.saturating_sub(space / 2).min(rows.len() - space) } else { 0 };
    let hidden = rows.len().saturating_sub(space);
    lines.extend(rows.into_iter().skip(skip).take(space).map(|(_, line)| line));
    if folded > 0 {
        lines.push(Line::blank().at(4, &format!("{folded} more passed"), Ink::Plain).right("a show all", Ink::Plain));
    } else if hidden > 0 {
        lines.push(Line::blank().at(4, &format!("{hidden} more rows: ↑↓"), Ink::Plain));
    }
    let unseen = screen.checks.iter().filter(|check| check.result == CheckResult::Warn && !check.seen).count();
    let why = match (fail, unseen) {
        (0, 0) => String::new(),
        (0, 1) => "1 warning to see (Space)".to_owned(),
        (0, n) => format!("{n} warnings to see (Space)"),
        (1, _) => "1 check".to_owned(),
        (n, _) => format!("{n} checks"),
    };
    let buttons = button_rows(&["Check again", "Go back"], screen.button, &why, None, room);
    lines.resize(room.height.saturating_sub(buttons.len()), Line::blank());
    lines.extend(buttons);
    lines
}
