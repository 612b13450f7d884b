//! Commands on this machine: the real [`Host`].
//!
//! Owns: the cleaned environment of a child program, its private folder for secrets, its process group from start to
//! end, and what records say about this machine. Does not own: what is run or why (`actions`).
//! Called by: `cli`, which builds a `World` with it and calls [`sweep`] before anything is started.

mod environment;
mod group;
mod local;
mod machine;
mod private;
mod pump;
mod running;
#[cfg(test)]
mod tests;

pub use local::LocalHost;
pub use private::{Swept, sweep};
pub use running::Running;

#[cfg(doc)]
use crate::ports::Host;
