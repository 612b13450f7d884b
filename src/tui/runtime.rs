//! The loop: keys first, then events, painted at once after a key and else at most ten times a second, never when nothing
//! changed.

use std::{
    io::{self, Write, stdout},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::{
    Theme,
    draw::is_small,
    input::{Input, batch},
    keys::Keys,
    screen::Screen,
    tail::{Lines, Tail},
    views::picture,
};
use crate::{
    app::{App, Effect, Front, Msg, Quit, Window},
    run::Link,
};

/// Least time between two paintings that no key asked for.
const FRAME: Duration = Duration::from_millis(100);
/// How often a time moves that is counted down.
const SECOND: Duration = Duration::from_secs(1);
/// Within this time letters belong to one read.
pub(super) const SAME_READ: Duration = Duration::from_millis(1);
/// Events taken in before the next look at the keys.
const DRAIN: usize = 256;

/// Writes a text of a name into the run's folder; returns where it lies, or why not.
pub type Save = Arc<dyn Fn(&str, &str) -> Result<String, String> + Send + Sync>;

/// Finds out whether a passphrase opens the vault, or why not.
pub type Opens = Arc<dyn Fn(SecretString) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What the loop needs beside the run.
pub struct Place {
    /// Folder of the output files.
    pub output: PathBuf,
    /// Saves texts.
    pub save: Save,
    /// Opens the vault for a look, after the wizard locked; nothing where a run keeps no secret.
    pub opens: Option<Opens>,
    /// Look and signs.
    pub theme: Theme,
    /// How often the elapsed time of a running step moves.
    pub tick: Duration,
}

/// Why the screen was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As the operator, or the run's end, said.
    Quit(Quit),
    /// The terminal is gone.
    Gone,
}

/// What is left when the screen is.
pub struct Outcome {
    /// Why.
    pub ended: Ended,
    /// The link, for who goes on.
    pub link: Link,
    /// The model, for who goes on.
    pub app: App,
}

fn title(app: &App) -> &'static str {
    match &app.front {
        Front::Running => "drydock",
        Front::Finish(_) => "drydock: finished",
        _ => "? drydock needs you",
    }
}

fn paint(screen: &mut Screen, app: &mut App) -> io::Result<()> {
    let size = screen.size()?;
    let next = picture(app, size.width, size.height);
    let window = Window { is_small: is_small(size.width, size.height), scroll: next.scroll, covers: next.covers };
    if app.window != window {
        app.update(screen.at(), Timestamp::now(), Msg::Drawn(window));
    }
    screen.name(title(app))?;
    screen.paint(next)
}

/// Runs the wizard until it is left.
///
/// # Errors
/// When the terminal cannot be taken or written.
pub async fn run(mut app: App, mut link: Link, place: Place) -> io::Result<Outcome> {
    let mut screen = Screen::take(title(&app), place.theme)?;
    paint(&mut screen, &mut app)?;
    let (tail, mut lines) = Tail::start(place.output.clone());
    let (tell, mut told) = mpsc::channel(1);
    let outside = Outside { place: &place, tail: &tail, tell };
    if let Some(step) = &app.log.step {
        tail.read(step);
    }
    let (reader, mut keys) = Keys::start();
    let (mut hangup, mut terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let mut go_on = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let mut dirty = false;
    let ended: io::Result<Ended> = loop {
        let wake = wake(&app, &screen, place.tick, dirty);
        let mut effects = Vec::new();
        let mut pressed = false;
        tokio::select! {
            biased;
            key = keys.recv() => {
                let Some(first) = key else { break Ok(Ended::Gone) };
                let mut inputs = vec![first];
                if app.is_typing() {
                    // what came in the same read follows at once
                    tokio::time::sleep(SAME_READ).await;
                }
                while let Ok(next) = keys.try_recv() {
                    inputs.push(next);
                }
                for input in batch(inputs, app.is_typing()) {
                    let msg = match input {
                        Input::Key(key) => Msg::Key(key),
                        Input::Paste(text) => Msg::Paste(text),
                        Input::Resized => Msg::Tick,
                    };
                    effects.extend(app.update(screen.at(), Timestamp::now(), msg));
                }
                pressed = true;
            }
            _ = hangup.recv() => effects = app.update(screen.at(), Timestamp::now(), Msg::HangUp),
            _ = terminate.recv() => effects = app.update(screen.at(), Timestamp::now(), Msg::HangUp),
            _ = go_on.recv() => {
                // stopped by somebody else, and continued: the shell had the terminal in between, and time passed
                effects = app.update(screen.at(), Timestamp::now(), Msg::Tick);
                if let Err(error) = screen.come_back() {
                    break Err(error);
                }
                pressed = true;
            }
            event = link.events.recv() => {
                let Some(event) = event else { break Ok(Ended::Quit(Quit::Ended)) };
                effects = app.update(screen.at(), Timestamp::now(), Msg::Event(Box::new(event)));
                for _ in 0..DRAIN {
                    let Ok(event) = link.events.try_recv() else { break };
                    effects.extend(app.update(screen.at(), Timestamp::now(), Msg::Event(Box::new(event))));
                }
                dirty = true;
            }
            new = lines.recv() => {
                if let Some(Lines { step, fresh: lines, came }) = new {
                    effects = app.update(screen.at(), Timestamp::now(), Msg::Output { step, lines, came });
                    dirty = true;
                }
            }
            Some(msg) = told.recv() => {
                effects = app.update(screen.at(), Timestamp::now(), msg);
                pressed = true;
            }
            Some((handle, secret)) = link.shown.recv() => {
                app.show(screen.at(), Timestamp::now(), handle, secret);
                pressed = true;
            }
            () = wake => {
                effects = app.update(screen.at(), Timestamp::now(), Msg::Tick);
                dirty = true;
            }
        }
        match perform(&mut app, &mut screen, &link, &outside, effects).await {
            Ok(None) => {}
            Ok(Some(quit)) => break Ok(Ended::Quit(quit)),
            Err(error) => break Err(error),
        }
        if pressed || dirty && screen.since_painted() >= FRAME {
            if let Err(error) = paint(&mut screen, &mut app) {
                break Err(error);
            }
            dirty = false;
        }
    };
    // a terminal that is gone is no fault of the run: it goes on to its next safe point
    let ended = if screen.leave(reader, keys) { ended? } else { Ended::Gone };
    Ok(Outcome { ended, link, app })
}

/// When the screen must be looked at again without a key or an event; never, when nothing moves.
async fn wake(app: &App, screen: &Screen, tick: Duration, dirty: bool) {
    let next = if dirty {
        FRAME.saturating_sub(screen.since_painted())
    } else if app.has_timer() {
        SECOND.saturating_sub(screen.since_painted())
    } else if app.is_working() {
        tick.saturating_sub(screen.since_painted())
    } else {
        Duration::MAX
    };
    let looks = [app.lock_wakes_at(), app.shown_wakes_at()].into_iter().flatten().min();
    let look = looks.map(|at| Duration::from_millis(at.saturating_sub(screen.at())));
    match look.map_or(next, |look| look.min(next)) {
        Duration::MAX => std::future::pending().await,
        next => tokio::time::sleep(next).await,
    }
}

/// What is outside of screen and run.
struct Outside<'a> {
    place: &'a Place,
    tail: &'a Tail,
    /// Where it is told how something ended that was begun beside the loop: a try to unlock, a file that is saved.
    tell: mpsc::Sender<Msg>,
}

async fn perform(
    app: &mut App,
    screen: &mut Screen,
    link: &Link,
    outside: &Outside<'_>,
    effects: Vec<Effect>,
) -> io::Result<Option<Quit>> {
    for effect in effects {
        match effect {
            Effect::Send(command) => {
                let _ = link.commands.send(command).await;
            }
            Effect::Secret(handle) => {
                if let Some(secret) = app.take_secret(handle) {
                    let _ = link.secrets.send((handle, secret)).await;
                }
            }
            Effect::Unlock(handle) => {
                if let (Some(secret), Some(opens)) = (app.take_secret(handle), &outside.place.opens) {
                    let (opens, tell) = (opens(secret), outside.tell.clone());
                    // keys are read meanwhile
                    tokio::spawn(async move {
                        let _ = tell.send(Msg::Unlocked(opens.await)).await;
                    });
                }
            }
            Effect::Follow(step) => outside.tail.read(&step),
            Effect::Save { name, text } => {
                let (save, tell) = (Arc::clone(&outside.place.save), outside.tell.clone());
                // keys are read meanwhile
                tokio::spawn(async move {
                    let saved = tokio::task::spawn_blocking(move || save(&name, &text)).await;
                    let saved = saved.unwrap_or_else(|error| Err(error.to_string()));
                    let _ = tell.send(Msg::Saved(saved)).await;
                });
            }
            Effect::Bell => {
                stdout().write_all(b"\x07")?;
                stdout().flush()?;
            }
            Effect::Repaint => {
                screen.forget()?;
                paint(screen, app)?;
            }
            Effect::Suspend => {
                screen.suspend()?;
                paint(screen, app)?;
            }
            Effect::Quit(quit) => return Ok(Some(quit)),
        }
    }
    Ok(None)
}
