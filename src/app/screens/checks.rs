//! S06: the results of checks, the first failure in focus.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Menu, page::Page},
    run::{Check, CheckResult, Reply},
};

/// Labels of the buttons.
pub const BUTTONS: [&str; 2] = ["Check again", "Go back"];

/// Checks that fail or warn.
#[derive(Debug)]
pub struct ChecksScreen {
    /// The results, failures first.
    pub checks: Vec<Check>,
    /// The chosen one.
    pub list: Menu,
    /// Button chosen, when the buttons have the focus.
    pub button: Option<usize>,
    /// Whether all that passed are shown.
    pub all: bool,
    /// Whether an answer is awaited.
    pub sent: bool,
}

fn rank(check: &Check) -> u8 {
    match check.result {
        CheckResult::Fail => 0,
        CheckResult::Warn => 1,
        CheckResult::NotAsked => 2,
        CheckResult::Pass => 3,
    }
}

impl ChecksScreen {
    /// A new screen.
    pub fn new(checks: &[Check]) -> Self {
        let mut screen = Self { checks: Vec::new(), list: Menu::default(), button: None, all: false, sent: false };
        screen.refresh(checks);
        screen.list.at = 0;
        screen
    }

    /// New results.
    pub fn refresh(&mut self, checks: &[Check]) {
        self.checks = checks.to_vec();
        self.checks.sort_by_key(rank);
        self.list.resize(self.checks.len());
        self.sent = false;
    }

    /// Whether the chosen one is a warning that nobody has seen.
    pub fn warns(&self) -> bool {
        let chosen = self.checks.get(self.list.at);
        self.button.is_none() && chosen.is_some_and(|check| check.result == CheckResult::Warn && !check.seen)
    }

    /// Number of checks with a result.
    pub fn count(&self, result: CheckResult) -> usize {
        self.checks.iter().filter(|check| check.result == result).count()
    }
}

impl Screen for ChecksScreen {
    fn place(&self) -> Place {
        Place::Checks
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        let again = |screen: &mut Self| {
            if screen.sent {
                return Vec::new();
            }
            screen.sent = true;
            vec![Act::Say(Reply::Again)]
        };
        match (cmd, self.button) {
            (Cmd::Again, _) | (Cmd::Enter, Some(0)) => return again(self),
            (Cmd::Enter | Cmd::Back, Some(1)) => return vec![Act::Say(Reply::Back)],
            (Cmd::Enter, None) => {
                let Some(check) = self.checks.get(self.list.at) else { return Vec::new() };
                let mut lines = vec![check.sentence.clone(), String::new()];
                lines.extend(check.help.iter().map(|help| format!("You can: {help}")));
                return vec![Act::Page(Page::new(&format!("Check {}", check.name), lines))];
            }
            (Cmd::Space, None) => {
                if let Some(check) = self.checks.get(self.list.at).filter(|_| self.warns()) {
                    return vec![Act::Say(Reply::Seen { check: check.name.clone() })];
                }
            }
            (Cmd::ShowAll, _) => self.all = !self.all,
            (Cmd::Next, None) => self.button = Some(0),
            (Cmd::Next, Some(at)) => self.button = (at + 1 < BUTTONS.len()).then_some(at + 1),
            // the first time going back only leads to the button
            (Cmd::Previous, None) | (Cmd::Back, _) => self.button = Some(BUTTONS.len() - 1),
            (Cmd::Previous, Some(at)) => self.button = at.checked_sub(1),
            _ => {
                self.button = None;
                self.list.moved(cmd, key);
            }
        }
        Vec::new()
    }
}
