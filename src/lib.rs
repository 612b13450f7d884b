//! drydock: a guided, provable walk through risky database upgrades.
//!
//! The folders are rooms with one job each; their `mod.rs` says what they own and who calls them. Dependencies point one
//! way: `text`, `ports`, `run` ← `postgres` ← `actions` ← `runbook` ← `engine` ← `runner` ← `cli`; the front ends
//! `app`, `tui`, `plain`, `json` know `run` and never the engine; `cluster`, `host`, `vault`, `practice` implement `ports`.
//! `tests/house.rs` holds this.

pub mod actions;
pub mod app;
pub mod cli;
pub mod cluster;
pub mod engine;
pub mod host;
pub mod json;
pub mod plain;
pub mod ports;
pub mod postgres;
pub mod practice;
pub mod run;
pub mod runbook;
pub mod runner;
pub mod store;
pub mod text;
pub mod tui;
pub mod vault;
