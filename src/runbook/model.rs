//! The shape of a runbook file, `format: 1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    actions::{ActionSpec, Requires, deployment::Deployment},
    run::{Purpose, Risk, Service, StepId, secrets_within},
    text::Template,
};

/// A procedure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// Version of this format: 1.
    pub format: u32,
    /// Its id, `[a-z][a-z0-9_-]*`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its own version.
    pub version: String,
    /// What it is for, in a sentence or two.
    pub about: String,
    /// What is chosen before the start.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// The deployment it is about; needed by most kinds of action.
    #[serde(default)]
    pub deployment: Option<Deployment>,
    /// What can be done with it.
    pub intents: Vec<Intent>,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A line of text.
    #[default]
    Text,
    /// A path on this machine, made absolute.
    Path,
    /// A Helm chart on this machine: a path to its archive, or to the folder that holds `Chart.yaml`.
    Chart,
    /// A file that was made elsewhere and is taken over: `start --adopt` names those of an intent in their order.
    Adopted,
    /// A namespace that the run makes or is given empty: not the target's own, and none of two inputs.
    ScratchNamespace,
}

impl InputKind {
    /// Whether it is a path on this machine.
    pub fn is_path(self) -> bool {
        matches!(self, Self::Path | Self::Chart | Self::Adopted)
    }

    /// Looks whether `path` would do.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn look(self, path: &std::path::Path) -> Result<(), String> {
        let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
        if self == Self::Chart && found.is_dir() && !path.join("Chart.yaml").is_file() {
            return Err("it is no chart, there is no Chart.yaml in it".to_owned());
        }
        if self == Self::Adopted && !found.is_file() {
            return Err("it is no regular file; name the file itself".to_owned());
        }
        Ok(())
    }
}

/// A value chosen before the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its id.
    pub id: String,
    /// What it is, in words.
    pub title: String,
    /// What it is unless chosen; absent means it must be chosen.
    #[serde(default)]
    pub default: Option<Template>,
    /// The only values allowed; empty for any.
    #[serde(default)]
    pub choices: Vec<String>,
    /// What it is.
    #[serde(default)]
    pub kind: InputKind,
    /// Intents that ask for it; none named means all. Elsewhere it is empty.
    #[serde(default)]
    pub intents: Vec<String>,
}

impl Input {
    /// Whether an intent asks for it.
    pub fn is_asked_by(&self, intent: &Intent) -> bool {
        self.intents.is_empty() || self.intents.contains(&intent.id)
    }
}

/// One thing that can be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The run that it goes on from, if it does.
    #[serde(default)]
    pub continues: Option<Continues>,
    /// Its phases.
    pub phases: Vec<Phase>,
}

/// An earlier run of another intent on the same target: its inputs hold again, and what some of its steps did, found and proved
/// is there as if this run had done it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Continues {
    /// Id of that intent, in this runbook.
    pub intent: String,
    /// What for.
    pub purpose: Purpose,
    /// Steps of it that must be done, and are taken over.
    pub steps: Vec<String>,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its id.
    pub id: String,
    /// A word or two, for the rail.
    pub title: String,
    /// What it is for, half a line.
    pub purpose: String,
    /// What it changes, half a line.
    pub changes: String,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its id.
    pub id: StepId,
    /// Verb and object.
    pub title: String,
    /// Why it is done.
    pub why: String,
    /// What it does: one kind of action.
    #[serde(rename = "do")]
    pub action: ActionSpec,
    /// The `namespace` step in whose namespace it is done; without it, in the target's own.
    #[serde(default, rename = "in")]
    pub place: Option<String>,
    /// A condition; the step applies only when it holds.
    #[serde(default)]
    pub when: Option<String>,
    /// How hard it is to undo.
    #[serde(default)]
    pub risk: Risk,
    /// What it changes.
    #[serde(default)]
    pub changes: String,
    /// How it is undone.
    #[serde(default)]
    pub undo: String,
    /// What the users of the application have once it is done; without it, as before.
    #[serde(default)]
    pub service: Option<Service>,
    /// What the operator agrees to before it begins, one line a thing. Approving the plan starts only what reads: the first
    /// step that changes something has this, or a gate, or comes after a `confirm`.
    #[serde(default)]
    pub consent: Vec<Template>,
    /// What must be there before.
    #[serde(default)]
    pub requires: Requires,
    /// Known harmless messages.
    #[serde(default)]
    pub expect: Vec<String>,
    /// How long it takes, as `40 s` or `10 min`.
    pub estimate: String,
}

/// A duration as a runbook writes it, in seconds.
pub fn parse_duration(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "s" => Some(number),
        "min" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    }
}

impl Intent {
    /// Steps in order, each with the index of its phase and its number.
    pub fn steps(&self) -> impl Iterator<Item = (usize, String, &Step)> {
        self.phases.iter().enumerate().flat_map(|(phase, content)| {
            content.steps.iter().enumerate().map(move |(step, one)| (phase, format!("{}.{}", phase + 1, step + 1), one))
        })
    }
}

impl Runbook {
    /// The steps that an intent takes over, as the other intent has them, each with phase and number there.
    pub fn taken<'a>(&'a self, intent: &'a Intent) -> impl Iterator<Item = (usize, String, &'a Step)> {
        let continues = intent.continues.as_ref();
        let other = continues.and_then(|of| self.intents.iter().find(|intent| intent.id == of.intent));
        let named = move |step: &Step| continues.is_some_and(|of| of.steps.contains(&step.id.0));
        other.into_iter().flat_map(Intent::steps).filter(move |(_, _, step)| named(step))
    }

    /// The name of the namespace that a step of an intent makes, as the runbook writes it.
    pub fn namespace_of<'a>(&'a self, intent: &'a Intent, step: &str) -> Option<&'a Template> {
        let steps = intent.steps().chain(self.taken(intent)).map(|(_, _, step)| step);
        steps.filter(|other| other.id.0 == step).find_map(|step| match &step.action {
            ActionSpec::Namespace(spec) => Some(&spec.name),
            _ => None,
        })
    }

    /// Inputs of an intent with what was chosen or their defaults, rendered in order with what is before them.
    ///
    /// # Errors
    /// The first input that is missing, unknown, or none of its choices, in words.
    pub fn inputs(
        &self,
        intent: &Intent,
        chosen: &BTreeMap<String, String>,
        target: &serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        let asked = || self.inputs.iter().filter(|input| input.is_asked_by(intent));
        if let Some(unknown) = chosen.keys().find(|key| !asked().any(|input| input.id == **key)) {
            let known: Vec<&str> = asked().map(|input| input.id.as_str()).collect();
            return Err(format!("there is no input {unknown}; there are {}", known.join(", ")));
        }
        let mut found = serde_json::Map::new();
        for input in &self.inputs {
            let value = match (chosen.get(&input.id), &input.default) {
                _ if !input.is_asked_by(intent) => String::new(),
                (Some(value), _) => value.clone(),
                (None, Some(default)) => {
                    crate::text::render(default, &serde_json::json!({"inputs": found, "target": target}))?
                }
                (None, None) => {
                    return Err(format!(
                        "input {} is needed: {}; choose it with --set {0}=VALUE",
                        input.id, input.title
                    ));
                }
            };
            if !input.choices.is_empty() && input.is_asked_by(intent) && !input.choices.contains(&value) {
                return Err(format!("input {} is one of {}, not {value}", input.id, input.choices.join(", ")));
            }
            if !secrets_within(&value).is_empty() {
                return Err(format!(
                    "input {} holds a secret in its address, and inputs are written down openly: leave the login out",
                    input.id
                ));
            }
            let value = match input.kind {
                kind if kind.is_path() && !value.is_empty() => {
                    std::path::absolute(&value).map_or(value, |path| path.to_string_lossy().into_owned())
                }
                _ => value,
            };
            if input.kind == InputKind::ScratchNamespace && input.is_asked_by(intent) {
                let made = asked().filter(|other| other.kind == input.kind && other.id != input.id);
                if let Some(other) = made.into_iter().find(|other| found.get(&other.id).is_some_and(|of| *of == value))
                {
                    return Err(format!(
                        "inputs {} and {} are both {value}: each needs a namespace of its own",
                        other.id, input.id
                    ));
                }
            }
            found.insert(input.id.clone(), serde_json::Value::String(value));
        }
        Ok(serde_json::Value::Object(found))
    }
}
