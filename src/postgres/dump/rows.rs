//! The rows of one COPY block, in whatever pieces they come: a row can be larger than memory should be.

use super::fault::DumpDamage;
use crate::postgres::QualifiedName;
use crate::postgres::messages::is_from_a_program;

/// Enough of a row to know the end mark and the usual beginnings of messages.
const KEPT: usize = 64;

/// What the end of a line means.
pub(super) enum RowEnd {
    /// It was a row.
    Row,
    /// It was the end mark.
    Block,
}

/// A COPY block being read.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: QualifiedName,
    pub(super) columns: Vec<String>,
    pub(super) count: u64,
    beginning: Vec<u8>,
    length: usize,
    tabs: usize,
}

impl Rows {
    pub(super) fn new(table: QualifiedName, columns: Vec<String>) -> Self {
        Self { table, columns, count: 0, beginning: Vec::with_capacity(KEPT), length: 0, tabs: 0 }
    }

    /// Takes a part of a line, without its line feed.
    pub(super) fn part(&mut self, part: &[u8]) -> Result<(), DumpDamage> {
        // COPY writes a carriage return of a value as backslash r.
        if part.contains(&b'\r') {
            return Err(DumpDamage::CarriageReturn);
        }
        let room = KEPT - self.beginning.len();
        self.beginning.extend(part.iter().take(room));
        self.length += part.len();
        self.tabs += part.iter().map(|byte| usize::from(*byte == b'\t')).sum::<usize>();
        Ok(())
    }

    /// The line ended.
    pub(super) fn end(&mut self) -> Result<RowEnd, DumpDamage> {
        if self.length == 2 && self.beginning == b"\\." {
            return Ok(RowEnd::Block);
        }
        // A table without columns has rows without anything.
        let found = if self.columns.is_empty() && self.length == 0 { 0 } else { self.tabs + 1 };
        if found != self.columns.len() {
            return Err(if is_from_a_program(&String::from_utf8_lossy(&self.beginning)) {
                DumpDamage::StrayText
            } else {
                DumpDamage::Columns { table: self.table.clone(), expected: self.columns.len(), found }
            });
        }
        self.count += 1;
        self.beginning.clear();
        self.length = 0;
        self.tabs = 0;
        Ok(RowEnd::Row)
    }
}
