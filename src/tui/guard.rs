//! The terminal, taken and always given back: at the end, on error, on a panic, before a suspension.

use std::io::{self, Write, stdout};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, EnableBracketedPaste},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode},
};
use ratatui::layout::Size;

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

/// Columns and rows of the terminal; those of a serial line, which does not tell, are the usual ones.
///
/// # Errors
/// When the terminal is gone.
pub fn size() -> io::Result<Size> {
    let size = rustix::termios::tcgetwinsize(stdout())?;
    let told = size.ws_col > 0 && size.ws_row > 0;
    Ok(if told { Size::new(size.ws_col, size.ws_row) } else { Size::new(80, 24) })
}

/// Whether the terminal is gone, as after a lost connection.
pub fn is_gone() -> bool {
    rustix::termios::tcgetattr(stdout()).is_err()
}

/// Lets go of a terminal that is gone: what is still written goes nowhere, and a reader of keys waits for good instead of
/// spinning on its end.
///
/// # Errors
/// When the system gives no pipe.
pub fn let_go() -> io::Result<()> {
    let (silent, kept) = io::pipe()?;
    rustix::stdio::dup2_stdin(&silent)?;
    // as long as its other end is open, a pipe neither ends nor speaks
    std::mem::forget(kept);
    let nowhere = std::fs::File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    Ok(())
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
