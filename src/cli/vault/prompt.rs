//! A hidden line at the terminal. Of our own, because the usual prompts leave the terminal without echo when Ctrl-C ends them,
//! throw away what was typed a moment too early, and ask for ever when the terminal is gone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::ask::LONGEST;

/// What came of asking.
pub(super) enum Typed {
    /// A line, perhaps empty.
    Line(Zeroizing<String>),
    /// The operator left, or the terminal is gone.
    Left,
}

/// Asks on the terminal itself, wherever the standard streams lead.
pub(super) fn hidden_line(what: &str) -> io::Result<Typed> {
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    // Hidden first, asked then: nothing typed at the prompt can show.
    let quiet = Quiet::new(&tty)?;
    write!(&tty, "{what} (typing stays hidden): ")?;
    let typed = read_hidden(&mut &tty);
    drop(quiet);
    writeln!(&tty)?;
    typed
}

/// Tells the terminal something.
pub(super) fn tell(text: &str) -> io::Result<()> {
    writeln!(OpenOptions::new().write(true).open("/dev/tty")?, "{text}")
}

/// A terminal that shows nothing and sends keys one by one, signals included, until this is dropped.
struct Quiet<'a> {
    tty: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(tty: &'a File) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut quiet = before.clone();
        // Without signals, no key can end us before the terminal is as it was.
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(tty, OptionalActions::Now, &quiet)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // Flushed: the rest of an arrow key or of a paste must not reach the shell.
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }
}

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 0x15;
const ESC: u8 = 0x1b;
const DELETE: u8 = 0x7f;

fn read_hidden(from: &mut dyn Read) -> io::Result<Typed> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    loop {
        match from.read(&mut *byte) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
            Ok(0) => return Ok(Typed::Left),
            Ok(_) => {}
        }
        match byte[0] {
            b'\n' | b'\r' => break,
            CTRL_C | CTRL_D | ESC => return Ok(Typed::Left),
            BACKSPACE | DELETE => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            CTRL_U => line.clear(),
            control if control < b' ' => {}
            _ if line.len() == LONGEST => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {LONGEST} bytes")));
            }
            other => line.push(other),
        }
    }
    match str::from_utf8(&line) {
        Ok(text) => Ok(Typed::Line(Zeroizing::new(text.to_owned()))),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_what_they_do_elsewhere() {
        for (keys, line) in [
            ("pass word\r", Some("pass word")),
            ("pass\n", Some("pass")),
            ("\r", Some("")),
            ("paß\u{7f}ss\r", Some("pass")),
            ("x\u{7f}\u{7f}\u{8}ok\r", Some("ok")),
            ("wrong\u{15}right\r", Some("right")),
            ("a\tb\u{1}c\r", Some("abc")),
            ("half\u{3}", None),
            ("half\u{4}", None),
            ("half\u{1b}[A\r", None),
            ("half", None),
        ] {
            match (read_hidden(&mut keys.as_bytes()).unwrap(), line) {
                (Typed::Line(typed), Some(line)) => assert_eq!(*typed, line),
                (Typed::Left, None) => {}
                _ => panic!("{keys:?}"),
            }
        }
        assert!(read_hidden(&mut &b"\xff\r"[..]).is_err());
        assert!(read_hidden(&mut [vec![b'x'; LONGEST + 1], vec![b'\r']].concat().as_slice()).is_err());
    }
}
