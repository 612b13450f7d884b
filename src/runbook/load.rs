//! Reading a runbook: every fault of the file at once, each with its place.

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{
    NOT_BUILT, lint,
    model::{Input, Runbook, Step},
};
use crate::text::{Diagnostic, Place};

/// A runbook that has no fault.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it is.
    pub runbook: Runbook,
    /// SHA-256 of its text, lower-case hex.
    pub digest: String,
    /// Its text, kept with every run.
    pub text: String,
}

/// Reads `text`, which came from `file`.
///
/// # Errors
/// Every fault found, in the order of their lines.
pub fn load(file: &str, text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let whole = read::<Runbook>(file, text, text, 0, 0);
    let mut faults = Vec::new();
    match whole {
        Ok(runbook) => {
            faults.extend(lint::lint(&runbook).into_iter().map(|fault| fault.placed(file, text)));
            if faults.is_empty() {
                let digest = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
                return Ok(Loaded { runbook, digest, text: text.to_owned() });
            }
        }
        Err(first) => {
            // a reader stops at its first fault: each step and input is read again for itself
            faults.push(first);
            for piece in pieces(text) {
                let read = match piece.list {
                    List::Steps => read::<Step>(file, text, &piece.text, piece.line, piece.indent).err(),
                    List::Inputs => read::<Input>(file, text, &piece.text, piece.line, piece.indent).err(),
                };
                faults.extend(read);
            }
        }
    }
    faults.sort_by_key(|fault| fault.place.as_ref().map_or((0, 0), |place| (place.line, place.column)));
    faults.dedup_by(|a, b| match (&a.place, &b.place) {
        (Some(a), Some(b)) => a.line == b.line && a.column == b.column,
        _ => a == b,
    });
    Err(faults)
}

/// Reads one piece that begins at line `offset` (from 0) of the file.
fn read<T: DeserializeOwned>(file: &str, text: &str, piece: &str, offset: u64, indent: u64) -> Result<T, Diagnostic> {
    serde_saphyr::from_str::<T>(piece).map_err(|error| {
        let said = error.without_snippet().to_string();
        // the place is shown by us, once
        let said = said.split(" at line ").next().unwrap_or(&said).trim_start_matches("error: ").to_owned();
        let mut fault = Diagnostic::new(said.clone());
        if let Some(location) = error.location() {
            let (line, column) = (location.line() + offset, location.column() + indent);
            fault = fault.at(place(file, text, line, column));
        }
        help(&said).into_iter().fold(fault, Diagnostic::help)
    })
}

/// A place with its line and a mark below.
pub(super) fn place(file: &str, text: &str, line: u64, column: u64) -> Place {
    let shown = text.lines().nth(usize::try_from(line.saturating_sub(1)).unwrap_or(0)).unwrap_or_default();
    let indent = " ".repeat(usize::try_from(column.saturating_sub(1)).unwrap_or(0));
    Place { file: file.to_owned(), line, column, snippet: format!("{}\n{indent}^", crate::text::printable(shown)) }
}

/// What helps against a fault, from the reader's words.
fn help(said: &str) -> Vec<String> {
    let Some(wrong) = said.split('`').nth(1) else { return Vec::new() };
    let known: Vec<&str> = said
        .split("expected one of ")
        .nth(1)
        .map_or_else(Vec::new, |list| list.split(", ").map(|name| name.trim_matches('`')).collect());
    if NOT_BUILT.contains(&wrong) {
        return vec![format!("the kind `{wrong}` is part of the format and not built in this version")];
    }
    let near = known.into_iter().map(|name| (distance(wrong, name), name)).min();
    match near {
        Some((distance, name)) if distance <= 2 => vec![format!("did you mean `{name}`?")],
        _ => Vec::new(),
    }
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let best = (before + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            before = row[j + 1];
            row[j + 1] = best;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Steps,
    Inputs,
}

struct Piece {
    list: List,
    /// Lines before it.
    line: u64,
    /// Columns taken away on the left.
    indent: u64,
    text: String,
}

/// The items of every block list `steps:` and `inputs:`, each as a document of its own.
fn pieces(text: &str) -> Vec<Piece> {
    let indent_of = |line: &str| line.len() - line.trim_start().len();
    let mut found: Vec<Piece> = Vec::new();
    let mut list: Option<(List, usize)> = None;
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        let indent = indent_of(line);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            if let (true, Some(piece)) = (open, found.last_mut()) {
                piece.text.push('\n');
            }
            continue;
        }
        if let Some((kind, at)) = list {
            if indent == at + 2 && trimmed.starts_with("- ") || (indent == at && trimmed.starts_with("- ")) {
                let body = &line[indent + 2..];
                found.push(Piece {
                    list: kind,
                    line: number as u64,
                    indent: (indent + 2) as u64,
                    text: format!("{body}\n"),
                });
                open = true;
                continue;
            }
            if indent > at && open {
                if let Some(piece) = found.last_mut() {
                    let cut = usize::try_from(piece.indent).unwrap_or(0).min(indent);
                    piece.text.push_str(&line[cut..]);
                    piece.text.push('\n');
                }
                continue;
            }
            list = None;
            open = false;
        }
        match trimmed {
            "steps:" => list = Some((List::Steps, indent)),
            "inputs:" => list = Some((List::Inputs, indent)),
            _ => {}
        }
    }
    found
}
