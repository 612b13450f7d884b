//! A fault of a runbook file, before it is shown.

use super::tree::At;
use crate::text::{Diagnostic, Place};

/// What is wrong at a place, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where.
    pub at: At,
    /// What.
    pub what: String,
    /// What can be done.
    pub help: String,
}

impl Fault {
    /// With its line and a mark below.
    pub fn placed(self, file: &str, text: &str) -> Diagnostic {
        let (line, column) = self.at;
        let nth = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(0);
        let shown = text.lines().nth(nth(line)).unwrap_or_default();
        let snippet = format!("{}\n{}^", crate::text::printable(shown), " ".repeat(nth(column)));
        Diagnostic::new(self.what).at(Place { file: file.to_owned(), line, column, snippet }).help(self.help)
    }
}

/// What helps against a word that is not known: the one that is nearly the same, else all.
pub(super) fn near(wrong: &str, known: &[&str]) -> String {
    // two letters of a word of two would be any word
    let most = 2.min(wrong.chars().count().saturating_sub(1));
    let near = known.iter().map(|name| (strsim::osa_distance(wrong, name), *name)).min();
    match near {
        Some((distance, name)) if distance <= most => format!("did you mean `{name}`?"),
        _ if known.is_empty() => "nothing may stand here".to_owned(),
        _ => format!("it may be one of {}", known.join(", ")),
    }
}
