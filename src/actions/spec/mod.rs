//! The YAML of `do:`, one struct a kind. Externally tagged (`do: {dump: {…}}`), so that a fault is reported at its line.

mod check;
mod data;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::{CheckKind, CheckSpec};
pub use data::{AdoptSpec, DumpSpec, RehearseSpec, RestoreSpec, SealSpec, VerifySpec, VerifyWhat};

use crate::{run::Form, text::Template};

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ActionSpec {
    /// Ask the operator for values, with what was found filled in.
    Ask(AskSpec),
    /// Read version, images, chart and values of the deployment.
    Capture(CaptureSpec),
    /// Check conditions, all at once.
    Check(CheckSpec),
    /// Ask for one yes.
    Confirm(ConfirmSpec),
    /// A human does it; drydock waits for the word.
    Manual(ManualSpec),
    /// Run a program here or in a pod.
    Run(RunSpec),
    /// Set the number of replicas.
    Scale(ScaleSpec),
    /// Pause who else acts on the deployment.
    Suspend(SuspendSpec),
    /// Dump the database.
    Dump(DumpSpec),
    /// Take over a dump that was made elsewhere.
    Adopt(AdoptSpec),
    /// Check artifacts, or compare the database with what the dump was made from.
    Verify(VerifySpec),
    /// Restore into a scratch namespace, compare, remove it.
    Rehearse(RehearseSpec),
    /// Encrypt what a recovery needs into one folder.
    Seal(SealSpec),
    /// Change fields of objects that exist.
    Patch(PatchSpec),
    /// Delete objects, behind the gate.
    Delete(DeleteSpec),
    /// Give kept volumes back to their storage, behind the gate.
    Release(ReleaseSpec),
    /// Wait until parts are ready or gone.
    Wait(WaitSpec),
    /// Install or upgrade by Helm.
    Helm(HelmSpec),
    /// Put back what Helm had deployed, from its own record of it.
    Rollback(RollbackSpec),
    /// Restore the proven dump.
    Restore(RestoreSpec),
    /// Put captured settings back through HTTP, read them back and compare.
    Http(HttpSpec),
}

impl ActionSpec {
    /// The kind's name, as the runbook writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Capture(_) => "capture",
            Self::Check(_) => "check",
            Self::Confirm(_) => "confirm",
            Self::Manual(_) => "manual",
            Self::Run(_) => "run",
            Self::Scale(_) => "scale",
            Self::Suspend(_) => "suspend",
            Self::Dump(_) => "dump",
            Self::Adopt(_) => "adopt",
            Self::Verify(_) => "verify",
            Self::Rehearse(_) => "rehearse",
            Self::Seal(_) => "seal",
            Self::Patch(_) => "patch",
            Self::Delete(_) => "delete",
            Self::Release(_) => "release",
            Self::Wait(_) => "wait",
            Self::Helm(_) => "helm",
            Self::Rollback(_) => "rollback",
            Self::Restore(_) => "restore",
            Self::Http(_) => "http",
        }
    }
}

/// What must be there before a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// Steps that must have captured everything.
    #[serde(default)]
    pub captured: Vec<String>,
    /// Steps that must have proven it.
    #[serde(default)]
    pub proven: Vec<String>,
    /// Steps that must be done.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// Where a form's values can be found: a JSON object of objects, read through the application's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundInApi {
    /// Path that answers with a JSON object: name to settings.
    pub path: String,
    /// Members that a settings object must have to belong here, as `kind: lns`.
    pub filter: BTreeMap<String, String>,
    /// Field id to member; `@name` is the name itself.
    pub fields: BTreeMap<String, String>,
}

impl FoundInApi {
    /// Whether a settings object belongs here.
    pub fn takes(&self, settings: &serde_json::Value) -> bool {
        self.filter.iter().all(|(key, want)| settings.get(key).and_then(serde_json::Value::as_str) == Some(want))
    }
}

/// `ask`: a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSpec {
    /// The form.
    pub form: Form,
    /// Where its values can be found.
    #[serde(default)]
    pub found: Option<FoundInApi>,
    /// Whether the file of a `dotenv` field must agree with the environment that the core container has now.
    #[serde(default)]
    pub agrees_with_core: bool,
}

/// `capture`: what is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureSpec {
    /// Version that must be found; empty for any.
    #[serde(default)]
    pub expect_version: Template,
}

/// `confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSpec {
    /// What is confirmed, one line a thing.
    pub text: Vec<Template>,
    /// The button: verb and object.
    pub button: String,
}

/// `manual`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualSpec {
    /// What to do, one line a thing.
    pub text: Vec<Template>,
}

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On this machine.
    Here,
    /// In the deployment's core container.
    Core,
}

/// `run`: a program and its arguments, no shell. No secret may be among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// Where.
    pub on: Place,
    /// Program and arguments.
    pub command: Vec<Template>,
    /// Text that the output must contain, beyond status 0.
    #[serde(default)]
    pub output_contains: String,
    /// Whether running it again does no harm.
    #[serde(default)]
    pub repeatable: bool,
}

/// `scale`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleSpec {
    /// Names of Deployments.
    pub deployments: Vec<String>,
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
    /// stands in the place of it: then `brings_back` says what comes instead.
    #[serde(default)]
    pub checked_by: Option<String>,
    /// The `patch` step whose volumes take the place of what goes, or the `dump` step whose files do.
    #[serde(default)]
    pub brings_back: Option<String>,
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

/// `helm`: install or upgrade the deployment with captured values and files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HelmSpec {}

/// `rollback`: what was captured, exactly, from Helm's own record of it: chart, values and files, none of which is needed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackSpec {
    /// The `capture` step that recorded it.
    pub to: String,
}

/// `http`: put captured items back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSpec {
    /// The `ask` step whose items are put back.
    pub from: String,
    /// Path of one item; `{item}` is its name. Without a path no interface knows the items: a human sets each one, and
    /// confirms it by eye or leaves it out with a reason.
    #[serde(default)]
    pub path: String,
    /// Field id to member of the JSON body; `@name` is left out.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}
