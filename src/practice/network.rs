//! The simulated network: what a pod reaches, as policies of its namespace and the fault network-ignores-policy say.
//!
//! Owns: whether a connection leaves a namespace. Does not own: names and databases (`database`). Called by the shell and by
//! whoever connects to a database.

use serde_json::Value;

use super::{Fault, state::Shared};

/// Whether connections from pods of `namespace` to other namespaces and to the API are let through.
pub fn leaves(shared: &Shared, namespace: &str) -> bool {
    if shared.faults.holds(Fault::NetworkIgnoresPolicy) {
        return true;
    }
    let (_, policies) = shared.objects.list("networking.k8s.io", "networkpolicies", Some(namespace));
    let denies = |policy: &Value| {
        let kinds = policy.pointer("/spec/policyTypes").and_then(Value::as_array);
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "Egress"))
    };
    !policies.iter().any(|policy| denies(policy))
}

/// Whether a pod of `namespace` reaches a target of the script `reach`.
pub fn reaches(shared: &Shared, namespace: &str, target: &str) -> bool {
    if target == "dns" {
        return true;
    }
    let outside = leaves(shared, namespace);
    let Some((host, _)) = target.rsplit_once('/') else { return outside };
    let (_, pods) = shared.objects.list("", "pods", None);
    let there = pods.iter().find(|pod| pod.pointer("/status/podIP").and_then(Value::as_str) == Some(host));
    there.is_some_and(|pod| outside || pod["metadata"]["namespace"] == namespace)
}
