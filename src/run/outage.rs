//! How long the users of the application have less than usual: as planned, and as it was.

use serde::Serialize;

use super::{PlannedStep, RunState, Service, StepState};

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

    /// As it was: worse from the first change of the step that says so, better from its end.
    pub fn real(run: &RunState) -> Self {
        let (mut now, mut since, mut outage) = (Service::Up, 0, Self::default());
        for step in &run.plan {
            let StepState::Done { at: done, .. } = run.step(&step.id) else { continue };
            let Some(after) = step.service else { continue };
            let changed = run.effects.iter().find(|effect| effect.step == step.id).map_or(*done, |effect| effect.at);
            let at = if after > now { changed } else { *done }.as_second();
            outage.add(now, u64::try_from(at - since).unwrap_or(0));
            (now, since) = (after, at);
        }
        outage
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_counts_from_the_begin_of_its_step_and_better_from_the_end() {
        let steps = [(None, 1), (Some(Service::ReadOnly), 10), (None, 100), (Some(Service::Down), 1_000)];
        let more = [(None, 10_000), (Some(Service::Up), 100_000), (None, 1_000_000)];
        let outage = Outage::over(steps.into_iter().chain(more));
        assert_eq!(outage, Outage { read_only_s: 110, down_s: 111_000 });
    }
}
