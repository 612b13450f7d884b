//! Rolling back: what this run changed is put back, last change first, each written down before it is made and read back after.
//! Only while nothing irreversible was begun, and only on the target the run is tied to. Taken up again after a kill, it goes
//! on where it was: what is as before already is not touched.

use std::{sync::atomic::Ordering, time::Duration};

use super::{executor::Engine, plan::PlanStep};
use crate::{
    actions::{Driver, Halt, StepCx},
    run::{Choice, Outcome, Question, Record, Repeat, Reply, StepState, Stopped},
    text::{Diagnostic, units},
};

/// The choice to undo what the run changed.
pub const ROLL_BACK: &str = "roll-back";
/// Longest look for what could be undone: a failure is shown also where nothing answers.
const LOOK: Duration = Duration::from_secs(10);
/// Longest look where nothing else is shown meanwhile.
const LONG_LOOK: Duration = Duration::from_secs(60);
/// Longest time that one step's undo is estimated to take, in seconds: none does the work of its step again.
const LONGEST: u64 = 60;

impl Engine {
    /// The choice to roll back, with what it would undo now; none where nothing could be, or where that cannot be read.
    pub(super) async fn roll_back_choice(&self) -> Option<Choice> {
        // what brings the other run's removal back is not undone half way: it is finished
        if self.core.state().taken.is_some() {
            return None;
        }
        let (what, seconds) = tokio::time::timeout(LOOK, self.undoable()).await.ok()?.ok()?;
        (!what.is_empty()).then(|| Choice {
            id: ROLL_BACK.to_owned(),
            label: "Roll back: undo what this run changed".to_owned(),
            cost: format!("{}; {}", what.join(", "), units::about(seconds)),
        })
    }

    /// What could be undone now, last change first, and the seconds it takes about.
    async fn undoable(&self) -> Result<(Vec<String>, u64), Halt> {
        let (mut all, mut seconds) = (Vec::new(), 0);
        for step in self.begun_backwards().into_iter().filter(|step| step.place.is_none()) {
            let cx = self.context(step, self.core.renew_cancel())?;
            self.may_undo(&cx).await?;
            let what = step.spec.action().undoable(&cx).await?;
            if !what.is_empty() {
                seconds += step.planned.estimate_s.min(LONGEST);
            }
            all.extend(what);
        }
        Ok((all, seconds))
    }

    /// A run is given up: what would be put back is read and told, and put back once the operator agrees.
    pub(super) async fn give_up(&self, reason: &str) -> Result<Stopped, Halt> {
        let host = &self.core.world.host;
        let (by, on) = (host.operator(), host.name());
        let resumed = Record::Resumed { operator: by.clone(), host: on, tool: env!("CARGO_PKG_VERSION").to_owned() };
        self.core.record(resumed).await?;
        let Ok(looked) = tokio::time::timeout(LONG_LOOK, self.undoable()).await else {
            let problem =
                Diagnostic::new(format!("what would be put back was not answered within {} s", LONG_LOOK.as_secs()))
                    .safe("everything: nothing was sent")
                    .help("see that the cluster answers, then give the run up again");
            return Err(problem.into());
        };
        let (what, seconds) = looked?;
        if let Some(last) = self.begun_backwards().first().filter(|_| !what.is_empty()) {
            let mut text = vec![format!(
                "This run is given up. What it changed is put back, last change first, {}:",
                units::about(seconds)
            )];
            text.extend(what);
            text.push("Each is read back. Nothing was removed for good; the dump and the vault stay here.".to_owned());
            let step = last.planned.id.clone();
            let question = Question::Confirm { step, text, button: "Put it back".to_owned(), person: false };
            loop {
                match self.core.ask(question.clone()).await? {
                    Reply::Continue => break,
                    Reply::Back => {
                        let reason = "not given up; nothing was put back".to_owned();
                        self.core.record(Record::Paused { reason: reason.clone() }).await?;
                        return Ok(Stopped::Paused { reason });
                    }
                    _ => {}
                }
            }
        }
        self.core.record(Record::RollBack { by, reason: reason.to_owned() }).await?;
        self.roll_back().await
    }

    /// Steps that were begun in this run, the last of the plan first.
    fn begun_backwards(&self) -> Vec<&PlanStep> {
        let state = self.core.state();
        self.plan.steps.iter().rev().filter(|step| state.attempts.contains_key(&step.planned.id)).collect()
    }

    /// Whether anything may be put back.
    async fn may_undo(&self, cx: &StepCx) -> Result<(), Halt> {
        if self.core.state().removal_begun() {
            return Err(Halt::Refused(Box::new(
                Diagnostic::new("the removal was begun: putting back what came before it would not bring it back")
                    .safe("the proven dump here, the volumes that were set to keep, the vault")
                    .help("leave it paused, or go on; the way back leads over the kept volumes"),
            )));
        }
        if self.plan.deployment.is_some() { cx.same_place().await } else { Ok(()) }
    }

    /// What is left of a roll back that was chosen, until it is done or a human leaves it paused.
    pub(super) async fn roll_back(&self) -> Result<Stopped, Halt> {
        for step in self.begun_backwards() {
            loop {
                if self.core.pause.load(Ordering::SeqCst) {
                    let reason = "the roll back is paused; resumed, it goes on";
                    self.core.record(Record::Paused { reason: reason.into() }).await?;
                    return Ok(Stopped::Paused { reason: reason.into() });
                }
                let (problem, stopped): (_, fn(Diagnostic) -> Stopped) = match self.undo(step).await {
                    Ok(()) => break,
                    Err(Halt::Failed(problem)) => (*problem, |problem| Stopped::Failed { problem }),
                    Err(Halt::Refused(problem)) => (*problem, |problem| Stopped::Refused { problem }),
                    Err(other) => return Err(other),
                };
                if !self.retry_roll_back(step, &problem).await? {
                    return Ok(stopped(problem));
                }
            }
        }
        let state = self.core.state();
        let undone = |step: &&PlanStep| matches!(state.step(&step.planned.id), StepState::Undone { .. });
        let count = self.plan.steps.iter().filter(undone).count();
        let summary = format!("what {} changed is as before", units::plural(count, "step", "steps"));
        self.core.record(Record::RolledBack { summary }).await?;
        Ok(Stopped::RolledBack)
    }

    /// Puts back what one step changed.
    async fn undo(&self, step: &PlanStep) -> Result<(), Halt> {
        let id = &step.planned.id;
        let begun = matches!(self.core.state().step(id), StepState::Begun { .. });
        if let Some(place) = &step.place {
            // what was done in a namespace of ours goes with it, or stays in it: never a part of it alone
            let attempt = self.core.state().attempts.get(id).copied().unwrap_or(1);
            let sentence = format!("what it did is in the namespace of step {place}, which is put back as a whole");
            return if begun { self.end(id, attempt, Outcome::Undone { sentence }).await } else { Ok(()) };
        }
        let cx = self.context(step, self.core.renew_cancel())?;
        self.may_undo(&cx).await?;
        let action = step.spec.action();
        // begun and not ended: the change was perhaps made, and only its end is left to be written
        if action.undoable(&cx).await?.is_empty() && !begun {
            return Ok(());
        }
        self.core.record(Record::Intent { step: id.clone(), attempt: cx.attempt, repeat: Repeat::Guarded }).await?;
        let result = action.undo(&cx).await;
        self.core.flush_output().await;
        match result {
            Ok(sentence) => self.end(id, cx.attempt, Outcome::Undone { sentence }).await,
            Err(Halt::Failed(problem)) => {
                let safe = "what is as before already; nothing was removed for good";
                let problem = Box::new(problem.or("", safe, "mend the cause, then try again"));
                self.end(id, cx.attempt, Outcome::Failed { problem: problem.clone() }).await?;
                Err(Halt::Failed(problem))
            }
            Err(Halt::Stopped(reason)) => {
                self.end(id, cx.attempt, Outcome::Stopped { reason: reason.clone() }).await?;
                Err(Halt::Stopped(reason))
            }
            Err(other) => Err(other),
        }
    }
}
