//! Words and values: diagnostics with places, what may reach a terminal, units. Pure.
//!
//! Called by every room. Does not know runs, clusters or terminals.

mod address;
mod diagnostic;
mod hex;
mod inside;
mod printable;
mod shell;
mod template;
mod typed;
pub mod units;

pub use address::{in_path, in_query};
pub use diagnostic::{Diagnostic, Place};
pub use hex::hex;
pub use inside::stays_inside;
pub use printable::printable;
pub use shell::quoted;
pub use template::{Template, condition, names, names_of_condition, render};
pub use typed::Typed;
