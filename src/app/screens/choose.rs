//! S13: a step failed and the run pauses. What happened, what that proves, what is still safe, what can be done.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Menu, page::Page},
    run::{Choice, Reply, StepId},
    text::Diagnostic,
};

/// The id of the option that is the screen's own: it only shows.
const LOOK: &str = "look";

/// A failure with its options.
#[derive(Debug)]
pub struct ChooseScreen {
    /// The step.
    pub step: StepId,
    /// What went wrong.
    pub problem: Diagnostic,
    /// What can be done; the first is recommended.
    pub choices: Vec<Choice>,
    /// The chosen one.
    pub menu: Menu,
    sent: bool,
}

impl ChooseScreen {
    /// A new screen.
    pub fn new(step: &StepId, problem: &Diagnostic, choices: &[Choice], recommended: usize) -> Self {
        let mut choices = choices.to_vec();
        let look = Choice {
            id: LOOK.to_owned(),
            label: "Look closer: the whole text, the log".to_owned(),
            cost: String::new(),
        };
        choices.insert(choices.len().min(1), look);
        let menu = Menu::new(choices.len(), recommended);
        Self { step: step.clone(), problem: problem.clone(), choices, menu, sent: false }
    }
}

impl Screen for ChooseScreen {
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
        if choice.id == LOOK {
            return vec![Act::Page(Page::new("What happened, whole", self.problem.lines()))];
        }
        self.sent = true;
        vec![Act::Say(Reply::Choose { choice: choice.id.clone() })]
    }
}
