//! A list of which one is chosen: rows, options, buttons.

use super::{Cmd, Key};

/// Rows a page key moves by.
const PAGE: usize = 10;

/// The chosen one of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Menu {
    /// Index of the chosen one.
    pub at: usize,
    /// Number of things.
    pub count: usize,
}

impl Menu {
    /// A menu with `at` chosen.
    pub fn new(count: usize, at: usize) -> Self {
        Self { at: at.min(count.saturating_sub(1)), count }
    }

    /// Another number of things, the choice kept where it can be.
    pub fn resize(&mut self, count: usize) {
        *self = Self::new(count, self.at);
    }

    /// Moves; whether the command was one of moving.
    pub fn moved(&mut self, cmd: Cmd, key: Key) -> bool {
        let last = self.count.saturating_sub(1);
        self.at = match cmd {
            Cmd::Up | Cmd::Previous => self.at.saturating_sub(1),
            Cmd::Down | Cmd::Next => (self.at + 1).min(last),
            Cmd::PageUp => self.at.saturating_sub(PAGE),
            Cmd::PageDown => (self.at + PAGE).min(last),
            Cmd::First => 0,
            Cmd::Last => last,
            Cmd::Number => match number(key) {
                Some(n) if n <= self.count => n - 1,
                _ => return true,
            },
            _ => return false,
        };
        true
    }
}

/// Numbered options of which one is taken, once: a digit or an arrow chooses, Enter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    menu: Menu,
    taken: bool,
}

impl Options {
    /// So many options with `at` chosen.
    pub fn new(count: usize, at: usize) -> Self {
        Self { menu: Menu::new(count, at), taken: false }
    }

    /// The chosen one.
    pub fn at(&self) -> usize {
        self.menu.at
    }

    /// Moves, or says which option Enter took; nothing once an answer is on its way.
    pub fn taken(&mut self, cmd: Cmd, key: Key) -> Option<usize> {
        let acts = !self.menu.moved(cmd, key) && cmd == Cmd::Enter && !self.taken && self.menu.count > 0;
        acts.then_some(self.menu.at)
    }

    /// Whether an answer is on its way.
    pub fn is_closed(&self) -> bool {
        self.taken
    }

    /// The answer is on its way: no other is taken.
    pub fn close(&mut self) {
        self.taken = true;
    }
}

/// The number on a digit key, from 1.
pub fn number(key: Key) -> Option<usize> {
    match key {
        Key::Char(c) => c.to_digit(10).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
        _ => None,
    }
}
