//! Paths, atomic files, the journal file, locks.
