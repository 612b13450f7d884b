//! What the wizard is told about the place it runs in, and functions that other rooms own.

use secrecy::SecretString;

/// How good a passphrase is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// Whether the vault takes it.
    pub enough: bool,
    /// In a sentence: `strong: about 900 years of guessing at this vault's cost`.
    pub sentence: String,
}

/// The vault's knowledge of passphrases.
#[derive(Debug, Clone, Copy)]
pub struct Passphrases {
    /// How good one is.
    pub strength: fn(&str) -> Strength,
    /// A new good one.
    pub suggest: fn() -> SecretString,
}

/// The place.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The command that takes the run up again.
    pub come_back: String,
    /// The command that shows the run once it is at its end; nothing where none finds it, as in practice.
    pub look_again: Option<String>,
    /// Name of the tmux session, where there is one.
    pub tmux: Option<String>,
    /// The operator's time zone.
    pub zone: jiff::tz::TimeZone,
    /// After how many milliseconds without a key the wizard locks; nothing where a run keeps no secret.
    pub locks_after: Option<u64>,
    /// What can be said of passphrases.
    pub passphrases: Passphrases,
}
