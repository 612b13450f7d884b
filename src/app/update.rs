//! The one writer of the model: keys and events in, effects out.

use jiff::Timestamp;

use super::{
    App, Cmd, Effect, Front, Key, Leave, Over, Place, Quit, Window,
    app_state::Waiting,
    keymap::meaning,
    log::LogPage,
    screens::{
        Act, ChecksScreen, ChooseScreen, ConfirmScreen, FinishScreen, FormScreen, GateScreen, PlanScreen,
        ReapplyScreen, ResumeScreen, SecretFor, VaultScreen,
    },
};
use crate::run::{Command, Event, FieldInput, OutputLine, Question, Record, Reply, SecretHandle, StepId, Stopped};

/// Keys pressed sooner after a gate or failure appeared are thrown away, in milliseconds.
const TYPE_AHEAD: u64 = 300;
/// Two Ctrl-C within this time leave at once, in milliseconds.
const TWICE: u64 = 2_000;

/// What happens to the wizard.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// The run tells something.
    Event(Box<Event>),
    /// New lines of a step's output, and how many there are in all.
    Output { step: StepId, lines: Vec<OutputLine>, total: u64 },
    /// A file was written, or could not be.
    Saved(Result<String, String>),
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
        match msg {
            Msg::Key(key) => self.key(key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Event(event) => self.event(*event),
            Msg::Output { step, lines, total } => {
                if self.log.step.as_ref() == Some(&step) {
                    self.log.take(lines, total);
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
                let moves_on = matches!(*record, Record::Intent { .. } | Record::Ended { .. });
                if moves_on && !matches!(self.front, Front::Finish(_)) {
                    // what was asked for is over: the screen makes room for what runs now
                    self.front = Front::Running;
                    self.question = None;
                }
                if let Record::Intent { step, .. } = record.as_ref() {
                    self.progress = None;
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
            Event::Stopped { stopped } => {
                let finished = matches!(stopped, Stopped::Finished);
                self.stopped = Some(stopped);
                self.over = None;
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
        self.over = None;
        (self.notice, self.noticed) = (None, None);
        self.shown_at = self.at;
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
            Question::Confirm { step, text, button } => Front::Confirm(ConfirmScreen::new(&step, &text, &button)),
            Question::Choose { step, problem, choices, recommended } => {
                Front::Choose(Box::new(ChooseScreen::new(&step, &problem, &choices, recommended)))
            }
            Question::Reapply { step, items } => Front::Reapply(Box::new(ReapplyScreen::new(&step, &items))),
            Question::Resume { rows, uncertain, choices, recommended } => {
                Front::Resume(ResumeScreen::new(&rows, &uncertain, &choices, recommended))
            }
        }
    }

    /// Which keys hold now.
    pub fn place(&self) -> Place {
        match &self.over {
            Some(Over::Help { .. }) => Place::Help,
            Some(Over::Page(_)) => Place::Page,
            Some(Over::Palette(_)) => Place::Palette,
            Some(Over::Log(page)) => {
                if page.typing.is_some() {
                    Place::Inputs
                } else {
                    Place::Log
                }
            }
            Some(Over::Leave(_)) => Place::Leave,
            None if !self.stuck().is_empty() => Place::Waiting,
            None => self.front.screen().map_or(Place::Running, super::screens::Screen::place),
        }
    }

    /// Whether a text has the focus.
    pub fn is_typing(&self) -> bool {
        match &self.over {
            Some(Over::Palette(_)) => true,
            Some(Over::Log(page)) => page.typing.is_some(),
            Some(_) => false,
            None => self.front.screen().is_some_and(super::screens::Screen::typing),
        }
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        if let Some(notice) = self.notice.take() {
            self.noticed = Some(notice);
        }
        let guarded = self.over.is_none() && self.front.screen().is_some_and(super::screens::Screen::guarded);
        if guarded && self.at < self.shown_at + TYPE_AHEAD {
            return Vec::new();
        }
        if self.window.is_small {
            return self.small(key);
        }
        if let Some(cmd) = meaning(self.place(), key, self.is_typing()) {
            return self.command(cmd, key);
        }
        self.edit(key);
        Vec::new()
    }

    /// Keys of a window that is too small to show what they would do: only leaving and plain mode.
    fn small(&mut self, key: Key) -> Vec<Effect> {
        let cmd = meaning(Place::Everywhere, key, self.is_typing());
        match cmd {
            Some(Cmd::Leave) => vec![Effect::Quit(if self.is_working() { Quit::AfterThisStep } else { Quit::Now })],
            Some(cmd @ (Cmd::Plain | Cmd::Drop | Cmd::Suspend | Cmd::Repaint)) => self.command(cmd, key),
            _ => Vec::new(),
        }
    }

    fn edit(&mut self, key: Key) {
        let at = self.at;
        match &mut self.over {
            Some(Over::Palette(palette)) => palette.edit(key),
            Some(Over::Log(page)) => {
                if let Some(text) = &mut page.typing {
                    text.key(key);
                }
            }
            Some(_) => {}
            None => {
                if let Some(screen) = self.front.screen_mut() {
                    screen.edit(key, at);
                }
            }
        }
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        if self.window.is_small {
            return Vec::new();
        }
        match &mut self.over {
            None => self.notice = self.front.screen_mut().and_then(|screen| screen.paste(text)),
            Some(Over::Palette(palette)) => palette.paste(text),
            Some(Over::Log(LogPage { typing: Some(search), .. })) => {
                search.paste(text);
            }
            Some(_) => {}
        }
        Vec::new()
    }

    pub(super) fn command(&mut self, cmd: Cmd, key: Key) -> Vec<Effect> {
        if key == Key::Ctrl('c') {
            let twice = self.interrupted_at.replace(self.at).is_some_and(|before| self.at < before + TWICE);
            if twice {
                return vec![Effect::Quit(Quit::AfterThisStep)];
            }
        }
        match cmd {
            Cmd::Repaint => return vec![Effect::Repaint],
            Cmd::Suspend => return vec![Effect::Suspend],
            Cmd::Drop => return vec![Effect::Quit(Quit::AfterThisStep)],
            Cmd::Plain => return self.to_plain(),
            Cmd::Report => {
                let text = crate::run::report::markdown(&self.run, &self.records);
                return vec![Effect::Save { name: "report.md".to_owned(), text }];
            }
            _ => {}
        }
        if self.over.is_some() {
            return self.over_command(cmd, key);
        }
        if let Some(over) = self.look(cmd) {
            self.over = Some(over);
            return Vec::new();
        }
        match cmd {
            Cmd::Pause if self.is_working() => {
                self.pausing = !self.pausing;
                vec![Effect::Send(if self.pausing { Command::Pause } else { Command::Go })]
            }
            Cmd::Leave if !matches!(self.front, Front::Finish(_)) => self.leave(),
            _ => self.screen_command(cmd, key),
        }
    }

    /// The same place as line prompts. What is being typed is saved first.
    fn to_plain(&mut self) -> Vec<Effect> {
        let mut effects = self.put_down();
        if self.outbox.is_empty() {
            effects.push(Effect::Quit(Quit::ToPlain));
        } else {
            self.notice = Some("Not yet: what was typed is being saved. Press it again.".to_owned());
        }
        effects
    }

    fn leave(&mut self) -> Vec<Effect> {
        if !self.is_working() {
            return vec![Effect::Quit(Quit::Now)];
        }
        self.over = Some(Over::Leave(Leave::asked(self.uncut())));
        Vec::new()
    }

    fn screen_command(&mut self, cmd: Cmd, key: Key) -> Vec<Effect> {
        let at = self.at;
        if self.waiting_command(cmd, key) {
            return Vec::new();
        }
        let Some(screen) = self.front.screen_mut() else {
            match cmd {
                Cmd::Up => self.log.scroll(1),
                Cmd::Down => self.log.scroll(-1),
                Cmd::PageUp => self.log.scroll(10),
                Cmd::PageDown => self.log.scroll(-10),
                Cmd::Last | Cmd::Space => self.log.toggle(),
                _ => {}
            }
            return Vec::new();
        };
        let acts = screen.command(cmd, key, at);
        self.acts(acts)
    }

    /// Lets the screen in front let go of what is being typed.
    pub(super) fn put_down(&mut self) -> Vec<Effect> {
        let acts = self.front.screen_mut().map(super::screens::Screen::put_down).unwrap_or_default();
        self.acts(acts)
    }

    /// What a screen wants is done.
    fn acts(&mut self, acts: Vec<Act>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for act in acts {
            match act {
                Act::Say(reply) => self.outbox.push_back(Waiting { reply, secret: None }),
                Act::Secret(what, secret) => {
                    self.handles += 1;
                    let handle = SecretHandle(self.handles);
                    self.secrets.insert(handle, secret);
                    let reply = match what {
                        SecretFor::Passphrase => Reply::Vault { passphrase: handle },
                        SecretFor::Field { item, field } => {
                            Reply::Set { item, field, input: FieldInput::Secret(handle) }
                        }
                    };
                    self.outbox.push_back(Waiting { reply, secret: Some(handle) });
                }
                Act::Page(page) => self.over = Some(Over::Page(page)),
                Act::Log => self.over = Some(Over::Log(LogPage::default())),
                Act::Notice(text) => self.notice = Some(text),
                Act::Save { name, text } => effects.push(Effect::Save { name, text }),
                Act::Done => effects.push(Effect::Quit(Quit::Ended)),
            }
        }
        effects.extend(self.flush());
        if self.question.is_none()
            && !matches!(
                self.front,
                Front::Form(_) | Front::Vault(_) | Front::Checks(_) | Front::Reapply(_) | Front::Finish(_)
            )
        {
            // answered: the screen makes room for what runs now
            self.front = Front::Running;
        }
        effects
    }
}
