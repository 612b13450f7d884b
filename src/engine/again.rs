//! Doing earlier steps again: which ones a failure names, what builds on them, and when it is too late for it.
//!
//! Called by `decide` when a step failed, and by `back`. A dump that turned out bad, or old, is made anew; nothing is skipped
//! by it.

use super::plan::{Plan, PlanStep};
use crate::{
    actions::ActionSpec,
    run::{Choice, Risk, RunState, StepId, StepState},
    text::{Diagnostic, names, names_of_condition},
};

/// How the id of such a choice begins.
const AGAIN: &str = "again:";

/// Steps whose results this one uses: those it names, those its templates read, and the captured files it installs.
fn builds_on(step: &PlanStep, plan: &Plan) -> Vec<String> {
    let mut used: Vec<String> = step.spec.references().into_iter().map(|(_, id)| id.to_owned()).collect();
    used.extend(step.place.iter().map(|place| place.0.clone()));
    let templates = step.spec.templates().into_iter().map(|template| names(&template.0));
    let conditions = step.when.iter().map(|when| names_of_condition(when));
    // what cannot be understood was refused when the runbook was loaded
    let read = templates.chain(conditions).filter_map(Result::ok).flatten();
    used.extend(read.filter_map(|name| Some(name.strip_prefix("steps.")?.split('.').next()?.to_owned())));
    if step.spec.installs() {
        let taken = plan.deployment.iter().flat_map(|deployment| deployment.helm.references());
        used.extend(taken.map(|(_, id)| id.to_owned()));
    }
    used
}

/// The choices that a failure adds: one for each earlier step it names. Once something irreversible was begun, what led to it
/// cannot be done again, only what came after it; and a new place that others were led to is not filled anew.
pub fn choices(problem: &Diagnostic, plan: &Plan, state: &RunState) -> Vec<Choice> {
    let removals = plan.steps.iter().rposition(|step| step.planned.risk == Risk::Irreversible);
    let removal = removals.filter(|_| state.removal_begun());
    let first = removal.max(handed_over(plan, state)).map_or(0, |at| at + 1);
    let late = |id: &String| plan.steps[first..].iter().find(|step| step.planned.id.0 == *id);
    let named = problem.again.iter().filter_map(late);
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

/// The last step at which a human was asked to lead others to a namespace that this run made.
fn handed_over(plan: &Plan, state: &RunState) -> Option<usize> {
    let makes = plan.steps.iter().any(|step| matches!(step.spec, ActionSpec::Namespace(_)));
    let asked =
        |step: &PlanStep| matches!(step.spec, ActionSpec::Manual(_)) && state.attempts.contains_key(&step.planned.id);
    plan.steps.iter().rposition(asked).filter(|_| makes)
}

/// Whether a human answers a step of this kind.
pub fn is_answered(step: &PlanStep) -> bool {
    matches!(step.spec, ActionSpec::Ask(_) | ActionSpec::Confirm(_) | ActionSpec::Manual(_))
}

/// Where one can go from an open gate: the last checks before it that passed, and the last step that a human answered.
pub fn before(gate: &PlanStep, plan: &Plan, state: &RunState) -> Vec<String> {
    let before = || plan.steps.iter().take_while(|step| step.planned.id != gate.planned.id);
    let done = |step: &&PlanStep| matches!(state.step(&step.planned.id), StepState::Done { .. });
    let check = before().filter(done).filter(|step| matches!(step.spec, ActionSpec::Check(_))).last();
    let answered = before().filter(done).filter(|step| is_answered(step)).last();
    check.into_iter().chain(answered).map(|step| step.planned.id.0.clone()).collect()
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
        let built = builds_on(step, plan).iter().any(|used| steps.iter().any(|open| open.0 == *used));
        // checks are cheap, and what they looked at changes
        let check = !steps.is_empty() && matches!(step.spec, ActionSpec::Check(_));
        // in a new namespace each step rests on all that was done there before it
        let there = step.place.is_some()
            && steps.iter().any(|open| plan.step(open).is_some_and(|open| open.place == step.place));
        if id == from || ((built || check || there) && state.step(id).is_over()) {
            steps.push(id.clone());
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{
        ports::Identity,
        run::{Outcome, Record, Repeat},
        runbook::{EMBEDDED, load},
    };

    /// Whether the dump may be made again after these steps were asked of a human.
    fn offered(asked: &[&str]) -> bool {
        let (name, text) = EMBEDDED[0];
        let loaded = load(name, text).unwrap();
        let intent = loaded.runbook.intents.iter().find(|intent| intent.id == "beside").unwrap();
        let target = Identity {
            cluster_uid: None,
            ca_sha256: "c".into(),
            namespace_uid: "n".into(),
            root_uid: String::new(),
            namespace: "plant".into(),
            server_version: String::new(),
            labels: Vec::new(),
        };
        let plan = Plan::new(&loaded.runbook, intent, &target, &json!({}));
        let planned =
            Record::Planned { phases: Vec::new(), steps: plan.steps.iter().map(|s| s.planned.clone()).collect() };
        let ended = plan.steps.iter().map(|step| Record::Ended {
            step: step.planned.id.clone(),
            attempt: 1,
            outcome: Outcome::Done { summary: String::new(), facts: json!({}) },
        });
        let human = |step: &PlanStep| !matches!(step.spec, ActionSpec::Manual(_));
        let done = plan.steps.iter().zip(ended).filter(|(step, _)| human(step)).map(|(_, record)| record);
        let begun =
            asked.iter().map(|id| Record::Intent { step: StepId((*id).into()), attempt: 1, repeat: Repeat::Safe });
        let records: Vec<Record> = std::iter::once(planned).chain(done).chain(begun).collect();
        let state = RunState::of(records.iter().map(|record| (Timestamp::UNIX_EPOCH, record)));
        !choices(&Diagnostic::new("written to since").again("dump"), &plan, &state).is_empty()
    }

    #[test]
    fn a_new_place_that_others_were_led_to_is_not_filled_anew() {
        let (_, text) = EMBEDDED[0];
        let loaded = load("pixelcore", text).unwrap();
        let intent = loaded.runbook.intents.iter().find(|intent| intent.id == "beside").unwrap();
        let by_hand = intent.steps().find(|(_, _, step)| matches!(step.action, ActionSpec::Manual(_)));
        let first = by_hand.unwrap().2.id.0.clone();
        assert!(offered(&[]) && !offered(&[&first]));
    }
}
