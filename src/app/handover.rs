//! What one front end leaves to the next, as the wizard to the line prompts and back: the same run, the same place.

use jiff::Timestamp;

use super::{App, Surroundings};
use crate::run::{Likeness, Question, Record, StepState};

/// What is known of a run by whoever shows it.
#[derive(Debug, Default)]
pub struct Handover {
    /// Its records so far.
    pub records: Vec<(Timestamp, Record)>,
    /// The question that nobody answered yet.
    pub open: Option<(u64, Question)>,
    /// Handles of secrets that were given out; the next has a higher one.
    pub handles: u64,
    /// Identity of the target as last told.
    pub identity: Option<(Timestamp, Likeness)>,
}

impl Handover {
    /// The beginning: these records, and nothing asked.
    pub fn of(records: Vec<(Timestamp, Record)>) -> Self {
        Self { records, ..Self::default() }
    }
}

impl App {
    /// A wizard that goes on where another front end was left.
    pub fn take_over(from: Handover, around: Surroundings, now: Timestamp) -> Self {
        let mut app = Self::new(&from.records, around, now);
        app.handles = from.handles;
        app.identity = from.identity;
        // the output of what was begun last is there to be read
        let last = app.run.plan.iter().rev().find(|step| app.run.attempts.contains_key(&step.id));
        if let Some(step) = last.filter(|step| !matches!(app.run.step(&step.id), StepState::NotYet)) {
            app.log.follow(&step.id);
        }
        if let Some((number, question)) = from.open {
            // the bell was rung when it was asked
            let _ = app.asking(number, question);
        }
        app
    }

    /// What is left to the next front end.
    pub fn hand_over(self) -> Handover {
        let open = self.unanswered();
        Handover { records: self.records, open, handles: self.handles, identity: self.identity }
    }
}
