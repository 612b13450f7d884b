//! The model: everything the screen shows.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    Effect, Over, Parts, Surroundings,
    lock::Lock,
    log::Log,
    screens::{
        ChecksScreen, ChooseScreen, ConfirmScreen, FinishScreen, FormScreen, GateScreen, PlanScreen, ReapplyScreen,
        ResumeScreen, Screen, VaultScreen,
    },
    shown::Shown,
};
use crate::run::{
    Likeness, PlannedStep, Progress, Question, Record, Reply, Risk, RunState, SecretHandle, StepState, Stopped,
};

/// The screen of the question that is open.
pub enum Front {
    /// Nothing is asked: a step runs, or is about to.
    Running,
    Plan(PlanScreen),
    Vault(VaultScreen),
    Form(Box<FormScreen>),
    Checks(ChecksScreen),
    Gate(Box<GateScreen>),
    Choose(Box<ChooseScreen>),
    Confirm(ConfirmScreen),
    Reapply(Box<ReapplyScreen>),
    Resume(ResumeScreen),
    Finish(FinishScreen),
}

impl Front {
    /// The screen, if something is asked.
    pub fn screen(&self) -> Option<&dyn Screen> {
        Some(match self {
            Self::Running => return None,
            Self::Plan(screen) => screen,
            Self::Vault(screen) => screen,
            Self::Form(screen) => screen.as_ref(),
            Self::Checks(screen) => screen,
            Self::Gate(screen) => screen.as_ref(),
            Self::Choose(screen) => screen.as_ref(),
            Self::Confirm(screen) => screen,
            Self::Reapply(screen) => screen.as_ref(),
            Self::Resume(screen) => screen,
            Self::Finish(screen) => screen,
        })
    }

    /// The same, to be changed.
    pub(super) fn screen_mut(&mut self) -> Option<&mut dyn Screen> {
        Some(match self {
            Self::Running => return None,
            Self::Plan(screen) => screen,
            Self::Vault(screen) => screen,
            Self::Form(screen) => screen.as_mut(),
            Self::Checks(screen) => screen,
            Self::Gate(screen) => screen.as_mut(),
            Self::Choose(screen) => screen.as_mut(),
            Self::Confirm(screen) => screen,
            Self::Reapply(screen) => screen.as_mut(),
            Self::Resume(screen) => screen,
            Self::Finish(screen) => screen,
        })
    }
}

/// A reply that waits until the run asks again; with its secret's handle, if it names one.
pub(super) struct Waiting {
    pub reply: Reply,
    pub secret: Option<SecretHandle>,
}

/// What the terminal shows of the wizard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Whether it is too small for anything but leaving; what is typed is kept, no key presses a button.
    pub is_small: bool,
    /// The last row that the page in front can be scrolled to.
    pub scroll: usize,
    /// Whether that page is a secret that is shown: it takes every key.
    pub covers: bool,
}

/// The wizard's model.
pub struct App {
    /// The run, folded from its records.
    pub run: RunState,
    /// Its records, for the report.
    pub records: Vec<(Timestamp, Record)>,
    /// The screen of the question that is open.
    pub front: Front,
    /// What lies over it.
    pub over: Option<Over>,
    /// How the running step stands.
    pub progress: Option<Progress>,
    /// Since when its parts stand as they do, and what can be looked at.
    pub parts: Parts,
    /// The output of the running step.
    pub log: Log,
    /// Identity as last read, and when; nothing as long as it was always the same.
    pub identity: Option<(Timestamp, Likeness)>,
    /// Something to tell in the safety row until the next key.
    pub notice: Option<String>,
    /// What was told there last: `e` shows it whole.
    pub(super) noticed: Option<String>,
    /// The time of day.
    pub now: Timestamp,
    /// Where this runs.
    pub around: Surroundings,
    /// Whether a pause was asked for.
    pub pausing: bool,
    /// Size of the terminal, in columns and rows, and whether the wizard can work in it.
    pub window: Window,
    /// Why the engine stopped, once it did.
    pub stopped: Option<Stopped>,
    /// Milliseconds since the program began.
    pub at: u64,
    pub(super) lock: Lock,
    /// When the screen in front appeared, in the same milliseconds.
    pub(super) shown_at: u64,
    /// When Ctrl-C was pressed last.
    pub(super) interrupted_at: Option<u64>,
    /// The question that is open.
    pub(super) open: Option<(u64, Question)>,
    pub(super) question: Option<u64>,
    pub(super) outbox: VecDeque<Waiting>,
    pub(super) secrets: HashMap<SecretHandle, SecretString>,
    pub(super) handles: u64,
    pub(super) shown: Option<Shown>,
}

impl App {
    /// A wizard over a run with these records.
    pub fn new(records: &[(Timestamp, Record)], around: Surroundings, now: Timestamp) -> Self {
        Self {
            run: RunState::of(records.iter().map(|(at, record)| (*at, record))),
            records: records.to_vec(),
            front: Front::Running,
            over: None,
            progress: None,
            log: Log::default(),
            identity: None,
            notice: None,
            noticed: None,
            parts: Parts::default(),
            now,
            around,
            pausing: false,
            window: Window::default(),
            stopped: None,
            at: 0,
            lock: Lock::default(),
            shown_at: 0,
            interrupted_at: None,
            open: None,
            question: None,
            outbox: VecDeque::new(),
            secrets: HashMap::new(),
            handles: 0,
            shown: None,
        }
    }

    /// The step in hand: the one that is begun, else the one the screen in front is about, else the next;
    /// while the run rolls back, the one that was put back last.
    pub fn step(&self) -> Option<&PlannedStep> {
        let begun = self.run.plan.iter().find(|step| matches!(self.run.step(&step.id), StepState::Begun { .. }));
        let named = || {
            let id = match &self.front {
                Front::Form(screen) => &screen.step,
                Front::Gate(screen) => &screen.step,
                Front::Choose(screen) => &screen.step,
                Front::Confirm(screen) => &screen.step,
                Front::Reapply(screen) => &screen.step,
                _ => return None,
            };
            self.run.planned(id)
        };
        begun.or_else(named).or_else(|| self.back_at()).or_else(|| self.run.next())
    }

    /// Place of a step in the plan, from 1.
    pub fn index(&self, step: &PlannedStep) -> usize {
        self.run.plan.iter().position(|other| other.id == step.id).map_or(0, |index| index + 1)
    }

    /// Whether a step is in the middle of its work, with nothing asked.
    pub fn is_working(&self) -> bool {
        matches!(self.front, Front::Running)
            && self.run.steps.values().any(|state| matches!(state, StepState::Begun { .. }))
    }

    /// The question that nobody answered yet, for a front end that takes over.
    pub fn unanswered(&self) -> Option<(u64, Question)> {
        self.open.clone().filter(|(number, _)| self.question == Some(*number))
    }

    /// Whether something on the screen changes with time alone.
    pub fn has_timer(&self) -> bool {
        match &self.front {
            Front::Vault(screen) => self.at < screen.shown_until,
            Front::Form(screen) => self.at < screen.shown_until,
            _ => false,
        }
    }

    /// Seconds since the step in hand was begun.
    pub fn running_s(&self) -> Option<u64> {
        let step = self.step()?;
        match self.run.step(&step.id) {
            StepState::Begun { since, .. } => u64::try_from(self.now.as_second() - since.as_second()).ok(),
            _ => None,
        }
    }

    /// When the run was written to last before it was taken up again: what was written since is of this opening.
    pub fn last_written(&self) -> Option<Timestamp> {
        let opened = self.records.iter().rposition(|(_, record)| matches!(record, Record::Resumed { .. }));
        let before = &self.records[..opened.unwrap_or(self.records.len())];
        before.last().map(|(at, _)| *at)
    }

    /// Why the step in hand may not be stopped in its middle, or nothing.
    pub(super) fn uncut(&self) -> &'static str {
        match self.step() {
            Some(step) if step.risk == Risk::Irreversible => "it cannot be stopped between two deletions",
            _ => "",
        }
    }

    /// The secret of a handle, once.
    pub fn take_secret(&mut self, handle: SecretHandle) -> Option<SecretString> {
        self.secrets.remove(&handle)
    }

    /// Sends what waits, if the run asks.
    pub(super) fn flush(&mut self) -> Vec<Effect> {
        let Some(question) = self.question else { return Vec::new() };
        let Some(Waiting { reply, secret }) = self.outbox.pop_front() else { return Vec::new() };
        self.question = None;
        let command = crate::run::Command::Answer { question, reply };
        secret.map(Effect::Secret).into_iter().chain([Effect::Send(command)]).collect()
    }
}
