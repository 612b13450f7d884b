//! How long steps took, try by try, and how long the run was between them: the parts make up the whole. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Record, StepId};

/// How long one step took. Times are in whole seconds of the clock, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// When its last try began.
    pub began: Timestamp,
    /// How often it was begun; being put back is no try.
    pub tries: u32,
    /// Seconds of that try; until the last word of the run where its end was not written.
    pub last_s: u64,
    /// Seconds of all tries, and of being put back.
    pub all_s: u64,
}

/// How long the steps of a run took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timings {
    steps: BTreeMap<StepId, Timing>,
    total_s: u64,
}

fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_second() - from.as_second()).unwrap_or(0)
}

impl Timings {
    /// From the records of a run.
    pub fn new(records: &[(Timestamp, Record)]) -> Self {
        let mut timings = Self::default();
        // the try that is open: its step, since when, and whether it does the step or puts it back
        let mut open: Option<(&StepId, Timestamp, bool)> = None;
        let (mut last, mut putting_back) = (None, false);
        for (at, record) in records {
            match record {
                Record::Intent { step, .. } => {
                    // a try whose end was not written lasted until the run's last word before
                    timings.close(open.take(), last.unwrap_or(*at));
                    let timing = timings.steps.entry(step.clone()).or_insert(Timing {
                        began: *at,
                        tries: 0,
                        last_s: 0,
                        all_s: 0,
                    });
                    if !putting_back {
                        timing.began = *at;
                        timing.tries += 1;
                    }
                    open = Some((step, *at, putting_back));
                }
                Record::Ended { step, .. } if open.is_some_and(|(begun, ..)| begun == step) => {
                    timings.close(open.take(), *at);
                }
                // the time at its gate is the operator's, and lies between the steps
                Record::GateOpened { step, .. } if open.is_some_and(|(begun, ..)| begun == step) => {
                    if let Some(timing) = timings.steps.get_mut(step) {
                        timing.began = *at;
                    }
                    open = Some((step, *at, false));
                }
                Record::Resumed { .. } => timings.close(open.take(), last.unwrap_or(*at)),
                Record::RollBack { .. } => putting_back = true,
                _ => {}
            }
            last = Some(*at);
        }
        if let (Some((first, _)), Some(last)) = (records.first(), last) {
            timings.close(open, last);
            timings.total_s = between(*first, last);
        }
        timings
    }

    fn close(&mut self, open: Option<(&StepId, Timestamp, bool)>, at: Timestamp) {
        let Some((step, since, putting_back)) = open else { return };
        let Some(timing) = self.steps.get_mut(step) else { return };
        let seconds = between(since, at);
        timing.all_s += seconds;
        if !putting_back {
            timing.last_s = seconds;
        }
    }

    /// Of one step, once it was begun.
    pub fn of(&self, step: &StepId) -> Option<&Timing> {
        self.steps.get(step)
    }

    /// Seconds of all steps with all their tries.
    pub fn steps_s(&self) -> u64 {
        self.steps.values().map(|timing| timing.all_s).sum()
    }

    /// Seconds of the run in which no step was at work: a plan or choice that waited, a pause, an absence.
    pub fn between_s(&self) -> u64 {
        self.total_s.saturating_sub(self.steps_s())
    }

    /// Seconds from the first record to the last.
    pub fn total_s(&self) -> u64 {
        self.total_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Outcome, Repeat};

    fn intent(step: &str) -> Record {
        Record::Intent { step: StepId(step.into()), attempt: 1, repeat: Repeat::Safe }
    }

    fn ended(step: &str) -> Record {
        Record::Ended { step: StepId(step.into()), attempt: 1, outcome: Outcome::Stopped { reason: "x".into() } }
    }

    fn resumed() -> Record {
        Record::Resumed { operator: "a".into(), host: "h".into(), tool: "0".into() }
    }

    fn timings(records: &[(i64, Record)]) -> Timings {
        let at = |seconds| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        Timings::new(&records.iter().map(|(s, record)| (at(*s), record.clone())).collect::<Vec<_>>())
    }

    #[test]
    fn a_step_done_again_has_begin_and_time_of_its_last_try_and_all_its_tries_are_in_the_sum() {
        let found = timings(&[
            (0, Record::Approved { by: "a".into() }),
            (10, intent("form")),
            (40, ended("form")),
            (45, intent("dump")),
            (50, ended("dump")),
            (100, intent("form")),
            (107, ended("form")),
            (200, Record::Paused { reason: "x".into() }),
        ]);
        let form = found.of(&StepId("form".into())).unwrap();
        assert_eq!((form.began.as_second() - 1_800_000_000, form.tries, form.last_s, form.all_s), (100, 2, 7, 37));
        assert_eq!((found.steps_s(), found.between_s(), found.total_s()), (42, 158, 200));
    }

    #[test]
    fn a_try_that_was_cut_ends_with_the_last_word_before() {
        let effect = Record::Effect { step: StepId("dump".into()), effect: "x".into() };
        let found = timings(&[
            (0, intent("dump")),
            (30, effect),
            (9_000, resumed()),
            (9_010, intent("dump")),
            (9_015, ended("dump")),
        ]);
        let dump = found.of(&StepId("dump".into())).unwrap();
        assert_eq!((dump.tries, dump.last_s, dump.all_s), (2, 5, 35));
        assert_eq!(found.steps_s() + found.between_s(), found.total_s());
        // one that is still open lasts until the last record
        let found = timings(&[(0, intent("dump")), (30, Record::Paused { reason: "x".into() })]);
        assert_eq!(found.of(&StepId("dump".into())).unwrap().last_s, 30);
    }

    #[test]
    fn a_step_with_a_gate_is_timed_from_its_opening() {
        let step = || StepId("remove".into());
        let opened = Record::GateOpened { step: step(), by: "a".into(), removals: 14 };
        let found = timings(&[(0, intent("remove")), (50, opened), (59, ended("remove"))]);
        let remove = found.of(&step()).unwrap();
        assert_eq!((remove.began.as_second() - 1_800_000_000, remove.last_s, remove.all_s), (50, 9, 9));
        assert_eq!((found.steps_s(), found.between_s()), (9, 50), "the time at the gate is in the sum");
    }

    #[test]
    fn what_is_put_back_is_no_try_and_is_in_the_sum() {
        let back = Record::RollBack { by: "a".into(), reason: "x".into() };
        let found = timings(&[
            (0, intent("freeze")),
            (5, ended("freeze")),
            (6, back),
            (8, intent("freeze")),
            (20, ended("freeze")),
        ]);
        let freeze = found.of(&StepId("freeze".into())).unwrap();
        assert_eq!((freeze.began.as_second() - 1_800_000_000, freeze.tries), (0, 1), "when it was done, not put back");
        assert_eq!((freeze.last_s, freeze.all_s), (5, 17));
    }
}
