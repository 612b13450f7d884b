//! What a run asks its operator. A question is data: any front end can put it, and a new one replaces the old.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Form, Item, Sign, StepId};
use crate::text::Diagnostic;

/// Result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// It holds.
    Pass,
    /// It holds, with something to know.
    Warn,
    /// It does not hold.
    Fail,
    /// It needs to probe and was not asked yet.
    NotAsked,
}

/// One check of a preflight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Short name: `image-worker`.
    pub name: String,
    /// Its result.
    pub result: CheckResult,
    /// What was found, one line.
    pub sentence: String,
    /// What helps, one line a thing.
    pub help: Vec<String>,
    /// Whether a warning was seen.
    #[serde(default)]
    pub seen: bool,
}

/// The choice to be shown how the version before comes back: the question is put again, with the way as its help.
pub const WAY_BACK: &str = "way-back";

/// One option of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its id in answers files and records: `retry`.
    pub id: String,
    /// Verb and object.
    pub label: String,
    /// Time and cost, as `13 min` or `loses nothing`.
    pub cost: String,
}

/// One lock of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Its name: `proven`.
    pub name: String,
    /// Whether it is open.
    pub open: bool,
    /// Why.
    pub sentence: String,
    /// Number of the step that opens it, as `2.5`.
    pub step: String,
    /// Ids of the steps whose doing again can open it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<String>,
}

/// One object that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// uid: exactly this object goes.
    pub uid: String,
}

/// A gate of an irreversible step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Namespace to type.
    pub namespace: String,
    /// First eight characters of the cluster's id, for the phrase of an answers file.
    pub cluster8: String,
    /// The code word to type, new each time.
    pub word: String,
    /// Whether the target is marked PROD: no answers file may answer.
    pub prod: bool,
    /// The locks.
    pub locks: Vec<Lock>,
    /// What goes.
    pub goes: Vec<Removal>,
    /// What stays, one line a thing.
    pub stays: Vec<String>,
    /// The way back with its time.
    pub way_back: String,
    /// Why the last try was refused, or empty.
    pub refusal: String,
}

impl Gate {
    /// Whether all locks are open.
    pub fn is_open(&self) -> bool {
        self.locks.iter().all(|lock| lock.open)
    }

    /// The phrase with which an answers file opens this gate where it may.
    pub fn phrase(&self) -> String {
        format!("delete {} of {}", self.namespace, self.cluster8)
    }
}

/// How a captured item stands after the upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReapplyState {
    /// Not tried yet.
    NotYet,
    /// Read back and equal.
    Same,
    /// Read back and different.
    Differs,
    /// The application did not take it.
    Refused,
    /// No API reads it: a human must look.
    ByHand,
    /// A human looked.
    ByEye,
    /// Left out with a reason.
    Waived,
}

/// One item to put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReapplyItem {
    /// Its id.
    pub id: String,
    /// What it is: `LNS lns-main`.
    pub title: String,
    /// How it stands.
    pub state: ReapplyState,
    /// Why, one line; no secret.
    pub sentence: String,
    /// When it was tried once more, with the same result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
    /// Fields as label and value; secrets as length and check.
    pub fields: Vec<(String, String)>,
    /// Which of these are secrets that can be shown, by label, which is the field's id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

impl ReapplyItem {
    /// Why it stands so, with the last try where that changed nothing.
    pub fn told(&self, clock: impl Fn(Timestamp) -> String) -> String {
        match self.again {
            Some(at) => format!("tried again {}, same answer: {}", clock(at), self.sentence),
            None => self.sentence.clone(),
        }
    }
}

/// What the run needs from its operator now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// Approve the plan.
    Approve,
    /// Make the vault, or open it.
    Vault { exists: bool, fault: String },
    /// Fill a form.
    Form { step: StepId, title: String, form: Form, items: Vec<Item>, none_reason: String, fault: String },
    /// Look at the results of checks.
    Checks { step: StepId, checks: Vec<Check> },
    /// Open a gate.
    Gate { step: StepId, gate: Box<Gate> },
    /// Say yes to one thing, or do it by hand.
    Confirm {
        step: StepId,
        text: Vec<String>,
        button: String,
        /// Whether only a person may say so, and never a file.
        #[serde(default)]
        person: bool,
    },
    /// A step failed or is undecided: choose.
    Choose { step: StepId, problem: Diagnostic, choices: Vec<Choice>, recommended: usize },
    /// Put settings back, item by item.
    Reapply { step: StepId, items: Vec<ReapplyItem> },
    /// After a crash: what was done, what is uncertain, what next.
    Resume {
        rows: Vec<(Sign, String, String, String)>,
        uncertain: Vec<String>,
        choices: Vec<Choice>,
        recommended: usize,
    },
}

impl Question {
    /// The step it belongs to.
    pub fn step(&self) -> Option<&StepId> {
        match self {
            Self::Approve | Self::Vault { .. } | Self::Resume { .. } => None,
            Self::Form { step, .. }
            | Self::Checks { step, .. }
            | Self::Gate { step, .. }
            | Self::Confirm { step, .. }
            | Self::Choose { step, .. }
            | Self::Reapply { step, .. } => Some(step),
        }
    }
}
