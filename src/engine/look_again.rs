//! A run that is taken up again: every step that was begun and not ended is looked at, and the operator chooses.

use super::{
    decide::{choice, show_the_way_back},
    executor::Engine,
    plan::PlanStep,
    roll_back::ROLL_BACK,
};
use crate::{
    actions::{Driver, Halt, Probed, StepCx},
    run::{Question, Record, Repeat, Reply, Sign, StepState, Stopped, Verdict, WAY_BACK},
    text::Diagnostic,
};

/// The choice to go on where the run was cut off.
const GO_ON: &str = "go-on";
/// The choice to leave it paused.
const LOOK: &str = "look";
/// What is decided here, in the journal.
const RESUME: &str = "resume";

impl Engine {
    /// After a crash: every step that was begun is looked at, and the operator chooses.
    pub(super) async fn look_again(&self) -> Result<Option<Stopped>, Halt> {
        let world = &self.core.world;
        let (operator, host) = (world.host.operator(), world.host.name());
        self.core.record(Record::Resumed { operator, host, tool: env!("CARGO_PKG_VERSION").to_owned() }).await?;
        let state = self.core.state();
        let (mut rows, mut uncertain, mut never, mut doubtful) = (Vec::new(), Vec::new(), None, None);
        for planned in &state.plan {
            let name = format!("{} {}", planned.number, planned.title);
            match state.step(&planned.id) {
                StepState::Done { summary, .. } => rows.push((Sign::Done, name, summary.clone(), "done".to_owned())),
                StepState::Begun { repeat, .. } => {
                    let Some(step) = self.plan.step(&planned.id) else { continue };
                    let probed = match self.context(step, self.core.renew_cancel()) {
                        Ok(cx) if state.rolling_back => undo_in_doubt(step, &cx).await,
                        Ok(cx) => step.spec.action().probe(&cx).await,
                        Err(halt) => Err(halt),
                    };
                    let (verdict, sentence) = match probed {
                        Ok(found) => (found.verdict, found.sentence),
                        Err(Halt::Failed(problem) | Halt::Refused(problem)) => (Verdict::Unknown, problem.what),
                        Err(other) => return Err(other),
                    };
                    self.core
                        .record(Record::Probed { step: planned.id.clone(), verdict, sentence: sentence.clone() })
                        .await?;
                    let word = match verdict {
                        Verdict::Done => "done, it says",
                        Verdict::NotDone => "not done",
                        Verdict::Partly => "part",
                        Verdict::Unknown => "unknown",
                    };
                    if *repeat == Repeat::Never {
                        never = Some(step.spec.action().has_gate());
                    }
                    doubtful = Some(step);
                    uncertain.push(format!("{name} was begun and its end was not written: {sentence}"));
                    rows.push((Sign::Uncertain, name, sentence, word.to_owned()));
                }
                StepState::Failed { problem, .. } => {
                    rows.push((Sign::Failed, name, problem.what.clone(), "failed".to_owned()));
                }
                StepState::Stopped { reason } => rows.push((Sign::Waived, name, reason.clone(), "stopped".to_owned())),
                StepState::Undone { sentence, .. } => {
                    rows.push((Sign::Done, name, sentence.clone(), "undone".to_owned()));
                }
                StepState::Skipped { reason } => {
                    rows.push((Sign::Waived, name, reason.clone(), "not needed".to_owned()));
                }
                StepState::NotYet => {}
            }
        }
        let Some(doubtful) = doubtful else { return Ok(None) };
        let on = match never {
            Some(true) => "asks for the typed words again",
            Some(false) => "asks whether it was done, does nothing twice by itself",
            None => "what is done is not done again",
        };
        let mut choices = vec![choice(GO_ON, "Go on", on)];
        if state.removal_begun() {
            choices.push(show_the_way_back());
        } else if !state.rolling_back {
            choices.extend(self.roll_back_choice().await);
        }
        choices.push(choice(LOOK, "Only look, leave it paused", "changes nothing"));
        // after a deletion that was cut off the harmless choice comes first
        let recommended = if never.is_some() { choices.len() - 1 } else { 0 };
        let question = Question::Resume { rows, uncertain: uncertain.clone(), choices: choices.clone(), recommended };
        let mut chosen = loop {
            match self.core.ask(question.clone()).await? {
                Reply::Choose { choice } if choices.iter().any(|known| known.id == choice) => break choice,
                _ => {}
            }
        };
        let by = self.core.world.host.operator();
        while chosen == WAY_BACK {
            let (step, question) = (doubtful.planned.id.clone(), RESUME.to_owned());
            let seen = Record::Decided { step, question, choice: chosen, by: by.clone(), reason: String::new() };
            self.core.record(seen).await?;
            let problem = Diagnostic::new("the program ended in the middle, after the removal was begun")
                .proves("nothing was sent since; what is there and what is gone was read from the cluster just now");
            let mut problem = self.core.state().reassure(&doubtful.planned, problem);
            problem.causes = uncertain.clone();
            problem.help = self.way_back().await;
            chosen = self.choose(doubtful, &problem, choices.clone(), recommended, RESUME).await?;
        }
        match chosen.as_str() {
            GO_ON => Ok(None),
            ROLL_BACK => {
                let reason = "chosen after the program ended in the middle".to_owned();
                self.core.record(Record::RollBack { by, reason }).await?;
                Ok(None)
            }
            _ => Ok(Some(Stopped::Paused { reason: "left paused after a look".into() })),
        }
    }
}

/// How far an undo came whose end was not written.
async fn undo_in_doubt(step: &PlanStep, cx: &StepCx) -> Result<Probed, Halt> {
    let left = step.spec.action().undoable(cx).await?;
    Ok(if left.is_empty() {
        Probed::new(Verdict::Done, "what it had changed is as before")
    } else {
        Probed::new(Verdict::NotDone, format!("still to be undone: {}", left.join(", ")))
    })
}
