//! The output of the running step as the wizard holds it: a bounded tail, followed or stopped, and a search in it.

use std::collections::VecDeque;

use super::text_field::TextField;
use crate::run::{OutputLine, StepId};

/// Lines that are held; the whole output is on disk.
pub const HELD: usize = 5_000;

/// The tail of one step's output.
#[derive(Debug, Default)]
pub struct Log {
    /// The step.
    pub step: Option<StepId>,
    /// The last lines.
    pub lines: VecDeque<OutputLine>,
    /// Lines since it follows this step, also those that are not held any more. A try before this one is not in it.
    pub total: u64,
    /// Lines between the shown end and the last one; 0 while it is followed.
    pub back: usize,
    /// Whether new lines move the view.
    pub stopped: bool,
    /// Lines that came since it was stopped.
    pub new: u64,
}

/// The log over the whole screen.
#[derive(Debug, Default)]
pub struct LogPage {
    /// The text searched for.
    pub search: String,
    /// The text while it is typed.
    pub typing: Option<TextField>,
}

impl Log {
    /// Another step's output.
    pub fn follow(&mut self, step: &StepId) {
        *self = Self { step: Some(step.clone()), ..Self::default() };
    }

    /// Takes new lines in, the last of so many that came.
    pub fn take(&mut self, lines: Vec<OutputLine>, came: u64) {
        let fresh = lines.len();
        self.lines.extend(lines);
        let over = self.lines.len().saturating_sub(HELD);
        self.lines.drain(..over);
        self.total += came;
        if self.stopped {
            self.back = (self.back + fresh).min(self.lines.len());
            self.new += came;
        }
    }

    /// Stops or follows.
    pub fn toggle(&mut self) {
        self.stopped = !self.stopped;
        self.back = 0;
        self.new = 0;
    }

    /// Scrolls towards older lines (positive) or newer ones; at the newest it follows again.
    pub fn scroll(&mut self, by: isize) {
        self.stopped = true;
        self.back = self.back.saturating_add_signed(by).min(self.lines.len().saturating_sub(1));
        if self.back == 0 && by < 0 {
            self.stopped = false;
            self.new = 0;
        }
    }

    /// Moves the view to the next older (or newer) line that holds `text`; whether there is one.
    pub fn find(&mut self, text: &str, newer: bool) -> bool {
        if text.is_empty() {
            return false;
        }
        let shown = self.lines.len().saturating_sub(self.back + 1);
        let holds = |line: &OutputLine| line.text.to_lowercase().contains(&text.to_lowercase());
        let found = if newer {
            self.lines.iter().enumerate().skip(shown + 1).find(|(_, line)| holds(line)).map(|(index, _)| index)
        } else {
            self.lines.iter().enumerate().take(shown).rev().find(|(_, line)| holds(line)).map(|(index, _)| index)
        };
        if let Some(index) = found {
            self.stopped = true;
            self.back = self.lines.len() - 1 - index;
        }
        found.is_some()
    }

    /// Lines that hold `text`, of those that are held.
    pub fn count(&self, text: &str) -> usize {
        let text = text.to_lowercase();
        self.lines.iter().filter(|line| line.text.to_lowercase().contains(&text)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Tag;

    fn line(text: &str) -> OutputLine {
        OutputLine { at: jiff::Timestamp::UNIX_EPOCH, source: "x".into(), tag: Tag::Plain, text: text.into() }
    }

    #[test]
    fn the_tail_is_bounded_and_a_stopped_view_stays() {
        let mut log = Log::default();
        for n in 0..3 * HELD {
            log.take(vec![line(&n.to_string())], 1);
        }
        assert_eq!((log.lines.len(), log.total), (HELD, 3 * HELD as u64));
        log.scroll(10);
        log.take(vec![line("new"), line("error here")], 2);
        assert_eq!((log.back, log.new), (12, 2));
        log.toggle();
        assert_eq!((log.back, log.stopped), (0, false));
        assert!(!log.find("error HERE", true));
        log.take(vec![line("last")], 1);
        assert!(log.find("error HERE", false));
        assert_eq!(log.back, 1);
    }
}
