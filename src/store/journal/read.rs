//! Reading a journal and judging it: whole lines in an unbroken chain, and at most one torn line at the end.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::{Entry, JournalError, Line, sha256_hex};

/// What a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<R> {
    /// Every whole line, in order.
    pub entries: Vec<Entry<R>>,
    /// The line that a crash cut in the middle. It was never acknowledged to anybody.
    pub torn: Option<Torn>,
}

/// A last line that is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// Its number.
    pub line: u64,
    /// How many bytes of it there were.
    pub bytes: u64,
}

/// Reads a journal without changing anything: a torn last line is left there, and reported.
pub fn read_journal<R: DeserializeOwned>(path: &Path) -> Result<Opened<R>, JournalError> {
    let mut file = File::open(path).map_err(JournalError::io(path))?;
    Ok(scan(path, &mut file)?.opened)
}

pub(super) struct Scan<R> {
    pub(super) opened: Opened<R>,
    /// Bytes of all whole lines.
    pub(super) whole_bytes: u64,
    /// Hash of the last whole line.
    pub(super) last: String,
}

pub(super) fn scan<R: DeserializeOwned>(path: &Path, file: &mut File) -> Result<Scan<R>, JournalError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(JournalError::io(path))?;
    let mut scan = Scan { opened: Opened { entries: Vec::new(), torn: None }, whole_bytes: 0, last: sha256_hex(b"") };
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let number = scan.opened.entries.len() as u64 + 1;
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (text, after) = rest.split_at(end);
        if after.is_empty() && is_torn(text) {
            scan.opened.torn = Some(Torn { line: number, bytes: text.len() as u64 });
            break;
        }
        let entry = judge(text, number, &scan.last).map_err(|why| JournalError::Broken {
            path: path.to_owned(),
            line: number,
            why,
        })?;
        scan.opened.entries.push(entry);
        scan.last = sha256_hex(text);
        scan.whole_bytes += text.len() as u64;
        rest = after;
    }
    Ok(scan)
}

/// A line without an end was cut. One with zero bytes was lengthened by the file system before a power cut took its
/// content: JSON has no zero bytes.
fn is_torn(text: &[u8]) -> bool {
    !text.ends_with(b"\n") || text.contains(&0)
}

fn judge<R: DeserializeOwned>(text: &[u8], number: u64, before: &str) -> Result<Entry<R>, String> {
    let line: Line<R> = serde_json::from_slice(text).map_err(|error| {
        // The message of serde may quote what stands there, so only its place and family are passed on.
        format!("is no record of this version ({:?} error at column {})", error.classify(), error.column())
    })?;
    if line.seq != number {
        return Err(format!("says that it is line {}", line.seq));
    }
    if line.prev != before {
        return Err("does not follow from the line before: one of both was changed".to_owned());
    }
    Ok(Entry { seq: line.seq, at: line.at, record: line.record })
}
