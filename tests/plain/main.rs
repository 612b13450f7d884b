//! Line prompts for a person: from scripted lines to the replies they make, and the real program at a terminal.
#![allow(clippy::unwrap_used, clippy::panic)]

mod prompts;
mod terminal;
