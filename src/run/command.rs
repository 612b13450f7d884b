//! What front ends say to a run, and what they hear from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Question, Record, Sign, StepId};
use crate::text::Diagnostic;

/// Stands for a secret that travels beside the command in a frame without `Debug`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHandle(pub u64);

/// A secret that a form of the run keeps, by its place: the step in hand, the item, the field. Nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretName {
    /// The step that asks for it, or puts it back.
    pub step: StepId,
    /// The item.
    pub item: String,
    /// Id of the field.
    pub field: String,
}

/// What was put into a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldInput {
    /// A value that is no secret (for a `secret_file` field: the path).
    Text(String),
    /// A secret that was handed over under this handle.
    Secret(SecretHandle),
}

/// An answer to the question that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// Approve the plan.
    Approve,
    /// The passphrase, once; making a vault needs it typed twice, which front ends compare.
    Vault { passphrase: SecretHandle },
    /// Set a field of an item of a form. Saved at once.
    Set { item: String, field: String, input: FieldInput },
    /// Add an item to a repeated form.
    Add { item: String },
    /// Take an item out of a repeated form again.
    Remove { item: String },
    /// Take what the application says now of this item, in place of what was captured.
    TakeLive { item: String },
    /// A human confirms this item.
    ConfirmItem { item: String },
    /// There is none at all, because …
    None { reason: String },
    /// The form is complete.
    Seal,
    /// A warning was seen.
    Seen { check: String },
    /// Run the checks again.
    Again,
    /// Go on (checks, confirm).
    Continue,
    /// Go back, do nothing.
    Back,
    /// The typed words of a gate.
    Gate { namespace: String, word: String },
    /// The phrase of an answers file.
    Phrase { phrase: String },
    /// Choose an option by id.
    Choose { choice: String },
    /// Write this item through the API, then read it back.
    Write { item: String },
    /// Read this item back.
    ReadBack { item: String },
    /// A human looked at it.
    ByEye { item: String },
    /// Leave it out, because …
    Waive { item: String, reason: String },
}

/// What a front end asks of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Answer the question of this number; an answer to an older question is thrown away.
    Answer { question: u64, reply: Reply },
    /// Pause after the step in hand.
    Pause,
    /// Take a pause back.
    Go,
    /// Stop the step in hand, where it may be cut; the run can be resumed.
    Stop,
    /// Show a secret that is kept to the person in front. It comes under this handle, beside the events.
    Show { handle: SecretHandle, secret: SecretName },
}

/// One line of a running step's picture: a file, a table, a part that starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its state.
    pub sign: Sign,
    /// State in a word, or empty: `ready`, `stuck`.
    pub word: String,
    /// Its name.
    pub name: String,
    /// What is known, one line.
    pub detail: String,
}

/// How a running step stands. At most two a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The step.
    pub step: StepId,
    /// Its state in one sentence, or empty.
    pub sentence: String,
    /// Its parts.
    pub rows: Vec<Row>,
    /// Done and total in the same unit; no total, no bar.
    pub bar: Option<(u64, u64)>,
    /// Seconds left, once that can be said.
    pub left_s: Option<u64>,
}

impl Progress {
    /// How much is done, in percent; never all of it while the step runs: only its own verdict says that.
    pub fn percent(&self) -> Option<u64> {
        let (done, total) = self.bar.filter(|(_, total)| *total > 0)?;
        let percent = u128::from(done) * 100 / u128::from(total);
        u64::try_from(percent.min(99)).ok()
    }
}

/// Why an engine stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stopped {
    /// The run is at its end.
    Finished,
    /// What the run changed is put back, and the run at its end.
    RolledBack,
    /// It paused or was stopped, and can be resumed.
    Paused { reason: String },
    /// It needs an answer that nobody gives.
    NeedsAnswer { step: String, what: String },
    /// A gate or check refuses.
    Refused { problem: Diagnostic },
    /// A step failed and nobody decides.
    Failed { problem: Diagnostic },
    /// The journal could not be written, or another fault of this machine: nothing further was done.
    Fault { problem: Diagnostic },
}

/// Whether the target is still the one that the run is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// It answers with the same ids.
    Same,
    /// It could not be asked.
    Unknown,
    /// It answers with other ids.
    Different,
}

/// What a run tells its front ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A record is durable.
    Recorded { at: Timestamp, record: Box<Record> },
    /// How the running step stands.
    Progress { progress: Progress },
    /// `output/<step>.log` has grown to so many bytes. At most ten a second.
    OutputChanged { step: StepId, bytes: u64 },
    /// The run needs an answer; replaces the question before. Numbers only grow.
    Asking { number: u64, question: Box<Question> },
    /// The question is answered.
    Answered,
    /// Identity of the target as last read. Told when that changes; it begins as the same.
    Identity { at: Timestamp, state: Likeness },
    /// The secret that was asked for under this handle is not shown; why, without its value.
    NotShown { handle: SecretHandle, reason: String },
    /// The engine ended.
    Stopped { stopped: Stopped },
}
