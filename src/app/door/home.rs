//! S01: what there is to do.

use super::{Cmd, Further, Key, Procedure, Shelf};
use crate::app::menu::Menu;

/// Unfinished runs shown; older ones are told in a number.
const RUNS: usize = 3;
/// Runs after which something can be done that are shown; by `start --intent … --of RUN` each can be.
const FURTHER: usize = 2;

/// Something to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A run that is not at its end.
    Resume(String),
    /// A procedure, with the runbook's title and what the intent is for.
    Procedure { of: Procedure, title: String, about: String },
    /// The simulated cluster.
    Practice,
    /// What can be done after a run.
    GoOn(Box<Further>),
    /// What lies in the vault.
    Vault,
    /// Runs that are over.
    Past,
    /// This machine.
    Host,
}

/// The screen.
#[derive(Debug)]
pub struct HomeScreen {
    /// What can be opened, in the order shown.
    pub entries: Vec<Entry>,
    /// The chosen one.
    pub menu: Menu,
    /// Whether nothing was done here yet.
    pub first_time: bool,
}

impl HomeScreen {
    /// The screen over what is there. On a new machine practice comes first.
    pub fn new(shelf: &Shelf) -> Self {
        let first_time = !shelf.used && shelf.runs.is_empty() && shelf.past.is_empty();
        let mut entries: Vec<Entry> = shelf.runs.iter().take(RUNS).map(|run| Entry::Resume(run.id.clone())).collect();
        let procedures = shelf.procedures.iter().map(|(of, title, about)| Entry::Procedure {
            of: of.clone(),
            title: title.clone(),
            about: about.clone(),
        });
        if first_time {
            entries.push(Entry::Practice);
            entries.extend(procedures);
        } else {
            entries.extend(procedures);
            entries.push(Entry::Practice);
        }
        entries.extend(shelf.further.iter().take(FURTHER).map(|further| Entry::GoOn(Box::new(further.clone()))));
        if !first_time {
            entries.extend([Entry::Vault, Entry::Past]);
        }
        entries.push(Entry::Host);
        Self { menu: Menu::new(entries.len(), 0), entries, first_time }
    }

    /// Takes a command; what is opened by it.
    pub fn command(&mut self, cmd: Cmd, key: Key) -> Option<Entry> {
        if self.menu.moved(cmd, key) {
            return None;
        }
        (cmd == Cmd::Enter).then(|| self.entries.get(self.menu.at).cloned()).flatten()
    }
}
