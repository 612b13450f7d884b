//! Doing earlier steps again: which ones a failure names, what builds on them, and when it is too late for it.
//!
//! Called by the executor when a step failed. A dump that turned out bad, or old, is made anew; nothing is skipped by it.

use super::plan::Plan;
use crate::{
    actions::ActionSpec,
    run::{Choice, RunState, StepId},
    text::Diagnostic,
};

/// How the id of such a choice begins.
const AGAIN: &str = "again:";

impl ActionSpec {
    /// Steps whose results this one uses.
    fn builds_on(&self) -> Vec<&str> {
        match self {
            Self::Verify(spec) => vec![&spec.dump],
            Self::Rehearse(spec) => vec![&spec.dump],
            Self::Delete(spec) => vec![&spec.dump, &spec.proven_by, &spec.keep_volumes],
            Self::Restore(spec) => vec![&spec.dump, &spec.proven_by],
            Self::Helm(spec) => vec![&spec.captured],
            Self::Http(spec) => vec![&spec.from],
            Self::Wait(spec) => spec.delete.as_deref().into_iter().collect(),
            Self::Scale(spec) => spec.as_before.as_deref().into_iter().collect(),
            Self::Ask(_)
            | Self::Capture(_)
            | Self::Check(_)
            | Self::Confirm(_)
            | Self::Manual(_)
            | Self::Run(_)
            | Self::Dump(_)
            | Self::Patch(_) => Vec::new(),
        }
    }
}

/// The choices that a failure adds: one for each earlier step it names, as long as nothing irreversible was begun.
pub fn choices(problem: &Diagnostic, plan: &Plan, state: &RunState) -> Vec<Choice> {
    if state.removal_begun() {
        return Vec::new();
    }
    let named = problem.again.iter().filter_map(|id| plan.step(&StepId(id.clone())));
    let over = named.filter(|step| state.step(&step.planned.id).is_over());
    over.map(|step| {
        let steps = reopened(&step.planned.id, plan, state);
        let seconds = steps.iter().filter_map(|id| state.planned(id)).map(|planned| planned.estimate_s).sum();
        let numbers: Vec<&str> =
            steps.iter().filter_map(|id| state.planned(id)).map(|planned| planned.number.as_str()).collect();
        Choice {
            id: format!("{AGAIN}{}", step.planned.id),
            label: format!("Go back to {} {}", step.planned.number, step.planned.title),
            cost: format!("{}, does {} again", crate::text::units::about(seconds), numbers.join(", ")),
        }
    })
    .collect()
}

/// The step that a choice goes back to.
pub fn chosen(choice: &str) -> Option<StepId> {
    choice.strip_prefix(AGAIN).map(|id| StepId(id.to_owned()))
}

/// The step and everything done so far that was built on it, in the order of the plan.
pub fn reopened(from: &StepId, plan: &Plan, state: &RunState) -> Vec<StepId> {
    let mut steps: Vec<StepId> = Vec::new();
    for step in &plan.steps {
        let id = &step.planned.id;
        let built = step.spec.builds_on().iter().any(|used| steps.iter().any(|open| open.0 == *used));
        // checks are cheap, and what they looked at changes
        let check = !steps.is_empty() && matches!(step.spec, ActionSpec::Check(_));
        if id == from || ((built || check) && state.step(id).is_over()) {
            steps.push(id.clone());
        }
    }
    steps
}
