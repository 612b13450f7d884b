//! The practice world: the whole upgrade of PixelCore against it, through drydock's own adapter, with the real engine; and by
//! keys at a terminal. All of it mostly waits, so it waits together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adopted;
mod answers;
mod backup;
mod beside;
mod desk;
mod faults;
#[path = "../line/mod.rs"]
mod line;
mod plant;
#[path = "../pty/mod.rs"]
mod pty;
mod resume;
mod sets;
mod shell;
mod undo;
mod upgrade;
mod volumes;
mod wizard;
