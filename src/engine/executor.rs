//! The loop: next step, intent, act, outcome. Errors pause and ask; nothing is skipped.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{
    core::{Core, Front, Ledger},
    output::OutputLog,
    plan::{Plan, PlanStep, values},
    requires,
};
use crate::{
    actions::{Done, Driver, Halt, StepCx, place_of},
    ports::{VaultState, World},
    run::{
        Environment, Event, Likeness, Outcome, Question, Record, Repeat, Reply, RunState, StepId, StepState, Stopped,
    },
    text::{Diagnostic, Typed, condition},
};

/// Folder of what a run keeps, in its own.
const ARTIFACTS: &str = "artifacts";
const PAPERS: [&str; 3] = ["journal.jsonl", "runbook.yaml", "answers.json"];
/// How often the target's identity is read again while a run is on screen.
const IDENTITY: Duration = Duration::from_secs(10);
/// Longest wait for it.
const ANSWER: Duration = Duration::from_secs(5);

/// What an engine is made of.
pub struct Start {
    /// The plan.
    pub plan: Plan,
    /// The run so far.
    pub state: RunState,
    /// Drafts so far, by step.
    pub drafts: Map<String, Value>,
    /// The world.
    pub world: World,
    /// Where records go.
    pub ledger: Box<dyn Ledger>,
    /// The front end.
    pub front: Front,
    /// The run's folder, with `artifacts` and `output` in it.
    pub folder: PathBuf,
    /// Why the run is given up, where it is: what it changed is put back, and nothing else is done.
    pub giving_up: Option<String>,
    /// How a command that finds the run is typed.
    pub typed: Typed,
}

/// Owns a run while it runs.
pub struct Engine {
    pub(super) core: Arc<Core>,
    pub(super) plan: Arc<Plan>,
    pub(super) typed: Typed,
    folder: PathBuf,
    giving_up: Option<String>,
}

/// What comes after a step.
pub(super) enum Next {
    Again,
    Stop(Box<Stopped>),
}

impl Engine {
    /// Puts the parts together. Nothing happens yet.
    pub fn new(start: Start) -> Self {
        let output = OutputLog::start(start.folder.join("output"), start.front.events.clone());
        let plan = Arc::new(start.plan);
        let core =
            Core::new(start.world, start.state, start.ledger, start.drafts, start.front, output, Arc::clone(&plan));
        Self { core, plan, typed: start.typed, folder: start.folder, giving_up: start.giving_up }
    }

    /// Runs until the end, a pause, or a question that nobody answers.
    pub async fn run(self) -> Stopped {
        let watch = tokio::spawn(watch_identity(Arc::clone(&self.core)));
        let stopped = match self.go().await {
            Ok(stopped) => stopped,
            Err(halt) => stopped_by(halt),
        };
        // not waited for: a server that is silent must hold nobody back
        watch.abort();
        let stopped = self.core.without_secrets(stopped);
        self.core.flush_output().await;
        self.core.tell(Event::Stopped { stopped: stopped.clone() }).await;
        stopped
    }

    async fn go(&self) -> Result<Stopped, Halt> {
        if let Some(reason) = self.giving_up.as_ref().filter(|_| !self.core.state().rolling_back) {
            return self.give_up(reason).await;
        }
        let resumed = self.core.state().steps.values().any(|step| !matches!(step, StepState::NotYet));
        if !self.core.state().approved
            && let Some(stopped) = self.approve().await?
        {
            return Ok(stopped);
        }
        if !self.core.state().rolling_back {
            self.open_vault().await?;
        }
        self.core.recall().await;
        if resumed && let Some(stopped) = self.look_again().await? {
            return Ok(stopped);
        }
        if self.core.state().rolling_back {
            return self.roll_back().await;
        }
        loop {
            let state = self.core.state();
            let Some(next) = state.next().map(|step| step.id.clone()) else { break };
            if self.core.pause.load(Ordering::SeqCst) {
                let reason = if self.core.alone.is_cancelled() {
                    "the terminal went; the step in hand was finished"
                } else {
                    "paused by the operator"
                };
                self.core.record(Record::Paused { reason: reason.into() }).await?;
                return Ok(Stopped::Paused { reason: reason.into() });
            }
            let Some(step) = self.plan.step(&next) else {
                return Err(Halt::Fault(Box::new(Diagnostic::new(format!(
                    "the plan names step {next}, the runbook does not"
                )))));
            };
            if let Next::Stop(stopped) = self.step(step).await? {
                return Ok(*stopped);
            }
        }
        if !self.core.state().finished {
            let summary = self.core.state().count_steps();
            let begun = self.core.state().removal_begun();
            let way_back = if begun { self.way_back().await } else { self.start_again() };
            self.core.record(Record::Finished { summary, way_back }).await?;
        }
        Ok(Stopped::Finished)
    }

    /// The vault is open before the first step: a secret has somewhere to go from the first field on.
    async fn open_vault(&self) -> Result<(), Halt> {
        if !self.plan.needs_vault() {
            return Ok(());
        }
        let mut fault = String::new();
        loop {
            let exists = match self.core.world.secrets.state() {
                VaultState::Open => return Ok(()),
                VaultState::Locked => true,
                VaultState::Absent => false,
            };
            let reply = self.core.ask(Question::Vault { exists, fault: std::mem::take(&mut fault) }).await?;
            let Reply::Vault { passphrase } = reply else { continue };
            let Some(passphrase) = self.core.take_secret(passphrase).await else {
                fault = "the passphrase did not arrive; type it again".to_owned();
                continue;
            };
            if let Err(error) = self.core.world.secrets.open(&passphrase).await {
                fault = format!("{}: {}", error.what, error.detail);
            }
        }
    }

    /// What a step works with.
    ///
    /// # Errors
    /// It works in a namespace that is not there: nothing is done anywhere else instead.
    pub(super) fn context(&self, step: &PlanStep, cancel: CancellationToken) -> Result<StepCx, Halt> {
        let state = self.core.state();
        let target = match &step.place {
            Some(place) => place_of(&state, place)?,
            None => state.target.clone().unwrap_or_else(|| self.plan.target.clone()),
        };
        let before = state.attempts.get(&step.planned.id).copied().unwrap_or(0);
        // a begun attempt that is taken up again is the same attempt: its jobs and files carry its number
        let attempt =
            if matches!(state.step(&step.planned.id), StepState::Begun { .. }) { before.max(1) } else { before + 1 };
        Ok(StepCx {
            step: step.planned.id.clone(),
            number: step.planned.number.clone(),
            attempt,
            world: self.core.world.clone(),
            deployment: self.plan.deployment.clone(),
            target,
            artifacts: self.folder.join(ARTIFACTS),
            papers: PAPERS.map(|name| self.folder.join(name)).to_vec(),
            lent: state.taken.as_ref().map(|taken| self.folder.with_file_name(&taken.run).join(ARTIFACTS)),
            expect: Arc::new(step.expect.clone()),
            requires: Arc::new(step.requires.clone()),
            needs: Arc::clone(&self.plan.needs),
            driver: Arc::clone(&self.core) as Arc<dyn Driver>,
            cancel,
        })
    }

    async fn step(&self, step: &PlanStep) -> Result<Next, Halt> {
        let id = &step.planned.id;
        let cancel = self.core.renew_cancel();
        let cx = match self.context(step, cancel) {
            Ok(cx) => cx,
            Err(halt) => {
                let attempt = self.core.state().attempts.get(id).map_or(1, |before| before + 1);
                return self.ended(step, attempt, Err(halt)).await;
            }
        };
        if let Some(when) = &step.when {
            let holds = condition(when, &values(&self.core.state())).map_err(|fault| {
                Halt::Fault(Box::new(Diagnostic::new(format!("cannot decide whether step {id} applies")).cause(fault)))
            })?;
            if !holds {
                self.end(id, cx.attempt, Outcome::Skipped { reason: format!("{when} does not hold") }).await?;
                return Ok(Next::Again);
            }
        }
        let action = step.spec.action();
        if action.repeat() == Repeat::Never
            && !action.has_gate()
            && let Some(next) = self.doubt(step).await?
        {
            return Ok(next);
        }
        let may = match requires::unmet(step, &self.plan, &self.core.state()) {
            Some(problem) => Err(Halt::Refused(Box::new(problem))),
            None => self.agreed(step, &cx).await,
        };
        if let Err(halt) = may {
            return self.ended(step, cx.attempt, Err(halt)).await;
        }
        let result = if self.plan.deployment.is_some() { cx.same_place().await } else { Ok(()) };
        let result = match result {
            Ok(()) => {
                self.core
                    .record(Record::Intent { step: id.clone(), attempt: cx.attempt, repeat: action.repeat() })
                    .await?;
                action.run(&cx).await
            }
            Err(halt) => Err(halt),
        };
        self.core.flush_output().await;
        self.ended(step, cx.attempt, result).await
    }

    /// Writes down how an attempt ended, and says what comes after it.
    async fn ended(&self, step: &PlanStep, attempt: u32, result: Result<Done, Halt>) -> Result<Next, Halt> {
        let id = &step.planned.id;
        match result {
            Ok(done) => {
                self.end(id, attempt, Outcome::Done { summary: done.summary, facts: done.facts }).await?;
                Ok(Next::Again)
            }
            Err(Halt::Stopped(reason)) => {
                self.end(id, attempt, Outcome::Stopped { reason: reason.clone() }).await?;
                Ok(Next::Stop(Box::new(Stopped::Paused { reason })))
            }
            Err(Halt::Back) => self.back(step, attempt).await,
            Err(Halt::Failed(problem)) => {
                let problem = Box::new(self.core.state().reassure(&step.planned, *problem));
                self.end(id, attempt, Outcome::Failed { problem: problem.clone() }).await?;
                self.decide(step, *problem, |problem| Stopped::Failed { problem }).await
            }
            Err(Halt::Refused(problem)) => {
                let problem = Box::new(self.core.state().reassure(&step.planned, *problem));
                self.end(id, attempt, Outcome::Failed { problem: problem.clone() }).await?;
                self.decide(step, *problem, |problem| Stopped::Refused { problem }).await
            }
            Err(Halt::NeedsAnswer(what)) => {
                let reason = format!("needs an answer: {what}");
                self.end(id, attempt, Outcome::Stopped { reason }).await?;
                Ok(Next::Stop(Box::new(Stopped::NeedsAnswer { step: step.planned.number.clone(), what })))
            }
            Err(fault @ Halt::Fault(_)) => Err(fault),
        }
    }

    pub(super) async fn end(&self, step: &StepId, attempt: u32, outcome: Outcome) -> Result<(), Halt> {
        self.core.record(Record::Ended { step: step.clone(), attempt, outcome }).await
    }
}

/// Reads the target's identity every ten seconds, for the title of every screen, and tells when it is another than before:
/// whoever hears the same again would paint for nothing.
async fn watch_identity(core: Arc<Core>) {
    let state = core.state();
    // a run without a cluster has no identity that could change
    let Some(target) = state.target.clone().filter(|_| state.environment != Environment::None) else { return };
    drop(state);
    // a run begins, and is taken up again, only where it is the same
    let mut told = Likeness::Same;
    loop {
        tokio::time::sleep(IDENTITY).await;
        // a server that is silent must not let an old answer count as a new one
        let state = match tokio::time::timeout(ANSWER, core.world.objects.identity(&target.namespace)).await {
            Ok(Ok(now)) if now.same_place(&target) => Likeness::Same,
            Ok(Ok(_)) => Likeness::Different,
            Ok(Err(_)) | Err(_) => Likeness::Unknown,
        };
        if state != told {
            core.tell(Event::Identity { at: core.world.clock.now(), state }).await;
            told = state;
        }
    }
}

fn stopped_by(halt: Halt) -> Stopped {
    match halt {
        Halt::Failed(problem) => Stopped::Failed { problem: *problem },
        Halt::Refused(problem) => Stopped::Refused { problem: *problem },
        Halt::Stopped(reason) => Stopped::Paused { reason },
        Halt::Back => Stopped::Paused { reason: "the operator went back".to_owned() },
        Halt::NeedsAnswer(what) => Stopped::NeedsAnswer { step: String::new(), what },
        Halt::Fault(problem) => Stopped::Fault { problem: *problem },
    }
}
