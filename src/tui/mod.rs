//! The wizard on a terminal: one view a screen, drawn on a grid of four fixed rows, and the loop that feeds it.
//!
//! Owns pictures (what is drawn, as data), their styles, the terminal guard, keys from the terminal, the tail of output files.
//! Does not own any state of the run or meaning of keys; those are `app`'s. Called by `cli`.

mod door;
mod draw;
mod guard;
mod input;
mod keys;
mod opening;
mod picture;
mod runtime;
mod screen;
mod tail;
mod theme;
mod views;
mod wide;

pub use door::{Errand, run_door};
pub use draw::draw;
pub use guard::Guard;
pub use opening::while_opening;
pub use picture::{Line, Picture};
pub use runtime::{Ended, Opens, Outcome, Place, Save, run};
pub use theme::{Ink, Look, Theme};
pub use views::{Opening, door_picture, opening_picture, picture};
