//! Lines of a person at a terminal: read only while a prompt waits, on a thread of their own, so that Ctrl-C is heard at
//! once. Owns the terminal's echo and what was typed ahead.

use std::{
    future::pending,
    io::{BufRead, BufReader, IsTerminal, stdin},
    sync::mpsc::{Sender, channel},
};

use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};
use zeroize::Zeroizing;

/// Room for a line without moving it in memory: what is moved is not wiped.
const LINE: usize = 4096;

/// What came instead of a line, or the line.
pub(super) enum Heard {
    /// A line without its end.
    Line(Zeroizing<String>),
    /// The input is at its end.
    End,
    /// Ctrl-C.
    Interrupt,
    /// The terminal or the session goes.
    Gone,
}

/// The signals that ask the program to end, caught from the moment this is made. One that the caller has told to ignore, as
/// `nohup` does, stays ignored.
pub struct Signals {
    interrupt: Option<Signal>,
    hangup: Option<Signal>,
    terminate: Option<Signal>,
}

/// Catches a signal that is not ignored.
fn caught(kind: SignalKind) -> std::io::Result<Option<Signal>> {
    // a system that does not tell is taken at the usual
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let bit = 1 << (kind.as_raw_value() - 1);
    if ignored.unwrap_or_default() & bit != 0 { Ok(None) } else { signal(kind).map(Some) }
}

async fn comes(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}

impl Signals {
    /// Catches them.
    ///
    /// # Errors
    /// When signals cannot be caught.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: caught(SignalKind::interrupt())?,
            hangup: caught(SignalKind::hangup())?,
            terminate: caught(SignalKind::terminate())?,
        })
    }

    /// Waits for any of them.
    pub async fn any(&mut self) {
        self.heard().await;
    }

    async fn heard(&mut self) -> Heard {
        tokio::select! {
            () = comes(&mut self.interrupt) => Heard::Interrupt,
            () = comes(&mut self.hangup) => Heard::Gone,
            () = comes(&mut self.terminate) => Heard::Gone,
        }
    }
}

/// A person's input.
pub struct Keyboard {
    ask: Sender<()>,
    told: mpsc::UnboundedReceiver<Option<Zeroizing<String>>>,
    /// Whether the thread still waits for a line that an earlier prompt asked for.
    reading: bool,
    terminal: bool,
    signals: Option<Signals>,
}

impl Keyboard {
    /// Lines of any reader; no signal is caught and no echo is touched.
    pub fn new(mut input: Box<dyn BufRead + Send>) -> Self {
        let (ask, asked) = channel();
        let (tell, told) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            while asked.recv().is_ok() {
                let mut line = Zeroizing::new(String::with_capacity(LINE));
                let whole = input.read_line(&mut line).is_ok_and(|n| n > 0);
                let end = line.trim_end_matches(['\n', '\r']).len();
                line.truncate(end);
                if tell.send(whole.then_some(line)).is_err() {
                    return;
                }
            }
        });
        Self { ask, told, reading: false, terminal: false, signals: None }
    }

    /// Standard input, with its echo, its type-ahead and the signals of its keys.
    ///
    /// # Errors
    /// When signals cannot be caught.
    pub fn terminal() -> std::io::Result<Self> {
        let signals = Signals::catch()?;
        let keyboard = Self::new(Box::new(BufReader::new(stdin())));
        Ok(Self { terminal: stdin().is_terminal(), signals: Some(signals), ..keyboard })
    }

    /// The next line, or what comes first.
    pub(super) async fn line(&mut self) -> Heard {
        if !self.reading {
            self.reading = self.ask.send(()).is_ok();
        }
        tokio::select! {
            biased;
            heard = interrupted(self.signals.as_mut()) => heard,
            line = self.told.recv() => {
                self.reading = false;
                line.flatten().map_or(Heard::End, Heard::Line)
            }
        }
    }

    /// Waits for a signal while no prompt waits for a line.
    pub(super) async fn interrupted(&mut self) -> Heard {
        interrupted(self.signals.as_mut()).await
    }

    /// Throws away what was typed before it was asked for; whether there was anything.
    pub(super) fn forget_typed_ahead(&mut self) -> bool {
        if !self.terminal {
            return false;
        }
        let waiting = rustix::io::ioctl_fionread(stdin()).is_ok_and(|bytes| bytes > 0);
        let _ = tcflush(stdin(), QueueSelector::IFlush);
        waiting
    }

    /// The terminal's echo, off while the answer lives.
    pub(super) fn hidden(&self) -> Echo {
        Echo::off(self.terminal)
    }
}

async fn interrupted(signals: Option<&mut Signals>) -> Heard {
    match signals {
        Some(signals) => signals.heard().await,
        None => pending().await,
    }
}

/// The terminal's echo, off while this lives.
pub(super) struct Echo(Option<Termios>);

impl Echo {
    fn off(terminal: bool) -> Self {
        let before = if terminal { tcgetattr(stdin()).ok() } else { None };
        if let Some(before) = &before {
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            // what was typed ahead was typed for another question
            let _ = tcsetattr(stdin(), OptionalActions::Flush, &hidden);
        }
        Self(before)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}
