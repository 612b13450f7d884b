//! The other namespace of a run: one that a step of it made, and in which later steps work as in the target.
//!
//! Who it is comes from the facts of the step that made it, and is compared with what the server says before every change.

use serde_json::{Value, json};

use super::context::{Halt, StepCx};
use crate::{
    ports::Identity,
    run::{RunState, StepId, StepState},
    text::Diagnostic,
};

/// Member of the facts of a `namespace` step: who that namespace is.
const PLACE: &str = "place";

/// The facts of a step that made `place`.
pub(super) fn facts_of(place: &Identity) -> Value {
    json!({"namespace": place.namespace, PLACE: place})
}

/// The namespace that `step` made. There is no other to take instead: without it nothing is done.
///
/// # Errors
/// A refusal where it was not made, or was removed again.
pub fn place_of(state: &RunState, step: &StepId) -> Result<Identity, Halt> {
    let facts = state.facts.get(step).filter(|_| matches!(state.step(step), StepState::Done { .. }));
    let place = facts.and_then(|facts| serde_json::from_value(facts.get(PLACE)?.clone()).ok());
    place.ok_or_else(|| {
        let named = state
            .planned(step)
            .map_or_else(|| format!("step {step}"), |step| format!("{} {}", step.number, step.title));
        Halt::Refused(Box::new(
            Diagnostic::new(format!("there is no namespace to work in: {named} has not made it, or it was removed"))
                .safe("everything: nothing was sent")
                .help("do that step first"),
        ))
    })
}

impl StepCx {
    /// The same step at work in the namespace that `step` made.
    ///
    /// # Errors
    /// A refusal where there is none.
    pub fn at(&self, step: &str) -> Result<Self, Halt> {
        let target = place_of(&self.driver.state(), &StepId(step.to_owned()))?;
        Ok(Self { target, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Outcome, Record};

    /// Facts of a step that was put back stay; where they lead is gone.
    #[test]
    fn without_a_namespace_that_was_made_there_is_none_to_work_in() {
        let (step, at) = (StepId("place".to_owned()), jiff::Timestamp::UNIX_EPOCH);
        let place = Identity {
            cluster_uid: None,
            ca_sha256: "c".into(),
            namespace_uid: "n".into(),
            root_uid: String::new(),
            namespace: "plant-next".into(),
            server_version: String::new(),
            labels: Vec::new(),
        };
        let done = |facts| Outcome::Done { summary: String::new(), facts };
        let after = |outcomes: Vec<Outcome>| {
            let ended = |outcome| Record::Ended { step: step.clone(), attempt: 1, outcome };
            let records: Vec<Record> = outcomes.into_iter().map(ended).collect();
            place_of(&RunState::of(records.iter().map(|record| (at, record))), &step)
        };
        assert_eq!(after(vec![done(facts_of(&place))]), Ok(place.clone()));
        let undone = Outcome::Undone { sentence: String::new() };
        for none in [vec![], vec![done(facts_of(&place)), undone], vec![done(json!({"namespace": "plant-next"}))]] {
            assert!(matches!(after(none), Err(Halt::Refused(_))));
        }
    }
}
