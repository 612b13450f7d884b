//! The loop: keys first, then events, painted at once after a key and else at most ten times a second, never when nothing
//! changed.

use std::{
    io::{self, Write, stdout},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::{
    execute,
    terminal::{Clear, ClearType, SetTitle},
};
use jiff::Timestamp;
use ratatui::{Terminal, TerminalOptions, Viewport, backend::CrosstermBackend, layout::Rect};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Guard, Picture, Theme, draw,
    draw::is_small,
    guard,
    input::{Input, batch},
    keys::Keys,
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
const SAME_READ: Duration = Duration::from_millis(1);
/// Events taken in before the next look at the keys.
const DRAIN: usize = 256;

/// Writes a text of a name into the run's folder; returns where it lies, or why not.
pub type Save = Arc<dyn Fn(&str, &str) -> Result<String, String> + Send + Sync>;

/// What the loop needs beside the run.
pub struct Place {
    /// Folder of the output files.
    pub output: PathBuf,
    /// Saves texts.
    pub save: Save,
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

struct Screen {
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    size: (u16, u16),
    guard: Guard,
    theme: Theme,
    last: Option<Picture>,
    tick: Duration,
    titled: &'static str,
    painted: Instant,
    started: Instant,
}

impl Screen {
    fn title(app: &App) -> &'static str {
        match &app.front {
            Front::Running => "drydock",
            Front::Finish(_) => "drydock: finished",
            _ => "? drydock needs you",
        }
    }

    fn paint(&mut self, app: &mut App) -> io::Result<()> {
        let size = guard::size()?;
        if self.size != size {
            self.clear(size)?;
        }
        let (columns, rows) = size;
        let next = picture(app, columns, rows);
        let window = Window { is_small: is_small(columns, rows), scroll: next.scroll };
        if app.window != window {
            app.update(self.at(), Timestamp::now(), Msg::Drawn(window));
        }
        self.painted = Instant::now();
        let title = Self::title(app);
        if self.titled != title {
            execute!(stdout(), SetTitle(title))?;
            self.titled = title;
        }
        if self.last.as_ref() == Some(&next) {
            return Ok(());
        }
        let theme = self.theme;
        self.terminal.draw(|frame| {
            let area = frame.area();
            if let Some(cursor) = draw(&next, theme, area, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        self.last = Some(next);
        Ok(())
    }

    fn repaint(&mut self, app: &mut App) -> io::Result<()> {
        self.clear(guard::size()?)?;
        self.paint(app)
    }

    /// Wipes the screen and forgets what is on it. Asks the terminal nothing: its answer would be among the keys.
    fn clear(&mut self, size: (u16, u16)) -> io::Result<()> {
        execute!(stdout(), Clear(ClearType::All))?;
        self.terminal = terminal(size)?;
        (self.size, self.last) = (size, None);
        Ok(())
    }

    /// Sleeps as a shell's job does, and comes back with the same picture.
    fn suspend(&mut self, app: &mut App) -> io::Result<()> {
        self.guard.pause();
        // the group of the terminal's job stops here, until the shell continues it; where no shell is, nothing stops
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        self.come_back(app)
    }

    /// The terminal is the wizard's again, whoever had it meanwhile.
    fn come_back(&mut self, app: &mut App) -> io::Result<()> {
        self.titled = Self::title(app);
        self.guard.go_on(self.titled)?;
        self.repaint(app)
    }

    fn at(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A terminal of a fixed size, with nothing on it.
fn terminal((columns, rows): (u16, u16)) -> io::Result<Terminal<CrosstermBackend<io::Stdout>>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    Terminal::with_options(CrosstermBackend::new(stdout()), TerminalOptions { viewport })
}

/// Runs the wizard until it is left.
///
/// # Errors
/// When the terminal cannot be taken or written.
pub async fn run(mut app: App, mut link: Link, place: Place) -> io::Result<Outcome> {
    let titled = Screen::title(&app);
    let guard = Guard::take(titled)?;
    let size = guard::size()?;
    let terminal = terminal(size)?;
    // a drydock that was killed here left its own screen open: what a shell wrote upon it would shine through
    execute!(stdout(), Clear(ClearType::All))?;
    let now = Instant::now();
    let (theme, tick) = (place.theme, place.tick);
    let mut screen = Screen { terminal, size, guard, theme, last: None, tick, titled, painted: now, started: now };
    screen.paint(&mut app)?;
    let (tail, mut lines) = Tail::start(place.output);
    let (reader, mut keys) = Keys::start();
    let (mut hangup, mut terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let mut go_on = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let mut dirty = false;
    let ended: io::Result<Ended> = loop {
        let wake = wake(&app, &screen, dirty);
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
                // stopped by somebody else, and continued: the shell had the terminal in between
                if let Err(error) = screen.come_back(&mut app) {
                    break Err(error);
                }
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
                if let Some(Lines { step, fresh: lines, total }) = new {
                    effects = app.update(screen.at(), Timestamp::now(), Msg::Output { step, lines, total });
                    dirty = true;
                }
            }
            () = wake => {
                effects = app.update(screen.at(), Timestamp::now(), Msg::Tick);
                dirty = true;
            }
        }
        match perform(&mut app, &mut screen, &link, &place.save, &tail, effects).await {
            Ok(None) => {}
            Ok(Some(quit)) => break Ok(Ended::Quit(quit)),
            Err(error) => break Err(error),
        }
        if pressed || dirty && screen.painted.elapsed() >= FRAME {
            if let Err(error) = screen.paint(&mut app) {
                break Err(error);
            }
            dirty = false;
        }
    };
    if guard::is_gone() {
        // nobody reads and nobody can be told; the run goes on to its next safe point
        guard::let_go()?;
        return Ok(Outcome { ended: Ended::Gone, link, app });
    }
    reader.end(keys);
    drop(screen);
    Ok(Outcome { ended: ended?, link, app })
}

/// When the screen must be looked at again without a key or an event; never, when nothing moves.
async fn wake(app: &App, screen: &Screen, dirty: bool) {
    let next = if dirty {
        FRAME.saturating_sub(screen.painted.elapsed())
    } else if app.has_timer() {
        SECOND.saturating_sub(screen.painted.elapsed())
    } else if app.is_working() {
        screen.tick.saturating_sub(screen.painted.elapsed())
    } else {
        return std::future::pending().await;
    };
    tokio::time::sleep(next).await;
}

async fn perform(
    app: &mut App,
    screen: &mut Screen,
    link: &Link,
    save: &Save,
    tail: &Tail,
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
            Effect::Follow(step) => tail.read(&step),
            Effect::Save { name, text } => {
                let save = Arc::clone(save);
                let saved = tokio::task::spawn_blocking(move || save(&name, &text)).await;
                let saved = saved.unwrap_or_else(|error| Err(error.to_string()));
                app.update(screen.at(), Timestamp::now(), Msg::Saved(saved));
            }
            Effect::Bell => {
                stdout().write_all(b"\x07")?;
                stdout().flush()?;
            }
            Effect::Repaint => screen.repaint(app)?,
            Effect::Suspend => screen.suspend(app)?,
            Effect::Quit(quit) => return Ok(Some(quit)),
        }
    }
    Ok(None)
}
