//! What a run takes over from another one that it goes on from. Plain data: whoever reads it made sure that both are about the
//! same target.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PlannedStep, StepId};

/// A step of another run that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenStep {
    /// As the other run planned it.
    pub step: PlannedStep,
    /// When it was done.
    pub at: Timestamp,
    /// What it said of itself.
    pub summary: String,
    /// What later steps may name; no secret.
    pub facts: Value,
}

/// What a run that goes on from another one is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It brings back what the other removed. That one need not have come to its end.
    WayBack,
    /// It clears up what the other kept, and with it the way back: only after that one came to its end.
    ClearUp,
    /// It puts back what the other saved, on this place or on another one of the same name, however long ago.
    Restore,
}

/// The run that another goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub run: String,
    /// What for.
    pub purpose: Purpose,
    /// How many records it had by then.
    pub records: u64,
    /// The steps that were taken over, as it planned them.
    pub steps: Vec<PlannedStep>,
}

impl Taken {
    /// Whether this step is one of them.
    pub fn has(&self, step: &str) -> bool {
        self.steps.iter().any(|taken| taken.id == StepId(step.to_owned()))
    }
}
