//! What a step can DO: one file a kind, holding its YAML spec, its description, probe and run.
//!
//! The enum is closed: adding a kind is one file and one line here. Actions never nest steps. Called by `runbook` (reads and
//! lints the specs) and `engine` (plans, probes, runs). Knows the world only through `ports`.

pub mod deployment;
mod spec;

pub use spec::*;
