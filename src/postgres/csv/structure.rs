//! [`Structure`]: follows a CSV file byte by byte.

use std::io::Read;

use serde::{Deserialize, Serialize};

use super::fault::{CsvDamage, CsvFault};
use crate::postgres::CheckError;
use crate::postgres::measure::{Measure, pieces};
use crate::postgres::messages::is_from_a_program;

/// Enough of a row to know the usual beginnings of messages; of the header all is kept.
const KEPT: usize = 64;
/// 1600 columns with the longest names, quoted, need less.
const HEADER: usize = 512 * 1024;

/// A CSV file without visible damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvReport {
    /// The header, without quotes.
    pub columns: Vec<String>,
    /// Rows, counted; 0 means that there is only the header.
    pub rows: u64,
    /// Lines inside values that hold `\.` and nothing else: `\copy` of a psql before version 18 takes one for the end of
    /// the data and fails with "unterminated CSV quoted field". Such a file needs a newer psql.
    pub end_marks: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in lower-case hex.
    pub sha256: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a value.
    Start,
    Plain,
    Quoted,
    /// After a quote that ends the value, or is the first of two.
    Closed,
}

/// Checks a file that comes in pieces of any size: [`Structure::push`] each, then [`Structure::finish`].
#[derive(Debug)]
pub struct Structure {
    measure: Measure,
    state: State,
    line_feeds: u64,
    /// What the line holds so far, as far as an end mark would go.
    line: Vec<u8>,
    /// Values of this row that are over.
    fields: usize,
    row_begun: bool,
    beginning: Vec<u8>,
    columns: Option<Vec<String>>,
    rows: u64,
    end_marks: u64,
}

impl Default for Structure {
    fn default() -> Self {
        Self::new()
    }
}

impl Structure {
    /// Before the first byte.
    pub fn new() -> Self {
        Self {
            measure: Measure::default(),
            state: State::Start,
            line_feeds: 0,
            line: Vec::new(),
            fields: 0,
            row_begun: false,
            beginning: Vec::new(),
            columns: None,
            rows: 0,
            end_marks: 0,
        }
    }

    /// Checks all of `reader`. `expected_rows`: what the source said when the file was made, if it is known.
    pub fn check(reader: impl Read, expected_rows: Option<u64>) -> Result<CsvReport, CheckError<CsvFault>> {
        let mut structure = Self::new();
        pieces(reader, |piece| structure.push(piece).map_err(CheckError::Fault))?;
        structure.finish(expected_rows).map_err(CheckError::Fault)
    }

    /// Takes the next bytes.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), CsvFault> {
        self.measure.add(piece);
        for byte in piece {
            self.byte(*byte).map_err(|damage| self.fault(self.line_feeds + 1, damage))?;
            if *byte == b'\n' {
                self.line_feeds += 1;
            }
        }
        Ok(())
    }

    /// No more bytes will come: the verdict.
    pub fn finish(self, expected_rows: Option<u64>) -> Result<CsvReport, CsvFault> {
        let line = self.line_feeds + u64::from(self.row_begun);
        let damage = match (self.state, &self.columns, expected_rows) {
            (State::Quoted, _, _) => Some(CsvDamage::CutInValue),
            _ if self.row_begun => Some(CsvDamage::CutInRow),
            (_, None, _) => Some(CsvDamage::Empty),
            (_, _, Some(expected)) if expected != self.rows => Some(CsvDamage::Rows { expected, found: self.rows }),
            _ => None,
        };
        match damage {
            Some(damage) => Err(self.fault(line, damage)),
            None => Ok(CsvReport {
                columns: self.columns.unwrap_or_default(),
                rows: self.rows,
                end_marks: self.end_marks,
                bytes: self.measure.bytes(),
                sha256: self.measure.sha256(),
            }),
        }
    }

    fn byte(&mut self, byte: u8) -> Result<(), CsvDamage> {
        if byte == 0 {
            return Err(CsvDamage::ZeroByte);
        }
        let row_ends = byte == b'\n' && self.state != State::Quoted;
        if !row_ends {
            self.row_begun = true;
            let limit = if self.columns.is_none() { HEADER } else { KEPT };
            if self.beginning.len() < limit {
                self.beginning.push(byte);
            }
        }
        match (self.state, byte) {
            (State::Quoted, b'\n') if self.line == b"\\." => self.end_marks += 1,
            (State::Quoted, b'"') => self.state = State::Closed,
            (State::Closed | State::Start, b'"') => self.state = State::Quoted,
            (State::Quoted, _) => {}
            // A value with a carriage return is always quoted.
            (_, b'\r') => return Err(CsvDamage::CarriageReturn),
            (_, b',') => {
                self.fields += 1;
                self.state = State::Start;
            }
            (_, b'\n') => return self.end_row(),
            // So is one with a quote, and nothing stands between the last quote and the comma.
            (State::Plain, b'"') | (State::Closed, _) => {
                let stray = is_from_a_program(&String::from_utf8_lossy(&self.beginning));
                return Err(if stray { CsvDamage::StrayText } else { CsvDamage::Quote });
            }
            (State::Start | State::Plain, _) => self.state = State::Plain,
        }
        if byte == b'\n' {
            self.line.clear();
        } else if self.line.len() <= 2 {
            self.line.push(byte);
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), CsvDamage> {
        let found = self.fields + 1;
        let stray = is_from_a_program(&String::from_utf8_lossy(&self.beginning));
        match &self.columns {
            None if stray => return Err(CsvDamage::StrayText),
            None => {
                let columns = values(&String::from_utf8_lossy(&self.beginning));
                if columns.iter().any(String::is_empty) {
                    return Err(CsvDamage::Header);
                }
                self.columns = Some(columns);
            }
            Some(columns) if columns.len() == found => self.rows += 1,
            Some(_) if stray => return Err(CsvDamage::StrayText),
            Some(columns) => return Err(CsvDamage::Fields { expected: columns.len(), found }),
        }
        self.state = State::Start;
        self.fields = 0;
        self.row_begun = false;
        self.beginning.clear();
        self.line.clear();
        Ok(())
    }

    fn fault(&self, line: u64, damage: CsvDamage) -> CsvFault {
        CsvFault { line: line.max(1), rows: self.rows, damage }
    }
}

/// The values of a row that was seen to be well formed.
fn values(row: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let (mut quoted, mut before) = (false, '\0');
    for c in row.chars() {
        match c {
            '"' => {
                // The second of two.
                if !quoted && before == '"' {
                    values.last_mut().into_iter().for_each(|value| value.push('"'));
                }
                quoted = !quoted;
            }
            ',' if !quoted => values.push(String::new()),
            _ => values.last_mut().into_iter().for_each(|value| value.push(c)),
        }
        before = c;
    }
    values
}
