//! What a run has made for itself in the cluster and has not taken away again, told from its own journal: without asking the
//! cluster, which need not answer when a run is given up.

use super::scratch_look::MARK;
use crate::run::{RunState, StepId};

/// One thing that is left, with the command that takes it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What, as `pod drydock-client-7f3a in plant`.
    pub what: String,
    /// To copy.
    pub command: String,
    namespace: String,
    name: String,
}

/// The command that takes away what the run `short` made in a namespace that was given for its rehearsal.
pub fn command(namespace: &str, short: &str) -> String {
    let kinds = "deployment,statefulset,job,pod,service,configmap,secret,persistentvolumeclaim,networkpolicy,serviceaccount,\
                 poddisruptionbudget,limitrange,resourcequota";
    format!("kubectl -n {namespace} delete {kinds} -l {MARK}={short}")
}

/// Whether a step made the place of a new deployment, and others were led there.
fn is_in_use(state: &RunState, step: &StepId) -> bool {
    state.handed_over() && state.planned(step).is_some_and(|step| step.kind == "namespace")
}

/// Pods and namespaces of a run whose making was begun and whose removal was not seen to its end.
pub fn leftover(state: &RunState) -> Vec<Leftover> {
    let target = state.target.as_ref().map_or("", |target| target.namespace.as_str());
    let kubectl = format!("kubectl --context {}", state.context);
    let pod = |name: &str, namespace: &str| Leftover {
        what: format!("pod {name} in {namespace}"),
        command: format!("{kubectl} -n {namespace} delete pod {name}"),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let mut left: Vec<Leftover> = Vec::new();
    for effect in &state.effects {
        let words: Vec<&str> = effect.effect.split(' ').collect();
        let mut made = match words[..] {
            ["create", "pod", name, "in", namespace] => pod(name, namespace),
            ["create", "throw-away", "pod", name] => pod(name, target),
            // others use that one since the switch: its own step says what becomes of it
            ["create", "namespace", _] if is_in_use(state, &effect.step) => continue,
            ["create", "namespace", name] => Leftover {
                what: format!("namespace {name} with all that is in it"),
                command: format!("{kubectl} delete namespace {name}"),
                namespace: name.to_owned(),
                name: String::new(),
            },
            ["use", "the", "empty", "namespace", name, ..] => Leftover {
                what: format!("what this run made in namespace {name}"),
                command: command(name, state.short()).replacen("kubectl", &kubectl, 1),
                namespace: name.to_owned(),
                name: String::new(),
            },
            ["remove", "what", "this", "run", "made", "in", name] => {
                if effect.result.is_some() {
                    left.retain(|thing| thing.namespace != name);
                }
                continue;
            }
            ["delete", "pod", name, "in", namespace, ..] if effect.result.is_some() => {
                left.retain(|thing| (thing.name.as_str(), thing.namespace.as_str()) != (name, namespace));
                continue;
            }
            ["delete", "throw-away", "pod", name, ..] if effect.result.is_some() => {
                left.retain(|thing| (thing.name.as_str(), thing.namespace.as_str()) != (name, target));
                continue;
            }
            ["delete", "scratch" | "new", "namespace", name, ..] if effect.result.is_some() => {
                left.retain(|thing| thing.namespace != name);
                continue;
            }
            _ => continue,
        };
        left.retain(|thing| (&thing.name, &thing.namespace) != (&made.name, &made.namespace));
        if effect.result.is_none() {
            made.what.push_str(", of which it was not seen whether it was made");
        }
        left.push(made);
    }
    // a namespace takes the pods in it along
    let whole: Vec<String> =
        left.iter().filter(|thing| thing.name.is_empty()).map(|thing| thing.namespace.clone()).collect();
    left.retain(|thing| thing.name.is_empty() || !whole.contains(&thing.namespace));
    left
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::run::Record;

    fn after(records: &[Value]) -> Vec<String> {
        let step = |id: &str, kind: &str| {
            json!({"id": id, "phase": 0, "number": "3.1", "title": id, "why": "", "kind": kind,
            "risk": "reversible", "estimate_s": 1, "changes": "", "undo": "", "commands": [], "unknown": []})
        };
        let plan =
            json!({"type": "planned", "phases": [], "steps": [step("place", "namespace"), step("lead", "manual")]});
        let all: Vec<Record> = std::iter::once(&plan)
            .chain(records)
            .map(|record| serde_json::from_value(record.clone()).unwrap())
            .collect();
        let state = RunState::of(all.iter().map(|record| (Timestamp::UNIX_EPOCH, record)));
        leftover(&state).into_iter().map(|thing| thing.what).collect()
    }

    #[test]
    fn a_new_place_that_others_were_led_to_is_nothing_to_remove() {
        let effect = |effect: &str| json!({"type": "effect", "step": "place", "effect": effect});
        let effected = |effect: &str, result: &str| json!({"type": "effected", "step": "place", "effect": effect, "result": result});
        let make = [effect("create namespace plant-next"), effected("create namespace plant-next", "uid-7")];
        assert_eq!(after(&make), ["namespace plant-next with all that is in it"]);
        let gone = "delete new namespace plant-next uid uid-7";
        assert!(after(&[&make[..], &[effect(gone), effected(gone, "gone")]].concat()).is_empty());
        let led = json!({"type": "intent", "step": "lead", "attempt": 1, "repeat": "safe"});
        assert!(after(&[&make[..], &[led]].concat()).is_empty());
    }
}
