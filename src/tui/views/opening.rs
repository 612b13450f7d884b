//! What stands on the screen while the place of a run is made ready.

use crate::tui::{
    Ink, Line, Picture,
    draw::{FRAME, is_small},
    picture::wrap,
};

/// What is made ready, in words.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// The badge.
    pub badge: (&'static str, Ink),
    /// What happens now, a sentence.
    pub now: &'static str,
    /// What is worth knowing meanwhile, paragraphs.
    pub words: &'static [&'static str],
    /// What cannot be lost.
    pub safety: &'static str,
}

impl Opening {
    /// Before a practice: the simulated cluster is being made.
    pub const PRACTICE: Self = Self {
        badge: ("PRACTICE (simulated)", Ink::Practice),
        now: "The practice plant is being made: a simulated cluster inside this program.",
        words: &[
            "What follows are the real screens, the real runbook and the real locks, on a cluster that does not exist.",
            "You can break nothing, leave at any step, and come back later.",
        ],
        safety: "Nothing is contacted or begun · nothing here is real",
    };
}

/// The picture of it in a terminal of this size.
pub fn view(opening: &Opening, columns: u16, rows: u16) -> Picture {
    let cells = usize::from(columns).saturating_sub(6).max(1);
    let lines = wrap(opening.now, cells).into_iter().enumerate().map(|(index, text)| {
        let line = Line::blank().at(4, &text, Ink::Plain);
        if index == 0 { line.at(2, "●", Ink::Accent) } else { line }
    });
    let now: Vec<Line> = lines.collect();
    if is_small(columns, rows) {
        return Picture { body: now, ..Picture::default() };
    }
    let mut body = now;
    for words in opening.words {
        body.push(Line::blank());
        body.extend(wrap(words, cells).iter().map(|line| Line::text(line)));
    }
    body.truncate(usize::from(rows - FRAME));
    Picture {
        title: "drydock".to_owned(),
        badge: (opening.badge.0.to_owned(), opening.badge.1),
        rail: Line::blank().at(1, "Guided database upgrades. Nothing starts until you say so.", Ink::Plain),
        body,
        facts: ["nothing", "not needed", "a few seconds", "q"].map(str::to_owned),
        safety: (opening.safety.to_owned(), Ink::Plain),
        keys: vec![("q".to_owned(), "leave".to_owned())],
        ..Picture::default()
    }
}
