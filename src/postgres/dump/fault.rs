//! Why a dump is refused. Never with content of the file: it may be anybody's data.

use crate::postgres::QualifiedName;

/// Damage, and the line at which it shows (counted from 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {damage}")]
pub struct DumpFault {
    /// Line of the file.
    pub line: u64,
    /// What is wrong there, and what that proves.
    pub damage: DumpDamage,
}

/// The kinds of damage. Each sentence says what is seen, then what it proves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DumpDamage {
    /// No byte at all.
    #[error("the file is empty: the dump never reached it")]
    Empty,
    /// A custom-format archive, or something compressed.
    #[error("this is {0}, not a plain SQL dump: it needs another way of restoring")]
    NotPlain(&'static str),
    /// The head of a dump is not there.
    #[error("the file does not begin as a dump does: something else was written into it, or its beginning is lost")]
    NoHead,
    /// Something that is neither SQL nor a row.
    #[error("there is text that is not SQL: messages of a program were written into the dump")]
    StrayText,
    /// A carriage return where a dump never has one.
    #[error("a line ends in CR LF: the dump went through a terminal (exec -t), and values in it have changed too")]
    CarriageReturn,
    /// A zero byte.
    #[error("there is a zero byte, which a dump cannot hold: the disk or the transfer left a hole")]
    ZeroByte,
    /// A COPY statement that cannot be read.
    #[error("a COPY statement cannot be read: the dump is damaged there")]
    CopyStatement,
    /// A row with too many or too few columns.
    #[error("a row of table {table} has {found} columns instead of {expected}: bytes are missing or were added there")]
    Columns { table: QualifiedName, expected: usize, found: usize },
    /// The file ends among rows.
    #[error(
        "the file ends inside the rows of table {table}, after {rows} whole rows: the dump was cut, and psql would \
         restore it without an error"
    )]
    CutInRows { table: QualifiedName, rows: u64 },
    /// The file ends in a statement, literal or comment.
    #[error("the file ends inside a statement or comment: the dump was cut")]
    CutInStatement,
    /// The file ends between statements, without the trailer.
    #[error("the file ends without \"dump complete\": the dump was cut, and psql would restore it without an error")]
    NoTrailer,
    /// The file ends in the middle of the trailer.
    #[error("the last lines are not all there: the end of the dump was cut")]
    CutInTrailer,
    /// `\restrict` without `\unrestrict`.
    #[error("the \\unrestrict that belongs to the file's \\restrict is missing: the end of the dump was cut")]
    NoUnrestrict,
    /// Keys of `\restrict` and `\unrestrict` that do not go together.
    #[error("the keys of \\restrict and \\unrestrict differ: head and tail come from two dumps")]
    Key,
    /// Something follows the trailer.
    #[error("something follows \"dump complete\": two files were joined, or messages were written into the dump")]
    AfterTrailer,
}
