//! The same run as line prompts: LF only, no escape byte, no carriage return, every line begins with a word.
//!
//! Also drives a run from an answers file; nothing is ever assumed. Every prompt understands `?`, `why`, `evidence`, `plan`,
//! `log N`, `back`, `pause` and `tui` (`talk.rs`). Called by `cli`. Knows records, questions and commands.

mod answers;
mod ask;
mod form;
mod front;
mod gate;
mod keyboard;
mod lines;
mod pages;
mod pick;
mod talk;

pub use answers::{Answers, Missing, Say, Scripted};
pub use front::{Ended, Front, Input};
pub use keyboard::{Keyboard, Signals};
pub use lines::wrapped;
pub use pick::{Picked, Picker};
pub use talk::FullScreen;
