//! The wizard without a terminal: every screen as it is drawn, and what keys do on it. Screens are made as in a run, by
//! records and questions, and drawn by the real drawing code.
#![allow(clippy::unwrap_used, clippy::panic)]

mod back;
mod cuts;
mod door;
mod doors;
mod footers;
mod forms;
mod frames;
mod keys;
mod lengthy;
mod lock;
mod log;
mod palette;
mod reveal;
mod rolls_back;
mod rules;
mod scenes;
mod telling;
mod vault;
mod wizard;
