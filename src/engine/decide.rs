//! What the operator is asked about a step that did not end well, and what follows from the choice.

use super::{
    again,
    executor::{Engine, Next},
    plan::PlanStep,
    roll_back::ROLL_BACK,
};
use crate::{
    actions::{ActionSpec, Driver, Halt, StepCx},
    run::{Choice, Outcome, Question, Record, Repeat, Reply, StepState, Stopped, WAY_BACK},
    text::{Diagnostic, quoted},
};

/// What is confirmed of a step before it begins.
const CONSENT: &str = "consent";
/// The choice to try a step that failed again.
const RETRY: &str = "retry";
/// The choice to do again what may have been done.
const AGAIN: &str = "again";
/// The choice to believe that it was done.
const DONE: &str = "done";
/// The choice to leave the run paused.
const STOP: &str = "stop";

pub(super) fn choice(id: &str, label: &str, cost: &str) -> Choice {
    Choice { id: id.into(), label: label.into(), cost: cost.into() }
}

/// The choice to be told how to get back what was removed.
pub(super) fn show_the_way_back() -> Choice {
    choice(WAY_BACK, "Show the way back", "the commands, with the names of this run; changes nothing")
}

impl Engine {
    /// A step failed: the run pauses, and a human chooses.
    pub(super) async fn decide(
        &self,
        step: &PlanStep,
        problem: Diagnostic,
        stopped: fn(Diagnostic) -> Stopped,
    ) -> Result<Next, Halt> {
        let action = step.spec.action();
        let cost = match action.repeat() {
            Repeat::Never if action.has_gate() => "asks for the typed words again",
            Repeat::Never => "what it did before it failed is done twice",
            Repeat::Safe | Repeat::Guarded => "what is done is not done again",
        };
        // a step that names an earlier one fails again without it
        let mut choices = again::choices(&problem, &self.plan, &self.core.state());
        choices.push(choice(RETRY, "Try this step again", cost));
        if self.core.state().removal_begun() {
            choices.push(show_the_way_back());
        } else {
            choices.extend(self.roll_back_choice().await);
        }
        choices.push(choice(STOP, "Leave it paused, look first", "changes nothing"));
        // a stop that ended the step does not answer the question about it
        self.core.renew_cancel();
        let mut shown = problem.clone();
        let chosen = loop {
            match self.choose(step, &shown, choices.clone(), 0, "failed").await {
                Ok(choice) if choice == WAY_BACK => {
                    shown = problem.clone();
                    shown.help = self.way_back().await;
                }
                chosen => break chosen,
            }
        };
        match chosen {
            Ok(choice) => match self.follow(&choice, &problem.what).await? {
                Some(next) => Ok(next),
                None => Ok(Next::Stop(Box::new(stopped(problem)))),
            },
            Err(Halt::NeedsAnswer(_) | Halt::Stopped(_)) => Ok(Next::Stop(Box::new(stopped(problem)))),
            Err(other) => Err(other),
        }
    }

    /// What a choice leads to: another try, earlier steps again, a roll back; `None` leaves the run paused.
    async fn follow(&self, choice: &str, reason: &str) -> Result<Option<Next>, Halt> {
        let by = self.core.world.host.operator();
        if choice == ROLL_BACK {
            self.core.record(Record::RollBack { by, reason: reason.to_owned() }).await?;
            return Ok(Some(Next::Stop(Box::new(self.roll_back().await?))));
        }
        if let Some(from) = again::chosen(choice) {
            let steps = again::reopened(&from, &self.plan, &self.core.state());
            self.core.record(Record::Reopened { steps, by, reason: reason.to_owned() }).await?;
            return Ok(Some(Next::Again));
        }
        Ok((choice == RETRY).then_some(Next::Again))
    }

    /// The operator left an open gate before its words were typed. Nothing happened; where to go from here is theirs to say,
    /// since the last step that they answered may lie far back.
    pub(super) async fn left_gate(&self, step: &PlanStep) -> Result<Next, Halt> {
        let what = "you went back from the gate; nothing was deleted";
        let problem = Diagnostic::new(what)
            .proves("nothing: no step failed, and what was proven stays proven")
            .safe("everything: no change was sent since the gate was shown");
        let problem = again::before(step, &self.plan, &self.core.state()).into_iter().fold(problem, Diagnostic::again);
        let mut choices = vec![choice(RETRY, "Look at the gate again", "reads all again, with a new word")];
        choices.extend(again::choices(&problem, &self.plan, &self.core.state()));
        choices.extend(self.roll_back_choice().await);
        choices.push(choice(STOP, "Leave it paused", "changes nothing"));
        self.core.renew_cancel();
        let stopped = || {
            Next::Stop(Box::new(Stopped::Paused { reason: "the operator left the gate; nothing was deleted".into() }))
        };
        match self.choose(step, &problem, choices, 0, "gate").await {
            Ok(choice) => {
                Ok(self.follow(&choice, "the operator went back from the gate").await?.unwrap_or_else(stopped))
            }
            Err(Halt::NeedsAnswer(_) | Halt::Stopped(_)) => Ok(stopped()),
            Err(other) => Err(other),
        }
    }

    /// A step that says what it needs the operator's word for does not begin without it. Once given, it holds for the run.
    pub(super) async fn agreed(&self, step: &PlanStep, cx: &StepCx) -> Result<(), Halt> {
        let id = &step.planned.id;
        if step.consent.is_empty() || self.core.state().confirmed.contains_key(&(id.clone(), CONSENT.to_owned())) {
            return Ok(());
        }
        let text = step.consent.iter().map(|line| cx.render(line)).collect::<Result<Vec<_>, _>>()?;
        let question = Question::Confirm { step: id.clone(), text, button: step.planned.title.clone(), person: false };
        loop {
            match self.core.ask(question.clone()).await? {
                Reply::Continue => break,
                Reply::Back => return Err(Halt::Back),
                _ => {}
            }
        }
        let (by, item, reason) = (self.core.world.host.operator(), CONSENT.to_owned(), String::new());
        self.core.record(Record::Confirmed { step: id.clone(), item, by, reason }).await
    }

    /// A step that must never be repeated was begun before, and nobody knows how far it came: a human says whether it was
    /// done. `None` lets it run, since it was never begun, or since the operator wants it again.
    pub(super) async fn doubt(&self, step: &PlanStep) -> Result<Option<Next>, Halt> {
        let (id, number) = (&step.planned.id, &step.planned.number);
        let state = self.core.state();
        let Some(attempt) = state.attempts.get(id).copied() else { return Ok(None) };
        if matches!(state.decided.get(id).map(String::as_str), Some(RETRY | AGAIN)) {
            return Ok(None);
        }
        let how = match state.step(id) {
            StepState::Done { .. } | StepState::Skipped { .. } | StepState::Undone { .. } => return Ok(None),
            // reopened: what it was built on is done anew
            StepState::NotYet => "it was done once, and what it rests on was opened again since".to_owned(),
            StepState::Begun { .. } => "its end was not written".to_owned(),
            StepState::Failed { problem, .. } => problem.what.clone(),
            StepState::Stopped { reason } => reason.clone(),
        };
        let problem = Diagnostic::new(format!("step {number} must not be done twice, and it was begun before"))
            .cause(how)
            .proves("it may have been done, whole or in part; the target does not tell")
            .safe("everything: nothing was sent since")
            .help("look whether it was done, then choose");
        let choices = vec![
            choice(DONE, "It was done: go on with the next step", "does nothing"),
            choice(AGAIN, "Do it again", "what was done is done twice"),
            choice(STOP, "Leave it paused, look first", "changes nothing"),
        ];
        match self.choose(step, &problem, choices, 2, "doubt").await?.as_str() {
            AGAIN => Ok(None),
            DONE => {
                let summary = format!("was done before, said {}", self.core.world.host.operator());
                let facts = serde_json::json!({});
                self.end(id, attempt, Outcome::Done { summary, facts }).await?;
                Ok(Some(Next::Again))
            }
            _ => {
                let reason = format!("step {number} is left as it is; look whether it was done");
                Ok(Some(Next::Stop(Box::new(Stopped::Paused { reason }))))
            }
        }
    }

    /// A roll back did not come to its end: whether it is tried again.
    pub(super) async fn retry_roll_back(&self, step: &PlanStep, problem: &Diagnostic) -> Result<bool, Halt> {
        let choices = vec![
            choice(RETRY, "Go on with the roll back", "what is as before already is not touched"),
            choice(STOP, "Leave it paused, look first", "changes nothing"),
        ];
        self.core.renew_cancel();
        match self.choose(step, problem, choices, 0, "roll back").await {
            Ok(choice) => Ok(choice == RETRY),
            Err(Halt::NeedsAnswer(_) | Halt::Stopped(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// The way back once a removal was begun, one command a line.
    pub(super) async fn way_back(&self) -> Vec<String> {
        let delete = self.plan.steps.iter().find_map(|step| match &step.spec {
            ActionSpec::Delete(spec) => Some((step, spec)),
            _ => None,
        });
        let Some((step, spec)) = delete else {
            // what was kept is given back: nothing else was ever the fast way
            return vec![
                "only the proven dump leads back, by a restore: its files are kept with the run that made it"
                    .to_owned(),
            ];
        };
        let Ok(cx) = self.context(step, self.core.renew_cancel()) else { return Vec::new() };
        // practice has a vault of its own
        let vault = if cx.driver.state().practice { self.typed.within("practice") } else { self.typed.clone() };
        match spec.way_back(&cx, &vault).await {
            Ok(lines) if spec.keeps_nothing(&cx) => lines,
            Ok(lines) => self.by_drydock().into_iter().chain(lines).collect(),
            Err(Halt::Failed(problem) | Halt::Refused(problem)) => {
                vec![format!("the way back cannot be told: {}", problem.what)]
            }
            Err(_) => vec!["the way back cannot be told now; ask again".to_owned()],
        }
    }

    /// The commands by which drydock itself leads back, where the runbook says how.
    fn by_drydock(&self) -> Vec<String> {
        let state = self.core.state();
        let (Some(target), Some(of)) = (&state.target, &state.runbook) else { return Vec::new() };
        let command = |intent: &String| {
            if state.practice {
                return format!("practice --intent {intent}");
            }
            let (short, context, namespace) = (state.short(), quoted(&state.context), &target.namespace);
            format!("start {} --intent {intent} --of {short} --context {context} -n {namespace}", of.id)
        };
        self.plan
            .ways_back
            .iter()
            .map(|intent| format!("drydock leads back, step by step: {}", self.typed.command(&command(intent))))
            .collect()
    }

    /// Asks until one of the choices is made, and writes it down.
    pub(super) async fn choose(
        &self,
        step: &PlanStep,
        problem: &Diagnostic,
        choices: Vec<Choice>,
        recommended: usize,
        about: &str,
    ) -> Result<String, Halt> {
        loop {
            let (step, problem, choices) = (step.planned.id.clone(), problem.clone(), choices.clone());
            let question = Question::Choose { step: step.clone(), problem, choices: choices.clone(), recommended };
            let choice = match self.core.ask(question).await? {
                Reply::Choose { choice } => choice,
                // every list ends in the choice that leaves all as it is
                Reply::Back => choices.last().map_or_else(String::new, |last| last.id.clone()),
                _ => continue,
            };
            if choices.iter().any(|known| known.id == choice) {
                let (question, by, reason) = (about.to_owned(), self.core.world.host.operator(), String::new());
                self.core.record(Record::Decided { step, question, choice: choice.clone(), by, reason }).await?;
                return Ok(choice);
            }
        }
    }
}
