//! The database: its dump, the proof of it, restore and comparison, and whose rows a database holds.
//!
//! Owns the dump's files, the pods in which the long work runs, and the network of a scratch copy. What PostgreSQL says and how it is read is `postgres`'s.

mod adopt;
pub mod artifacts;
pub mod client;
pub mod database;
pub mod dump;
pub mod egress;
pub mod foreign;
pub mod inspect;
pub mod jobs;
pub mod leftover;
pub mod rehearse;
pub mod restore;
pub mod scratch_look;
pub mod scratch_place;
mod seal;
pub mod verify;
