//! The terminal as pictures are put on it: taken and given back, painted only where something changed.

use std::{
    io::{self, stdout},
    time::{Duration, Instant},
};

use ratatui::{Terminal, backend::CrosstermBackend, layout::Size};

use super::{Guard, Picture, Theme, draw};

/// A terminal that was taken.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    guard: Guard,
    theme: Theme,
    last: Option<Picture>,
    painted: Instant,
    started: Instant,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard output is no terminal, or it refuses raw mode.
    pub fn take(title: &str, theme: Theme) -> io::Result<Self> {
        let guard = Guard::take(title)?;
        let mut terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        // a drydock that was killed here left its own screen open: what a shell wrote upon it would shine through
        terminal.clear()?;
        let now = Instant::now();
        Ok(Self { terminal, guard, theme, last: None, painted: now, started: now })
    }

    /// Its size now.
    pub fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Milliseconds since it was taken.
    pub fn at(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Time since something was painted, or found to be the same.
    pub fn since_painted(&self) -> Duration {
        self.painted.elapsed()
    }

    /// Paints; a picture that is there already writes nothing.
    pub fn paint(&mut self, next: Picture) -> io::Result<()> {
        self.painted = Instant::now();
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

    /// Empties it, so that the next picture is painted whole.
    pub fn forget(&mut self) -> io::Result<()> {
        self.last = None;
        self.terminal.clear()
    }

    /// Sleeps as a shell's job does; it comes back empty.
    pub fn suspend(&mut self, title: &str) -> io::Result<()> {
        self.guard.pause();
        // the group of the terminal's job stops here, until the shell continues it
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        self.guard.go_on(title)?;
        self.forget()
    }
}
