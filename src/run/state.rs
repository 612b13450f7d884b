//! The state of a run: a fold over its records and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Environment, FieldKind, Form, Outcome, PlannedPhase, PlannedStep, Purpose, Record, Repeat, Risk, RunbookRef,
    StepId, Taken, TakenStep, Verdict,
};
use crate::{
    ports::{Acting, Identity},
    text::Diagnostic,
};

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum StepState {
    /// Not begun.
    #[default]
    NotYet,
    /// Begun at this time, or its gate opened then, and not ended: running, or in doubt after a crash.
    Begun { since: Timestamp, repeat: Repeat },
    /// Done.
    Done { at: Timestamp, summary: String },
    /// Does not apply.
    Skipped { reason: String },
    /// Failed.
    Failed { at: Timestamp, problem: Diagnostic },
    /// Stopped by the operator.
    Stopped { reason: String },
    /// What it had changed was put back.
    Undone { at: Timestamp, sentence: String },
}

impl StepState {
    /// Whether nothing remains to be done.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Skipped { .. })
    }
}

/// One change inside a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectState {
    /// The step.
    pub step: StepId,
    /// What it is, as written before.
    pub effect: String,
    /// The answer, once there was one.
    pub result: Option<String>,
    /// When it was about to be sent.
    pub at: Timestamp,
    /// When it was answered.
    pub answered: Option<Timestamp>,
}

/// Something shown to be true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceState {
    /// The step that showed it.
    pub step: StepId,
    /// What it is about.
    pub subject: String,
    /// Rung of the ladder.
    pub level: u8,
    /// In words.
    pub sentence: String,
    /// In numbers and hashes.
    pub facts: Value,
    /// When.
    pub at: Timestamp,
}

/// Everything that is known of a run. Its flags are independent facts, each set by one record.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Default)]
pub struct RunState {
    /// Id of the run.
    pub run: String,
    /// Its runbook.
    pub runbook: Option<RunbookRef>,
    /// Its target.
    pub target: Option<Identity>,
    /// Name of the kubeconfig context it was reached by.
    pub context: String,
    /// Whom it acts as there.
    pub acting: Acting,
    /// What the target counts as.
    pub environment: Environment,
    /// Whether nothing here is real.
    pub practice: bool,
    /// Inputs chosen at the start.
    pub inputs: Value,
    /// The run that this one goes on from, if any.
    pub taken: Option<Taken>,
    /// Phases of the plan.
    pub phases: Vec<PlannedPhase>,
    /// Steps of the plan, in order.
    pub plan: Vec<PlannedStep>,
    /// Whether the plan was approved.
    pub approved: bool,
    /// State by step; absent means not yet.
    pub steps: BTreeMap<StepId, StepState>,
    /// Attempts by step.
    pub attempts: BTreeMap<StepId, u32>,
    /// When the newest attempt was begun first, by step: taken up again after a crash, it is the same.
    pub begun: BTreeMap<StepId, Timestamp>,
    /// Facts by step, for templates.
    pub facts: BTreeMap<StepId, Value>,
    /// Changes inside steps.
    pub effects: Vec<EffectState>,
    /// Evidence, oldest first.
    pub evidence: Vec<EvidenceState>,
    /// Items confirmed, by step and item.
    pub confirmed: BTreeMap<(StepId, String), String>,
    /// The last choice about a step that did not end well; its next intent takes it back.
    pub decided: BTreeMap<StepId, String>,
    /// Steps before or in which the run was left, and later taken up again.
    pub broken_off: BTreeSet<StepId>,
    /// Probes since the last resume.
    pub probes: BTreeMap<StepId, (Verdict, String)>,
    /// Whether the run is at its end.
    pub finished: bool,
    /// How to go back after that, one command a line.
    pub way_back: Vec<String>,
    /// Whether it was given up.
    pub abandoned: bool,
    /// Whether it was made elsewhere, and taken in from its recovery set.
    pub imported: bool,
    /// Whether what it changed is being put back, and nothing else is done any more.
    pub rolling_back: bool,
    /// Whether all of that is put back.
    pub rolled_back: bool,
    /// Time of the first and last record.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Number of records.
    pub records: u64,
}

impl RunState {
    /// The run's short name for people: what follows the last hyphen.
    pub fn short(&self) -> &str {
        short_of(&self.run)
    }

    /// The state after these records.
    pub fn of<'a>(records: impl IntoIterator<Item = (Timestamp, &'a Record)>) -> Self {
        let mut state = Self::default();
        for (at, record) in records {
            state.apply(at, record);
        }
        state
    }

    /// Takes one record in.
    pub fn apply(&mut self, at: Timestamp, record: &Record) {
        self.records += 1;
        self.times = Some(self.times.map_or((at, at), |(first, _)| (first, at)));
        match record {
            Record::Started { run, runbook, target, context, acting, environment, practice, inputs, .. } => {
                self.run.clone_from(run);
                self.runbook = Some(runbook.clone());
                self.target = Some(target.as_ref().clone());
                self.context.clone_from(context);
                self.acting = acting.clone();
                self.environment = *environment;
                self.practice = *practice;
                self.inputs = inputs.clone();
            }
            Record::TakenOver { run, purpose, records, steps, evidence, .. } => {
                for TakenStep { step, at, summary, facts } in steps {
                    self.facts.insert(step.id.clone(), facts.clone());
                    self.steps.insert(step.id.clone(), StepState::Done { at: *at, summary: summary.clone() });
                }
                self.evidence.extend(evidence.iter().cloned());
                let steps = steps.iter().map(|taken| taken.step.clone()).collect();
                self.taken = Some(Taken { run: run.clone(), purpose: *purpose, records: *records, steps });
            }
            Record::Planned { phases, steps } => {
                self.phases.clone_from(phases);
                self.plan.clone_from(steps);
            }
            Record::Approved { .. } => self.approved = true,
            Record::Intent { step, attempt, repeat } => {
                if self.attempts.insert(step.clone(), *attempt) != Some(*attempt) {
                    self.begun.insert(step.clone(), at);
                }
                self.decided.remove(step);
                self.steps.insert(step.clone(), StepState::Begun { since: at, repeat: *repeat });
            }
            Record::Effect { step, effect } => {
                self.effects.push(EffectState {
                    step: step.clone(),
                    effect: effect.clone(),
                    result: None,
                    at,
                    answered: None,
                });
            }
            Record::Effected { step, effect, result } => {
                let open = self.effects.iter_mut().rev().find(|e| e.step == *step && e.effect == *effect);
                if let Some(open) = open {
                    open.result = Some(result.clone());
                    open.answered = Some(at);
                }
            }
            Record::Refused { step, effect, .. } => {
                // only this try: an earlier one whose answer was lost may have been made
                let tried = |e: &EffectState| e.step == *step && e.effect == *effect && e.result.is_none();
                if let Some(at) = self.effects.iter().rposition(tried) {
                    self.effects.remove(at);
                }
            }
            Record::Ended { step, outcome, .. } => self.end(at, step, outcome),
            Record::Confirmed { step, item, reason, .. } => {
                self.confirmed.insert((step.clone(), item.clone()), reason.clone());
            }
            Record::Evidence { step, subject, level, sentence, facts } => self.evidence.push(EvidenceState {
                step: step.clone(),
                subject: subject.clone(),
                level: *level,
                sentence: sentence.clone(),
                facts: facts.clone(),
                at,
            }),
            Record::Probed { step, verdict, sentence } => {
                self.probes.insert(step.clone(), (*verdict, sentence.clone()));
            }
            Record::Reopened { steps, .. } => self.steps.retain(|step, _| !steps.contains(step)),
            Record::Resumed { .. } => {
                self.probes.clear();
                let next = self.plan.iter().find(|step| !self.step(&step.id).is_over()).map(|step| step.id.clone());
                self.broken_off.extend(next);
            }
            Record::Finished { way_back, .. } => {
                self.finished = true;
                self.way_back.clone_from(way_back);
            }
            Record::Abandoned { .. } => self.abandoned = true,
            Record::Imported { .. } => self.imported = true,
            Record::RollBack { .. } => self.rolling_back = true,
            Record::RolledBack { .. } => self.rolled_back = true,
            Record::Decided { step, choice, .. } => {
                self.decided.insert(step.clone(), choice.clone());
            }
            Record::GateOpened { step, .. } => {
                // the time at its gate is the operator's: the step runs from here on
                if let Some(StepState::Begun { since, .. }) = self.steps.get_mut(step) {
                    *since = at;
                }
            }
            Record::Captured { .. } | Record::Paused { .. } => {}
        }
    }

    fn end(&mut self, at: Timestamp, step: &StepId, outcome: &Outcome) {
        let state = match outcome {
            Outcome::Done { summary, facts } => {
                self.facts.insert(step.clone(), facts.clone());
                StepState::Done { at, summary: summary.clone() }
            }
            Outcome::Skipped { reason } => StepState::Skipped { reason: reason.clone() },
            Outcome::Failed { problem } => StepState::Failed { at, problem: problem.as_ref().clone() },
            Outcome::Stopped { reason } => StepState::Stopped { reason: reason.clone() },
            Outcome::Undone { sentence } => StepState::Undone { at, sentence: sentence.clone() },
        };
        self.steps.insert(step.clone(), state);
    }

    /// Whether nothing goes on any more: finished, given up, or rolled back.
    pub fn is_at_end(&self) -> bool {
        self.finished || self.abandoned || self.rolled_back || self.imported
    }

    /// State of a step.
    pub fn step(&self, id: &StepId) -> &StepState {
        const NOT_YET: &StepState = &StepState::NotYet;
        self.steps.get(id).unwrap_or(NOT_YET)
    }

    /// The first step of the plan that is not over.
    pub fn next(&self) -> Option<&PlannedStep> {
        self.plan.iter().find(|step| !self.step(&step.id).is_over())
    }

    /// The plan's entry of a step; of one that was taken over, the other run's.
    pub fn planned(&self, id: &StepId) -> Option<&PlannedStep> {
        let taken = self.taken.iter().flat_map(|taken| &taken.steps);
        self.plan.iter().chain(taken).find(|step| step.id == *id)
    }

    /// The version that this run leads to: the one of its inputs, or the one that an earlier run captured and this one puts back.
    pub fn leads_to(&self) -> &str {
        let back = self.taken.iter().filter(|taken| taken.purpose != Purpose::ClearUp);
        let mut captured = back.flat_map(|taken| &taken.steps).filter(|step| step.kind == "capture");
        let before = captured.find_map(|step| self.facts.get(&step.id)?["version"].as_str());
        before.or_else(|| self.inputs.get("to_version")?.as_str()).unwrap_or_default()
    }

    /// The run in whose name the vault keeps what `step` captured.
    pub fn keeper_of(&self, step: &str) -> &str {
        self.taken.as_ref().filter(|taken| taken.has(step)).map_or(&self.run, |taken| &taken.run)
    }

    /// How many steps are done, in words.
    pub fn count_steps(&self) -> String {
        let count =
            |wanted: fn(&StepState) -> bool| self.plan.iter().filter(|step| wanted(self.step(&step.id))).count();
        let done = count(|step| matches!(step, StepState::Done { .. }));
        let skipped = count(|step| matches!(step, StepState::Skipped { .. }));
        let all = format!("{done} of {} steps are done", self.plan.len());
        if skipped == 0 { all } else { format!("{all}, {skipped} did not apply") }
    }

    /// Whether this run was about to change more of its target than a backup does, which stops writers and starts them again, and
    /// restores in a scratch place.
    pub fn has_changed(&self) -> bool {
        const PASSING: [&str; 4] = ["scale", "dump", "rehearse", "seal"];
        let is_passing = |kind: &str| PASSING.contains(&kind);
        self.effects.iter().any(|effect| self.planned(&effect.step).is_none_or(|step| !is_passing(&step.kind)))
    }

    /// Whether a removal of this run was about to be sent: of objects, or of kept volumes. A rehearsal deletes, too: only its own
    /// scratch namespace.
    pub fn removal_begun(&self) -> bool {
        self.changed_by("delete") || self.changed_by("release")
    }

    /// Whether a step of this run made this namespace: its later steps work there.
    pub fn works_in(&self, place: &Identity) -> bool {
        let made = self.plan.iter().filter(|step| step.kind == "namespace").filter_map(|step| self.facts.get(&step.id));
        made.filter_map(|facts| serde_json::from_value::<Identity>(facts.get("place")?.clone()).ok())
            .any(|made| made.same_place(place))
    }

    /// Whether a human was asked to do something outside of this run: from then on others may count on what it made.
    pub fn handed_over(&self) -> bool {
        self.plan.iter().any(|step| step.kind == "manual" && self.attempts.contains_key(&step.id))
    }

    /// Whether a step of this kind was about to change something.
    fn changed_by(&self, kind: &str) -> bool {
        self.effects.iter().any(|effect| self.planned(&effect.step).is_some_and(|step| step.kind == kind))
    }

    /// A failure of a step with what is still safe and what helps, where the step itself did not say it.
    pub fn reassure(&self, step: &PlannedStep, problem: Diagnostic) -> Diagnostic {
        let safe = match step.risk {
            _ if self.changed_by("release") => "what is deployed now, the proven dump here, the vault".to_owned(),
            _ if self.removal_begun() => {
                "the proven dump here, the volumes that were set to keep, the vault".to_owned()
            }
            Risk::Reversible => format!("what was there before this step; its undo: {}", step.undo),
            Risk::None | Risk::Irreversible => "everything: by this step nothing was changed".to_owned(),
        };
        problem.or("", &safe, "mend the cause, then try this step again: what is done is not done again")
    }

    /// In practice, the file that a form asks for: the example of its field. It lies in the folder that practice runs in; a
    /// test of the practice world holds the two together.
    pub fn laid_file<'a>(&self, form: &'a Form) -> Option<&'a str> {
        let file = form.fields.iter().find(|field| field.kind == FieldKind::SecretFile && !field.example.is_empty());
        file.filter(|_| self.practice).map(|field| field.example.as_str())
    }

    /// The newest evidence about `subject` at `level` or above.
    pub fn proof(&self, subject: &str, level: u8) -> Option<&EvidenceState> {
        self.evidence.iter().rev().find(|e| e.subject == subject && e.level >= level)
    }
}

/// A run's short name for people: what follows the last hyphen.
pub fn short_of(run: &str) -> &str {
    run.rsplit('-').next().unwrap_or(run)
}
