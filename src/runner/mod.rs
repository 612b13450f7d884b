//! Owns a run: its folder, lock, journal and engine, spoken to with commands and events.
//!
//! Called by `cli`. In this version a run lives in the process that started it; it can be resumed by any other.

mod claim;
mod launch;
mod ledger;
mod source;
mod take_in;
#[cfg(test)]
mod tests;

pub use claim::refuse_second;
pub use launch::{Launch, Opened, abandon, launch, open, records, reopen, take_back};
pub use source::{Source, fits, source};
pub use take_in::take_in;
