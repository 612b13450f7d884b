//! Why a CSV file is refused. Never with content of the file.

use crate::text::units;

/// Damage, the line at which it shows (from 1) and the whole rows before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, after {}: {damage}", units::plural(*rows, "whole row", "whole rows"))]
pub struct CsvFault {
    /// Line of the file; a row may span several.
    pub line: u64,
    /// Rows that were whole, without the header.
    pub rows: u64,
    /// What is wrong there, and what that proves.
    pub damage: CsvDamage,
}

/// The kinds of damage. Each sentence says what is seen, then what it proves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvDamage {
    /// No byte at all.
    #[error("the file is empty, without even a header: the export never reached it")]
    Empty,
    /// The header has a column without a name.
    #[error("the header has a column without a name: this is not the export of a table")]
    Header,
    /// A message of a program where the header or a row should be.
    #[error("there is text that is no row: messages of a program were written into the file")]
    StrayText,
    /// A carriage return outside of quotes.
    #[error("a row ends in CR LF: the file went through a terminal (exec -t), and values in it have changed too")]
    CarriageReturn,
    /// A zero byte.
    #[error("there is a zero byte, which no value can hold: the disk or the transfer left a hole")]
    ZeroByte,
    /// A quote where the export writes none.
    #[error("a quote stands where the export writes none: bytes are missing or were added there")]
    Quote,
    /// A row with too many or too few values.
    #[error("a row has {found} values instead of {expected}: bytes are missing or were added there")]
    Fields { expected: usize, found: usize },
    /// The file ends inside quotes.
    #[error("the file ends inside a quoted value: it was cut")]
    CutInValue,
    /// The file ends without a line feed.
    #[error("the file ends in the middle of a row: it was cut")]
    CutInRow,
    /// Fewer or more rows than the source had.
    #[error("the file has {} and the source had {}: {}", rows(*found), units::count(*expected), rows_prove(*expected, *found))]
    Rows { expected: u64, found: u64 },
}

fn rows(n: u64) -> String {
    units::plural(n, "row", "rows")
}

fn rows_prove(expected: u64, found: u64) -> &'static str {
    if found < expected {
        "the file was cut at the end of a row, or the export left rows out"
    } else {
        "rows were added to the file, or to the table after it was counted"
    }
}
