//! The YAML of `check`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One named check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// The target is the one the run is tied to.
    Identity,
    /// Every call of every later step is allowed.
    Rights,
    /// The programs that later steps run are here: helm, the scripts.
    Programs,
    /// Room for the dump on this machine.
    DiskLocal,
    /// The dump tool is not older than the server.
    PgVersions,
    /// The new version's images can be pulled: a throw-away pod is started.
    Images,
    /// A storage class exists and volumes can be kept.
    Storage,
    /// A scratch namespace can be made, and nothing of that name is in the way.
    RehearsalRoom,
    /// Who else acts on the deployment's objects, and can be paused.
    Others,
    /// The server would let every helper object in: a dry run of each.
    Admission,
    /// A namespace beside the target can be made, and nothing that the chart makes there collides with what is deployed.
    NewNamespace,
    /// The chart renders for the new version, and no Helm operation hangs.
    Chart,
    /// Nothing writes to the database.
    Quiet,
    /// The captured settings are still what the application says.
    SettingsUnchanged,
    /// Every item of the captures is complete.
    Captured,
    /// The application answers and says the new version.
    NewVersion,
    /// The application answers and says the version that was captured.
    CapturedVersion,
    /// The volumes of a `patch` step that set them to be kept are there, kept, and held by nothing else.
    KeptVolumes,
}

/// `check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// The checks, in order.
    pub checks: Vec<CheckKind>,
    /// The steps whose captures `captured` and `settings-unchanged` look at.
    #[serde(default)]
    pub captured: Vec<String>,
    /// The `dump` step since which `quiet` asks.
    #[serde(default)]
    pub dump: Option<String>,
    /// The `patch` step whose volumes `kept-volumes` looks at.
    #[serde(default)]
    pub kept: Option<String>,
}
