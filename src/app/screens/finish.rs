//! S19: the run is at its end.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Options, page::Page},
    run::{Record, RunState, report},
};

/// What can be done at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishOption {
    /// Save the change record.
    Report,
    /// Show the commands that lead back to the version before.
    WayBack,
    /// Leave.
    Leave,
}

impl FinishOption {
    /// Its label, and what it costs or gives.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Report => ("Save the report", "what was done, with proofs"),
            Self::WayBack => ("Show the way back", "the commands; changes nothing"),
            Self::Leave => ("Leave", "all is written down"),
        }
    }
}

/// The end of a run.
#[derive(Debug)]
pub struct FinishScreen {
    /// The options.
    pub all: Vec<FinishOption>,
    /// The chosen one.
    pub options: Options,
    report: String,
    way_back: Vec<String>,
}

impl FinishScreen {
    /// The end of a run with these records.
    pub fn new(run: &RunState, records: &[(jiff::Timestamp, Record)]) -> Self {
        let mut all = vec![FinishOption::Report, FinishOption::WayBack, FinishOption::Leave];
        all.retain(|option| *option != FinishOption::WayBack || !run.way_back.is_empty());
        Self {
            options: Options::new(all.len(), 0),
            all,
            report: report::markdown(run, records),
            way_back: run.way_back.clone(),
        }
    }
}

impl Screen for FinishScreen {
    fn place(&self) -> Place {
        Place::Finish
    }

    fn options(&self) -> Vec<String> {
        self.all.iter().map(|option| option.words().0.to_owned()).collect()
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        match self.options.taken(cmd, key).and_then(|at| self.all.get(at)) {
            Some(FinishOption::Report) => {
                vec![Act::Save { name: "report.md".to_owned(), text: self.report.clone() }]
            }
            Some(FinishOption::WayBack) => vec![Act::Page(Page::new("The way back", self.way_back.clone()))],
            Some(FinishOption::Leave) => vec![Act::Done],
            None if cmd == Cmd::Leave => vec![Act::Done],
            None => Vec::new(),
        }
    }
}
