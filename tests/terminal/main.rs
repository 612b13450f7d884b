//! The real program on a real terminal: a pseudo terminal, an emulator that reads what is written, keys as bytes. The runbook
//! needs no cluster; its second step waits for the test and must never be done twice.
#![allow(clippy::unwrap_used, clippy::panic)]

mod ends;
mod house;
#[path = "../pty/mod.rs"]
mod pty;
mod quiet;
mod suspend;
mod walk;
