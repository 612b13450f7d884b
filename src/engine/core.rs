//! The part of the engine that actions see: records, questions, progress, drafts.

use std::{
    collections::HashMap,
    io::BufReader,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    known::Known,
    masked,
    output::OutputLog,
    pictures::Pictures,
    plan::{Plan, values},
    watched::Watched,
    written::already,
};
use crate::{
    actions::{Driver, Halt},
    ports::{Identity, VaultState, World},
    run::{
        Command, Event, OutputLine, Progress, Question, Record, Reply, RunState, SecretHandle, StepId, StepState,
        Stopped,
    },
    text::{Diagnostic, Template, render},
};

/// Where records and drafts become durable.
pub trait Ledger: Send {
    /// Appends a record; durable when it returns. After an error nothing may be appended any more.
    fn append(&mut self, at: Timestamp, record: &Record) -> Result<(), Diagnostic>;
    /// Saves all drafts; durable when it returns.
    fn save_drafts(&mut self, drafts: &Map<String, Value>) -> Result<(), Diagnostic>;
    /// Claims the target before the plan is approved. A claim holds from the record of the approval, which comes next.
    ///
    /// # Errors
    /// Which other run has the target.
    fn claim(&mut self, target: &Identity) -> Result<(), Diagnostic>;
}

/// The engine's side of a front end.
pub struct Front {
    /// What the run tells.
    pub events: mpsc::Sender<Event>,
    /// What it is asked. Closed when nobody is there.
    pub commands: mpsc::Receiver<Command>,
    /// Secrets that commands name.
    pub secrets: mpsc::Receiver<(SecretHandle, SecretString)>,
    /// Where secrets go that a person wants to see; closed where nobody may.
    pub shown: mpsc::Sender<(SecretHandle, SecretString)>,
}

/// What is shared between the executor, the running action and the pump of commands.
pub struct Core {
    pub world: World,
    pub(super) plan: Arc<Plan>,
    pub(super) shown: mpsc::Sender<(SecretHandle, SecretString)>,
    state: Mutex<Arc<RunState>>,
    ledger: Arc<Mutex<Box<dyn Ledger>>>,
    drafts: Mutex<Map<String, Value>>,
    events: mpsc::Sender<Event>,
    replies: tokio::sync::Mutex<mpsc::Receiver<(u64, Reply)>>,
    secrets: tokio::sync::Mutex<Waiting>,
    question: AtomicU64,
    output: OutputLog,
    known: Arc<Known>,
    pictures: Pictures,
    /// Set when the run shall stop at the next safe point.
    pub pause: AtomicBool,
    /// Set when no front end is there any more.
    pub alone: CancellationToken,
    /// The token of the step in hand.
    pub cancel: Mutex<CancellationToken>,
}

struct Waiting {
    incoming: mpsc::Receiver<(SecretHandle, SecretString)>,
    arrived: HashMap<SecretHandle, SecretString>,
}

/// A lock that a panicking holder cannot make unusable: the data are plain values, each replaced whole.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether news that may be missed still leave half of the queue to records and questions: a terminal that stands still
/// then stops no step.
pub(super) fn has_room(events: &mpsc::Sender<Event>) -> bool {
    events.capacity() > events.max_capacity() / 2
}

impl Core {
    /// Joins the parts and starts the pump of commands.
    pub fn new(
        mut world: World,
        state: RunState,
        ledger: Box<dyn Ledger>,
        drafts: Map<String, Value>,
        front: Front,
        output: OutputLog,
        plan: Arc<Plan>,
    ) -> Arc<Self> {
        let (to_replies, replies) = mpsc::channel(16);
        let known = Arc::new(Known::new(&plan, &state));
        world.secrets = Arc::new(Watched { vault: world.secrets, known: Arc::clone(&known) });
        let core = Arc::new(Self {
            world,
            plan,
            shown: front.shown,
            state: Mutex::new(Arc::new(state)),
            ledger: Arc::new(Mutex::new(ledger)),
            drafts: Mutex::new(drafts),
            events: front.events,
            replies: tokio::sync::Mutex::new(replies),
            secrets: tokio::sync::Mutex::new(Waiting { incoming: front.secrets, arrived: HashMap::new() }),
            question: AtomicU64::new(0),
            output,
            known,
            pictures: Pictures::default(),
            pause: AtomicBool::new(false),
            alone: CancellationToken::new(),
            cancel: Mutex::new(CancellationToken::new()),
        });
        tokio::spawn(Arc::clone(&core).pump(front.commands, to_replies));
        core
    }

    async fn pump(self: Arc<Self>, mut commands: mpsc::Receiver<Command>, replies: mpsc::Sender<(u64, Reply)>) {
        loop {
            let command = tokio::select! {
                biased;
                command = commands.recv() => command,
                progress = self.pictures.late() => {
                    self.mention(Event::Progress { progress });
                    continue;
                }
            };
            let Some(command) = command else { break };
            match command {
                Command::Answer { question, reply } => {
                    // an answer to a question that was not put yet is no answer, even when its number comes later
                    if question == self.question.load(Ordering::SeqCst) {
                        // a full queue holds answers to this very question: the first of them counts
                        let _ = replies.try_send((question, reply));
                    }
                }
                Command::Pause => self.pause.store(true, Ordering::SeqCst),
                Command::Go => self.pause.store(false, Ordering::SeqCst),
                Command::Stop => {
                    // a step that ends well all the same is done, and no other is begun
                    self.pause.store(true, Ordering::SeqCst);
                    lock(&self.cancel).cancel();
                }
                Command::Show { handle, secret } => {
                    // the vault is read beside the pump: a stop comes through meanwhile
                    let core = Arc::clone(&self);
                    tokio::spawn(async move { core.show(handle, &secret).await });
                }
            }
        }
        // nobody watches any more: the step in hand is finished, not cut, and no other begun
        self.pause.store(true, Ordering::SeqCst);
        self.alone.cancel();
    }

    /// A fresh token for the next step.
    pub fn renew_cancel(&self) -> CancellationToken {
        let token = CancellationToken::new();
        *lock(&self.cancel) = token.clone();
        token
    }

    /// Tells the front end; waits while it is slow. Only for what must not be missed.
    pub async fn tell(&self, mut event: Event) {
        masked::event(&mut event, &self.known);
        let _ = self.events.send(event).await;
    }

    /// Tells what may be missed: a front end that is behind gets none of it.
    pub fn mention(&self, mut event: Event) {
        if has_room(&self.events) {
            masked::event(&mut event, &self.known);
            let _ = self.events.try_send(event);
        }
    }

    /// Claims the target for this run; the inner error says who has it.
    pub async fn claim(&self) -> Result<Result<(), Diagnostic>, Halt> {
        let Some(target) = self.state().target.clone() else { return Ok(Ok(())) };
        let ledger = Arc::clone(&self.ledger);
        let claimed = tokio::task::spawn_blocking(move || lock(&ledger).claim(&target)).await;
        claimed.map_err(|error| {
            Halt::Fault(Box::new(Diagnostic::new("the journal's writer ended").cause(error.to_string())))
        })
    }

    /// Learns what this run has in the vault, where that is open: a step that never reads a secret may run a program that
    /// says it.
    pub async fn recall(&self) {
        if self.world.secrets.state() != VaultState::Open {
            return;
        }
        let state = self.state();
        for run in [Some(&state.run), state.taken.as_ref().map(|taken| &taken.run)].into_iter().flatten() {
            let entries = self.world.secrets.list(run).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot list the secrets of the run");
                Vec::new()
            });
            for entry in entries {
                // the step that needs what cannot be read says so
                if let Err(error) = self.world.secrets.get(run, &entry.name).await {
                    tracing::warn!(%error, name = entry.name.0, "cannot read a secret of the run");
                }
            }
        }
    }

    /// How a run ended, without its secrets.
    pub fn without_secrets(&self, mut stopped: Stopped) -> Stopped {
        masked::stopped(&mut stopped, &self.known);
        stopped
    }

    /// The step in hand.
    fn in_hand(&self) -> Option<StepId> {
        let state = self.state();
        let begun = |step: &&crate::run::PlannedStep| matches!(state.step(&step.id), StepState::Begun { .. });
        state.plan.iter().find(begun).map(|step| step.id.clone())
    }

    /// Writes what is left of a step's output.
    pub async fn flush_output(&self) {
        self.output.flush().await;
    }
}

#[async_trait]
impl Driver for Core {
    async fn record(&self, mut record: Record) -> Result<(), Halt> {
        masked::record(&mut record, &self.known, &self.plan);
        let at = self.world.clock.now();
        let ledger = Arc::clone(&self.ledger);
        let kept = record.clone();
        let appended = tokio::task::spawn_blocking(move || lock(&ledger).append(at, &kept)).await;
        match appended {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => return Err(Halt::Fault(Box::new(problem))),
            Err(error) => {
                return Err(Halt::Fault(Box::new(
                    Diagnostic::new("the journal's writer ended").cause(error.to_string()),
                )));
            }
        }
        // who still reads the state before keeps it; else nothing is copied
        Arc::make_mut(&mut lock(&self.state)).apply(at, &record);
        if matches!(record, Record::Ended { .. }) {
            self.pictures.forget();
        }
        self.tell(Event::Recorded { at, record: Box::new(record) }).await;
        Ok(())
    }

    fn state(&self) -> Arc<RunState> {
        Arc::clone(&lock(&self.state))
    }

    async fn ask(&self, question: Question) -> Result<Reply, Halt> {
        let mut replies = self.replies.lock().await;
        self.pictures.forget();
        // what is left of the question before would take the room of the answer to this one
        while replies.try_recv().is_ok() {}
        let number = self.question.fetch_add(1, Ordering::SeqCst) + 1;
        let step = question.step().map_or_else(
            || "the run".to_owned(),
            |step| {
                self.state().planned(step).map_or_else(|| step.0.clone(), |planned| format!("step {}", planned.number))
            },
        );
        self.tell(Event::Asking { number, question: Box::new(question) }).await;
        let cancel = lock(&self.cancel).clone();
        loop {
            tokio::select! {
                biased;
                reply = replies.recv() => match reply {
                    // an answer to an earlier question is thrown away: it was meant for another screen
                    Some((of, reply)) if of == number => {
                        self.tell(Event::Answered).await;
                        return Ok(reply);
                    }
                    Some(_) => {}
                    None => return Err(Halt::NeedsAnswer(step)),
                },
                () = self.alone.cancelled() => return Err(Halt::NeedsAnswer(step)),
                () = cancel.cancelled() => return Err(Halt::Stopped("stopped by the operator".to_owned())),
            }
        }
    }

    fn progress(&self, progress: Progress) {
        if let Some(progress) = self.pictures.now(progress) {
            // a front end that is behind misses a picture, never a record
            self.mention(Event::Progress { progress });
        }
    }

    async fn line(&self, mut line: OutputLine) {
        if let Some(step) = self.in_hand() {
            self.known.hide(&mut line.text);
            self.output.write(step, line).await;
        }
    }

    async fn already_written(&self, said: &[(String, String)]) -> usize {
        let state = self.state();
        let Some(step) = self.in_hand() else { return 0 };
        let Some(since) = state.begun.get(&step).copied() else { return 0 };
        let mut said = said.to_vec();
        for (_, text) in &mut said {
            self.known.hide(text);
        }
        self.output.flush().await;
        let path = self.output.file(&step);
        let look = move || std::fs::File::open(path).map_or(0, |log| already(BufReader::new(log), since, &said));
        tokio::task::spawn_blocking(look).await.unwrap_or(0)
    }

    fn hide_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.known.hide(&mut text);
        text
    }

    async fn take_secret(&self, handle: SecretHandle) -> Option<SecretString> {
        let mut secrets = self.secrets.lock().await;
        loop {
            if let Some(found) = secrets.arrived.remove(&handle) {
                return Some(found);
            }
            // the frame was sent before the reply that names it; five seconds are for a slow link
            match tokio::time::timeout(Duration::from_secs(5), secrets.incoming.recv()).await {
                Ok(Some((handle, secret))) => {
                    secrets.arrived.insert(handle, secret);
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn draft(&self, step: &StepId) -> Option<Value> {
        lock(&self.drafts).get(&step.0).cloned()
    }

    async fn save_draft(&self, step: &StepId, draft: Value) -> Result<(), Halt> {
        let all = {
            let mut drafts = lock(&self.drafts);
            drafts.insert(step.0.clone(), draft);
            drafts.clone()
        };
        let ledger = Arc::clone(&self.ledger);
        let saved = tokio::task::spawn_blocking(move || lock(&ledger).save_drafts(&all)).await;
        match saved {
            Ok(Ok(())) => Ok(()),
            Ok(Err(problem)) => Err(Halt::Fault(Box::new(problem))),
            Err(error) => {
                Err(Halt::Fault(Box::new(Diagnostic::new("the writer of drafts ended").cause(error.to_string()))))
            }
        }
    }

    fn render(&self, template: &Template) -> Result<String, Halt> {
        render(template, &values(&self.state()))
            .map_err(|fault| Diagnostic::new(format!("cannot fill in {:?}", template.0)).cause(fault).into())
    }
}
