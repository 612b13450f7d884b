//! Paths, files that are whole or not there, the journal file, locks.
//!
//! Stands beside `run`: knows that records are JSON, not what they mean. Called by `vault`, `host`, `runner`, `cli`.

mod atomic;
mod journal;
mod lock;
mod paths;

pub use atomic::{Before, private_folder, replace, write_private};
pub use journal::{Entry, Journal, JournalError, Opened, read_only};
pub use lock::{Lock, LockError};
pub use paths::{Paths, find_run, new_run_id, runs};
