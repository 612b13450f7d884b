//! What a step can DO: one file a kind, holding its YAML spec, its description, probe and run.
//!
//! The enum is closed: adding a kind is one file and one line here. Actions never nest steps. Called by `runbook` (reads and
//! lints the specs) and `engine` (plans, probes, runs). Knows the world only through `ports`.

mod api;
mod artifacts;
mod ask;
mod chart;
mod check;
mod check_kind;
mod checks;
mod client;
mod confirm;
mod context;
mod copy;
mod database;
mod delete;
pub mod deployment;
mod described;
mod dotenv;
mod dump;
mod foreign;
mod form_state;
mod found;
mod gate;
mod helm;
mod host;
mod hosts;
mod http;
mod images;
mod inspect;
mod jobs;
mod live;
mod output;
mod patch;
mod pods;
mod reasons;
mod references;
mod rehearse;
mod release;
mod removal;
mod rendered;
mod restore;
mod rights;
mod run_program;
mod scale;
mod settings;
mod small_file;
mod spec;
mod verify;
mod wait;
mod way_back;

pub use artifacts::DumpFacts;
pub use check::Scope;
pub use context::{Action, Described, Done, Driver, Halt, Needs, PlanCx, Probed, StepCx};
pub use dotenv::parse as parse_dotenv;
pub use form_state::holds_secret;
pub use spec::*;

impl ActionSpec {
    /// What makes it happen.
    pub fn action(&self) -> &dyn Action {
        match self {
            Self::Ask(spec) => spec,
            Self::Capture(spec) => spec,
            Self::Check(spec) => spec,
            Self::Confirm(spec) => spec,
            Self::Manual(spec) => spec,
            Self::Run(spec) => spec,
            Self::Scale(spec) => spec,
            Self::Dump(spec) => spec,
            Self::Verify(spec) => spec,
            Self::Rehearse(spec) => spec,
            Self::Patch(spec) => spec,
            Self::Delete(spec) => spec,
            Self::Wait(spec) => spec,
            Self::Helm(spec) => spec,
            Self::Restore(spec) => spec,
            Self::Http(spec) => spec,
        }
    }
}
