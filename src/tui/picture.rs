//! What is drawn, as data: lines of inked pieces at columns, and the four fixed rows around them.

use unicode_width::UnicodeWidthStr;

use super::Ink;
use crate::text::printable;

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Column, text, style.
    pub pieces: Vec<(usize, String, Ink)>,
    /// Text that ends at the right edge.
    pub right: Option<(String, Ink)>,
    /// Whether the row is a rule, with its texts upon it.
    pub rule: bool,
    /// Column of the terminal's cursor, if it is in this row.
    pub cursor: Option<usize>,
}

/// Cells that a text takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// A text cut in its middle to at most `cells`.
pub fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if cells < 2 {
        return text.chars().take(cells).collect();
    }
    let keep = cells - 1;
    let head = keep - keep / 2;
    let take = |chars: &mut dyn Iterator<Item = char>, cells: usize| {
        let mut used = 0;
        let mut taken = Vec::new();
        for c in chars {
            used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if used > cells {
                break;
            }
            taken.push(c);
        }
        taken
    };
    let front: String = take(&mut text.chars(), head).into_iter().collect();
    let back: String = take(&mut text.chars().rev(), keep / 2).into_iter().rev().collect();
    format!("{front}…{back}")
}

/// A text cut at its end to at most `cells`: for sentences, whose beginning says what they are about.
pub fn cut_end(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if cells < 2 {
        return text.chars().take(cells).collect();
    }
    let mut used = 1;
    let keep = |c: &char| {
        used += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
        used <= cells
    };
    let kept: String = text.chars().take_while(keep).collect();
    format!("{kept}…")
}

/// A text in lines of at most `cells`, broken at spaces; a longer word is broken hard.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let mut word = word.to_owned();
        if !line.is_empty() && width(&line) + 1 + width(&word) > cells {
            lines.push(std::mem::take(&mut line));
        }
        while width(&word) > cells {
            let head: String = word.chars().take(cells.max(1)).collect();
            word = word.chars().skip(cells.max(1)).collect();
            lines.push(head);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

impl Line {
    /// An empty row.
    pub fn blank() -> Self {
        Self::default()
    }

    /// A row with a text from column 2, the margin.
    pub fn text(text: &str) -> Self {
        Self::default().at(2, text, Ink::Plain)
    }

    /// Adds a piece. Foreign text becomes harmless here.
    #[must_use]
    pub fn at(mut self, column: usize, text: &str, ink: Ink) -> Self {
        self.pieces.push((column, printable(text), ink));
        self
    }

    /// Adds a piece right behind the last one.
    #[must_use]
    pub fn then(self, text: &str, ink: Ink) -> Self {
        let end = self.end();
        self.at(end, text, ink)
    }

    /// Column after the last piece.
    pub fn end(&self) -> usize {
        self.pieces.iter().map(|(column, text, _)| column + width(text)).max().unwrap_or(0)
    }

    /// Adds a text at the right edge.
    #[must_use]
    pub fn right(mut self, text: &str, ink: Ink) -> Self {
        self.right = Some((printable(text), ink));
        self
    }

    /// The focus mark in front, where `focused`.
    #[must_use]
    pub fn focus(self, focused: bool) -> Self {
        if focused { self.at(0, "›", Ink::Accent) } else { self }
    }

    /// A rule with a title upon it.
    pub fn titled_rule(title: &str, right: &str) -> Self {
        let mut line = Self { rule: true, ..Self::default() };
        if !title.is_empty() {
            line = line.at(2, &format!("{title} "), Ink::Plain);
        }
        if right.is_empty() { line } else { line.right(&format!(" {right}"), Ink::Plain) }
    }
}

/// A whole screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Left part of the title.
    pub title: String,
    /// Right part of the title, before the badge.
    pub place: String,
    /// The badge's word and style.
    pub badge: (String, Ink),
    /// The rail.
    pub rail: Line,
    /// The rows between the rules.
    pub body: Vec<Line>,
    /// What changes, undo, time, how to leave.
    pub facts: [String; 4],
    /// What cannot be lost.
    pub safety: (String, Ink),
    /// Keys and what they do.
    pub keys: Vec<(String, String)>,
    /// The list of steps at the left, in the wide layout.
    pub side: Vec<Line>,
    /// The last row a page of text can be scrolled to.
    pub scroll: usize,
    /// Whether that page is a secret that is shown.
    pub covers: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_in_the_middle() {
        assert_eq!(cut("object_properties_history.csv", 20), "object_pro…story.csv");
        assert_eq!(cut("short", 20), "short");
        assert_eq!(cut("日本語日本語日本語", 7), "日…語");
        assert_eq!(cut_end("the beginning counts", 8), "the beg…");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }
}
