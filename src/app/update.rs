//! The one writer of the model: keys and events in, effects out. What a key does stands in `press`.

use jiff::Timestamp;

use super::{
    App, Effect, Front, Key, Over, Quit, Window,
    page::Page,
    screens::{
        ChecksScreen, ChooseScreen, ConfirmScreen, FinishScreen, FormScreen, GateScreen, PlanScreen, ReapplyScreen,
        ResumeScreen, VaultScreen,
    },
};
use crate::run::{Event, OutputLine, Question, Record, StepId, Stopped, WAY_BACK};

/// What happens to the wizard.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// The run tells something.
    Event(Box<Event>),
    /// New lines of a step's output, the last of so many that came.
    Output { step: StepId, lines: Vec<OutputLine>, came: u64 },
    /// A file was written, or could not be.
    Saved(Result<String, String>),
    /// Whether the passphrase opens the vault, or why not.
    Unlocked(Result<(), String>),
    /// The screen was drawn: what there is room for.
    Drawn(Window),
    /// Time passed.
    Tick,
    /// The terminal goes, or the system asks to end.
    HangUp,
}

impl App {
    /// Takes one thing in. `at` is the time in milliseconds since the program began.
    pub fn update(&mut self, at: u64, now: Timestamp, msg: Msg) -> Vec<Effect> {
        (self.at, self.now) = (at, now);
        let effects = self.taken(at, msg);
        self.watch_shown();
        effects
    }

    fn taken(&mut self, at: u64, msg: Msg) -> Vec<Effect> {
        let locked_now = self.watch_lock();
        if matches!(msg, Msg::Key(_) | Msg::Paste(_)) {
            self.lock.last_key = at;
            if locked_now {
                // it was meant for what was there before
                return Vec::new();
            }
        }
        self.watch_shown();
        match msg {
            Msg::Key(key) => self.key(key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Unlocked(result) => {
                self.unlocked(result);
                Vec::new()
            }
            Msg::Event(event) => self.event(*event),
            Msg::Output { step, lines, came } => {
                if self.log.step.as_ref() == Some(&step) {
                    self.log.take(lines, came);
                }
                Vec::new()
            }
            Msg::Saved(result) => {
                self.notice = Some(match result {
                    Ok(path) => format!("Saved: {path}"),
                    Err(reason) => format!("Not saved: {reason}"),
                });
                Vec::new()
            }
            Msg::Drawn(window) => {
                self.window = window;
                Vec::new()
            }
            Msg::Tick => Vec::new(),
            Msg::HangUp => vec![Effect::Quit(if self.stopped.is_some() { Quit::Ended } else { Quit::AfterThisStep })],
        }
    }

    fn event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Recorded { at, record } => {
                self.run.apply(at, &record);
                let mut effects = Vec::new();
                let moves_on =
                    matches!(*record, Record::Intent { .. } | Record::Ended { .. } | Record::RollBack { .. });
                if moves_on && !matches!(self.front, Front::Finish(_)) {
                    // what was asked for is over: the screen makes room for what runs now
                    self.front = Front::Running;
                    self.question = None;
                }
                if let Record::Intent { step, .. } = record.as_ref() {
                    self.lock.past_vault = true;
                    self.progress = None;
                    self.noticed = None;
                    self.parts = super::Parts::default();
                    self.log.follow(step);
                    effects.push(Effect::Follow(step.clone()));
                }
                self.records.push((at, *record));
                effects
            }
            Event::Progress { progress } => {
                self.parts.take(self.now, &progress);
                self.progress = Some(progress);
                Vec::new()
            }
            Event::OutputChanged { step, .. } => vec![Effect::Follow(step)],
            Event::Asking { number, question } => self.asking(number, *question),
            Event::Answered => {
                self.open = None;
                Vec::new()
            }
            Event::Identity { at, state } => {
                self.identity = Some((at, state));
                Vec::new()
            }
            Event::NotShown { handle, reason } => {
                self.not_shown(handle, &reason);
                Vec::new()
            }
            Event::Stopped { stopped } => {
                let finished = matches!(stopped, Stopped::Finished | Stopped::RolledBack);
                self.stopped = Some(stopped);
                self.over = None;
                // what was told of a screen before is not true of this one
                (self.notice, self.noticed) = (None, None);
                if !finished {
                    return vec![Effect::Quit(Quit::Ended)];
                }
                self.front = Front::Finish(FinishScreen::new(&self.run, &self.records));
                self.shown_at = self.at;
                vec![Effect::Bell]
            }
        }
    }

    pub(super) fn asking(&mut self, number: u64, question: Question) -> Vec<Effect> {
        self.question = Some(number);
        // it may be another by now
        self.shown = None;
        self.open = Some((number, question.clone()));
        let same = match (&mut self.front, &question) {
            (Front::Form(screen), Question::Form { step, items, none_reason, fault, .. }) if screen.step == *step => {
                screen.refresh(items, none_reason, fault);
                true
            }
            (Front::Vault(screen), Question::Vault { exists, fault }) => {
                screen.refresh(*exists, fault);
                true
            }
            (Front::Checks(screen), Question::Checks { checks, .. }) => {
                screen.refresh(checks);
                true
            }
            (Front::Reapply(screen), Question::Reapply { step, items }) if screen.step == *step => {
                screen.refresh(items);
                true
            }
            _ => false,
        };
        if same {
            return self.flush();
        }
        // an answer that was meant for another question is not for this one
        self.outbox.clear();
        self.lock.past_vault |= !matches!(question, Question::Approve | Question::Vault { .. });
        if !matches!(self.over, Some(Over::Unlock(_))) {
            self.over = None;
        }
        (self.notice, self.noticed) = (None, None);
        self.shown_at = self.at;
        if let Question::Choose { step, problem, .. } = &question
            && self.run.decided.get(step).is_some_and(|choice| choice == WAY_BACK)
        {
            // many lines, and each of them is needed
            self.over = Some(Over::Page(Page::new("The way back", problem.help.clone())));
        }
        self.front = self.screen_of(question);
        vec![Effect::Bell]
    }

    fn screen_of(&self, question: Question) -> Front {
        match question {
            Question::Approve => Front::Plan(PlanScreen::new(&self.run)),
            Question::Vault { exists, fault } => {
                Front::Vault(VaultScreen::new(exists, &fault, self.around.passphrases))
            }
            Question::Form { step, title, form, items, none_reason, fault } => {
                Front::Form(Box::new(FormScreen::new(&step, &title, &form, &items, &none_reason, &fault)))
            }
            Question::Checks { checks, .. } => Front::Checks(ChecksScreen::new(&checks)),
            Question::Gate { step, gate } => Front::Gate(Box::new(GateScreen::new(&step, &gate))),
            Question::Confirm { step, text, button, .. } => Front::Confirm(ConfirmScreen::new(&step, &text, &button)),
            Question::Choose { step, problem, choices, recommended } => {
                Front::Choose(Box::new(ChooseScreen::new(&step, &problem, &choices, recommended)))
            }
            Question::Reapply { step, items } => Front::Reapply(Box::new(ReapplyScreen::new(&step, &items))),
            Question::Resume { rows, uncertain, choices, recommended } => {
                Front::Resume(ResumeScreen::new(&rows, &uncertain, &choices, recommended))
            }
        }
    }
}
