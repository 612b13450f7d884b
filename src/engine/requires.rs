//! What a step requires, as its runbook says: a step whose requirements do not hold is not begun.

use super::plan::{Plan, PlanStep};
use crate::{
    run::{RunState, StepId, StepState},
    text::Diagnostic,
};

/// Why `step` may not begin, with the step it waits for; `None` where everything it requires is there.
pub fn unmet(step: &PlanStep, plan: &Plan, state: &RunState) -> Option<Diagnostic> {
    let requires = &step.requires;
    let stands = |id: &String| state.step(&StepId(id.clone()));
    let done = |id: &String| matches!(stands(id), StepState::Done { .. });
    // a form that does not apply here has nothing to be complete
    let captured = |id: &String| done(id) || matches!(stands(id), StepState::Skipped { .. });
    let proven = |id: &String| done(id) && state.evidence.iter().any(|evidence| evidence.step.0 == *id);
    let open = |list: &[String], holds: &dyn Fn(&String) -> bool| list.iter().find(|id| !holds(id)).cloned();
    let (id, why) = open(&requires.captured, &captured)
        .map(|id| (id, "is not captured"))
        .or_else(|| open(&requires.proven, &proven).map(|id| (id, "has proven nothing in this run")))
        .or_else(|| open(&requires.steps, &done).map(|id| (id, "is not done")))?;
    let named = plan
        .step(&StepId(id.clone()))
        .map_or_else(|| format!("step {id}"), |step| format!("{} {}", step.planned.number, step.planned.title));
    let (number, title) = (&step.planned.number, &step.planned.title);
    let problem = Diagnostic::new(format!("{number} {title} may not begin: it requires {named}, which {why}"))
        .proves("what this step rests on is not there")
        .safe("everything: by this step nothing was changed");
    Some(if done(&id) { problem.again(id) } else { problem.help("see why that step did not come to its end") })
}
