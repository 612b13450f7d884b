//! The YAML of what is done with objects of the cluster: `namespace`, `scale`, `suspend`, `patch`, `delete`, `release`, `wait`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Template;

/// `namespace`: one that this run makes, for steps that are done `in` it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamespaceSpec {
    /// Its name.
    pub name: Template,
}

/// `scale`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleSpec {
    /// Names of Deployments.
    pub deployments: Vec<String>,
    /// Names of StatefulSets, after them.
    #[serde(default)]
    pub stateful_sets: Vec<String>,
    /// Number of replicas, or absent: back to what the named step found.
    #[serde(default)]
    pub replicas: Option<u32>,
    /// The `scale` step whose numbers come back.
    #[serde(default)]
    pub as_before: Option<String>,
    /// Whether the rows of the database are counted once that number is reached.
    #[serde(default)]
    pub counts: bool,
    /// Whether who else acts on the deployment, and could start them again, is paused before. With `as_before` everybody acts again
    /// whom the run has paused.
    #[serde(default)]
    pub others: bool,
}

/// `suspend`: pauses who else acts on the deployment, as schedules, autoscalers and what deploys by itself. They act again with the
/// `scale` step that has `as_before`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendSpec {}

/// `patch`: volumes of the deployment's claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchSpec {
    /// What is patched.
    pub objects: PatchObjects,
    /// The `patch` step that set the volumes to be kept, for what is done with them later.
    #[serde(default)]
    pub kept: Option<String>,
    /// The `rehearse` step whose proven dump is the way back where `keep_volumes` may not: that is shown and asked then. Without
    /// it volumes must be kept.
    #[serde(default)]
    pub or_dump: Option<String>,
}

/// Objects that `patch` knows how to find and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PatchObjects {
    /// Every PersistentVolume bound to a claim of the namespace: reclaim policy Retain.
    KeepVolumes,
    /// Volumes that were kept: free for a new claim of the same name, and for that one only.
    BindVolumes,
}

/// `delete`: the deployment's objects; the namespace stays. Its gate asks that every step of `requires: {captured: […]}` is
/// complete and unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSpec {
    /// The step that set the volumes to Retain; its volumes are named as what stays.
    pub keep_volumes: String,
    /// The `check` step that reads the settings again. Without it what goes is not what was captured and dumped, but what
    /// stands in the place of it: then `brings_back` says what comes instead. Or it was stopped: `stopped_by`.
    #[serde(default)]
    pub checked_by: Option<String>,
    /// The `patch` step whose volumes take the place of what goes, or the `dump` step whose files do.
    #[serde(default)]
    pub brings_back: Option<String>,
    /// The `scale` step that stopped what goes: nothing may have run of it since. Its rows are the dump's, and `serves` has them.
    #[serde(default)]
    pub stopped_by: Option<String>,
    /// The `namespace` step in whose namespace the new version answers instead.
    #[serde(default)]
    pub serves: Option<String>,
    /// The rehearsal that proves what is brought back.
    pub proven_by: String,
    /// The `dump` step whose files are hashed again.
    pub dump: String,
}

/// `release`: volumes that were kept go for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpec {
    /// The `patch` step that set them to be kept.
    pub volumes: String,
    /// The `dump` step whose files are hashed again: they are the only way back afterwards.
    pub dump: String,
    /// The rehearsal that proved them.
    pub proven_by: String,
}

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// The deployment's parts are ready and its API says so.
    Ready,
    /// What was deleted is gone.
    Gone,
}

/// `wait`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitSpec {
    /// For what.
    pub until: WaitFor,
    /// The `delete` step, when waiting for gone.
    #[serde(default)]
    pub delete: Option<String>,
}
