//! S12: settings put back, item by item, until every one is confirmed or left out with a reason.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Menu, text_field::TextField},
    run::{ReapplyItem, ReapplyState, Reply, StepId},
};

/// Labels of the buttons.
pub const BUTTONS: [&str; 4] = ["Read it back", "Write it for me", "By eye: right", "Waive…"];

/// What has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReapplyFocus {
    Items,
    Button(usize),
    /// The reason for leaving an item out.
    Reason,
}

/// Items to put back.
#[derive(Debug)]
pub struct ReapplyScreen {
    /// The step.
    pub step: StepId,
    /// The items.
    pub items: Vec<ReapplyItem>,
    /// The chosen one.
    pub list: Menu,
    /// What has the focus.
    pub focus: ReapplyFocus,
    /// Why an item is left out, while that is typed.
    pub reason: TextField,
    sent: bool,
}

/// Whether an item still waits.
pub fn is_open(item: &ReapplyItem) -> bool {
    !matches!(item.state, ReapplyState::Same | ReapplyState::ByEye | ReapplyState::Waived)
}

impl ReapplyScreen {
    /// A new screen; the first item that waits has the focus.
    pub fn new(step: &StepId, items: &[ReapplyItem]) -> Self {
        let mut screen = Self {
            step: step.clone(),
            items: items.to_vec(),
            list: Menu::new(items.len(), 0),
            focus: ReapplyFocus::Button(0),
            reason: TextField::open(""),
            sent: false,
        };
        screen.choose_open();
        screen
    }

    fn choose_open(&mut self) {
        if let Some(at) = self.items.iter().position(is_open) {
            self.list.at = at;
        }
    }

    /// The items as they stand now.
    pub fn refresh(&mut self, items: &[ReapplyItem]) {
        self.items = items.to_vec();
        self.list.resize(items.len());
        self.sent = false;
        if self.items.get(self.list.at).is_none_or(|item| !is_open(item)) {
            self.choose_open();
        }
    }
}

impl Screen for ReapplyScreen {
    fn place(&self) -> Place {
        if self.focus == ReapplyFocus::Reason { Place::Inputs } else { Place::Reapply }
    }

    fn typing(&self) -> bool {
        self.focus == ReapplyFocus::Reason
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        if self.sent {
            return Vec::new();
        }
        let Some(item) = self.items.get(self.list.at).map(|item| item.id.clone()) else { return Vec::new() };
        let say = |screen: &mut Self, reply| {
            screen.sent = true;
            screen.focus = ReapplyFocus::Button(0);
            vec![Act::Say(reply)]
        };
        match (cmd, self.focus) {
            (Cmd::Enter, ReapplyFocus::Button(0)) => return say(self, Reply::ReadBack { item }),
            (Cmd::Enter, ReapplyFocus::Button(1)) => return say(self, Reply::Write { item }),
            (Cmd::Enter, ReapplyFocus::Button(2)) => return say(self, Reply::ByEye { item }),
            (Cmd::Enter, ReapplyFocus::Button(_)) => self.focus = ReapplyFocus::Reason,
            (Cmd::Enter, ReapplyFocus::Reason) => {
                if self.reason.chars() < 10 {
                    return vec![Act::Notice("Not yet: a reason of at least 10 letters.".to_owned())];
                }
                let reason = self.reason.text().to_owned();
                self.reason.clear();
                return say(self, Reply::Waive { item, reason });
            }
            (Cmd::Enter | Cmd::Next, ReapplyFocus::Items) => self.focus = ReapplyFocus::Button(0),
            (Cmd::Next, ReapplyFocus::Button(at)) if at + 1 < BUTTONS.len() => {
                self.focus = ReapplyFocus::Button(at + 1);
            }
            (Cmd::Next | Cmd::Back, _) => self.focus = ReapplyFocus::Items,
            (Cmd::Previous, ReapplyFocus::Button(at)) => {
                self.focus = at.checked_sub(1).map_or(ReapplyFocus::Items, ReapplyFocus::Button);
            }
            (Cmd::Previous, ReapplyFocus::Items | ReapplyFocus::Reason) => {
                self.focus = ReapplyFocus::Button(BUTTONS.len() - 1);
            }
            _ => {
                if self.focus != ReapplyFocus::Reason {
                    self.list.moved(cmd, key);
                }
            }
        }
        Vec::new()
    }

    fn edit(&mut self, key: Key, _: u64) {
        self.reason.key(key);
    }

    fn paste(&mut self, text: &str) -> Option<String> {
        self.reason.paste(text).then(|| "Only the first line of the paste was taken.".to_owned())
    }
}
