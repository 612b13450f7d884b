//! S14: a run is taken up again. What the journal says, what the target says, and what next.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Options},
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
    pub options: Options,
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
            options: Options::new(choices.len(), recommended),
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

    fn options(&self) -> Vec<String> {
        self.choices.iter().map(|choice| choice.label.clone()).collect()
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        let taken = self.options.taken(cmd, key);
        let Some(choice) = taken.and_then(|at| self.choices.get(at)) else { return Vec::new() };
        self.options.close();
        vec![Act::Say(Reply::Choose { choice: choice.id.clone() })]
    }
}
