//! S13: a step failed and the run pauses. What happened, what that proves, what is still safe, what can be done.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Options, page::Page},
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
    pub options: Options,
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
        let options = Options::new(choices.len(), recommended);
        Self { step: step.clone(), problem: problem.clone(), choices, recommended, options }
    }
}

impl Screen for ChooseScreen {
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
        if choice.id == LOOK {
            return vec![Act::Page(Page::new("What happened, whole", self.problem.lines()))];
        }
        self.options.close();
        vec![Act::Say(Reply::Choose { choice: choice.id.clone() })]
    }
}
