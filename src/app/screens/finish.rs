//! S19: the run is at its end.

use super::{Act, Screen};
use crate::{
    app::{Cmd, Key, Place, menu::Options},
    run::{Record, RunState, report},
};

/// Labels of the options.
const OPTIONS: [(&str, &str); 2] =
    [("Save the report", "what was done, with proofs"), ("Leave", "all is written down")];

/// The options as the view numbers them.
pub fn finish_options() -> Vec<(String, String)> {
    OPTIONS.iter().map(|(label, note)| ((*label).to_owned(), (*note).to_owned())).collect()
}

/// The end of a run.
#[derive(Debug)]
pub struct FinishScreen {
    /// The chosen option.
    pub options: Options,
    report: String,
}

impl FinishScreen {
    /// The end of a run with these records.
    pub fn new(run: &RunState, records: &[(jiff::Timestamp, Record)]) -> Self {
        Self { options: Options::new(OPTIONS.len(), 0), report: report::markdown(run, records) }
    }
}

impl Screen for FinishScreen {
    fn place(&self) -> Place {
        Place::Finish
    }

    fn options(&self) -> Vec<String> {
        OPTIONS.iter().map(|(label, _)| (*label).to_owned()).collect()
    }

    fn command(&mut self, cmd: Cmd, key: Key, _: u64) -> Vec<Act> {
        match self.options.taken(cmd, key) {
            Some(0) => vec![Act::Save { name: "report.md".to_owned(), text: self.report.clone() }],
            Some(_) => vec![Act::Done],
            None if cmd == Cmd::Leave => vec![Act::Done],
            None => Vec::new(),
        }
    }
}
