//! S14: a run is taken up again. What the journal says, what the target says, and what next.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Menu},
    run::{Choice, Reply, Sign},
};

/// The look after a crash.
#[derive(Debug)]
pub struct ResumeScreen {
    /// Sign, step, what the target says, so.
    pub rows: Vec<(Sign, String, String, String)>,
    /// What was begun and not written as ended.
    pub uncertain: Vec<String>,
    /// What can be done.
    pub choices: Vec<Choice>,
    /// The chosen one; after a deletion the harmless one.
    pub menu: Menu,
    sent: bool,
}

impl ResumeScreen {
    /// A new screen.
    pub fn new(
        rows: &[(Sign, String, String, String)],
        uncertain: &[String],
        choices: &[Choice],
        recommended: usize,
    ) -> Self {
        Self {
            rows: rows.to_vec(),
            uncertain: uncertain.to_vec(),
            choices: choices.to_vec(),
            menu: Menu::new(choices.len(), recommended),
            sent: false,
        }
    }
}

impl Screen for ResumeScreen {
    fn place(&self) -> Place {
        Place::Choices
    }

    fn guarded(&self) -> bool {
        true
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        if self.menu.moved(cmd, key) || cmd != Cmd::Enter || self.sent {
            return Vec::new();
        }
        let Some(choice) = self.choices.get(self.menu.at) else { return Vec::new() };
        self.sent = true;
        vec![Act::Say(Reply::Choose { choice: choice.id.clone() })]
    }
}
