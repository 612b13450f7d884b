//! ReplicaSets: as many pods as wanted.

use serde_json::{Value, json};

use super::{Shared, events, is_ending, is_open, is_over, is_ready, key, number, owned, pods, set_status, text};

const NAME: &str = "replicaset-controller";

/// One step for all of them.
pub fn step(shared: &Shared) {
    for set in shared.objects.list("apps", "replicasets", None).1 {
        if !is_ending(&set) && is_open(shared, text(&set, "/metadata/namespace")) {
            one(shared, &set);
        }
    }
}

fn one(shared: &Shared, set: &Value) {
    let wanted = number(set, "/spec/replicas", 1);
    let mine: Vec<_> =
        owned(shared, "", "pods", set).into_iter().filter(|pod| !is_over(pod) && !is_ending(pod)).collect();
    let hash = set.pointer("/metadata/labels/pod-template-hash").and_then(Value::as_str).unwrap_or_default();
    for _ in mine.len()..wanted {
        pods::make(shared, set, None, &[("pod-template-hash", hash)], &[], NAME);
    }
    for pod in mine.iter().skip(wanted) {
        // it may be going by itself
        if shared.objects.delete(&key("", "pods", pod), None).is_ok() {
            events::tell(
                shared,
                set,
                false,
                "SuccessfulDelete",
                &format!("Deleted pod: {}", text(pod, "/metadata/name")),
                NAME,
            );
        }
    }
    let ready = mine.iter().filter(|pod| is_ready(pod)).count();
    let status = json!({"replicas": mine.len(), "fullyLabeledReplicas": mine.len(), "readyReplicas": ready, "availableReplicas": ready,
        "observedGeneration": set.pointer("/metadata/generation").cloned().unwrap_or_default()});
    set_status(shared, &key("apps", "replicasets", set), &status);
}
