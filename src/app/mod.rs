//! The wizard without a terminal: what is on the screen, what keys mean, what is to be done.
//!
//! Owns the model ([`App`]), its screens, the one table of keys. `update` is the only writer; what it wants done comes back
//! as [`Effect`]s, plain data. Knows records, questions and commands of `run`; never the engine, never a terminal. Drawn by
//! `tui`, run by `cli`.

mod app_state;
mod back;
pub mod commands;
pub mod door;
mod effect;
mod handover;
mod key;
pub mod keymap;
mod lock;
pub mod log;
mod look;
pub mod menu;
mod over;
mod over_update;
pub mod page;
mod press;
pub mod screens;
mod shown;
mod surroundings;
pub mod text_field;
mod update;
mod waiting;
mod whole;

pub use app_state::{App, Front, Window};
pub use effect::{Effect, Quit};
pub use handover::Handover;
pub use key::Key;
pub use keymap::{Cmd, Place};
pub use lock::{Unlock, UnlockFocus};
pub use over::{Leave, Over, Palette};
pub use surroundings::{Passphrases, Strength, Surroundings};
pub use update::Msg;
pub use waiting::Parts;
