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

/// The run that another goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub run: String,
    /// The steps that were taken over, as it planned them.
    pub steps: Vec<PlannedStep>,
}

impl Taken {
    /// Whether this step is one of them.
    pub fn has(&self, step: &str) -> bool {
        self.steps.iter().any(|taken| taken.id == StepId(step.to_owned()))
    }
}
