//! What a step can DO: one file a kind, holding its description, probe and run; what its YAML may say stands in `spec`.
//!
//! Its rooms are named after what they touch: `forms`, `data`, `deploy`, `objects`, `preflight`, `programs`. The enum is closed:
//! adding a kind is one file and one line here. Actions never nest steps. Called by `runbook` (reads and
//! lints the specs) and `engine` (plans, probes, runs). Knows the world only through `ports`.

mod agree;
mod confirm;
mod context;
mod data;
mod deploy;
pub mod deployment;
mod described;
mod forms;
mod objects;
mod patience;
mod places;
mod preflight;
mod programs;
mod references;
mod spec;

pub use context::{Action, Described, Done, Driver, Halt, Needs, PlanCx, Probed, StepCx};
pub use data::{
    artifacts::DumpFacts,
    leftover::{Leftover, leftover},
    scratch_look::unusable as unusable_for_a_rehearsal,
};
pub use forms::{dotenv::parse as parse_dotenv, form_state::holds_secret};
pub use places::place_of;
pub use preflight::check::Scope;
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
            Self::Suspend(spec) => spec,
            Self::Dump(spec) => spec,
            Self::Adopt(spec) => spec,
            Self::Verify(spec) => spec,
            Self::Rehearse(spec) => spec,
            Self::Seal(spec) => spec,
            Self::Namespace(spec) => spec,
            Self::Patch(spec) => spec,
            Self::Delete(spec) => spec,
            Self::Release(spec) => spec,
            Self::Wait(spec) => spec,
            Self::Helm(spec) => spec,
            Self::Rollback(spec) => spec,
            Self::Restore(spec) => spec,
            Self::Http(spec) => spec,
        }
    }
}
