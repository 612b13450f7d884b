//! The lock of the wizard: after some minutes without a key nothing secret can be shown or edited, and the passphrase is asked
//! for over the screen (S04b). What runs goes on, and what is behind stays readable.
//!
//! Owns when it locks, what holds while it is locked, and the dialog. Whether a passphrase opens the vault is found out
//! outside, through [`Effect::Unlock`].

use super::{App, Cmd, Effect, Front, Key, Over, text_field::TextField};
use crate::run::SecretHandle;

/// So long before it locks it says so, in milliseconds.
const NOTICE: u64 = 30_000;

/// What of the dialog has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlockFocus {
    Passphrase,
    Stay,
    Unlock,
}

/// The dialog that unlocks.
#[derive(Debug)]
pub struct Unlock {
    /// The passphrase.
    pub text: TextField,
    /// What has the focus.
    pub focus: UnlockFocus,
    /// Why the last try failed, or empty.
    pub fault: String,
    /// Number of tries.
    pub tries: u32,
    /// Whether an answer is awaited.
    pub sent: bool,
}

impl Default for Unlock {
    fn default() -> Self {
        let text = TextField::secret();
        Self { text, focus: UnlockFocus::Passphrase, fault: String::new(), tries: 0, sent: false }
    }
}

impl Unlock {
    fn step(&mut self, by: isize) {
        use UnlockFocus::{Passphrase, Stay, Unlock};
        let order = [Passphrase, Stay, Unlock];
        let at = order.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        self.focus = order[at.saturating_add_signed(by) % order.len()];
    }
}

/// How the lock stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lock {
    /// Whether it is locked.
    pub is_shut: bool,
    /// Whether the run is past the vault: before there is nothing to lock.
    pub past_vault: bool,
    /// When the last key was pressed, in milliseconds since the program began.
    pub last_key: u64,
}

impl App {
    /// After how many milliseconds without a key it locks, where it does.
    fn locks_at(&self) -> Option<u64> {
        let after = self.around.locks_after?;
        (self.lock.past_vault && !self.lock.is_shut && self.stopped.is_none()).then_some(self.lock.last_key + after)
    }

    /// Whether nothing secret can be shown or edited.
    pub fn is_locked(&self) -> bool {
        self.lock.is_shut
    }

    /// Whether it locks soon; any key puts that off.
    pub fn locks_soon(&self) -> bool {
        self.locks_at().is_some_and(|at| self.at + NOTICE >= at)
    }

    /// When the clock must look at the screen again because of the lock, in milliseconds since the program began: when it
    /// says that it locks soon, and when it does.
    pub fn lock_wakes_at(&self) -> Option<u64> {
        let at = self.locks_at()?;
        Some(if self.locks_soon() { at } else { at - NOTICE.min(at) })
    }

    /// Locks when it is time; whether it did just now.
    pub(super) fn watch_lock(&mut self) -> bool {
        if self.locks_at().is_none_or(|at| self.at < at) {
            return false;
        }
        self.lock.is_shut = true;
        match &mut self.front {
            Front::Vault(screen) => screen.shown_until = 0,
            Front::Form(screen) => screen.shown_until = 0,
            _ => {}
        }
        self.over = Some(Over::Unlock(Unlock::default()));
        self.shown = None;
        true
    }

    /// Whether a command is done while it is locked; it looks, leaves, or pauses. Any other asks for the passphrase.
    pub(super) fn is_done_locked(&self, cmd: Cmd) -> bool {
        let looks = matches!(
            cmd,
            Cmd::Help | Cmd::Palette | Cmd::Why | Cmd::Evidence | Cmd::Overview | Cmd::Log | Cmd::Search | Cmd::Report
        );
        looks || matches!(cmd, Cmd::Leave | Cmd::Pause) || matches!(self.front, Front::Running | Front::Finish(_))
    }

    /// Asks for the passphrase over the screen.
    pub(super) fn ask_unlock(&mut self) {
        self.over = Some(Over::Unlock(Unlock::default()));
    }

    /// A command to the dialog.
    pub(super) fn unlock_command(&mut self, cmd: Cmd, key: Key) -> Vec<Effect> {
        let Some(Over::Unlock(dialog)) = &mut self.over else { return Vec::new() };
        match (cmd, dialog.focus) {
            _ if dialog.sent => {}
            (Cmd::Next | Cmd::Down, _) => dialog.step(1),
            (Cmd::Previous | Cmd::Up, _) => dialog.step(-1),
            (Cmd::Back, _) | (Cmd::Enter, UnlockFocus::Stay) => {
                self.over = None;
                self.notice = Some("It stays locked: looking is possible, nothing secret, no answer.".to_owned());
            }
            (Cmd::Leave, _) => return self.leave(),
            (Cmd::Enter, _) if dialog.text.is_empty() => self.notice = Some("Not yet: passphrase.".to_owned()),
            (Cmd::Enter, _) => {
                dialog.sent = true;
                dialog.tries += 1;
                dialog.fault.clear();
                let secret = dialog.text.take_secret();
                self.handles += 1;
                let handle = SecretHandle(self.handles);
                self.secrets.insert(handle, secret);
                return vec![Effect::Unlock(handle)];
            }
            _ if dialog.focus == UnlockFocus::Passphrase => {
                dialog.text.key(key);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Whether the passphrase opened the vault is known.
    pub(super) fn unlocked(&mut self, result: Result<(), String>) {
        match (result, &mut self.over) {
            (Ok(()), over) => {
                if matches!(over, Some(Over::Unlock(_))) {
                    *over = None;
                }
                self.lock.is_shut = false;
                // what is behind is seen from now on
                (self.lock.last_key, self.shown_at) = (self.at, self.at);
                self.notice = Some("Unlocked.".to_owned());
            }
            (Err(fault), Some(Over::Unlock(dialog))) => {
                (dialog.fault, dialog.sent, dialog.focus) = (fault, false, UnlockFocus::Passphrase);
            }
            (Err(_), _) => {}
        }
    }
}
