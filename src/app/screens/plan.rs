//! S03: the plan, its phases and steps, and its approval.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Menu, page},
    run::{Reply, RunState},
};

/// Labels of the buttons, from left.
pub const BUTTONS: [&str; 3] = ["Back", "Save as file", "Approve and start phase 1"];

/// The last of them.
const APPROVE: usize = BUTTONS.len() - 1;

/// The plan before its approval.
#[derive(Debug)]
pub struct PlanScreen {
    /// Phase chosen.
    pub phases: Menu,
    /// Button chosen, when the buttons have the focus.
    pub button: Option<usize>,
    text: Vec<String>,
    steps: Vec<Vec<String>>,
}

impl PlanScreen {
    /// The plan of a run.
    pub fn new(run: &RunState) -> Self {
        let steps = (0..run.phases.len()).map(|phase| page::phase(run, phase)).collect();
        Self { phases: Menu::new(run.phases.len(), 0), button: None, text: page::plan(run), steps }
    }
}

impl PlanScreen {
    /// The steps of the chosen phase with their exact commands.
    pub fn steps(&self) -> page::Page {
        let title = format!("Phase {}: its steps", self.phases.at + 1);
        page::Page::new(&title, self.steps.get(self.phases.at).cloned().unwrap_or_default())
    }
}

impl Screen for PlanScreen {
    fn place(&self) -> Place {
        if self.button.is_some() { Place::PlanButtons } else { Place::Plan }
    }

    fn guarded(&self) -> bool {
        true
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        match (cmd, self.button) {
            // the approval is what most come for; from it Tab goes through the others, then back to the phases
            (Cmd::Next, None) => self.button = Some(APPROVE),
            (Cmd::Next, Some(APPROVE)) => self.button = Some(0),
            (Cmd::Next, Some(at)) => self.button = (at + 1 < APPROVE).then_some(at + 1),
            (Cmd::Previous, None) => self.button = Some(APPROVE - 1),
            (Cmd::Previous, Some(APPROVE)) | (Cmd::Back, Some(_)) => self.button = None,
            (Cmd::Previous, Some(at)) => self.button = Some(at.checked_sub(1).unwrap_or(APPROVE)),
            (Cmd::Left, Some(at)) => self.button = Some(at.saturating_sub(1)),
            (Cmd::Right, Some(at)) => self.button = Some((at + 1).min(APPROVE)),
            (Cmd::Enter, None) => {
                return vec![Act::Page(self.steps())];
            }
            (Cmd::Enter, Some(0)) => return vec![Act::Say(Reply::Back)],
            (Cmd::Enter, Some(1)) => {
                let text = self.text.join("\n") + "\n";
                return vec![Act::Save { name: "plan.txt".to_owned(), text }];
            }
            (Cmd::Enter, Some(_)) => return vec![Act::Say(Reply::Approve)],
            (Cmd::Up | Cmd::Down | Cmd::Number | Cmd::First | Cmd::Last, _) => {
                self.button = None;
                self.phases.moved(cmd, key);
            }
            _ => {}
        }
        Vec::new()
    }
}
