//! Makes a plan happen: the next step, its intent, its action, its outcome; questions, pauses, resume. Journal first.
//!
//! Owns the run's state while it runs. Knows neither ratatui nor kube: the world comes in as `ports`, records go out through
//! [`Ledger`], questions and events through [`Front`]. Called by `runner`.

mod again;
mod back;
mod core;
mod decide;
mod executor;
mod known;
mod look_again;
mod masked;
mod output;
mod pictures;
mod plan;
mod requires;
mod roll_back;
mod show;
mod start_again;
mod watched;
mod written;

pub use core::{Front, Ledger};
pub use executor::{Engine, Start};
pub use plan::{Plan, PlanStep, values};
