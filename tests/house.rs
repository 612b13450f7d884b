//! The house: dependencies between rooms point one way, files have one subject and stay short.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

/// Which rooms a room may name. `ports` may not know rooms above it; `run` speaks in values of `ports` and `text`.
const MAY_USE: [(&str, &[&str]); 19] = [
    ("text", &["ports"]),
    ("ports", &[]),
    ("run", &["text", "ports"]),
    ("postgres", &["text"]),
    ("actions", &["text", "ports", "run", "postgres"]),
    ("runbook", &["text", "run", "actions"]),
    ("engine", &["text", "ports", "run", "actions", "runbook"]),
    ("store", &["text"]),
    ("vault", &["text", "ports", "store"]),
    ("host", &["text", "ports", "store"]),
    ("cluster", &["text", "ports"]),
    ("practice", &["text", "ports", "postgres"]),
    ("runner", &["text", "ports", "run", "runbook", "engine", "store"]),
    ("app", &["text", "ports", "run"]),
    ("tui", &["text", "ports", "run", "app"]),
    ("plain", &["text", "ports", "run", "app"]),
    ("json", &["text", "ports", "run"]),
    (
        "cli",
        &[
            "text", "ports", "run", "actions", "runbook", "engine", "store", "vault", "host", "cluster", "practice",
            "runner", "app", "tui", "plain", "json",
        ],
    ),
    ("main", &["cli"]),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("src"), &mut found);
    files(&root.join("tests"), &mut found);
    files(&root.join("benches"), &mut found);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root).unwrap().to_owned(), text)
    };
    found.into_iter().map(read).collect()
}

/// Rooms that a text names: `crate::room`, also inside `use crate::{…}`.
fn named(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && (c.is_alphanumeric() || c == '_') {
                    word.push(c);
                } else if depth == 0 && (c == ':' || c == ',') {
                    rooms.push(std::mem::take(&mut word));
                }
            }
            rooms.push(word);
        } else {
            rooms.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms
}

#[test]
fn dependencies_point_one_way() {
    let mut wrong = Vec::new();
    for (path, text) in all() {
        let mut parts = path.iter().map(|part| part.to_string_lossy().into_owned());
        if parts.next().as_deref() != Some("src") {
            continue;
        }
        let room = parts.next().unwrap().trim_end_matches(".rs").to_owned();
        if room == "lib" {
            continue;
        }
        let may = MAY_USE
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("{room} is no room of the house"))
            .1;
        for named in named(&text) {
            let is_room = MAY_USE.iter().any(|(name, _)| *name == named);
            if is_room && named != room && !may.contains(&named.as_str()) {
                wrong.push(format!("{} names {named}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_stays_below_four_hundred_lines() {
    let long: Vec<String> = all()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > 400)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn a_file_says_what_it_owns() {
    let silent: Vec<String> = all()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
