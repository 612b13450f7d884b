//! The practice world: the whole upgrade of PixelCore against it, through drydock's own adapter, with the real engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod desk;
mod faults;
mod plant;
mod resume;
mod shell;
mod upgrade;
mod volumes;
