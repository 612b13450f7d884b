//! A step that waits for a person: to say yes to one thing, or to do it by hand.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Options},
    run::{Reply, StepId},
};

/// A confirmation.
#[derive(Debug)]
pub struct ConfirmScreen {
    /// The step.
    pub step: StepId,
    /// What is to be known, or done.
    pub text: Vec<String>,
    /// Label of the option that goes on.
    pub button: String,
    /// 0 is going back.
    pub options: Options,
}

impl ConfirmScreen {
    /// A new screen; going back has the focus.
    pub fn new(step: &StepId, text: &[String], button: &str) -> Self {
        Self { step: step.clone(), text: text.to_vec(), button: button.to_owned(), options: Options::new(2, 0) }
    }
}

impl Screen for ConfirmScreen {
    fn place(&self) -> Place {
        Place::Choices
    }

    fn guarded(&self) -> bool {
        true
    }

    fn options(&self) -> Vec<String> {
        vec!["Go back".to_owned(), self.button.clone()]
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        // the first option is the way back
        let back = (cmd == Cmd::Back && !self.options.is_closed()).then_some(0);
        let Some(taken) = self.options.taken(cmd, key).or(back) else { return Vec::new() };
        self.options.close();
        vec![Act::Say(if taken == 1 { Reply::Continue } else { Reply::Back })]
    }
}
