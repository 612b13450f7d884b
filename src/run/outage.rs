//! How long the users of the application have less than usual: as planned, and as it was.

use jiff::Timestamp;
use serde::Serialize;

use super::{PlannedStep, RunState, Service, StepState};
use crate::text::units;

/// Seconds in which not everything works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Outage {
    /// Answers, and stores nothing new.
    pub read_only_s: u64,
    /// Does not answer, or not with its data.
    pub down_s: u64,
}

impl Outage {
    /// By the estimates of the plan.
    pub fn planned(plan: &[PlannedStep]) -> Self {
        Self::over(plan.iter().map(|step| (step.service, step.estimate_s)))
    }

    /// A planned one in words.
    pub fn words(&self) -> String {
        let bare = |seconds: u64| units::about(seconds).trim_start_matches("about ").to_owned();
        match (self.read_only_s, self.down_s) {
            (0, down) => format!("about {} down", bare(down)),
            (read_only, 0) => format!("about {} read-only", bare(read_only)),
            (read_only, down) => format!("about {} read-only, then {} down", bare(read_only), bare(down)),
        }
    }

    /// As it was: worse from the first change of the step that says so, better from its end, or once that change is put back.
    pub fn real(run: &RunState) -> Self {
        let (mut now, mut since, mut outage) = (Service::Up, Timestamp::UNIX_EPOCH, Self::default());
        for (at, after) in turns(run) {
            outage.add(now, u64::try_from(at.as_second() - since.as_second()).unwrap_or(0));
            (now, since) = (after, at);
        }
        outage
    }

    /// What the users of the application have now, and since when; none while everything works.
    pub fn open(run: &RunState) -> Option<(Service, Timestamp)> {
        let turns = turns(run);
        let (_, now) = *turns.last()?;
        if now == Service::Up {
            return None;
        }
        // less and still less is one outage
        let begun = turns.iter().rposition(|(_, service)| *service == Service::Up).map_or(0, |up| up + 1);
        turns.get(begun).map(|(since, _)| (now, *since))
    }

    /// That in words, with how long it lasts at `now`; none while everything works.
    pub fn sentence(run: &RunState, now: Timestamp) -> Option<String> {
        let (service, since) = Self::open(run)?;
        let lasts = units::seconds(u64::try_from(now.as_second() - since.as_second()).unwrap_or(0));
        Some(match service {
            Service::Up => return None,
            Service::ReadOnly => format!("the application stores nothing new, for {lasts} now"),
            Service::Down => format!("the application does not answer, or has not its data; not whole for {lasts} now"),
        })
    }

    fn add(&mut self, service: Service, seconds: u64) {
        match service {
            Service::Up => {}
            Service::ReadOnly => self.read_only_s += seconds,
            Service::Down => self.down_s += seconds,
        }
    }

    /// What gets worse with a step is counted from its begin, what gets better from its end.
    fn over(steps: impl Iterator<Item = (Option<Service>, u64)>) -> Self {
        let (mut now, mut outage) = (Service::Up, Self::default());
        for (service, seconds) in steps {
            let after = service.unwrap_or(now);
            outage.add(now.max(after), seconds);
            now = after;
        }
        outage
    }
}

/// Moments at which the service became another, in order.
fn turns(run: &RunState) -> Vec<(Timestamp, Service)> {
    let (mut now, mut turns, mut undone) = (Service::Up, Vec::new(), Vec::new());
    for step in &run.plan {
        let Some(after) = step.service else { continue };
        let changed = run.effects.iter().find(|effect| effect.step == step.id).map(|effect| effect.at);
        let at = match run.step(&step.id) {
            StepState::Done { at, .. } if after > now => changed.unwrap_or(*at),
            StepState::Done { at, .. } => *at,
            StepState::Undone { at, .. } => {
                undone.push((*at, now));
                let Some(changed) = changed else { continue };
                turns.push((changed, after));
                continue;
            }
            // cut off in the middle: what it changed so far is felt
            _ => match changed {
                Some(changed) if after > now => changed,
                _ => continue,
            },
        };
        turns.push((at, after));
        now = after;
    }
    // put back last change first
    turns.extend(undone.into_iter().rev());
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Outcome, Record, Repeat, Risk, StepId};

    #[test]
    fn worse_counts_from_the_begin_of_its_step_and_better_from_the_end() {
        let steps = [(None, 1), (Some(Service::ReadOnly), 10), (None, 100), (Some(Service::Down), 1_000)];
        let more = [(None, 10_000), (Some(Service::Up), 100_000), (None, 1_000_000)];
        let outage = Outage::over(steps.into_iter().chain(more));
        assert_eq!(outage, Outage { read_only_s: 110, down_s: 111_000 });
    }

    /// A run of which these steps say what the service becomes, after what was written down at each second.
    fn run(steps: &[(&str, Service)], records: Vec<Record>) -> RunState {
        let plan = steps.iter().map(|(id, service)| PlannedStep {
            id: StepId((*id).to_owned()),
            number: String::new(),
            phase: 0,
            title: String::new(),
            why: String::new(),
            kind: "scale".to_owned(),
            risk: Risk::Reversible,
            changes: String::new(),
            undo: String::new(),
            service: Some(*service),
            estimate_s: 0,
            commands: Vec::new(),
            unknown: Vec::new(),
        });
        let planned = Record::Planned { phases: Vec::new(), steps: plan.collect() };
        let records: Vec<Record> = [planned].into_iter().chain(records).collect();
        RunState::of(records.iter().zip(0..).map(|(record, second)| (at(second), record)))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    fn begun(step: &str) -> [Record; 2] {
        let step = StepId(step.to_owned());
        let intent = Record::Intent { step: step.clone(), attempt: 1, repeat: Repeat::Guarded };
        [intent, Record::Effect { step, effect: "scale it".to_owned() }]
    }

    fn ended(step: &str, outcome: Outcome) -> Record {
        Record::Ended { step: StepId(step.to_owned()), attempt: 1, outcome }
    }

    fn done() -> Outcome {
        Outcome::Done { summary: String::new(), facts: serde_json::json!({}) }
    }

    #[test]
    fn an_outage_is_open_from_the_first_change_of_the_step_that_caused_it() {
        let steps = [("freeze", Service::ReadOnly), ("remove", Service::Down), ("release", Service::Up)];
        assert_eq!(Outage::open(&run(&steps, Vec::new())), None);
        let mut records = begun("freeze").to_vec();
        assert_eq!(Outage::open(&run(&steps, records.clone())), Some((Service::ReadOnly, at(2))), "cut off in it");
        records.push(ended("freeze", done()));
        records.extend(begun("remove"));
        records.push(ended("remove", done()));
        let state = run(&steps, records.clone());
        assert_eq!(Outage::open(&state), Some((Service::Down, at(2))), "one outage, which became worse");
        records.extend(begun("release"));
        records.push(ended("release", done()));
        let state = run(&steps, records);
        assert_eq!(Outage::open(&state), None);
        assert_eq!(Outage::real(&state), Outage { read_only_s: 3, down_s: 4 });
    }

    #[test]
    fn what_was_put_back_was_an_outage_until_then() {
        let steps = [("freeze", Service::ReadOnly)];
        let mut records = begun("freeze").to_vec();
        records.push(ended("freeze", done()));
        let before = records.clone();
        records.push(Record::RollBack { by: "ann".to_owned(), reason: "the window is over".to_owned() });
        records.extend(begun("freeze"));
        assert_eq!(Outage::open(&run(&steps, records.clone())), Some((Service::ReadOnly, at(2))), "not yet back");
        records.push(ended("freeze", Outcome::Undone { sentence: "it has 1 again".to_owned() }));
        assert_eq!(Outage::open(&run(&steps, records.clone())), None);
        assert_eq!(Outage::real(&run(&steps, records)), Outage { read_only_s: 5, down_s: 0 });
        assert_eq!(Outage::real(&run(&steps, before)), Outage::default(), "what is open is not counted as over");
    }
}
