//! The terminal, taken and always given back: at the end, on error, on a panic, before a suspension.

use std::io::{self, Write, stdout};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, EnableBracketedPaste},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode},
};

/// Holds the terminal in raw mode on the alternate screen; drop gives it back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal. A panic from here on gives it back before it is told.
    ///
    /// # Errors
    /// When standard output is no terminal, or it refuses raw mode.
    pub fn take(title: &str) -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        let guard = Self(());
        enter(title)?;
        Ok(guard)
    }

    /// Gives the terminal back for a while.
    pub fn pause(&self) {
        give_back();
    }

    /// Takes it again.
    ///
    /// # Errors
    /// When it refuses raw mode.
    pub fn go_on(&self, title: &str) -> io::Result<()> {
        enter(title)
    }
}

fn enter(title: &str) -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, SetTitle(title))
}

fn give_back() {
    // nothing can be done about a terminal that is gone
    let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = stdout().flush();
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}
