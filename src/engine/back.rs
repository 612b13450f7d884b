//! Going back: from a form, a confirmation or a passing check to the last step before it that a human answered. What was typed
//! there is in its draft, its secrets in the vault; what was built on it is done again. From the first of them to the plan.

use super::{
    again,
    executor::{Engine, Next},
    plan::PlanStep,
};
use crate::{
    actions::{ActionSpec, Driver, Halt},
    run::{Outcome, Question, Record, Reply, StepId, StepState, Stopped},
};

impl Engine {
    /// The operator went back from `step`, whose attempt ends here.
    pub(super) async fn back(&self, step: &PlanStep, attempt: u32) -> Result<Next, Halt> {
        let id = &step.planned.id;
        let state = self.core.state();
        let reason = "the operator went back".to_owned();
        self.end(id, attempt, Outcome::Stopped { reason: reason.clone() }).await?;
        if state.removal_begun() {
            let reason = format!("{reason}; the removal was begun, so no earlier step is opened again");
            return Ok(Next::Stop(Box::new(Stopped::Paused { reason })));
        }
        let before = self.plan.steps.iter().take_while(|other| other.planned.id != *id);
        let answered = |other: &&PlanStep| {
            matches!(other.spec, ActionSpec::Ask(_) | ActionSpec::Confirm(_) | ActionSpec::Manual(_))
                && matches!(state.step(&other.planned.id), StepState::Done { .. })
        };
        let to = before.filter(answered).last().map(|other| &other.planned);
        let mut steps: Vec<StepId> = to.map(|to| again::reopened(&to.id, &self.plan, &state)).unwrap_or_default();
        steps.push(id.clone());
        let place = to.map_or_else(|| "the plan".to_owned(), |to| format!("{} {}", to.number, to.title));
        let by = self.core.world.host.operator();
        self.core.record(Record::Reopened { steps, by, reason: format!("went back to {place}") }).await?;
        Ok(match to {
            Some(_) => Next::Again,
            None => self.approve().await?.map_or(Next::Again, |stopped| Next::Stop(Box::new(stopped))),
        })
    }

    /// Shows the plan until it is approved; why the run stops where it is not.
    pub(super) async fn approve(&self) -> Result<Option<Stopped>, Halt> {
        let reason = if self.core.state().approved {
            "left at the plan; what was done so far stays done"
        } else {
            "the plan was not approved; nothing was changed"
        };
        loop {
            match self.core.ask(Question::Approve).await? {
                Reply::Approve => break,
                Reply::Back => return Ok(Some(Stopped::Paused { reason: reason.into() })),
                _ => {}
            }
        }
        if let Err(problem) = self.core.claim().await? {
            return Ok(Some(Stopped::Refused { problem }));
        }
        self.core.record(Record::Approved { by: self.core.world.host.operator() }).await?;
        Ok(None)
    }
}
