//! What an action is given: the world, the run so far, and the few things it may say and ask. The engine implements
//! [`Driver`]; an action never sees the journal, a socket or a screen.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use super::described::{Described, Needs, PlanCx, right};
use super::{deployment::Deployment, spec::Requires};
pub use crate::run::secret_name;
use crate::{
    ports::{EntryMeta, EntryName, Identity, PortError, PortErrorKind, Provenance, SecretBytes, World},
    run::{OutputLine, Progress, Question, Record, Repeat, Reply, Row, RunState, SecretHandle, StepId, Verdict},
    text::{Diagnostic, Template},
};

/// Why an action did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// It failed; the run pauses and the operator chooses.
    Failed(Box<Diagnostic>),
    /// The operator stopped it.
    Stopped(String),
    /// The operator wants to go back to the step before; nothing was changed by this one.
    Back,
    /// A check or gate refuses; nothing was changed.
    Refused(Box<Diagnostic>),
    /// Nobody is there to answer.
    NeedsAnswer(String),
    /// The journal or another thing of this machine failed: no further side effect may follow.
    Fault(Box<Diagnostic>),
}

impl From<Diagnostic> for Halt {
    fn from(problem: Diagnostic) -> Self {
        Self::Failed(Box::new(problem))
    }
}

impl From<PortError> for Halt {
    fn from(error: PortError) -> Self {
        if error.kind == PortErrorKind::Cancelled {
            Self::Stopped("stopped by the operator".to_owned())
        } else {
            Diagnostic::from(error).into()
        }
    }
}

impl Halt {
    /// The same with its problem completed: what only the caller of a failed part knows.
    #[must_use]
    pub fn told(self, complete: impl FnOnce(Diagnostic) -> Diagnostic) -> Self {
        match self {
            Self::Failed(problem) => Self::Failed(Box::new(complete(*problem))),
            Self::Refused(problem) => Self::Refused(Box::new(complete(*problem))),
            other => other,
        }
    }
}

/// What an action has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// One line.
    pub summary: String,
    /// What later steps may name; no secret.
    pub facts: Value,
}

impl Done {
    /// Done, with nothing that later steps need.
    pub fn plain(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), facts: Value::Object(serde_json::Map::new()) }
    }

    /// Done, with facts.
    pub fn with(summary: impl Into<String>, facts: Value) -> Self {
        Self { summary: summary.into(), facts }
    }
}

/// What a look at a begun step found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// How much of it happened.
    pub verdict: Verdict,
    /// What the target says.
    pub sentence: String,
}

impl Probed {
    /// A verdict with its sentence.
    pub fn new(verdict: Verdict, sentence: impl Into<String>) -> Self {
        Self { verdict, sentence: sentence.into() }
    }
}

/// What the engine does for an action.
#[async_trait]
pub trait Driver: Send + Sync {
    /// Makes a record durable. On an error nothing further may be done.
    async fn record(&self, record: Record) -> Result<(), Halt>;
    /// The run as recorded so far.
    fn state(&self) -> Arc<RunState>;
    /// Puts a question and waits for its answer.
    async fn ask(&self, question: Question) -> Result<Reply, Halt>;
    /// Shows how the step stands; calls beyond two a second replace each other.
    fn progress(&self, progress: Progress);
    /// Writes a line of output. Waiting is the back pressure.
    async fn line(&self, line: OutputLine);
    /// How many of these lines, source and text, this attempt wrote before it was taken up again.
    async fn already_written(&self, said: &[(String, String)]) -> usize;
    /// A text of another side without the secrets of the run: before it is cut, since a part of a secret is not known for one.
    fn hide_secrets(&self, text: &str) -> String;
    /// A secret that a reply names; taken once.
    async fn take_secret(&self, handle: SecretHandle) -> Option<SecretString>;
    /// The draft of a form as saved last.
    fn draft(&self, step: &StepId) -> Option<Value>;
    /// Saves the draft of a form; durable when it returns.
    async fn save_draft(&self, step: &StepId, draft: Value) -> Result<(), Halt>;
    /// Renders a template of the runbook with the run's values.
    fn render(&self, template: &Template) -> Result<String, Halt>;
}

/// Everything an action works with.
#[derive(Clone)]
pub struct StepCx {
    /// The step.
    pub step: StepId,
    /// Its number, as `2.3`.
    pub number: String,
    /// Number of this attempt. The same as before when a begun step is taken up again after a crash.
    pub attempt: u32,
    /// The world.
    pub world: World,
    /// The deployment the runbook is about.
    pub deployment: Option<Arc<Deployment>>,
    /// The target as the run is tied to it.
    pub target: Identity,
    /// Folder for the run's artifacts.
    pub artifacts: PathBuf,
    /// The run's papers: its journal, its runbook, its forms.
    pub papers: Vec<PathBuf>,
    /// Folder of the artifacts of the run that this one goes on from.
    pub lent: Option<PathBuf>,
    /// Lines that are known and harmless, from the runbook.
    pub expect: Arc<Vec<String>>,
    /// What the runbook says must be there before this step.
    pub requires: Arc<Requires>,
    /// What all steps of the plan need, for the preflight.
    pub needs: Arc<Needs>,
    /// The engine.
    pub driver: Arc<dyn Driver>,
    /// Set when the operator stops the step.
    pub cancel: CancellationToken,
}

impl StepCx {
    /// The deployment section.
    ///
    /// # Errors
    /// A failure, where the runbook has none (the lint refuses such a runbook beforehand).
    pub fn deployment(&self) -> Result<&Deployment, Halt> {
        self.deployment.as_deref().ok_or_else(|| {
            Diagnostic::new("this step needs the runbook's section `deployment`, which is not there").into()
        })
    }

    /// Namespace of the target.
    pub fn namespace(&self) -> &str {
        &self.target.namespace
    }

    /// Short form of the run's id, for names of helper objects.
    pub fn short(&self) -> String {
        self.driver.state().short().to_owned()
    }

    /// A file of the run's artifacts.
    pub fn artifact(&self, name: &str) -> PathBuf {
        self.artifacts.join(name)
    }

    /// A file that is read: of this run, or of the one that it goes on from. Whoever reads it knows its hash.
    pub fn kept(&self, name: &str) -> PathBuf {
        let own = self.artifact(name);
        self.lent.as_ref().filter(|_| !own.exists()).map_or(own, |lent| lent.join(name))
    }

    /// Folder of the run's artifacts.
    pub fn artifacts(&self) -> &Path {
        &self.artifacts
    }

    /// Reads the target's identity again and compares.
    ///
    /// # Errors
    /// A refusal when it is another place, a failure when it cannot be read.
    pub async fn same_place(&self) -> Result<(), Halt> {
        self.still(&self.target).await
    }

    /// The same of any place that this run works in: the target, or its scratch namespace.
    ///
    /// # Errors
    /// A refusal when it is another place, a failure when it cannot be read.
    pub async fn still(&self, place: &Identity) -> Result<(), Halt> {
        let now = self.world.objects.identity(&place.namespace).await?;
        is_same(&now, place)
    }

    /// Writes down one change inside the step before it is made, and after the target's identity was read once more: no change
    /// goes anywhere else.
    ///
    /// # Errors
    /// A refusal when the connection leads to another place, a failure when nobody says which it is, a fault of the journal.
    pub async fn effect(&self, effect: &str) -> Result<(), Halt> {
        if self.deployment.is_some() {
            is_same(&self.identity(&self.target.namespace).await?, &self.target)?;
        }
        self.driver.record(Record::Effect { step: self.step.clone(), effect: effect.to_owned() }).await
    }

    /// Writes down how the change was answered.
    pub async fn effected(&self, effect: &str, result: &str) -> Result<(), Halt> {
        let (effect, result) = (effect.to_owned(), result.to_owned());
        self.driver.record(Record::Effected { step: self.step.clone(), effect, result }).await
    }

    /// Writes down that the change was not made, where the error proves it; hands the error on as the failure that it is.
    pub async fn not_made(&self, effect: &str, error: PortError) -> Halt {
        if error.is_refusal() {
            let (effect, reason) = (effect.to_owned(), error.detail.clone());
            if let Err(halt) = self.driver.record(Record::Refused { step: self.step.clone(), effect, reason }).await {
                return halt;
            }
        }
        error.into()
    }

    /// Writes down what was shown to be true.
    pub async fn evidence(&self, subject: &str, level: u8, sentence: &str, facts: Value) -> Result<(), Halt> {
        let (subject, sentence) = (subject.to_owned(), sentence.to_owned());
        self.driver.record(Record::Evidence { step: self.step.clone(), subject, level, sentence, facts }).await
    }

    /// Shows how the step stands.
    pub fn show(&self, sentence: &str, rows: Vec<Row>, bar: Option<(u64, u64)>, left_s: Option<u64>) {
        self.driver.progress(Progress { step: self.step.clone(), sentence: sentence.to_owned(), rows, bar, left_s });
    }

    /// Facts of an earlier step.
    ///
    /// # Errors
    /// A failure naming the step when it has none.
    pub fn facts_of(&self, step: &str) -> Result<Value, Halt> {
        self.driver
            .state()
            .facts
            .get(&StepId(step.to_owned()))
            .cloned()
            .ok_or_else(|| Diagnostic::new(format!("step {step} has left no facts: it is not done in this run")).into())
    }

    /// A value of the vault that this run saved, or the one that it goes on from.
    ///
    /// # Errors
    /// A failure naming the entry when it is not there.
    pub async fn secret(&self, name: &str) -> Result<SecretBytes, Halt> {
        let state = self.driver.state();
        let run = state.keeper_of(name.split('/').next().unwrap_or_default());
        match self.world.secrets.get(run, &EntryName(name.to_owned())).await? {
            Some(value) => Ok(value),
            None => Err(Diagnostic::new(format!("the vault has no entry {name} of this run"))
                .help("open the step that captures it and save it again")
                .into()),
        }
    }

    /// Saves a value in the vault and writes down that it is there.
    pub async fn keep_secret(
        &self,
        item: &str,
        field: &str,
        value: SecretBytes,
        provenance: Provenance,
    ) -> Result<EntryMeta, Halt> {
        let state = self.driver.state();
        let name = secret_name(&self.step.0, item, field);
        let runbook = state.runbook.as_ref();
        let meta = EntryMeta {
            name: EntryName(name.clone()),
            run: state.run.clone(),
            runbook: runbook.map_or_else(String::new, |r| r.id.clone()),
            runbook_digest: runbook.map_or_else(String::new, |r| r.digest.clone()),
            step: self.step.0.clone(),
            provenance: provenance.clone(),
            at: self.world.clock.now(),
            length: 0,
            check: String::new(),
        };
        let meta = self.world.secrets.put(meta, value).await?;
        self.driver
            .record(Record::Captured {
                step: self.step.clone(),
                item: item.to_owned(),
                field: field.to_owned(),
                secret: format!("vault:{name}"),
                provenance,
            })
            .await?;
        Ok(meta)
    }

    /// Waits, unless the operator stops.
    ///
    /// # Errors
    /// A stop.
    pub async fn pause(&self, time: std::time::Duration) -> Result<(), Halt> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.cancel.cancelled() => Err(Halt::Stopped("stopped by the operator".to_owned())),
        }
    }

    /// Renders a template.
    pub fn render(&self, template: &Template) -> Result<String, Halt> {
        self.driver.render(template)
    }
}

fn is_same(now: &Identity, place: &Identity) -> Result<(), Halt> {
    if now.same_place(place) {
        return Ok(());
    }
    Err(Halt::Refused(Box::new(
        Diagnostic::new(format!(
            "this connection leads to another place: it answers as {} and namespace {}, the run belongs to {} and {}",
            now.cluster8(),
            now.namespace_uid,
            place.cluster8(),
            place.namespace_uid
        ))
        .proves("the address or the context leads to another cluster or namespace than before")
        .safe("both: drydock stopped before sending anything")
        .help("connect to the cluster of this run and resume; there is no way to go on with another id"),
    )))
}

/// A kind of action, made to happen.
#[async_trait]
pub trait Action: Send + Sync {
    /// What resume may do when it was begun and not ended.
    fn repeat(&self) -> Repeat;

    /// Whether it asks for typed words before every attempt, so that nobody else has to ask before a second one.
    fn has_gate(&self) -> bool {
        false
    }

    /// What it would do, with equivalent commands to copy; no secret.
    fn describe(&self, cx: &PlanCx<'_>) -> Described;

    /// Looks how much of a begun attempt happened. Changes nothing.
    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let _ = cx;
        Ok(Probed::new(Verdict::Unknown, "this kind of step cannot be looked at from outside"))
    }

    /// Does it. Taken up again after a crash it must find what is done already and do only the rest.
    async fn run(&self, cx: &StepCx) -> Result<Done, Halt>;

    /// What of this step's own changes stands now and can be put back, each in a few words. Changes nothing.
    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        let _ = cx;
        Ok(Vec::new())
    }

    /// Puts that back and reads it back; says so in one line. What is as before already is well.
    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let _ = cx;
        Ok("there was nothing to put back".to_owned())
    }
}
