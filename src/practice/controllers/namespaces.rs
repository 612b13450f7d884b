//! Namespaces: what every one has, and their end.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    super::{faults::Fault, objects::Key},
    Shared, is_ending, key, text,
};

/// The finalizer of the fault stuck-namespace.
const HOLD: &str = "practice.drydock/hold";
/// How long it holds.
const HELD: Duration = Duration::from_secs(30);
/// The mark of namespaces that drydock makes.
const MARK: &str = "drydock.run";

/// Namespaces that are held, by uid, with the time since which they end.
pub type Held = HashMap<String, Instant>;

/// One step for all of them.
pub fn step(shared: &Shared, held: &mut Held) {
    for namespace in shared.objects.list("", "namespaces", None).1 {
        if is_ending(&namespace) {
            end(shared, &namespace, held);
        } else {
            furnish(shared, &namespace);
        }
    }
}

/// Gives a namespace its ConfigMap with the CA and its ServiceAccount.
pub fn furnish(shared: &Shared, namespace: &Value) {
    let name = text(namespace, "/metadata/name");
    let marked = namespace.pointer("/metadata/labels").is_some_and(|labels| labels.get(MARK).is_some());
    let stuck = marked && shared.faults.holds(Fault::StuckNamespace);
    let has_hold = finalizers(namespace).any(|finalizer| finalizer == HOLD);
    if text(namespace, "/status/phase") != "Active" || (stuck && !has_hold) {
        // it may be going by now
        let _ = shared.objects.update(&key("", "namespaces", namespace), |namespace| {
            namespace["status"] = json!({"phase": "Active"});
            namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] = json!(name);
            if namespace.get("spec").is_none() {
                namespace["spec"] = json!({"finalizers": ["kubernetes"]});
            }
            if stuck && !has_hold {
                namespace["metadata"]["finalizers"] = json!([HOLD]);
            }
            Ok(())
        });
    }
    let at = Key::new("", "configmaps", Some(name), "kube-root-ca.crt");
    if shared.objects.get(&at).is_none() {
        let known = shared.objects.get(&Key::new("", "configmaps", Some("kube-system"), "kube-root-ca.crt"));
        let ca = known.map_or_else(certificate, |known| text(&known, "/data/ca.crt").to_owned());
        let annotations = json!({"kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints."});
        let made = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"annotations": annotations}, "data": {"ca.crt": ca}});
        let _ = shared.objects.create(&at, made);
    }
    let account = Key::new("", "serviceaccounts", Some(name), "default");
    if shared.objects.get(&account).is_none() {
        let _ = shared.objects.create(&account, json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}));
    }
}

fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    object.pointer("/metadata/finalizers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The CA of this cluster: a name for it, as nothing here is signed (the API speaks plain HTTP on loopback).
fn certificate() -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let random: String = (0..12).map(|_| super::super::objects::uid()).collect();
    let lines: Vec<String> =
        STANDARD.encode(random).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn end(shared: &Shared, namespace: &Value, held: &mut Held) {
    let (name, uid) = (text(namespace, "/metadata/name"), text(namespace, "/metadata/uid").to_owned());
    for at in shared.objects.keys(name) {
        // what is ending already is not asked twice; what its controller makes afterwards is asked in the next step
        let _ = shared.objects.delete(&at, None);
    }
    let since = *held.entry(uid.clone()).or_insert_with(Instant::now);
    let at = key("", "namespaces", namespace);
    let left = shared.objects.keys(name).len();
    let holds = finalizers(namespace).any(|finalizer| finalizer == HOLD);
    if holds && since.elapsed() >= HELD.mul_f64(shared.pace) {
        let _ = shared.objects.update(&at, |namespace| {
            namespace["metadata"]["finalizers"] = json!([]);
            Ok(())
        });
        return;
    }
    if left == 0 && finalizers(namespace).next().is_none() {
        shared.objects.remove(&at);
        held.remove(&uid);
        return;
    }
    let word = |holds: bool| if holds { "True" } else { "False" };
    let held_by: Vec<String> =
        finalizers(namespace).map(|finalizer| format!("{finalizer} in 1 resource instances")).collect();
    let remaining = format!("Some content in the namespace has finalizers remaining: {}", held_by.join(", "));
    let time = namespace.pointer("/metadata/deletionTimestamp").cloned().unwrap_or_default();
    let conditions = json!([
        {"type": "NamespaceContentRemaining", "status": word(left > 0), "reason": "SomeResourcesRemain", "lastTransitionTime": time,
            "message": format!("Some resources are remaining: {left} objects")},
        {"type": "NamespaceFinalizersRemaining", "status": word(!held_by.is_empty()), "reason": "SomeFinalizersRemain", "lastTransitionTime": time,
            "message": remaining},
    ]);
    super::set_status(shared, &at, &json!({"phase": "Terminating", "conditions": conditions}));
}
