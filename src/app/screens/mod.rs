//! The screens of a run: one file each, made from the question that is open, kept while the same question is asked again.

mod checks;
mod choose;
mod confirm;
mod dialog;
mod finish;
mod form;
mod form_focus;
mod form_typing;
mod gate;
mod plan;
mod reapply;
mod resume;
mod vault;

use secrecy::SecretString;

pub use checks::ChecksScreen;
pub use choose::ChooseScreen;
pub use confirm::ConfirmScreen;
pub use dialog::Dialog;
pub use finish::{FinishOption, FinishScreen};
pub use form::FormScreen;
pub use form_focus::FormFocus;
pub use gate::{GateFocus, GateScreen};
pub use plan::PlanScreen;
pub use reapply::{ReapplyFocus, ReapplyScreen};
pub use resume::ResumeScreen;
pub(super) use vault::SHOWN;
pub use vault::{VaultFocus, VaultScreen};

use super::{Cmd, Key, Place, page::Page};
use crate::run::Reply;

/// What a secret is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretFor {
    /// The vault.
    Passphrase,
    /// A field of an item.
    Field { item: String, field: String },
}

/// What a screen wants after a key.
pub enum Act {
    /// Say this to the run.
    Say(Reply),
    /// Say this with a secret.
    Secret(SecretFor, SecretString),
    /// Show a page over the screen.
    Page(Page),
    /// Show the log over the screen.
    Log,
    /// Tell something in the safety row until the next key.
    Notice(String),
    /// Write a text into a file of the run's folder.
    Save { name: String, text: String },
    /// Leave: the run is over.
    Done,
}

/// What all screens can do.
pub trait Screen {
    /// Which keys hold now.
    fn place(&self) -> Place;

    /// Whether a text has the focus, so that characters are text.
    fn typing(&self) -> bool {
        false
    }

    /// Whether keys pressed before the screen could be read are thrown away.
    fn guarded(&self) -> bool {
        false
    }

    /// Takes a command; `at` is the time in milliseconds since the program began.
    fn command(&mut self, cmd: Cmd, key: Key, at: u64) -> Vec<Act>;

    /// The numbered options, as they are written; the palette names them, too.
    fn options(&self) -> Vec<String> {
        Vec::new()
    }

    /// Lets go of what is being typed, as on the way to another front end: nothing of it is lost.
    fn put_down(&mut self) -> Vec<Act> {
        Vec::new()
    }

    /// Takes a key of editing.
    fn edit(&mut self, _key: Key, _at: u64) {}

    /// Takes pasted text; returns what to say about it.
    fn paste(&mut self, _text: &str) -> Option<String> {
        None
    }
}
