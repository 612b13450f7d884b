//! The encrypted store (age format).
