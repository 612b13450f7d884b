//! What a whole dump holds.

use serde::{Deserialize, Serialize};

use crate::postgres::QualifiedName;

/// Which program made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DumpKind {
    /// One database, by `pg_dump`.
    Database,
    /// All databases and roles, by `pg_dumpall`.
    Cluster,
}

/// The rows of one table. Several COPY blocks of one table are added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRows {
    /// The table; for a partitioned table these are its partitions.
    pub table: QualifiedName,
    /// Columns in the order of the file, without quotes.
    pub columns: Vec<String>,
    /// Rows, counted.
    pub rows: u64,
}

/// What a sequence is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceValue {
    /// The sequence.
    pub sequence: QualifiedName,
    /// Its value.
    pub value: i64,
    /// Whether that value was handed out already.
    pub called: bool,
}

/// A dump that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpReport {
    /// Which program made it.
    pub kind: DumpKind,
    /// "Dumped from database version", in the file's words.
    pub server_version: Option<String>,
    /// "Dumped by pg_dump version", in the file's words.
    pub dump_version: Option<String>,
    /// Whether it uses `\restrict`, which a psql from before August 2025 does not know.
    pub restricted: bool,
    /// Tables in the order of the file. In a cluster dump tables of one name in several databases are added up.
    pub tables: Vec<TableRows>,
    /// Sequences in the order of the file.
    pub sequences: Vec<SequenceValue>,
    /// Large objects in it.
    pub large_objects: u64,
    /// COMMIT statements: pg_dump puts its large objects between BEGIN and COMMIT. One is enough to end a transaction that
    /// was opened around the whole restore.
    pub commits: u64,
    /// INSERT statements; their rows are in no table's count.
    pub inserts: u64,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, in lower-case hex.
    pub sha256: String,
}

impl DumpReport {
    /// Rows of all tables together.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}
