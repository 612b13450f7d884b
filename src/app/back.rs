//! While a run rolls back: which step is put back, and what is said of it. Its own title, reasons and estimate are those of
//! doing it. Owns these words; what is put back, and in which order, is the engine's.

use super::{App, Front, page::Page};
use crate::run::{PlannedStep, Record, StepState};

impl App {
    /// Whether what the run changed is being put back.
    pub fn rolls_back(&self) -> bool {
        self.run.rolling_back && !self.run.rolled_back
    }

    /// The step that was put back last, or that failed before: between two of them the run is still there.
    pub(super) fn back_at(&self) -> Option<&PlannedStep> {
        let last = self.records.iter().rev().find_map(|(_, record)| match record {
            Record::Intent { step, .. } => Some(step),
            _ => None,
        });
        self.run.planned(last?).filter(|_| self.rolls_back())
    }

    /// A step's title as it is met now.
    pub fn called(&self, step: &PlannedStep) -> String {
        if !self.rolls_back() {
            return step.title.clone();
        }
        match self.run.step(&step.id) {
            StepState::Begun { .. } => format!("Rolling back: {}", step.title),
            StepState::Failed { .. } if matches!(self.front, Front::Choose(_)) => {
                format!("Rolling back: {}", step.title)
            }
            _ => "Rolling back what this run changed".to_owned(),
        }
    }

    /// What is done with a step while it is put back.
    pub(super) fn why_back(&self, step: &PlannedStep) -> Page {
        let lines = vec![
            "Why     this run is rolled back: what it changed is put back as it was, last change first".to_owned(),
            format!("Changed {}", step.changes),
            format!("Undo    {}", step.undo),
            "Time    not estimated; what is as before already is not touched".to_owned(),
        ];
        Page::new(&format!("{}  {}", step.number, self.called(step)), lines)
    }
}
