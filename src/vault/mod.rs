//! The encrypted store: an age identity under a passphrase, and a document encrypted to it. Stock `age` opens both.
//!
//! Implements `ports::Secrets`. Called by `cli` and, through the port, by actions. No plaintext ever touches a disk.

mod document;
mod keeper;
mod seal;

pub use document::{Document, Stored};
pub use keeper::Keeper;
pub use seal::{Faulty, Files, Key, WORK_FACTOR};
