//! What a run has stopped and left so, at its end: the commands that start it again, for the record of the change.

use super::{executor::Engine, plan::PlanStep};
use crate::{
    actions::{ActionSpec, Driver},
    run::{RunState, StepState},
    text::quoted,
};

impl Engine {
    /// One command a line, what was stopped last first; none where everything runs as before.
    pub(super) fn start_again(&self) -> Vec<String> {
        let state = self.core.state();
        let Some(namespace) = state.target.as_ref().map(|target| target.namespace.clone()) else { return Vec::new() };
        let mut stopped: Vec<(String, u64)> = Vec::new();
        for step in self.plan.steps.iter().filter(|step| step.place.is_none()) {
            take_in(step, &state, &mut stopped);
        }
        if stopped.is_empty() {
            return Vec::new();
        }
        let first = format!(
            "what was stopped in {namespace} is there, with its volumes; what leads elsewhere by now you lead back"
        );
        let command = |(workload, number): &(String, u64)| {
            format!(
                "$ kubectl --context {} -n {namespace} scale {workload} --replicas={number}",
                quoted(&state.context)
            )
        };
        // a core that is started again has the default settings
        let vault = if state.practice { self.typed.within("practice") } else { self.typed.clone() };
        let settings = format!("put the settings back from the vault: {}", vault.command("vault list"));
        std::iter::once(first).chain(stopped.iter().rev().map(command)).chain([settings]).collect()
    }
}

/// What a step stopped, with the number before, or started again.
fn take_in(step: &PlanStep, state: &RunState, stopped: &mut Vec<(String, u64)>) {
    let (ActionSpec::Scale(spec), StepState::Done { .. }) = (&step.spec, state.step(&step.planned.id)) else { return };
    let facts = state.facts.get(&step.planned.id).cloned().unwrap_or_default();
    let deployments = spec.deployments.iter().map(|name| ("deployment", name));
    for (kind, name) in deployments.chain(spec.stateful_sets.iter().map(|name| ("statefulset", name))) {
        let workload = format!("{kind}/{name}");
        let known = stopped.iter().position(|(other, _)| *other == workload);
        let before = facts["before"][name].as_u64().unwrap_or(0);
        match known {
            // stopped before, and stopped again: the number of the first time is the one that counts
            Some(_) if spec.replicas == Some(0) => {}
            Some(at) => {
                stopped.remove(at);
            }
            None if spec.replicas == Some(0) && before > 0 => stopped.push((workload, before)),
            None => {}
        }
    }
}
