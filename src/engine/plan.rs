//! From a runbook, an intent, inputs and a target to concrete steps in order.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    actions::{ActionSpec, Described, Needs, PlanCx, Requires, deployment::Deployment},
    ports::Identity,
    run::{Form, PlannedPhase, PlannedStep, Purpose, RunState, StepId},
    runbook::{Intent, Runbook, Step, parse_duration},
    text::{Template, render},
};

/// A step with what makes it happen.
#[derive(Debug, Clone)]
pub struct PlanStep {
    /// What front ends see.
    pub planned: PlannedStep,
    /// What it does.
    pub spec: ActionSpec,
    /// The step that made the namespace in which it is done, where that is not the target's own.
    pub place: Option<StepId>,
    /// When it applies.
    pub when: Option<String>,
    /// What the operator agrees to before it begins.
    pub consent: Vec<Template>,
    /// Known harmless lines.
    pub expect: Vec<String>,
    /// What must be there before it.
    pub requires: Requires,
}

/// Concrete steps.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Phases.
    pub phases: Vec<PlannedPhase>,
    /// Steps, in order.
    pub steps: Vec<PlanStep>,
    /// Steps of the run that this one goes on from, as that one's intent has them. None of them is done here.
    pub taken: Vec<PlanStep>,
    /// Intents that lead back from a run of this one, by id.
    pub ways_back: Vec<String>,
    /// The deployment.
    pub deployment: Option<Arc<Deployment>>,
    /// What the steps need, together.
    pub needs: Arc<Needs>,
    /// The target.
    pub target: Identity,
}

/// What templates may name, from the run so far.
pub fn values(state: &RunState) -> Value {
    let steps: Map<String, Value> = state.facts.iter().map(|(step, facts)| (step.0.clone(), facts.clone())).collect();
    let namespace = state.target.as_ref().map_or("", |target| target.namespace.as_str());
    json!({
        "inputs": state.inputs,
        "target": {"namespace": namespace, "context": state.context, "environment": state.environment},
        "run": {"id": state.run, "short": state.short()},
        "steps": steps,
    })
}

impl Plan {
    /// Makes the plan. `known` is what templates may name before the start.
    pub fn new(runbook: &Runbook, intent: &Intent, target: &Identity, known: &Value) -> Self {
        let fill = |template: &Template| render(template, known);
        let own = PlanCx { namespace: &target.namespace, deployment: runbook.deployment.as_ref(), render: &fill };
        let mut needs = Needs::default();
        let mut steps = Vec::new();
        for (phase, number, step) in intent.steps() {
            let beside = step.place.as_ref().and_then(|place| runbook.namespace_of(intent, place));
            let beside = beside.map(|name| own.show(name));
            let described =
                step.action.action().describe(&PlanCx { namespace: beside.as_deref().unwrap_or(own.namespace), ..own });
            if matches!(step.action, ActionSpec::Helm(_)) {
                needs.beside.clone_from(&beside);
            }
            needs.rights.extend(described.rights.iter().cloned());
            needs.optional.extend(described.optional.iter().cloned());
            needs.programs.extend(described.programs.iter().cloned());
            if pauses_others(&step.action) {
                needs.pausing.push(step.id.clone());
            }
            if let ActionSpec::Rehearse(spec) = &step.action {
                needs.scratch = fill(&spec.namespace).ok();
            }
            steps.push(planned(phase, number, step, described));
        }
        let taken =
            runbook.taken(intent).map(|(phase, number, step)| planned(phase, number, step, Described::default()));
        let taken = taken.collect();
        needs.rights.sort();
        needs.rights.dedup();
        needs.optional.sort();
        needs.optional.dedup();
        needs.programs.sort();
        needs.programs.dedup();
        let phases = intent.phases.iter().map(|phase| PlannedPhase {
            title: phase.title.clone(),
            purpose: phase.purpose.clone(),
            changes: phase.changes.clone(),
        });
        Self {
            phases: phases.collect(),
            steps,
            taken,
            ways_back: runbook
                .intents
                .iter()
                .filter(|other| {
                    other.continues.as_ref().is_some_and(|of| of.intent == intent.id && of.purpose == Purpose::WayBack)
                })
                .map(|other| other.id.clone())
                .collect(),
            deployment: runbook.deployment.clone().map(Arc::new),
            needs: Arc::new(needs),
            target: target.clone(),
        }
    }

    /// A step by id, one that was taken over included.
    pub fn step(&self, id: &StepId) -> Option<&PlanStep> {
        self.all().find(|step| step.planned.id == *id)
    }

    fn all(&self) -> impl Iterator<Item = &PlanStep> {
        self.steps.iter().chain(&self.taken)
    }

    /// The step whose form a step fills in or puts back, and that form.
    pub fn form(&self, id: &StepId) -> Option<(&StepId, &Form)> {
        match &self.step(id)?.spec {
            ActionSpec::Ask(spec) => Some((&self.step(id)?.planned.id, &spec.form)),
            ActionSpec::Http(spec) => {
                let from = self.all().find(|step| step.planned.id.0 == spec.from)?;
                let ActionSpec::Ask(asked) = &from.spec else { return None };
                Some((&from.planned.id, &asked.form))
            }
            _ => None,
        }
    }

    /// Whether any step keeps a secret.
    pub fn needs_vault(&self) -> bool {
        self.all().any(|step| match &step.spec {
            ActionSpec::Capture(_) => true,
            ActionSpec::Ask(spec) => spec.form.fields.iter().any(crate::run::Field::is_secret),
            _ => false,
        })
    }
}

/// A step with what makes it happen.
/// Whether a step lets others rest who act on the deployment.
fn pauses_others(action: &ActionSpec) -> bool {
    match action {
        ActionSpec::Suspend(_) => true,
        ActionSpec::Scale(spec) => spec.others && spec.replicas.is_some(),
        _ => false,
    }
}

fn planned(phase: usize, number: String, step: &Step, described: Described) -> PlanStep {
    let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text.to_owned() };
    PlanStep {
        planned: PlannedStep {
            id: step.id.clone(),
            number,
            phase,
            title: step.title.clone(),
            why: step.why.clone(),
            kind: step.action.kind().to_owned(),
            risk: step.risk,
            changes: or(&step.changes, "nothing"),
            undo: or(&step.undo, "not needed"),
            service: step.service,
            estimate_s: parse_duration(&step.estimate).unwrap_or(0),
            commands: described.commands,
            unknown: described.unknown,
        },
        spec: step.action.clone(),
        place: step.place.clone().map(StepId),
        when: step.when.clone(),
        consent: step.consent.clone(),
        expect: step.expect.clone(),
        requires: step.requires.clone(),
    }
}
