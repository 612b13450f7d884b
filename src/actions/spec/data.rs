//! The YAML of what is done with a database: `dump`, `adopt`, `verify`, `rehearse`, `restore`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Template;

/// `dump`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DumpSpec {
    /// `pod`: natively, in a client pod of ours. `scripts`: with the admin's own scripts on this machine.
    pub way: Template,
    /// Folder with the admin's scripts.
    #[serde(default)]
    pub scripts: Template,
}

/// `adopt`: a dump that was made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptSpec {
    /// Path of the plain dump.
    pub dump: Template,
    /// Path of the CSV file of the large table.
    pub csv: Template,
}

/// What `verify` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerifyWhat {
    /// The dump's files: hashes, structure, rows against the counts at the dump.
    Files,
    /// The database now against the counts at the dump.
    Database,
    /// The same, where writers run already: no table has fewer rows than at the dump.
    DatabaseAtLeast,
}

/// `verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifySpec {
    /// The `dump` step.
    pub dump: String,
    /// What is looked at.
    pub what: VerifyWhat,
    /// The `restore` step that filled the database: it is offered again where the rows differ.
    #[serde(default)]
    pub restored_by: Option<String>,
}

/// `rehearse`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RehearseSpec {
    /// The `dump` step.
    pub dump: String,
    /// Name of the scratch namespace.
    pub namespace: Template,
    /// `pod` or `scripts`.
    pub way: Template,
    /// Folder with the admin's scripts.
    #[serde(default)]
    pub scripts: Template,
}

/// `seal`: a recovery set of the run so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SealSpec {
    /// Folder in which the set gets a folder of its own; empty for the run's.
    pub folder: Template,
    /// The `capture` step that says which version it is of.
    pub version: String,
    /// The `dump` step.
    pub dump: String,
    /// The rehearsal that proved it.
    pub proven_by: String,
}

/// `restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreSpec {
    /// The `dump` step.
    pub dump: String,
    /// The rehearsal that proved it.
    pub proven_by: String,
    /// The `scale` step that held the writers of the new deployment and counted what was there by then.
    #[serde(default)]
    pub held_by: Option<String>,
    /// `pod` or `scripts`.
    pub way: Template,
    /// Folder with the admin's scripts.
    #[serde(default)]
    pub scripts: Template,
}
