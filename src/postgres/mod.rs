//! PostgreSQL knowledge: the structure of dumps and CSV files, row counts, what a server says of itself, the SQL of a
//! restore. Streams and keeps little; runs nothing. SQL that is longer than a line lies under assets/sql.
//!
//! Called by `actions`. Knows neither clusters nor runs.

mod counts;
pub mod csv;
pub mod dump;
mod fault;
pub mod restore_sql;
mod server;

pub use counts::{Comparison, Counts, Difference};
pub use fault::FileFault;
pub use server::ServerFacts;

/// Queries for `psql -XqAt`. Each begins with a line that names it, by which the practice world knows it.
pub mod sql {
    /// What the server and database are; one JSON object.
    pub const SERVER: &str = include_str!("../../assets/sql/server.sql");
    /// Rows of every table, last value of every sequence, number of large objects; one JSON object a line.
    pub const COUNTS: &str = include_str!("../../assets/sql/counts.sql");
}
