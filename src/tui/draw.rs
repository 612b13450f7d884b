//! A picture onto a terminal's cells: title, rail, rule, body, rule, facts, safety, keys.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    Ink, Line, Picture, Theme,
    picture::{cut, width},
};

/// Least size in which the wizard works.
pub const LEAST: (u16, u16) = (60, 18);
/// Rows that are not the body.
pub const FRAME: u16 = 7;

struct Pen<'a> {
    buffer: &'a mut Buffer,
    theme: Theme,
    area: Rect,
}

impl Pen<'_> {
    fn put(&mut self, column: usize, row: u16, text: &str, ink: Ink, limit: usize) {
        if column >= limit || row >= self.area.height {
            return;
        }
        let text = cut(&self.theme.signs(text), limit - column);
        let x = self.area.x + u16::try_from(column).unwrap_or(u16::MAX);
        self.buffer.set_string(x, self.area.y + row, text, self.theme.style(ink));
    }

    fn fill(&mut self, row: u16, sign: &str, ink: Ink, from: usize, to: usize) {
        let text = self.theme.signs(sign).repeat(to.saturating_sub(from));
        self.put(from, row, &text, ink, to);
    }

    /// One row of the body between two columns; column `to` stays empty.
    fn line(&mut self, line: &Line, row: u16, from: usize, to: usize) {
        if line.rule {
            self.fill(row, "─", Ink::Rule, from + 2, to + 1);
        }
        let right = line.right.as_ref().map_or(0, |(text, _)| width(&self.theme.signs(text)) + 1);
        for (index, (column, text, ink)) in line.pieces.iter().enumerate() {
            // a piece ends where the next begins, and before what stands at the right edge
            let next = line.pieces.iter().skip(index + 1).map(|(column, ..)| *column).find(|next| next > column);
            let limit = next.map_or(to - right, |next| (from + next).min(to));
            self.put(from + column, row, text, *ink, limit.max(from + column));
        }
        if let Some((text, ink)) = &line.right {
            let cells = width(&self.theme.signs(text));
            self.put(to.saturating_sub(cells).max(from), row, text, *ink, to);
        }
    }
}

/// Draws; returns where the cursor stands.
pub fn draw(picture: &Picture, theme: Theme, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let (cells, rows) = (usize::from(area.width), area.height);
    let mut pen = Pen { buffer, theme, area };
    title(&mut pen, picture, cells);
    let side = if picture.side.is_empty() { 0 } else { (cells - 80).min(33) };
    let body_from = 3;
    if side == 0 {
        pen.line(&picture.rail, 1, 0, cells - 1);
        pen.fill(2, "─", Ink::Rule, 0, cells);
    } else {
        pen.fill(1, "─", Ink::Rule, 0, cells);
    }
    let bottom = rows.saturating_sub(4);
    for (row, line) in (body_from..bottom).zip(&picture.side) {
        pen.line(line, row, 0, side);
    }
    let mut cursor = None;
    for (row, line) in (body_from..bottom).zip(&picture.body) {
        pen.line(line, row, side, cells - 1);
        if let Some(column) = line.cursor {
            cursor =
                u16::try_from(side + column).ok().map(|column| (area.x + column.min(area.width - 1), area.y + row));
        }
    }
    pen.fill(bottom, "─", Ink::Rule, 0, cells);
    facts(&mut pen, picture, bottom + 1, cells);
    pen.put(1, bottom + 2, &picture.safety.0, picture.safety.1, cells - 1);
    keys(&mut pen, picture, bottom + 3, cells);
    cursor
}

fn title(pen: &mut Pen<'_>, picture: &Picture, cells: usize) {
    pen.fill(0, " ", Ink::Title, 0, cells);
    let (word, ink) = &picture.badge;
    let badge = match (pen.theme.ascii || pen.theme.look == super::Look::Mono, word.is_empty()) {
        (_, true) => String::new(),
        (true, false) => format!("[{word}]"),
        (false, false) => word.clone(),
    };
    let place = if pen.theme.ascii { picture.place.replace("id ✓", "id ok") } else { picture.place.clone() };
    let right = width(&pen.theme.signs(&place)) + width(&badge) + 1;
    let from = cells.saturating_sub(right);
    pen.put(1, 0, &picture.title, Ink::Title, from.saturating_sub(1));
    pen.put(from, 0, &place, Ink::Title, cells);
    pen.put(cells.saturating_sub(width(&badge) + 1), 0, &badge, *ink, cells);
}

fn facts(pen: &mut Pen<'_>, picture: &Picture, row: u16, cells: usize) {
    const LABELS: [&str; 4] = ["Changes", "Undo", "Time", "Leave"];
    // the last three are short and never lost; the first gives way
    let width_of = |index: usize| width(LABELS[index]) + 1 + width(&picture.facts[index]);
    let fixed: usize = (1..4).map(|index| width_of(index) + 3).sum::<usize>() + width(LABELS[0]) + 3;
    let room = cells.saturating_sub(fixed).max(8);
    let mut column = 1;
    for (index, label) in LABELS.iter().enumerate() {
        let text = if index == 0 { cut(&picture.facts[0], room) } else { picture.facts[index].clone() };
        if index > 0 {
            pen.put(column, row, " · ", Ink::Rule, cells - 1);
            column += 3;
        }
        pen.put(column, row, label, Ink::Key, cells - 1);
        column += width(label) + 1;
        pen.put(column, row, &text, Ink::Plain, cells - 1);
        column += width(&text);
    }
}

fn keys(pen: &mut Pen<'_>, picture: &Picture, row: u16, cells: usize) {
    let mut column = 1;
    for (key, label) in &picture.keys {
        let wanted = width(&pen.theme.signs(key)) + 1 + width(&pen.theme.signs(label));
        if column + wanted > cells - 1 {
            break;
        }
        pen.put(column, row, key, Ink::Key, cells - 1);
        let at = column + width(&pen.theme.signs(key)) + 1;
        pen.put(at, row, label, Ink::Plain, cells - 1);
        column += wanted + 3;
    }
}
