//! A yes that somebody gives before an action goes on: asked until it is answered. What it means is the caller's.

use super::context::{Halt, StepCx};
use crate::run::{Environment, Question, Reply};

/// Who may say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever answers the run, a file too.
    Anybody,
    /// Somebody in front of it.
    Person,
}

impl Who {
    /// Of production only a person says it, of everything else anybody.
    pub fn of(cx: &StepCx) -> Self {
        let of_production = cx.deployment.is_some() && cx.driver.state().environment == Environment::Prod;
        if of_production { Self::Person } else { Self::Anybody }
    }
}

/// Whether it was agreed to; if not, the operator wants to go back.
///
/// # Errors
/// Nobody is there to answer, or the run was stopped.
pub async fn agrees(cx: &StepCx, text: Vec<String>, button: &str, who: Who) -> Result<bool, Halt> {
    let (step, button) = (cx.step.clone(), button.to_owned());
    let question = Question::Confirm { step, text, button, person: who == Who::Person };
    loop {
        match cx.driver.ask(question.clone()).await? {
            Reply::Continue => return Ok(true),
            Reply::Back => return Ok(false),
            _ => {}
        }
    }
}
