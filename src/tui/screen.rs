//! The terminal as pictures are put on it: taken and given back, painted only where something changed. It is asked nothing:
//! an answer would be among the keys.

use std::{
    io::{self, stdout},
    time::{Duration, Instant},
};

use crossterm::{
    execute,
    terminal::{Clear, ClearType, SetTitle},
};
use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::CrosstermBackend,
    layout::{Rect, Size},
};
use tokio::sync::mpsc;

use super::{Guard, Picture, Theme, draw, guard, input::Input, keys::Keys};

/// A terminal that was taken.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    size: Size,
    guard: Guard,
    theme: Theme,
    last: Option<Picture>,
    titled: &'static str,
    painted: Instant,
    started: Instant,
}

/// A terminal of a fixed size, with nothing on it.
fn terminal(size: Size) -> io::Result<Terminal<CrosstermBackend<io::Stdout>>> {
    // a drydock that was killed here left its own screen open: what a shell wrote upon it would shine through
    execute!(stdout(), Clear(ClearType::All))?;
    let viewport = Viewport::Fixed(Rect::new(0, 0, size.width, size.height));
    Terminal::with_options(CrosstermBackend::new(stdout()), TerminalOptions { viewport })
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard output is no terminal, or it refuses raw mode.
    pub fn take(title: &'static str, theme: Theme) -> io::Result<Self> {
        let guard = Guard::take(title)?;
        let size = guard::size()?;
        let (terminal, now) = (terminal(size)?, Instant::now());
        Ok(Self { terminal, size, guard, theme, last: None, titled: title, painted: now, started: now })
    }

    /// Its size now; after another size it is empty.
    pub fn size(&mut self) -> io::Result<Size> {
        let size = guard::size()?;
        if self.size != size {
            self.forget()?;
        }
        Ok(size)
    }

    /// Milliseconds since it was taken.
    pub fn at(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Time since something was painted, or found to be the same.
    pub fn since_painted(&self) -> Duration {
        self.painted.elapsed()
    }

    /// Names the window; a name that it has already writes nothing.
    pub fn name(&mut self, title: &'static str) -> io::Result<()> {
        if self.titled != title {
            execute!(stdout(), SetTitle(title))?;
            self.titled = title;
        }
        Ok(())
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
        self.size = guard::size()?;
        self.terminal = terminal(self.size)?;
        self.last = None;
        Ok(())
    }

    /// Sleeps as a shell's job does; it comes back empty.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.guard.pause();
        // the group of the terminal's job stops here, until the shell continues it; where no shell is, nothing stops
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        self.come_back()
    }

    /// Takes the terminal again, whoever had it meanwhile.
    pub fn come_back(&mut self) -> io::Result<()> {
        self.guard.go_on(self.titled)?;
        self.forget()
    }

    /// Gives the terminal back, once nobody reads its keys any more; whether it is still there.
    pub fn leave(self, reader: Keys, keys: mpsc::Receiver<Input>) -> bool {
        let is_there = !guard::is_gone();
        if is_there {
            reader.end(keys);
        }
        drop(self);
        is_there
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // before anything is written on the way out: a terminal that is gone ends whoever writes to it
        if guard::is_gone() {
            let _ = guard::let_go();
        }
    }
}
