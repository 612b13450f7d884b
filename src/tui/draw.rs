//! A picture onto a terminal's cells: title, rail, rule, body, rule, facts, safety, keys.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    Ink, Line, Picture, Theme,
    picture::{cut_end, width},
};

/// Least size in which the wizard works.
pub const LEAST: (u16, u16) = (60, 18);
/// Whether a terminal is smaller than that.
pub fn is_small(columns: u16, rows: u16) -> bool {
    columns < LEAST.0 || rows < LEAST.1
}

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
        let text = self.fit(text, limit - column);
        let x = self.area.x + u16::try_from(column).unwrap_or(u16::MAX);
        self.buffer.set_string(x, self.area.y + row, text, self.theme.style(ink));
    }

    /// A text in the terminal's signs, cut at its end to so many cells: names that are too long are cut in their middle by
    /// the views, which know what is a name.
    fn fit(&self, text: &str, cells: usize) -> String {
        let text = self.theme.signs(text);
        // the mark of a cut takes two cells in ASCII
        let room = if self.theme.ascii && width(&text) > cells { cells.saturating_sub(1) } else { cells };
        self.theme.signs(&cut_end(&text, room))
    }

    fn fill(&mut self, row: u16, sign: &str, ink: Ink, from: usize, to: usize) {
        let text = self.theme.signs(sign).repeat(to.saturating_sub(from));
        self.put(from, row, &text, ink, to);
    }

    /// The line with as much at its right edge as there is room for: of parts between dots the first give way.
    fn shortened(&self, line: &Line, cells: usize) -> Line {
        let mut line = line.clone();
        let end =
            line.pieces.iter().map(|(column, text, _)| column + width(&self.theme.signs(text))).max().unwrap_or(0);
        if let Some((text, _)) = &mut line.right {
            while end + 1 + width(&self.theme.signs(text)) > cells {
                let Some((_, rest)) = text.split_once(" · ") else { break };
                *text = if line.rule { format!(" {rest}") } else { rest.to_owned() };
            }
        }
        line
    }

    /// One row of the body between two columns; column `to` stays empty.
    fn line(&mut self, line: &Line, row: u16, from: usize, to: usize) {
        if line.rule {
            self.fill(row, "─", Ink::Rule, from + 2, to);
        }
        let line = &self.shortened(line, to - from);
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
    if is_small(area.width, area.height) {
        for (row, line) in (0..rows).zip(&picture.body) {
            pen.line(line, row, 0, cells);
        }
        return None;
    }
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
    // labels, time and the way out are never lost; what changes gives way first, then the undo
    let between = match (cells < 80, pen.theme.ascii) {
        (false, _) => " · ",
        (true, false) => "·",
        (true, true) => "-",
    };
    let labels: usize = LABELS.iter().map(|label| width(label) + 1).sum::<usize>() + 3 * width(between) + 2;
    let mut facts = picture.facts.clone();
    // of the time only its number has to be there
    for spare in ["about ", " left"] {
        if labels + facts.iter().map(|fact| width(fact)).sum::<usize>() > cells {
            facts[2] = facts[2].replace(spare, "");
        }
    }
    let room = cells.saturating_sub(labels + width(&facts[2]) + width(&facts[3]));
    let undo = width(&facts[1]).min(room.saturating_sub(width(&facts[0]).min(room / 2)));
    let limits = [room.saturating_sub(undo), undo, usize::MAX, usize::MAX];
    let mut column = 1;
    for (index, label) in LABELS.iter().enumerate() {
        let text = pen.fit(&facts[index], limits[index]);
        if index > 0 {
            pen.put(column, row, between, Ink::Rule, cells - 1);
            column += width(between);
        }
        pen.put(column, row, label, Ink::Key, cells - 1);
        column += width(label) + 1;
        pen.put(column, row, &text, Ink::Plain, cells - 1);
        column += width(&text);
    }
}

fn keys(pen: &mut Pen<'_>, picture: &Picture, row: u16, cells: usize) {
    let theme = pen.theme;
    let cells_of = |(key, label): &(String, String)| width(&theme.signs(key)) + 1 + width(&theme.signs(label));
    let mut shown: Vec<&(String, String)> = picture.keys.iter().collect();
    // help and the way back are always there; others give way from the last
    while shown.iter().map(|pair| cells_of(pair) + 3).sum::<usize>() > cells + 1 {
        let spare = shown.iter().rposition(|(key, label)| label != "help" && key != "Esc");
        let Some(spare) = spare else { break };
        shown.remove(spare);
    }
    let mut column = 1;
    for pair in shown {
        let (key, label) = pair;
        let wanted = cells_of(pair);
        pen.put(column, row, key, Ink::Key, cells - 1);
        let at = column + width(&pen.theme.signs(key)) + 1;
        pen.put(at, row, label, Ink::Plain, cells - 1);
        column += wanted + 3;
    }
}
