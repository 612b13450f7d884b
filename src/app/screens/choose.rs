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
    /// What can be done.
    pub choices: Vec<Choice>,
    /// Index of the recommended one.
    pub recommended: usize,
    /// The chosen one.
    pub menu: Menu,
    sent: bool,
}

impl ChooseScreen {
    /// A new screen.
    pub fn new(step: &StepId, problem: &Diagnostic, choices: &[Choice], recommended: usize) -> Self {
        let mut choices = choices.to_vec();
        let look = Choice { id: LOOK.to_owned(), label: "Look closer: the whole text".to_owned(), cost: String::new() };
        let place = choices.len().min(1);
        choices.insert(place, look);
        // the option that only looks pushes what follows it down
        let recommended = recommended + usize::from(recommended >= place);
        let menu = Menu::new(choices.len(), recommended);
        Self { step: step.clone(), problem: problem.clone(), choices, recommended, menu, sent: false }
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
