//! The controllers: what a real cluster makes of objects, in small. Each looks at what is there and does one step towards
//! what is wanted; the loop runs them at every change.
//!
//! Owns: ReplicaSets, pods of workloads, claims and volumes, endpoints, namespaces, owners. Does not own: what happens inside
//! a pod (`kubelet`). Called by `world`, which runs the loop.

mod deployments;
pub mod events;
mod jobs;
mod namespaces;
mod owners;
mod pods;
mod replica_sets;
mod services;
mod stateful_sets;
mod volumes;

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::{
    kubelet::{self, Pod},
    objects::Key,
    state::Shared,
};

pub use namespaces::furnish;
pub use volumes::{CLASS, PROVISIONER};

/// Longest time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// A string of a document, empty when it is not there.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str, otherwise: usize) -> usize {
    value.pointer(pointer).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(otherwise)
}

fn is_ending(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

fn key(group: &str, plural: &str, object: &Value) -> Key {
    let namespace = Some(text(object, "/metadata/namespace")).filter(|namespace| !namespace.is_empty());
    Key::new(group, plural, namespace, text(object, "/metadata/name"))
}

/// The objects of a kind that are owned by `owner`.
fn owned(shared: &Shared, group: &str, plural: &str, owner: &Value) -> Vec<Arc<Value>> {
    let uid = text(owner, "/metadata/uid");
    let (_, all) = shared.objects.list(group, plural, Some(text(owner, "/metadata/namespace")));
    let of = |object: &Arc<Value>| {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.is_some_and(|owners| owners.iter().any(|owner| text(owner, "/uid") == uid))
    };
    all.into_iter().filter(of).collect()
}

fn owner(object: &Value) -> Value {
    json!([{"apiVersion": text(object, "/apiVersion"), "kind": text(object, "/kind"), "name": text(object, "/metadata/name"),
        "uid": text(object, "/metadata/uid"), "controller": true, "blockOwnerDeletion": true}])
}

/// Whether a pod is ready and not ending.
pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    !is_ending(pod) && conditions.into_iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

fn is_over(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// A short hash in the alphabet of Kubernetes.
pub fn short_hash(text: &str, length: usize) -> String {
    use sha2::{Digest, Sha256};
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    Sha256::digest(text.as_bytes())
        .iter()
        .take(length)
        .map(|b| char::from(ALPHABET[usize::from(*b) % ALPHABET.len()]))
        .collect()
}

/// Sets an object's status; nothing is told when it is the same.
fn set_status(shared: &Shared, key: &Key, status: &Value) {
    // the object may be gone by now
    let _ = shared.objects.update(key, |object| {
        object["status"] = status.clone();
        Ok(())
    });
}

/// Whether new objects may be made in a namespace.
fn is_open(shared: &Shared, namespace: &str) -> bool {
    shared.objects.get(&Key::new("", "namespaces", None, namespace)).is_some_and(|place| !is_ending(&place))
}

/// Runs everything until the world ends.
pub async fn run(shared: Arc<Shared>) {
    let mut kubelets: HashMap<String, AbortOnDropHandle<()>> = HashMap::new();
    let mut held = namespaces::Held::default();
    loop {
        let before = shared.objects.revision();
        step(&shared, &mut held);
        pods::assign(&shared, &mut kubelets);
        if shared.objects.revision() != before {
            tokio::task::yield_now().await;
            continue;
        }
        let Some((past, mut changes)) = shared.objects.changes(before) else { continue };
        if past.is_empty() {
            tokio::select! {
                _ = changes.recv() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = shared.ended.cancelled() => return,
            }
        }
    }
}

fn step(shared: &Arc<Shared>, held: &mut namespaces::Held) {
    namespaces::step(shared, held);
    deployments::step(shared);
    replica_sets::step(shared);
    stateful_sets::step(shared);
    jobs::step(shared);
    volumes::step(shared);
    services::step(shared);
    owners::step(shared);
}

/// The task of a pod.
fn play(shared: &Arc<Shared>, key: Key, uid: String) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(kubelet::live(Pod { shared: Arc::clone(shared), key, uid })))
}
