//! PostgreSQL knowledge. Pure: text and bytes in, values out; the SQL lies under assets/sql.
//!
//! Owns: what proves that a plain dump or a history file is whole ([`dump`], [`csv`]), what a database holds and how two of
//! them compare ([`counts`]), who a server is and who writes to it ([`facts`]), the statements of a restore ([`restore`]),
//! what the programs say on standard error ([`messages`]) and which versions go together ([`version`]). Does not own:
//! running anything. Called by: `actions`; the practice world knows the queries by their first line.

pub mod counts;
pub mod csv;
pub mod dump;
pub mod facts;

mod measure;
pub mod messages;
mod name;
pub mod restore;
pub mod version;

pub use name::{QualifiedName, quote_identifier};

/// A file could not be checked to its end, or was and is damaged.
#[derive(Debug, thiserror::Error)]
pub enum CheckError<F: std::error::Error + 'static> {
    /// The file itself cannot be read, which proves nothing about its content.
    #[error("cannot read the file: {0}")]
    Read(#[from] std::io::Error),
    /// The file was read and is not what it should be.
    #[error(transparent)]
    Fault(F),
}
