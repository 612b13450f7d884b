//! The loop: events in, lines out, answers from a person or a file.

use std::{io::Write, ops::ControlFlow, path::PathBuf, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::{sync::mpsc, time::Instant};

use super::{
    answers::{Say, Scripted},
    ask,
    form::Walk,
    keyboard::{Heard, Keyboard, Signals},
    lines::wrapped,
    talk::{FullScreen, Leave, Talk},
};
use crate::{
    app::Handover,
    run::{
        Command, Event, FieldInput, Likeness, Link, Outage, Outcome, Progress, Question, Record, Reply, RunState,
        SecretHandle, Stopped,
    },
    text::{printable, units},
};

/// Time between two lines of progress when nothing else is told.
const PROGRESS: Duration = Duration::from_secs(30);
/// Least time between two of them: a screen reader must come to an end.
const CALM: Duration = Duration::from_secs(10);
/// Points of a percentage that are worth a line.
const POINTS: u64 = 10;

/// Where answers come from.
pub enum Input {
    /// A file.
    Scripted(Box<Scripted>),
    /// A person at a terminal.
    Person(Box<Keyboard>),
    /// Nobody: the first question ends it.
    Nobody,
}

/// How the prompts were left.
pub enum Ended {
    /// The run stopped, or was gone.
    Stopped(Option<Stopped>),
    /// The full screen shall go on with this link and what is known.
    ToScreen(Link, Handover),
}

/// The line-oriented front end.
pub struct Front<W: Write + Send> {
    out: W,
    input: Input,
    state: RunState,
    known: Handover,
    screen: FullScreen,
    told: Option<(String, Instant, u64)>,
    walk: Walk,
    outputs: Option<PathBuf>,
    come_back: Option<String>,
    interrupted: bool,
    signals: Option<Signals>,
}

impl<W: Write + Send> Front<W> {
    /// A front end that writes to `out`.
    pub fn new(out: W, input: Input) -> Self {
        Self {
            out,
            input,
            state: RunState::default(),
            known: Handover::default(),
            screen: FullScreen::NotHere,
            told: None,
            walk: Walk::default(),
            outputs: None,
            come_back: None,
            interrupted: false,
            signals: None,
        }
    }

    /// The same, which takes the signals that ask it to end as Ctrl-C where nobody is at the keys.
    #[must_use]
    pub fn with_signals(mut self, signals: Signals) -> Self {
        self.signals = Some(signals);
        self
    }

    /// The same, which tells of the outputs in this folder, and with which command one comes back.
    #[must_use]
    pub fn with_place(mut self, outputs: PathBuf, come_back: String) -> Self {
        self.outputs = Some(outputs);
        self.come_back = Some(come_back);
        self
    }

    fn say(&mut self, line: &str) {
        // every line goes through here: nothing that moves a cursor can pass, and a closed pipe ends nothing
        let rows = match self.input {
            Input::Person(_) => wrapped(line),
            // a file that somebody will search wants its lines whole
            Input::Scripted(_) | Input::Nobody => vec![printable(line)],
        };
        for row in rows {
            let _ = writeln!(self.out, "{row}");
        }
        let _ = self.out.flush();
    }

    /// The same, whose word `tui` leads to the full screen.
    #[must_use]
    pub fn with_screen(self, screen: FullScreen) -> Self {
        Self { screen, ..self }
    }

    /// Takes in what is known of a run that was begun before, or shown by another front end.
    pub fn take_over(&mut self, known: Handover) {
        self.state = RunState::of(known.records.iter().map(|(at, record)| (*at, record)));
        self.known = known;
    }

    /// Runs until the engine stops, or the full screen is asked for.
    pub async fn run(&mut self, mut link: Link) -> Ended {
        if let Some((number, question)) = self.known.open.take()
            && self.question(&mut link, number, &question).await.is_break()
        {
            return self.leave_to_screen(link, number, question);
        }
        loop {
            let event = tokio::select! {
                biased;
                // asked for on the full screen, and too late: what is printed here would stay in the scrollback
                Some(_) = link.shown.recv() => continue,
                heard = interrupted(&mut self.input, self.signals.as_mut()) => {
                    self.leave_work(&mut link, &heard).await;
                    continue;
                }
                event = link.events.recv() => match event {
                    Some(event) => event,
                    None => return Ended::Stopped(None),
                },
            };
            match event {
                Event::Recorded { at, record } => {
                    self.state.apply(at, &record);
                    self.record(&record);
                    self.known.records.push((at, *record));
                }
                Event::Progress { progress } => self.progress(&progress),
                Event::Asking { number, question } => {
                    if self.question(&mut link, number, &question).await.is_break() {
                        return self.leave_to_screen(link, number, *question);
                    }
                }
                Event::Identity { at, state } => {
                    if state == Likeness::Different {
                        self.say("careful. The connection leads to another cluster now.");
                    }
                    self.known.identity = Some((at, state));
                }
                Event::OutputChanged { .. } | Event::Answered | Event::NotShown { .. } => {}
                Event::Stopped { stopped } => {
                    self.stopped(&stopped);
                    return Ended::Stopped(Some(stopped));
                }
            }
        }
    }

    /// Ctrl-C while a step runs: first a pause after it, then a stop where it may be cut.
    async fn leave_work(&mut self, link: &mut Link, heard: &Heard) {
        match heard {
            Heard::Interrupt if self.interrupted => {
                self.say("ok. It is stopped where it may be cut, and can be resumed.");
                let _ = link.commands.send(Command::Stop).await;
            }
            Heard::Interrupt => {
                self.interrupted = true;
                self.say("ok. This step is finished first, then the run pauses. Ctrl-C again stops it earlier.");
                let _ = link.commands.send(Command::Pause).await;
            }
            Heard::Gone | Heard::End | Heard::Line(_) => nobody(link),
        }
    }

    fn leave_to_screen(&mut self, link: Link, number: u64, question: Question) -> Ended {
        let known = std::mem::take(&mut self.known);
        Ended::ToScreen(link, Handover { open: Some((number, question)), ..known })
    }

    /// Puts a question; it breaks off where the full screen shall put it instead.
    async fn question(&mut self, link: &mut Link, number: u64, question: &Question) -> ControlFlow<()> {
        let said = match &mut self.input {
            Input::Nobody => Err(Leave::Ended),
            Input::Scripted(scripted) => match scripted.answer(question) {
                Ok(said) => Ok(said),
                Err(missing) => {
                    let line = format!("needs you: {}", missing.0);
                    self.say(&line);
                    Err(Leave::Ended)
                }
            },
            Input::Person(keyboard) => {
                let mut talk = Talk {
                    keyboard,
                    out: &mut self.out,
                    state: &self.state,
                    step: question.step().cloned(),
                    outputs: self.outputs.as_deref(),
                    screen: self.screen,
                };
                ask::ask(&mut talk, question, &mut self.walk).await
            }
        };
        let reply = match said {
            Ok(Say::Reply(reply)) => Some(reply),
            Ok(Say::Passphrase(secret)) => Some(Reply::Vault { passphrase: self.hand_over(link, secret).await }),
            Ok(Say::Secret { item, field, secret }) => {
                let handle = self.hand_over(link, secret).await;
                Some(Reply::Set { item, field, input: FieldInput::Secret(handle) })
            }
            Err(Leave::Back) => ask::back(question),
            Err(Leave::Pause) => None,
            Err(Leave::ToScreen) => return ControlFlow::Break(()),
            Err(Leave::Ended) => {
                nobody(link);
                return ControlFlow::Continue(());
            }
        };
        let command = reply.map_or(Command::Stop, |reply| Command::Answer { question: number, reply });
        if link.commands.send(command).await.is_err() {
            nobody(link);
        }
        ControlFlow::Continue(())
    }

    async fn hand_over(&mut self, link: &Link, secret: SecretString) -> SecretHandle {
        self.known.handles += 1;
        let handle = SecretHandle(self.known.handles);
        let _ = link.secrets.send((handle, secret)).await;
        handle
    }

    fn record(&mut self, record: &Record) {
        let title = |state: &RunState, step: &crate::run::StepId| {
            let steps = state.plan.len();
            let index = state.plan.iter().position(|planned| planned.id == *step).map_or(0, |index| index + 1);
            state.planned(step).map_or_else(
                || step.0.clone(),
                |planned| format!("{index} of {steps}: {} {}", planned.number, planned.title),
            )
        };
        match record {
            Record::Intent { step, .. } if self.state.rolling_back => {
                self.told = None;
                let line = format!("Undo of step {}.", title(&self.state, step));
                self.say("");
                self.say(&line);
            }
            Record::Intent { step, attempt, .. } => {
                let planned = self.state.planned(step).cloned();
                self.told = None;
                let again = if *attempt > 1 { format!(" (try {attempt})") } else { String::new() };
                let line = format!("Step {}{again}.", title(&self.state, step));
                self.say("");
                self.say(&line);
                if let Some(planned) = planned {
                    let time = units::about(planned.estimate_s);
                    self.say(&format!("  Changes {}. Undo: {}. Time: {time}.", planned.changes, planned.undo));
                }
            }
            Record::Ended { outcome, .. } => match outcome {
                Outcome::Done { summary, .. } => self.say(&format!("done. {summary}")),
                Outcome::Skipped { reason } => self.say(&format!("skipped. {reason}")),
                Outcome::Stopped { reason } => self.say(&format!("stopped. {reason}")),
                Outcome::Undone { sentence } => self.say(&format!("undone. {sentence}")),
                Outcome::Failed { problem } => {
                    self.say("PAUSED.");
                    for line in problem.lines() {
                        self.say(&line);
                    }
                }
            },
            Record::Evidence { level, sentence, .. } => self.say(&format!("proven. Rung {level}: {sentence}")),
            Record::GateOpened { by, removals, .. } => {
                self.say(&format!(
                    "ok. The gate is open for {}, by {by}.",
                    units::plural(*removals, "object", "objects")
                ));
            }
            Record::RolledBack { summary } => {
                self.say("");
                self.say(&format!("rolled back. {summary}"));
            }
            Record::Finished { summary, way_back } => {
                self.say("");
                self.say(&format!("finished. {summary}"));
                if let Some(first) = way_back.first() {
                    self.say(&format!("  The way back stays open: {first}. The report has each command."));
                }
            }
            _ => {}
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let percent = progress.percent();
        let now = Instant::now();
        let due = match &self.told {
            Some((step, at, before)) if *step == progress.step.0 => {
                let waited = now.duration_since(*at);
                waited >= PROGRESS
                    || waited >= CALM && percent.is_some_and(|percent| percent >= before.saturating_add(POINTS))
            }
            _ => false,
        };
        if self.told.as_ref().is_none_or(|(step, ..)| *step != progress.step.0) {
            self.told = Some((progress.step.0.clone(), now, 0));
        }
        if !due {
            return;
        }
        self.told = Some((progress.step.0.clone(), now, percent.unwrap_or(0)));
        let bar = percent.map_or_else(String::new, |percent| format!("{percent} % "));
        self.say(&format!("running. {bar}{}", progress.sentence));
        for row in progress.rows.iter().filter(|row| row.sign != crate::run::Sign::Done) {
            self.say(&format!("  {} {}: {}", row.word, row.name, row.detail));
        }
    }

    fn stopped(&mut self, stopped: &Stopped) {
        match stopped {
            Stopped::Finished | Stopped::RolledBack => {}
            Stopped::Paused { reason } => self.say(&format!("paused. {reason}")),
            Stopped::NeedsAnswer { step, what } if step.is_empty() => self.say(&format!("needs you: {what}")),
            Stopped::NeedsAnswer { step, what } if what.contains(step) => self.say(&format!("needs you: {what}")),
            Stopped::NeedsAnswer { step, what } => self.say(&format!("needs you: step {step} {what}")),
            Stopped::Refused { problem } | Stopped::Failed { problem } => {
                self.say(&format!("stopped. {}", problem.what));
            }
            // no record tells of it: this is the only place that can
            Stopped::Fault { problem } => {
                self.say("STOPPED.");
                for line in problem.lines() {
                    self.say(&line);
                }
            }
        }
        if !matches!(stopped, Stopped::Finished | Stopped::RolledBack) {
            let back = self.come_back.clone().unwrap_or_else(|| format!("drydock resume {}", self.state.short()));
            self.say(&format!("drydock: come back with: {back}"));
            if let Some(sentence) = Outage::sentence(&self.state, Timestamp::now()) {
                self.say(&format!("drydock: {sentence}"));
            }
        }
    }
}

/// The run is told by the closed channel that nobody answers, and says itself what it needs.
fn nobody(link: &mut Link) {
    link.commands = mpsc::channel(1).0;
}

async fn interrupted(input: &mut Input, signals: Option<&mut Signals>) -> Heard {
    match (input, signals) {
        (Input::Person(keyboard), _) => keyboard.interrupted().await,
        (Input::Scripted(_) | Input::Nobody, Some(signals)) => {
            signals.any().await;
            Heard::Interrupt
        }
        (Input::Scripted(_) | Input::Nobody, None) => std::future::pending().await,
    }
}
