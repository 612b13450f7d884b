//! Strings of a runbook that may name values: `{{ inputs.release }}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A template as the runbook writes it. Rendered by the engine with strict undefined values; linted when loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Template(pub String);
