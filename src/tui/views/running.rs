//! S07: a running step, its parts, its bar where there is a real total, and its log.

use super::{Room, common, waiting};
use crate::{
    app::{App, log::Log},
    run::{OutputLine, Progress, Row, StepId, Tag},
    text::units,
    tui::{
        Ink, Line,
        picture::{cut, cut_end, width, wrap},
    },
};

/// Cells of a bar at most.
const BAR: usize = 58;
/// What a step does while the run rolls back.
const BACK: &str = "What this run changed is put back as it was, the last change first. Each step back is written \
    down before it is made and read back after it.";

pub fn view(app: &App, room: Room) -> Vec<Line> {
    let Some(step) = app.step() else {
        return vec![Line::text("The run is at its end.")];
    };
    let state = app.running_s().map_or_else(|| "begins".to_owned(), |s| format!("running {}", units::seconds(s)));
    let mut lines = vec![common::heading(app, &state), Line::blank()];
    if let Some(told) = app.told().filter(|_| step.kind == "wait" || !app.stuck().is_empty()) {
        return waiting::view(app, told, room, lines);
    }
    let back = app.rolls_back().then_some(BACK);
    if back.is_none() && (room.width > 100 || room.height > 22) {
        lines.extend(labelled("Why", &step.why, room));
        lines.extend(labelled("Undo", &step.undo, room));
        lines.push(Line::blank());
    }
    // a low window keeps the parts and gives up the log
    let least_log = room.height.saturating_sub(11).min(6);
    if let Some(progress) = app.told() {
        let space = room.height.saturating_sub(lines.len() + least_log + 2);
        lines.extend(parts(progress, room, space));
    } else {
        lines.extend(wrap(back.unwrap_or(&step.why), room.width - 3).iter().map(|part| Line::text(part)));
    }
    lines.push(Line::blank());
    let rest = room.height.saturating_sub(lines.len());
    if rest >= 3 {
        lines.extend(log(app, &app.log, app.log.step.as_ref(), room, rest, ""));
    }
    lines
}

/// A label and what is said of it, in two rows at most.
fn labelled(label: &str, text: &str, room: Room) -> Vec<Line> {
    let cells = room.width - 11;
    let parts = wrap(text, cells);
    let rest = |index: usize| if index == 1 { parts[1..].join(" ") } else { parts[index].clone() };
    let row = |index: usize| {
        let line = if index == 0 { Line::text(label) } else { Line::blank() };
        line.at(10, &cut_end(&rest(index), cells), Ink::Plain)
    };
    (0..parts.len().min(2)).map(row).collect()
}

fn parts(progress: &Progress, room: Room, space: usize) -> Vec<Line> {
    let bar = progress.bar.filter(|(_, total)| *total > 0);
    let extra = usize::from(bar.is_some()) + 2 * usize::from(!progress.sentence.is_empty());
    let rows = progress.rows.len().min(space.saturating_sub(extra).max(2));
    // what needs eyes comes first when there is no room for all
    let mut shown: Vec<&Row> = progress.rows.iter().collect();
    if rows < shown.len() {
        shown.sort_by_key(|row| match row.sign {
            crate::run::Sign::Failed => 0,
            crate::run::Sign::Careful | crate::run::Sign::NeedsYou => 1,
            crate::run::Sign::Running => 2,
            _ => 3,
        });
    }
    let mut lines: Vec<Line> = shown.iter().take(rows).map(|row| part(row, room)).collect();
    if rows < shown.len() {
        lines.pop();
        lines.push(Line::blank().at(4, &format!("{} more", shown.len() - rows + 1), Ink::Plain));
    }
    if let Some((done, total)) = bar {
        let done = done.min(total);
        let percent = progress.percent().unwrap_or(0);
        let left = progress.left_s.map_or_else(String::new, |s| format!("   {} left", units::seconds(s)));
        let said = format!("   {percent} %{left}");
        let cells = BAR.min(room.width.saturating_sub(5 + width(&said)));
        let full = usize::try_from(u128::from(done) * cells as u128 / u128::from(total)).unwrap_or(0);
        // the last cell is for the step's own verdict
        let full = full.min(cells.saturating_sub(1));
        let head = if full > 0 { "╸" } else { "" };
        let rest = cells.saturating_sub(full + width(head));
        lines.push(
            Line::blank()
                .at(4, &format!("{}{head}", "━".repeat(full)), Ink::Accent)
                .then(&"─".repeat(rest), Ink::Rule)
                .then(&said, Ink::Plain),
        );
    }
    if !progress.sentence.is_empty() && lines.len() + 2 <= space + 1 {
        lines.push(Line::blank());
        lines.extend(wrap(&progress.sentence, room.width - 3).iter().map(|part| Line::text(part)));
    }
    lines
}

/// One part: sign, name, what is known, its word.
pub fn part(row: &Row, room: Room) -> Line {
    let (sign, ink) = common::sign(row.sign);
    let word = cut_end(&row.word, 12);
    let line = Line::blank().at(2, sign, ink).at(4, &cut(&row.name, 28), Ink::Plain);
    let detail = cut_end(&row.detail, room.width.saturating_sub(34 + width(&word) + 2));
    line.at(34, &detail, Ink::Plain).right(&word, ink)
}

/// The log under its rule.
pub fn log(app: &App, log: &Log, step: Option<&StepId>, room: Room, rows: usize, search: &str) -> Vec<Line> {
    let state =
        if log.stopped { format!("stopped · {} new below", units::count(log.new)) } else { "following".to_owned() };
    let title = step.map_or_else(|| "log".to_owned(), |step| format!("log · {step}"));
    let count = units::plural(log.total, "line", "lines");
    let mut lines = vec![Line::titled_rule(&title, &format!("{count} · {state}"))];
    let (all, space) = (log.lines.len(), rows.saturating_sub(1));
    let shown = all - log.back.min(all);
    // near the first line what follows it fills the view
    let end = shown.max(space).min(all);
    let from = end.saturating_sub(space);
    for (index, line) in log.lines.iter().enumerate().take(end).skip(from) {
        let found = !search.is_empty() && index + 1 == shown;
        lines.push(log_line(app, line, room, search).focus(found));
    }
    if log.lines.is_empty() {
        lines.push(Line::text("no output yet"));
    }
    lines
}

/// A line without the date and time that its program put before it: its own time stands beside it already.
fn after_time(text: &str) -> &str {
    let bytes = text.as_bytes();
    let is_time = bytes.len() > 19
        && bytes[..19].iter().zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            other => byte == other,
        });
    if !is_time {
        return text;
    }
    // fractions and zone, as PostgreSQL and RFC 3339 write them
    let rest = text[19..].trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | 'Z'));
    let rest = rest.strip_prefix(" UTC").unwrap_or(rest);
    if rest.starts_with(' ') { rest.trim_start() } else { text }
}

fn log_line(app: &App, line: &OutputLine, room: Room, search: &str) -> Line {
    let at = common::clock(app, line.at);
    let (word, ink) = match line.tag {
        Tag::Plain => ("", Ink::Plain),
        Tag::Expected => ("expected", Ink::Dim),
        Tag::Error => ("error", Ink::Bad),
        Tag::Note => return Line::text(&format!("── {} ──", line.text)).at(2, "", Ink::Warn),
    };
    let text = cut_end(after_time(&line.text), room.width.saturating_sub(23 + width(word)));
    let found = if search.is_empty() { None } else { text.to_lowercase().find(&search.to_lowercase()) };
    let drawn = Line::blank().at(2, &at, Ink::Dim).at(11, &cut(&line.source, 10), Ink::Plain);
    let drawn = match found.and_then(|from| Some((text.get(..from)?, text.get(from..)?))) {
        Some((before, rest)) => {
            // lower case may be longer or shorter than what it is of
            let end = rest.char_indices().nth(search.chars().count()).map_or(rest.len(), |(end, _)| end);
            drawn.at(22, before, Ink::Plain).then(&rest[..end], Ink::Match).then(&rest[end..], Ink::Plain)
        }
        None => drawn.at(22, &text, Ink::Plain),
    };
    if word.is_empty() { drawn } else { drawn.right(word, ink) }
}

#[cfg(test)]
mod tests {
    use super::after_time;

    #[test]
    fn a_line_s_own_time_is_not_shown_twice() {
        assert_eq!(after_time("2026-11-21T09:01:24.668Z INFO  [main] up"), "INFO  [main] up");
        assert_eq!(after_time("2026-11-21 09:01:23.197 UTC [1] LOG:  ready"), "[1] LOG:  ready");
        for whole in ["2026-11-21T09:01:24.668Z", "2026-11-21T09:01:24+01:00 x", "12 pods", ""] {
            assert_eq!(after_time(whole), whole);
        }
    }
}
