//! The loop: events in, lines out, answers from a person or a file.

use std::{
    io::{BufRead, Write},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use tokio::sync::mpsc;

use super::{
    answers::{Say, Scripted},
    ask,
};
use crate::{
    run::{
        Command, Event, FieldInput, Link, Outcome, Progress, Question, Record, Reply, RunState, SecretHandle, Stopped,
    },
    text::{printable, units},
};

/// Least time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(30);

/// Where answers come from.
pub enum Input {
    /// A file.
    Scripted(Box<Scripted>),
    /// A person at a terminal.
    Person(Box<dyn BufRead + Send>),
    /// Nobody: the first question ends it.
    Nobody,
}

/// The line-oriented front end.
pub struct Front<W: Write> {
    out: W,
    input: Input,
    state: RunState,
    handles: u64,
    told: Option<(String, Instant, u64)>,
}

impl<W: Write> Front<W> {
    /// A front end that writes to `out`.
    pub fn new(out: W, input: Input) -> Self {
        Self { out, input, state: RunState::default(), handles: 0, told: None }
    }

    fn say(&mut self, line: &str) {
        // every line goes through here: nothing that moves a cursor can pass, and a closed pipe ends nothing
        let _ = writeln!(self.out, "{}", printable(line));
        let _ = self.out.flush();
    }

    /// Shows what is known of a run that is taken up again.
    pub fn replay(&mut self, records: &[(jiff::Timestamp, Record)]) {
        for (at, record) in records {
            self.state.apply(*at, record);
        }
    }

    /// Runs until the engine stops. `open` is a question that another front end left unanswered.
    pub async fn run(&mut self, mut link: Link, open: Option<(u64, Question)>) -> Option<Stopped> {
        if let Some((number, question)) = open
            && !self.question(&link, number, &question).await
        {
            link.commands = mpsc::channel(1).0;
        }
        while let Some(event) = link.events.recv().await {
            match event {
                Event::Recorded { at, record } => {
                    self.state.apply(at, &record);
                    self.record(&record);
                }
                Event::Progress { progress } => self.progress(&progress),
                Event::Asking { number, question } => {
                    if !self.question(&link, number, &question).await {
                        // nobody answers: the run is told by the closed channel, and says itself what it needs
                        link.commands = mpsc::channel(1).0;
                    }
                }
                Event::Identity { state, .. } if state == "different" => {
                    self.say("careful. The connection leads to another cluster now.");
                }
                Event::OutputChanged { .. } | Event::Answered | Event::Identity { .. } => {}
                Event::Stopped { stopped } => {
                    self.stopped(&stopped);
                    return Some(stopped);
                }
            }
        }
        None
    }

    async fn question(&mut self, link: &Link, number: u64, question: &Question) -> bool {
        let said = match &mut self.input {
            Input::Nobody => None,
            Input::Scripted(scripted) => match scripted.answer(question) {
                Ok(said) => Some(said),
                Err(missing) => {
                    let line = format!("needs you: {}", missing.0);
                    self.say(&line);
                    None
                }
            },
            Input::Person(input) => ask::ask(question, &self.state, input.as_mut(), &mut self.out),
        };
        let Some(said) = said else { return false };
        let reply = match said {
            Say::Reply(reply) => reply,
            Say::Passphrase(secret) => Reply::Vault { passphrase: self.hand_over(link, secret).await },
            Say::Secret { item, field, secret } => {
                let handle = self.hand_over(link, secret).await;
                Reply::Set { item, field, input: FieldInput::Secret(handle) }
            }
        };
        link.commands.send(Command::Answer { question: number, reply }).await.is_ok()
    }

    async fn hand_over(&mut self, link: &Link, secret: SecretString) -> SecretHandle {
        self.handles += 1;
        let handle = SecretHandle(self.handles);
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
            Record::Finished { summary } => {
                self.say("");
                self.say(&format!("finished. {summary}"));
            }
            _ => {}
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let percent = progress.bar.and_then(|(done, total)| (done.saturating_mul(100)).checked_div(total));
        let now = Instant::now();
        let due = match &self.told {
            Some((step, at, before)) if *step == progress.step.0 => {
                now.duration_since(*at) >= PROGRESS
                    || percent.is_some_and(|percent| percent >= before + 10 && now.duration_since(*at).as_secs() >= 1)
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
            Stopped::Finished => {}
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
        if !matches!(stopped, Stopped::Finished) {
            let short = self.state.short().to_owned();
            self.say(&format!("drydock: come back with: drydock resume {short}"));
        }
    }
}
