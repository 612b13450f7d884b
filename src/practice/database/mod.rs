//! One simulated PostgreSQL database: typed tables whose rows are lines of COPY text, and its sequences.
//!
//! Owns: tables, rows, sequences, the programs `psql`, `pg_dump` and `pg_isready`. Does not own: where a database lies (a
//! volume of `state`) nor who may reach it over the network (`reach`). Called by `shell` and `pixelcore`.

mod copy;
mod counted;
mod dump;
mod lexer;
mod options;
mod psql;
mod reach;
mod rows;
mod schema;
mod seed;
mod session;
mod statements;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

pub use dump::pg_dump;
pub use psql::psql;
pub use reach::{Reached, Target, connect, is_ready, volume_of};
pub use schema::FILES as SCHEMAS;
pub use seed::fill;

/// What the server and its programs call themselves.
pub const VERSION: &str = "15.18 (Debian 15.18-0+deb12u1)";

/// The family of a column's type, as far as values are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// smallint, integer, bigint and their serials.
    Integer,
    /// boolean.
    Boolean,
    /// Arrays.
    Array,
    /// Anything else; its text is kept as it is.
    Text,
}

/// A column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// What values it takes.
    pub kind: Kind,
    /// Name of its type, for messages.
    pub type_name: String,
    /// Whether it refuses NULL.
    pub required: bool,
    /// What it holds when nothing is given, as SQL text.
    pub default: Option<String>,
    /// The sequence that numbers it.
    pub sequence: Option<String>,
}

/// A table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Table {
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Numbers of the columns of its primary key.
    pub key: Vec<usize>,
    /// Whether it is partitioned by month.
    pub partitioned: bool,
    /// Tables that it refers to.
    pub references: Vec<String>,
    /// Its rows as COPY text without line ends. Shared with snapshots; copied when written to.
    pub rows: Arc<Vec<String>>,
}

/// A sequence.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sequence {
    /// Last value.
    pub last: i64,
    /// Whether that value was given out.
    pub called: bool,
}

/// A database with its server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub user: String,
    /// The owner's password; it stays with the volume, whatever a later environment says.
    pub password: String,
    /// The server's identifier, made with the data directory.
    pub system_identifier: String,
    /// When the server was started.
    pub started: String,
    /// Rows written since the counters were reset.
    pub writes: i64,
    /// Its tables.
    pub tables: BTreeMap<String, Table>,
    /// Its sequences.
    pub sequences: BTreeMap<String, Sequence>,
}

/// Oid of the one database of a server.
pub const OID: i64 = 16_384;

/// Time as PostgreSQL prints it.
pub fn timestamp() -> String {
    let text = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
    format!("{}+00", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The start of a server as the query for it writes times.
pub fn start_time() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// An identifier as PostgreSQL prints it: quoted where it must be.
pub fn quoted(name: &str) -> String {
    let plain =
        name.chars().enumerate().all(|(at, c)| c == '_' || c.is_ascii_lowercase() || (at > 0 && c.is_ascii_digit()));
    if plain && !matches!(name, "order" | "user" | "table" | "select" | "default") {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

impl Database {
    /// An empty database as `initdb` and the image's entry point leave it.
    pub fn new(name: &str, user: &str, password: &str) -> Self {
        let random = u64::from_str_radix(&super::objects::uid().replace('-', "")[..15], 16).unwrap_or(1);
        Self {
            name: name.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            system_identifier: (7_000_000_000_000_000_000 + random % 999_999_999_999_999_999).to_string(),
            started: start_time(),
            writes: 0,
            tables: BTreeMap::new(),
            sequences: BTreeMap::new(),
        }
    }

    /// The version of the schema, if there is one.
    pub fn version(&self) -> Option<&str> {
        let rows = &self.tables.get("schema_version")?.rows;
        rows.last().map(|row| row.split('\t').next().unwrap_or_default())
    }

    /// Creates the schema of `version` with the rows that every new deployment has. False for an unknown version.
    pub fn create_schema(&mut self, version: &str) -> bool {
        let Some(found) = schema::of(version) else { return false };
        (self.tables, self.sequences) = found;
        seed::defaults(self, version);
        true
    }

    /// Appends a row as it stands.
    pub fn push(&mut self, table: &str, row: String) {
        if let Some(table) = self.tables.get_mut(table) {
            Arc::make_mut(&mut table.rows).push(row);
            self.writes += 1;
        }
    }

    /// The next number of a sequence.
    pub fn next(&mut self, sequence: &str) -> i64 {
        self.sequences.get_mut(sequence).map_or(1, |sequence| {
            sequence.last += i64::from(sequence.called);
            sequence.called = true;
            sequence.last
        })
    }

    /// Name of a table as it is kept: a partition stands for its whole table.
    pub fn resolve(&self, name: &str) -> Option<String> {
        if self.tables.contains_key(name) {
            return Some(name.to_owned());
        }
        let whole = self.tables.iter().find(|(parent, table)| {
            table.partitioned && name.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with('_'))
        });
        whole.map(|(parent, _)| parent.clone())
    }

    /// Bytes of all rows.
    pub fn size(&self) -> u64 {
        let bytes: usize = self.tables.values().flat_map(|table| table.rows.iter()).map(String::len).sum();
        7_000_000 + bytes as u64
    }
}
