//! Owns a run: engine, journal and lock together, spoken to with commands and events.
