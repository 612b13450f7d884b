//! The records of a journal. A record is a fact that is durable before anybody is shown it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Environment, EvidenceState, Purpose, StepId, TakenStep};
use crate::{
    ports::{Acting, Identity, Provenance},
    text::Diagnostic,
};

/// How hard a step is to undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Changes nothing.
    #[default]
    None,
    /// Changes something that can be put back.
    Reversible,
    /// Takes something away that only the proven backup or a kept volume brings back.
    Irreversible,
}

/// What the users of the application have; what is worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Everything.
    Up,
    /// It answers, and stores nothing new.
    ReadOnly,
    /// It does not answer, or not with its data.
    Down,
}

/// What resume may do with a step that was begun and not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// May simply run again.
    Safe,
    /// Is probed first; what is done is not done again.
    Guarded,
    /// Is never run again by itself: the operator decides, through its gate.
    Never,
}

/// A state symbol and its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// ✓ done, proven, same, ready
    Done,
    /// ● running, reading, starting
    Running,
    /// · not yet
    NotYet,
    /// ? needs you
    NeedsYou,
    /// ! careful, stuck, WARN
    Careful,
    /// ✗ failed, differs, FAIL
    Failed,
    /// ~ uncertain, part
    Uncertain,
    /// – waived
    Waived,
}

/// What a probe of a begun step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is done, as the target itself shows.
    Done,
    /// Nothing of it happened.
    NotDone,
    /// Part of it happened.
    Partly,
    /// The target does not tell.
    Unknown,
}

/// Which runbook a run follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunbookRef {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its own version.
    pub version: String,
    /// SHA-256 of its text, hex.
    pub digest: String,
    /// The intent chosen.
    pub intent: String,
}

/// A phase of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPhase {
    /// Title in a word or two, for the rail.
    pub title: String,
    /// What it is for, half a line.
    pub purpose: String,
    /// What it changes, half a line.
    pub changes: String,
}

/// A step of the plan, with all that a front end shows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// Its id.
    pub id: StepId,
    /// Its number, as `2.3`.
    pub number: String,
    /// Index of its phase.
    pub phase: usize,
    /// Title: verb and object.
    pub title: String,
    /// Why it is done.
    pub why: String,
    /// Kind of action, as the runbook writes it.
    pub kind: String,
    /// How hard it is to undo.
    pub risk: Risk,
    /// What it changes, for the facts row.
    pub changes: String,
    /// How it is undone, for the facts row.
    pub undo: String,
    /// What the users have once it is done; `None` means as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Estimate in seconds.
    pub estimate_s: u64,
    /// What it would do, with equivalent commands to copy; no secret.
    pub commands: Vec<String>,
    /// What is not known yet, and which step will tell.
    pub unknown: Vec<String>,
}

/// How an attempt at a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It is done. `facts` are what later steps may name (no secret); `summary` is one line.
    Done { summary: String, facts: Value },
    /// It does not apply here.
    Skipped { reason: String },
    /// It failed; the run pauses.
    Failed { problem: Box<Diagnostic> },
    /// The operator stopped it.
    Stopped { reason: String },
    /// What it had changed was put back.
    Undone { sentence: String },
}

/// One fact of a run. The first is large and there is one of it.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// The first record.
    Started {
        format: u32,
        run: String,
        runbook: RunbookRef,
        tool: String,
        target: Box<Identity>,
        context: String,
        /// Who is impersonated there, if anybody.
        #[serde(default, skip_serializing_if = "Acting::is_oneself")]
        acting: Acting,
        environment: Environment,
        operator: String,
        host: String,
        practice: bool,
        inputs: Value,
    },
    /// What other steps of an earlier run on the same target did, found and proved: this run goes on from there.
    /// `records` is how many records that run had by then.
    TakenOver {
        run: String,
        intent: String,
        purpose: Purpose,
        records: u64,
        steps: Vec<TakenStep>,
        evidence: Vec<EvidenceState>,
    },
    /// The plan the operator saw.
    Planned { phases: Vec<PlannedPhase>, steps: Vec<PlannedStep> },
    /// The operator approved the plan.
    Approved { by: String },
    /// A step is about to act. Durable before anything happens.
    Intent { step: StepId, attempt: u32, repeat: Repeat },
    /// One change inside a step is about to be made (a deletion, a creation).
    Effect { step: StepId, effect: String },
    /// How the target answered that change.
    Effected { step: StepId, effect: String, result: String },
    /// The target refused that change, which proves that it was not made.
    Refused { step: StepId, effect: String, reason: String },
    /// A step ended.
    Ended { step: StepId, attempt: u32, outcome: Outcome },
    /// An item was captured; its values are in the vault or in answers.json.
    Captured { step: StepId, item: String, field: String, secret: String, provenance: Provenance },
    /// An item counts as complete, or as none with a reason.
    Confirmed { step: StepId, item: String, by: String, reason: String },
    /// Something was shown to be true about an artifact or place.
    Evidence { step: StepId, subject: String, level: u8, sentence: String, facts: Value },
    /// Typed words opened a gate.
    GateOpened { step: StepId, by: String, removals: usize },
    /// The operator chose.
    Decided { step: StepId, question: String, choice: String, by: String, reason: String },
    /// Steps that were over are to be done again.
    Reopened { steps: Vec<StepId>, by: String, reason: String },
    /// A begun step was looked at after a crash.
    Probed { step: StepId, verdict: Verdict, sentence: String },
    /// A process took the run up again.
    Resumed { operator: String, host: String, tool: String },
    /// The operator asked for a pause at the next safe point, or the run paused.
    Paused { reason: String },
    /// The operator chose to undo what the run changed: from here on nothing else is done.
    RollBack { by: String, reason: String },
    /// All of that is put back: the run is at its end.
    RolledBack { summary: String },
    /// The run is at its end. How to go back all the same, one command a line; empty where nothing was removed.
    Finished {
        summary: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        way_back: Vec<String>,
    },
    /// The run was taken in from a recovery set: it goes on nowhere here, and others can go on from it.
    Imported { by: String, from: String },
    /// The operator gave the run up.
    Abandoned { by: String, reason: String },
}
