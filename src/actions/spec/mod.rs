//! The YAML of `do:`, one struct a kind. Externally tagged (`do: {dump: {…}}`), so that a fault is reported at its line.

mod check;
mod data;
mod objects;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::{CheckKind, CheckSpec};
pub use data::{AdoptSpec, DumpSpec, RehearseSpec, RestoreSpec, SealSpec, VerifySpec, VerifyWhat};
pub use objects::{
    DeleteSpec, NamespaceSpec, PatchObjects, PatchSpec, ReleaseSpec, ScaleSpec, SuspendSpec, WaitFor, WaitSpec,
};

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
    /// Make a namespace, for steps that say `in`.
    Namespace(NamespaceSpec),
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
            Self::Namespace(_) => "namespace",
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
    /// The `ask` step whose items are named beneath it, one a line.
    #[serde(default)]
    pub of: Option<String>,
    /// What a roll back asks for, once this was begun: only a human can take it back.
    #[serde(default)]
    pub back: Vec<Template>,
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
