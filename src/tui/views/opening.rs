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

/// The picture of it in a terminal of this size.
pub fn view(opening: &Opening, columns: u16, rows: u16) -> Picture {
    let now = Line::blank().at(2, "●", Ink::Accent).then(&format!(" {}", opening.now), Ink::Plain);
    if is_small(columns, rows) {
        return Picture { body: vec![now], ..Picture::default() };
    }
    let cells = usize::from(columns).saturating_sub(6);
    let mut body = vec![now];
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
