//! Where passphrases and values come from: a prompt that shows nothing, or a file descriptor. Never arguments or environment.

use std::fs::File;
use std::io::{self, IsTerminal, Read};

use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::prompt::{self, Typed};
use crate::cli::exit::Exit;

/// More than anybody types.
pub(super) const LONGEST: usize = 4096;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody can be asked.
    #[error("cannot ask for {what}: standard input is no terminal; give it with --passphrase-fd N")]
    Nobody {
        /// What for.
        what: String,
    },
    /// The operator broke off.
    #[error("stopped before {what} was given; nothing was changed")]
    Stopped {
        /// What was asked for.
        what: String,
    },
    /// The descriptor gives no passphrase.
    #[error("cannot read {what} from file descriptor {fd}: {why}")]
    Descriptor {
        /// What was asked for.
        what: String,
        /// Its number.
        fd: u32,
        /// What is wrong.
        why: String,
    },
    /// The prompt itself failed.
    #[error("cannot ask for {what}: {source}")]
    Prompt {
        /// What was asked for.
        what: String,
        /// The terminal's answer.
        source: io::Error,
    },
}

impl AskError {
    /// The exit code it leads to.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Descriptor { .. } => Exit::Usage,
            Self::Stopped { .. } => Exit::Stopped,
            Self::Nobody { .. } | Self::Prompt { .. } => Exit::Environment,
        }
    }
}

/// Gives passphrases when asked.
pub trait Ask {
    /// One that exists.
    fn known(&mut self, what: &str) -> Result<SecretString, AskError>;

    /// A new one; a human types it twice.
    fn new_one(&mut self, what: &str) -> Result<SecretString, AskError>;
}

/// Chooses how to ask: the descriptor if one was given, else the terminal if there is one.
pub fn asker(passphrase_fd: Option<u32>) -> Box<dyn Ask> {
    match passphrase_fd {
        Some(fd) => Box::new(Descriptor { fd, open: None }),
        None if io::stdin().is_terminal() => Box::new(Prompt),
        None => Box::new(Nobody),
    }
}

/// A human at a terminal. What is typed is not shown.
struct Prompt;

impl Prompt {
    /// An empty line is a way out, too: no vault has an empty passphrase, and no entry an empty value.
    fn line(what: &str, prompt: &str) -> Result<Zeroizing<String>, AskError> {
        match prompt::hidden_line(prompt) {
            Ok(Typed::Line(text)) if !text.is_empty() => Ok(text),
            Ok(Typed::Line(_) | Typed::Left) => Err(AskError::Stopped { what: what.to_owned() }),
            Err(source) => Err(AskError::Prompt { what: what.to_owned(), source }),
        }
    }
}

impl Ask for Prompt {
    fn known(&mut self, what: &str) -> Result<SecretString, AskError> {
        Ok(SecretString::from(Self::line(what, what)?.as_str()))
    }

    fn new_one(&mut self, what: &str) -> Result<SecretString, AskError> {
        loop {
            let first = Self::line(what, what)?;
            if *first == *Self::line(what, "Once more")? {
                return Ok(SecretString::from(first.as_str()));
            }
            prompt::tell("The two differ. Try again.")
                .map_err(|source| AskError::Prompt { what: what.to_owned(), source })?;
        }
    }
}

/// One line for each question, from a descriptor that the caller opened.
struct Descriptor {
    fd: u32,
    open: Option<File>,
}

impl Descriptor {
    fn line(&mut self, what: &str) -> Result<SecretString, AskError> {
        let fd = self.fd;
        let fault = |why: String| AskError::Descriptor { what: what.to_owned(), fd, why };
        if fd < 3 {
            return Err(fault("0, 1 and 2 have other uses; take 3 or more, as in 3< FILE".to_owned()));
        }
        let file = match &mut self.open {
            Some(file) => file,
            None => self.open.insert(File::open(format!("/dev/fd/{fd}")).map_err(|error| fault(error.to_string()))?),
        };
        let line = read_line(file).map_err(|error| fault(error.to_string()))?;
        let text = str::from_utf8(&line).map_err(|_| fault("it is not UTF-8 text".to_owned()))?;
        Ok(SecretString::from(text))
    }
}

impl Ask for Descriptor {
    fn known(&mut self, what: &str) -> Result<SecretString, AskError> {
        self.line(what)
    }

    fn new_one(&mut self, what: &str) -> Result<SecretString, AskError> {
        self.line(what)
    }
}

/// Byte by byte: a buffer would take what the next reader of the same pipe is meant to get.
fn read_line(from: &mut dyn Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = Zeroizing::new([0]);
    while from.read(&mut *byte)? == 1 {
        if byte[0] == b'\n' {
            return Ok(line);
        }
        if line.len() == LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("the line is longer than {LONGEST} bytes")));
        }
        line.push(byte[0]);
    }
    if line.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "there is no line"));
    }
    Ok(line)
}

struct Nobody;

impl Ask for Nobody {
    fn known(&mut self, what: &str) -> Result<SecretString, AskError> {
        Err(AskError::Nobody { what: what.to_owned() })
    }

    fn new_one(&mut self, what: &str) -> Result<SecretString, AskError> {
        self.known(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret;
    use std::io::{Seek, Write};
    use std::os::fd::AsRawFd;

    #[test]
    fn a_descriptor_gives_one_line_for_each_question() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all("old pass \u{e9}\nnew\nlast without end".as_bytes()).unwrap();
        file.rewind().unwrap();
        let mut ask = asker(Some(u32::try_from(file.as_raw_fd()).unwrap()));
        assert_eq!(ask.known("Passphrase").unwrap().expose_secret(), "old pass \u{e9}");
        assert_eq!(ask.new_one("New passphrase").unwrap().expose_secret(), "new");
        assert_eq!(ask.known("Passphrase").unwrap().expose_secret(), "last without end");
        assert!(matches!(ask.known("Passphrase"), Err(AskError::Descriptor { .. })));
    }

    #[test]
    fn a_descriptor_that_is_closed_standard_or_garbage_is_refused() {
        for fd in [0, 1, 2, 99_999] {
            assert!(matches!(asker(Some(fd)).known("Passphrase"), Err(AskError::Descriptor { .. })), "{fd}");
        }
        assert!(read_line(&mut vec![b'x'; LONGEST + 1].as_slice()).is_err());
        assert_eq!(read_line(&mut vec![b'x'; LONGEST].as_slice()).unwrap().len(), LONGEST);
    }
}
