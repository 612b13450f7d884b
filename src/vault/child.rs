//! Unlocking, here or in a short-lived process of our own: scrypt takes 256 MiB, which a wizard would not give back.
//!
//! The child gets the identity file and the passphrase on standard input and answers on standard output; nothing secret is
//! in its arguments or environment. `main` calls `run_unlock_child` when its first argument is `CHILD_COMMAND`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use age::secrecy::{ExposeSecret, SecretString};
use age::x25519;
use zeroize::Zeroizing;

use super::error::{Tested, VaultError};
use super::identity;

/// The hidden subcommand of the child.
pub const CHILD_COMMAND: &str = "vault-unlock-child";

/// More than any identity file or passphrase has.
const LONGEST: u64 = 1 << 20;

/// Where scrypt runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlock {
    /// On this thread.
    Here,
    /// In a child, which is this program called with `CHILD_COMMAND`.
    InChild {
        /// The program.
        program: PathBuf,
    },
}

/// How the child's side ended; `main` turns it into its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildEnd {
    /// The parent has its answer, good or bad.
    Answered,
    /// The parent went away or did not speak our way.
    Broken,
}

impl Unlock {
    /// A child made of the program that runs now.
    pub fn in_child() -> Result<Self, VaultError> {
        let program = std::env::current_exe()
            .map_err(|source| VaultError::Io { what: "find this program's own file", source })?;
        Ok(Self::InChild { program })
    }

    pub(super) fn unwrap(
        &self,
        path: &Path,
        wrapped: &[u8],
        passphrase: &SecretString,
    ) -> Result<x25519::Identity, VaultError> {
        match self {
            Self::Here => identity::unwrap(path, wrapped, passphrase),
            Self::InChild { program } => ask(program, path, wrapped, passphrase),
        }
    }
}

/// First byte of an answer.
mod answer {
    pub(super) const IDENTITY: u8 = b'k';
    pub(super) const WRONG: u8 = b'w';
    pub(super) const TOO_MUCH_WORK: u8 = b't';
    pub(super) const DAMAGED: u8 = b'd';
}

fn ask(program: &Path, path: &Path, wrapped: &[u8], passphrase: &SecretString) -> Result<x25519::Identity, VaultError> {
    let failed = |what: &str, error: std::io::Error| VaultError::Child(format!("{what}: {error}"));
    let mut child = Command::new(program)
        .arg(CHILD_COMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed("it did not start", error))?;
    let mut answer = Zeroizing::new(Vec::with_capacity(4096));
    let spoken = (|| {
        // Both ends are taken and dropped here: the child sees the end of its input, and never waits for us.
        if let Some(mut input) = child.stdin.take() {
            let length = u32::try_from(wrapped.len()).unwrap_or(u32::MAX);
            input.write_all(&length.to_be_bytes())?;
            input.write_all(wrapped)?;
            input.write_all(passphrase.expose_secret().as_bytes())?;
        }
        match child.stdout.take() {
            Some(output) => output.take(4096).read_to_end(&mut answer).map(drop),
            None => Ok(()),
        }
    })();
    let ended = child.wait().map_err(|error| failed("it cannot be waited for", error))?;
    spoken.map_err(|error| failed(&format!("it stopped listening ({ended})"), error))?;
    let bytes = wrapped.len() as u64;
    let damaged =
        |tested| VaultError::IdentityDamaged { path: path.to_owned(), bytes, why: "it was cut or altered", tested };
    match answer.as_slice() {
        [answer::IDENTITY, text @ ..] => str::from_utf8(text)
            .ok()
            .and_then(identity::parse)
            .ok_or_else(|| VaultError::Child("its answer is not whole".to_owned())),
        [answer::WRONG] => Err(VaultError::WrongPassphrase),
        [answer::TOO_MUCH_WORK, needed, limit] => Err(VaultError::WorkFactor { needed: *needed, limit: *limit }),
        [answer::DAMAGED, 0] => Err(damaged(Tested::No)),
        [answer::DAMAGED, 1] => Err(damaged(Tested::Right)),
        // Killed for memory is the likeliest end without an answer.
        _ => Err(VaultError::Child(format!("it ended without an answer ({ended}); it needs 256 MiB of memory"))),
    }
}

/// The child's side: reads one request, answers it, and is done.
pub fn run_unlock_child(input: &mut dyn Read, output: &mut dyn Write) -> ChildEnd {
    match read_request(input).and_then(|(wrapped, passphrase)| reply(&wrapped, &passphrase, output)) {
        Some(()) => ChildEnd::Answered,
        None => ChildEnd::Broken,
    }
}

fn read_request(input: &mut dyn Read) -> Option<(Vec<u8>, SecretString)> {
    let mut length = [0; 4];
    input.read_exact(&mut length).ok()?;
    let length = u64::from(u32::from_be_bytes(length));
    if length > LONGEST {
        return None;
    }
    let mut wrapped = Vec::new();
    let read = input.take(length).read_to_end(&mut wrapped).ok()?;
    let mut passphrase = Zeroizing::new(String::with_capacity(4096));
    input.take(LONGEST).read_to_string(&mut passphrase).ok()?;
    (read as u64 == length).then(|| (wrapped, SecretString::from(passphrase.as_str())))
}

fn reply(wrapped: &[u8], passphrase: &SecretString, output: &mut dyn Write) -> Option<()> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    match identity::unwrap(Path::new("identity.age"), wrapped, passphrase) {
        Ok(identity) => {
            bytes.push(answer::IDENTITY);
            bytes.extend_from_slice(identity.to_string().expose_secret().as_bytes());
        }
        Err(VaultError::WrongPassphrase) => bytes.push(answer::WRONG),
        Err(VaultError::WorkFactor { needed, limit }) => bytes.extend([answer::TOO_MUCH_WORK, needed, limit]),
        Err(VaultError::IdentityDamaged { tested, .. }) => {
            bytes.extend([answer::DAMAGED, u8::from(tested == Tested::Right)]);
        }
        Err(_) => return None,
    }
    output.write_all(&bytes).and_then(|()| output.flush()).ok()
}
