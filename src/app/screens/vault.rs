//! S04: making the vault, and opening it.

use super::{Act, Screen, SecretFor};
use crate::app::{Cmd, Key, Passphrases, Place, Strength, text_field::TextField};

/// How long a secret is shown on demand, in milliseconds.
pub const SHOWN: u64 = 10_000;

/// Two Enter within this time are one key that is held down, in milliseconds.
const HELD: u64 = 200;

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultFocus {
    First,
    Second,
    Back,
    Suggest,
    Make,
}

/// The passphrase of a new vault, twice; or of one that exists, once.
pub struct VaultScreen {
    /// Whether there is a vault already.
    pub exists: bool,
    /// Why the last try failed, or empty.
    pub fault: String,
    /// The passphrase.
    pub first: TextField,
    /// The same once more.
    pub second: TextField,
    /// What has the focus.
    pub focus: VaultFocus,
    /// Until when the first field is shown in clear.
    pub shown_until: u64,
    /// Strength of the first field.
    pub strength: Option<Strength>,
    /// Whether the passphrase was handed over and the answer is awaited.
    pub sent: bool,
    /// Number of tries.
    pub tries: u32,
    passphrases: Passphrases,
    /// When it was asked whether a suggestion may take the place of what is typed.
    asked_at: Option<u64>,
}

impl VaultScreen {
    /// A new screen.
    pub fn new(exists: bool, fault: &str, passphrases: Passphrases) -> Self {
        Self {
            exists,
            fault: fault.to_owned(),
            first: TextField::secret(),
            second: TextField::secret(),
            focus: VaultFocus::First,
            shown_until: 0,
            strength: None,
            sent: false,
            tries: 0,
            passphrases,
            asked_at: None,
        }
    }

    /// The same question again, with what was wrong.
    pub fn refresh(&mut self, exists: bool, fault: &str) {
        self.exists = exists;
        self.fault = fault.to_owned();
        self.sent = false;
        self.focus = VaultFocus::First;
    }

    fn order(&self) -> &'static [VaultFocus] {
        use VaultFocus::{Back, First, Make, Second, Suggest};
        if self.exists { &[First, Back, Make] } else { &[First, Second, Back, Suggest, Make] }
    }

    fn step(&mut self, by: isize) {
        let order = self.order();
        let at = order.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        // behind the last comes the first; before the first nothing does
        self.focus = order[at.saturating_add_signed(by) % order.len()];
    }

    /// Why the vault cannot be made yet, or nothing.
    pub fn missing(&self) -> &'static str {
        if self.first.is_empty() {
            "1st entry"
        } else if self.exists {
            ""
        } else if self.strength.as_ref().is_some_and(|strength| !strength.enough) {
            "too weak"
        } else if self.first.reveal() != self.second.reveal() {
            "2nd entry"
        } else {
            ""
        }
    }
}

impl Screen for VaultScreen {
    fn place(&self) -> Place {
        match self.focus {
            VaultFocus::First | VaultFocus::Second => Place::Vault,
            VaultFocus::Back | VaultFocus::Suggest | VaultFocus::Make => Place::VaultButtons,
        }
    }

    fn typing(&self) -> bool {
        !self.sent && matches!(self.focus, VaultFocus::First | VaultFocus::Second)
    }

    fn command(&mut self, cmd: Cmd, _: Key, at: u64) -> Vec<Act> {
        let asked_at = self.asked_at.take();
        match cmd {
            Cmd::Next | Cmd::Down => self.step(1),
            Cmd::Previous | Cmd::Up => self.step(-1),
            Cmd::ShowSecret => self.shown_until = at + SHOWN,
            Cmd::Back => {
                return vec![Act::Notice("The vault comes first: secrets need a place. Leave with Ctrl-C.".to_owned())];
            }
            Cmd::Enter => match self.focus {
                VaultFocus::First if self.exists => return self.make(),
                VaultFocus::First | VaultFocus::Second => {
                    self.step(if self.focus == VaultFocus::First { 1 } else { 3 });
                }
                VaultFocus::Suggest => return self.suggest(asked_at, at),
                VaultFocus::Make => return self.make(),
                VaultFocus::Back => {
                    return vec![Act::Notice("Nothing was written. Leave with q, or make the vault.".to_owned())];
                }
            },
            _ => {}
        }
        Vec::new()
    }

    fn edit(&mut self, key: Key, _: u64) {
        let field = if self.focus == VaultFocus::Second { &mut self.second } else { &mut self.first };
        field.key(key);
        if self.focus == VaultFocus::First && !self.exists {
            self.strength = (!self.first.is_empty()).then(|| (self.passphrases.strength)(self.first.reveal()));
        }
    }

    fn paste(&mut self, text: &str) -> Option<String> {
        if !self.typing() {
            return None;
        }
        let more = if self.focus == VaultFocus::Second { &mut self.second } else { &mut self.first }.paste(text);
        self.edit(Key::Home, 0);
        more.then(|| "Only the first line of the paste was taken.".to_owned())
    }
}

impl VaultScreen {
    /// A suggestion takes the place of what is typed only where that was said first: nobody has it but who typed it.
    fn suggest(&mut self, asked_at: Option<u64>, at: u64) -> Vec<Act> {
        let is_empty = self.first.is_empty() && self.second.is_empty();
        if !is_empty && asked_at.is_none_or(|asked| at < asked + HELD) {
            self.asked_at = Some(at);
            let note = "Enter once more replaces what is typed · Tab keeps it";
            return vec![Act::Notice(note.to_owned())];
        }
        let suggested = (self.passphrases.suggest)();
        self.first.clear();
        self.second.clear();
        self.first.paste(secrecy::ExposeSecret::expose_secret(&suggested));
        self.strength = Some((self.passphrases.strength)(self.first.reveal()));
        self.shown_until = at + 6 * SHOWN;
        self.focus = VaultFocus::Second;
        vec![Act::Notice("Write the words down now; they are hidden again in 60 s.".to_owned())]
    }

    fn make(&mut self) -> Vec<Act> {
        if self.sent {
            return Vec::new();
        }
        let missing = self.missing();
        if !missing.is_empty() {
            return vec![Act::Notice(format!("Not yet: {missing}."))];
        }
        self.sent = true;
        self.tries += 1;
        self.fault.clear();
        self.shown_until = 0;
        let secret = self.first.take_secret();
        self.second.clear();
        self.strength = None;
        vec![Act::Secret(SecretFor::Passphrase, secret)]
    }
}
