//! What HAPPENED in a run: records, the state folded from them, and the words in which a run and its front ends talk.
//!
//! Owns: [`Record`], [`RunState`], [`Command`], [`Event`], [`Question`], forms, the output line. Pure: no input, no output,
//! no clock. Called by `engine` (writes records), `app`, `plain`, `json` (show them), `cli` (report).

mod command;
mod environment;
mod form;
mod ids;
mod item;
mod link;
mod login;
mod mask;
mod outage;
mod output;
mod question;
mod record;
pub mod report;
mod state;
mod taken;
mod timing;

pub use command::{Command, Event, FieldInput, Likeness, Progress, Reply, Row, SecretHandle, SecretName, Stopped};
pub use environment::Environment;
pub use form::{Field, FieldKind, Form};
pub use ids::StepId;
pub use item::{FieldValue, Item, JsonType, Live, member_names, secret_name};
pub use link::Link;
pub use login::{is_telling, secrets_within, without_logins};
pub use mask::{HIDDEN, equal_but_for_masks, is_mask, masks_within};
pub use outage::Outage;
pub use output::{EVENT, OutputLine, Tag};
pub use question::{Check, CheckResult, Choice, Gate, Lock, Question, ReapplyItem, ReapplyState, Removal, WAY_BACK};
pub use record::{Outcome, PlannedPhase, PlannedStep, Record, Repeat, Risk, RunbookRef, Service, Sign, Verdict};
pub use state::{EffectState, EvidenceState, RunState, StepState, short_of};
pub use taken::{Purpose, Taken, TakenStep};
pub use timing::{Timing, Timings};
