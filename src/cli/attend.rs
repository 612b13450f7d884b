//! The front end of a run in this process: the wizard, line prompts, or event lines; and how the program ends.

use std::{
    io::{IsTerminal, Write, stdin, stdout},
    sync::Arc,
    time::Duration,
};

use futures::FutureExt;
use jiff::{Timestamp, tz::TimeZone};
use secrecy::SecretString;

use super::{Colour, Exit, Failure, Global, start::Answered};
use crate::{
    app::{App, Handover, Passphrases, Quit, Strength, Surroundings},
    plain::{self, Answers, Front, FullScreen, Input, Keyboard, Say, Scripted, Signals},
    run::{Command, Event, FieldInput, Link, Outage, Record, Reply, RunState, SecretHandle, Stopped},
    runner::Launch,
    store::{Keep, RunFolder, write_atomic},
    text::Diagnostic,
    tui::{self, Ended, Theme},
    vault::{Generation, Level, Unlock, Vault, estimate, suggest_passphrase},
};

/// Whether anything is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realm {
    /// A real target.
    Real,
    /// The practice world.
    Practice,
}

/// Where Back at the plan leads before anybody approved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Back to the shell: the run waits there.
    Shell,
    /// To the inputs, which are open as they were left.
    Door,
}

/// How a front end ended.
pub struct Attended {
    /// How the program ends.
    pub exit: Exit,
    /// The run from whose plan the operator went back to the inputs.
    pub back: Option<RunFolder>,
}

/// After so many milliseconds without a key the wizard locks.
const LOCKS_AFTER: u64 = 300_000;

/// Records with their times.
type Records = Vec<(Timestamp, Record)>;

fn exit(stopped: &Stopped) -> Exit {
    match stopped {
        Stopped::Finished => Exit::Done,
        // a roll back follows a failure: what was asked for first is not done
        Stopped::Failed { .. } | Stopped::RolledBack => Exit::StepFailed,
        Stopped::Refused { .. } => Exit::Refused,
        Stopped::Paused { .. } | Stopped::NeedsAnswer { .. } => Exit::Stopped,
        Stopped::Fault { .. } => Exit::Environment,
    }
}

/// Whether the full screen can be used here.
pub fn has_screen(global: &Global) -> bool {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| value == "1");
    let asked = global.plain || global.json || set("DRYDOCK_PLAIN") || set("ACCESSIBLE");
    !asked && can_show()
}

/// Whether the terminal could show it, whatever was asked for.
fn can_show() -> bool {
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    !dumb && stdin().is_terminal() && stdout().is_terminal()
}

/// Runs a launched run with the front end that the settings and the terminal allow.
pub async fn attend(
    global: &Global,
    launched: Launch,
    before: Records,
    by: Answered,
    vault: Option<Vault>,
) -> Result<Attended, Failure> {
    let Answered { answers, realm, behind } = by;
    let Launch { link, engine, folder } = launched;
    let shown = if global.json {
        json(link, answers, realm).await.map(|()| Left::Away)
    } else {
        let state = RunState::of(before.iter().map(|(at, record)| (*at, record)));
        let back = come_back(global, &state, realm);
        // a practice run lies in a folder of its own, which `show` does not look into
        let look = (realm == Realm::Real).then(|| global.typed().command(&format!("show {}", state.short())));
        let place = Place { global, folder: &folder, back, look, realm, behind, vault };
        place.show(link, before, answers).await
    };
    // also when the front end failed: the engine comes to its next safe point before the program ends
    let stopped = engine
        .await
        .map_err(|error| Failure::new(Exit::Internal, Diagnostic::new("the engine ended").cause(error.to_string())))?;
    let back = (shown? == Left::BackAtPlan).then_some(folder);
    Ok(Attended { exit: exit(&stopped), back })
}

/// The command that takes the run up again.
pub fn come_back(global: &Global, state: &RunState, realm: Realm) -> String {
    match realm {
        Realm::Real => global.typed().command(&format!("resume {}", state.short())),
        Realm::Practice => global.typed().command("practice"),
    }
}

/// Whether a passphrase opens this vault, found out on files and then forgotten: the run's own open vault is not touched.
fn opens(vault: Vault, unlock: Unlock) -> tui::Opens {
    Arc::new(move |passphrase| {
        let (vault, unlock) = (vault.clone(), unlock.clone());
        let look = async move {
            let open = match vault.unlock_async(Generation::Current, passphrase.clone(), unlock.clone()).await {
                Err(error) if error.is_damage() => vault.unlock_async(Generation::Previous, passphrase, unlock).await,
                other => other,
            };
            open.map(|open| open.lock()).map_err(|error| error.to_string())
        };
        look.boxed()
    })
}

fn surroundings(come_back: String, look_again: Option<String>, locks_after: Option<u64>) -> Surroundings {
    let strength = |text: &str| {
        let found = estimate(text);
        Strength { enough: found.level > Level::Weak, sentence: found.sentence }
    };
    // without the system's randomness there is no suggestion; the field stays empty
    let suggest = || suggest_passphrase().unwrap_or_else(|_| SecretString::from(String::new()));
    Surroundings {
        come_back,
        look_again,
        tmux: std::env::var("TMUX").ok().map(|_| std::env::var("TMUX_PANE").unwrap_or_default()),
        zone: TimeZone::system(),
        locks_after,
        passphrases: Passphrases { strength, suggest },
    }
}

/// A screen that cannot be shown, before anything was begun.
pub fn no_terminal(error: &std::io::Error) -> Failure {
    let problem = Diagnostic::new("the terminal cannot be used").cause(error.to_string());
    Failure::new(Exit::Environment, problem.help("line prompts need no screen: add --plain"))
}

/// Look and signs.
pub fn theme(global: &Global) -> Theme {
    let colour = match global.look.color {
        Colour::Auto => None,
        Colour::Always => Some(true),
        Colour::Never => Some(false),
    };
    Theme::from_environment(global.look.ascii, global.look.light, colour)
}

/// Where a run is shown.
struct Place<'a> {
    global: &'a Global,
    folder: &'a RunFolder,
    back: String,
    /// The command that shows the run once it is over.
    look: Option<String>,
    realm: Realm,
    behind: Behind,
    /// The vault, where the run keeps secrets.
    vault: Option<Vault>,
}

/// How a run was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// At its end, or for now.
    Away,
    /// Back from its plan to the inputs.
    BackAtPlan,
}

/// What follows a front end.
enum Next {
    /// The other one goes on with this.
    GoOn(Box<(Link, Handover)>),
    /// None: the run was left.
    Left(Left),
}

/// Whether the operator went back from a plan that nobody approved, so that nothing was done yet.
fn went_back(app: &App) -> bool {
    let untouched = !app.run.approved && app.run.attempts.is_empty();
    untouched && matches!(app.stopped, Some(Stopped::Paused { .. }))
}

impl Place<'_> {
    /// The wizard and the line prompts in turns, as the operator switches between them.
    async fn show(&self, link: Link, before: Records, answers: Option<Answers>) -> Result<Left, Failure> {
        let mut is_screen = answers.is_none() && has_screen(self.global);
        let mut answers = answers;
        let (mut link, mut known) = (link, Handover::of(before));
        loop {
            let next = if is_screen {
                self.wizard(link, known).await?
            } else {
                self.plain(link, input(answers.take(), self.realm)?, known).await?
            };
            match next {
                Next::GoOn(with) => (link, known) = *with,
                Next::Left(left) => return Ok(left),
            }
            is_screen = !is_screen;
        }
    }

    async fn wizard(&self, link: Link, known: Handover) -> Result<Next, Failure> {
        let unlock = self.vault.clone().zip(Unlock::in_child().ok());
        let opens = unlock.map(|(vault, unlock)| opens(vault, unlock));
        let around = surroundings(self.back.clone(), self.look.clone(), opens.as_ref().map(|_| LOCKS_AFTER));
        let app = App::take_over(known, around, Timestamp::now());
        let into = self.folder.path().to_owned();
        let save = move |name: &str, text: &str| {
            let path = into.join(name);
            write_atomic(&path, text.as_bytes(), Keep::Nothing).map_err(|error| error.to_string())?;
            Ok(path.display().to_string())
        };
        let tick = Duration::from_secs(if self.global.look.still { 30 } else { 1 });
        let place =
            tui::Place { output: self.folder.outputs(), save: Arc::new(save), opens, theme: theme(self.global), tick };
        let outcome = tui::run(app, link, place).await.map_err(|error| {
            let problem = Diagnostic::new("the terminal cannot be used").cause(error.to_string());
            let help = format!("the run is safe; come back with: {} --plain", self.back);
            Failure::new(Exit::Environment, problem.help(help))
        })?;
        let tui::Outcome { ended, link, app } = outcome;
        let mut out = stdout();
        match ended {
            Ended::Quit(Quit::ToPlain) => {
                let _ = writeln!(out, "drydock. Plain text mode; the same run, the same place. \"tui\" leads back.");
                return Ok(Next::GoOn(Box::new((link, app.hand_over()))));
            }
            Ended::Quit(Quit::AfterThisStep) | Ended::Gone => {
                drop(link);
                if let Some(step) = app.step().filter(|_| app.is_working()) {
                    let (number, title) = (&step.number, &step.title);
                    let _ = writeln!(out, "drydock: {number} {title} is finished first, then the run pauses.");
                }
            }
            Ended::Quit(Quit::Ended) if self.behind == Behind::Door && went_back(&app) => {
                return Ok(Next::Left(Left::BackAtPlan));
            }
            Ended::Quit(Quit::Ended | Quit::Now) => drop(link),
        }
        if !app.run.is_at_end() {
            let _ = writeln!(out, "drydock: come back with: {}", self.back);
            if let Some(sentence) = Outage::sentence(&app.run, Timestamp::now()) {
                let _ = writeln!(out, "drydock: {sentence}");
            }
        }
        if let Some(Stopped::Failed { problem } | Stopped::Refused { problem } | Stopped::Fault { problem }) =
            &app.stopped
        {
            for line in problem.lines() {
                let _ = writeln!(out, "drydock: {}", crate::text::printable(&line));
            }
        }
        Ok(Next::Left(Left::Away))
    }

    /// The prompts write as slowly as the terminal takes it: they have a thread of their own, so that the engine goes on.
    async fn plain(&self, link: Link, input: Input, known: Handover) -> Result<Next, Failure> {
        let (handle, outputs, back) = (tokio::runtime::Handle::current(), self.folder.outputs(), self.back.clone());
        let is_person = matches!(input, Input::Person(_)) && can_show();
        let screen = if is_person { FullScreen::Here } else { FullScreen::NotHere };
        let signals = Signals::catch()?;
        let front = std::thread::spawn(move || {
            let mut front =
                Front::new(stdout(), input).with_place(outputs, back).with_screen(screen).with_signals(signals);
            front.take_over(known);
            handle.block_on(front.run(link))
        });
        match tokio::task::spawn_blocking(move || front.join()).await {
            Ok(Ok(plain::Ended::Stopped(_))) => Ok(Next::Left(Left::Away)),
            Ok(Ok(plain::Ended::ToScreen(link, known))) => Ok(Next::GoOn(Box::new((link, known)))),
            Ok(Err(_)) | Err(_) => {
                Err(Failure::new(Exit::Internal, Diagnostic::new("the line prompts ended before the run did")))
            }
        }
    }
}

/// Where answers come from.
fn input(answers: Option<Answers>, realm: Realm) -> Result<Input, Failure> {
    Ok(match answers {
        Some(answers) => Input::Scripted(Box::new(Scripted::new(answers, realm == Realm::Practice))),
        None if stdin().is_terminal() => Input::Person(Box::new(Keyboard::terminal()?)),
        None => Input::Nobody,
    })
}

async fn json(mut link: Link, answers: Option<Answers>, realm: Realm) -> Result<(), Failure> {
    // event lines go to programs and files: no secret is shown to them
    link.shown.close();
    let mut scripted = answers.map(|answers| Scripted::new(answers, realm == Realm::Practice));
    let mut signals = Signals::catch()?;
    let (mut handles, mut asked_to_end) = (0, false);
    loop {
        let event = tokio::select! {
            biased;
            () = signals.any() => {
                // as Ctrl-C: first a pause after the step in hand, then a stop where it may be cut
                let command = if std::mem::replace(&mut asked_to_end, true) { Command::Stop } else { Command::Pause };
                let _ = link.commands.send(command).await;
                continue;
            }
            event = link.events.recv() => event,
        };
        let Some(event) = event else { return Ok(()) };
        let closed = crate::json::write(&mut stdout(), &event).is_err();
        // the engine keeps its end of both channels as long as this one is kept
        if matches!(event, Event::Stopped { .. }) {
            return Ok(());
        }
        let Event::Asking { number, question } = &event else { continue };
        let said = match &mut scripted {
            Some(scripted) if !closed => scripted.answer(question).ok(),
            _ => None,
        };
        handles += 1;
        let handle = SecretHandle(handles);
        let reply = match said {
            Some(Say::Reply(reply)) => reply,
            Some(Say::Passphrase(secret)) => {
                let _ = link.secrets.send((handle, secret)).await;
                Reply::Vault { passphrase: handle }
            }
            Some(Say::Secret { item, field, secret }) => {
                let _ = link.secrets.send((handle, secret)).await;
                Reply::Set { item, field, input: FieldInput::Secret(handle) }
            }
            None => {
                link.commands = tokio::sync::mpsc::channel(1).0;
                continue;
            }
        };
        let _ = link.commands.send(Command::Answer { question: *number, reply }).await;
    }
}
