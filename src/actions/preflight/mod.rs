//! Checks: each asks one thing before anything is touched, and says what it found and what helps.

mod admission;
pub mod beside;
pub mod check;
pub mod check_kind;
pub mod checks;
pub mod images;
mod matching;
mod others;
pub mod rights;
