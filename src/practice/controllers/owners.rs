//! What is owned goes after its last owner.

use std::collections::HashSet;

use serde_json::Value;

use super::{Shared, is_ending, key, text};

/// Kinds that own or are owned.
const KINDS: [(&str, &str); 11] = [
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("", "pods"),
    ("", "configmaps"),
    ("", "secrets"),
    ("", "services"),
    ("", "persistentvolumeclaims"),
    ("discovery.k8s.io", "endpointslices"),
    ("", "nodes"),
];

/// One step for all of them.
pub fn step(shared: &Shared) {
    let all: Vec<_> = KINDS
        .iter()
        .flat_map(|(group, plural)| {
            shared.objects.list(group, plural, None).1.into_iter().map(move |o| (*group, *plural, o))
        })
        .collect();
    let alive: HashSet<&str> = all.iter().map(|(.., object)| text(object, "/metadata/uid")).collect();
    for (group, plural, object) in &all {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let orphan =
            owners.is_some_and(|owners| !owners.is_empty() && owners.iter().all(|o| !alive.contains(text(o, "/uid"))));
        if orphan && !is_ending(object) {
            // it may be going by itself
            let _ = shared.objects.delete(&key(group, plural, object), None);
        }
    }
}
