//! The structure of a plain `pg_dump` or `pg_dumpall` file: whole, or damaged in a way that can be named.
//!
//! psql takes a dump that was cut inside a COPY block without any complaint, whatever its options; only this check before
//! and the row counts after find it. One pass, in memory that depends on the number of tables and not on their size.

mod fault;
mod report;
mod rows;
mod sql;
mod statement;
mod structure;
#[cfg(test)]
mod tests;

pub use fault::{DumpDamage, DumpFault};
pub use report::{DumpKind, DumpReport, SequenceValue, TableRows};
pub use structure::Structure;
