//! StatefulSets: numbered pods with claims of their own, which stay when the set goes.

use serde_json::{Value, json};

use super::{
    super::objects::Key, Shared, events, is_ending, is_open, is_ready, key, number, owned, pods, set_status,
    short_hash, text,
};

const NAME: &str = "statefulset-controller";

/// One step for all of them.
pub fn step(shared: &Shared) {
    for set in shared.objects.list("apps", "statefulsets", None).1 {
        if !is_ending(&set) && is_open(shared, text(&set, "/metadata/namespace")) {
            one(shared, &set);
        }
    }
}

fn one(shared: &Shared, set: &Value) {
    let (namespace, name) = (text(set, "/metadata/namespace"), text(set, "/metadata/name"));
    let wanted = number(set, "/spec/replicas", 1);
    let template = set.pointer("/spec/template").cloned().unwrap_or_default();
    let revision = format!("{name}-{}", short_hash(&template.to_string(), 10));
    let mine = owned(shared, "", "pods", set);
    for ordinal in 0..wanted {
        let pod_name = format!("{name}-{ordinal}");
        let Some(pod) = mine.iter().find(|pod| text(pod, "/metadata/name") == pod_name) else {
            if shared.objects.get(&Key::new("", "pods", Some(namespace), &pod_name)).is_none() {
                let volumes = claims(shared, set, &pod_name);
                let index = ordinal.to_string();
                let labels = [
                    ("apps.kubernetes.io/pod-index", index.as_str()),
                    ("controller-revision-hash", revision.as_str()),
                    ("statefulset.kubernetes.io/pod-name", pod_name.as_str()),
                ];
                pods::make(shared, set, Some(pod_name.clone()), &labels, &volumes, NAME);
            }
            break;
        };
        if !is_ending(pod) && text(pod, "/metadata/labels/controller-revision-hash") != revision {
            // it may be going by itself
            let _ = shared.objects.delete(&key("", "pods", pod), None);
            break;
        }
        if !is_ready(pod) {
            break;
        }
    }
    for pod in mine.iter().filter(|pod| !is_ending(pod)) {
        let ordinal = text(pod, "/metadata/name").rsplit('-').next().and_then(|n| n.parse::<usize>().ok());
        if ordinal.is_none_or(|ordinal| ordinal >= wanted) && shared.objects.delete(&key("", "pods", pod), None).is_ok()
        {
            let message = format!("delete Pod {} in StatefulSet {name} successful", text(pod, "/metadata/name"));
            events::tell(shared, set, false, "SuccessfulDelete", &message, NAME);
        }
    }
    let ready = mine.iter().filter(|pod| is_ready(pod)).count();
    let updated = mine.iter().filter(|pod| text(pod, "/metadata/labels/controller-revision-hash") == revision).count();
    let status = json!({"observedGeneration": set.pointer("/metadata/generation").cloned().unwrap_or_default(), "replicas": mine.len(),
        "readyReplicas": ready, "availableReplicas": ready, "currentReplicas": updated, "updatedReplicas": updated,
        "currentRevision": revision, "updateRevision": revision, "collisionCount": 0});
    set_status(shared, &key("apps", "statefulsets", set), &status);
}

/// The claims of a pod, made where they are not there, as volumes for its spec.
fn claims(shared: &Shared, set: &Value, pod: &str) -> Vec<Value> {
    let (namespace, name) = (text(set, "/metadata/namespace"), text(set, "/metadata/name"));
    let mut volumes = Vec::new();
    for template in set.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array).into_iter().flatten() {
        let volume = text(template, "/metadata/name");
        let claim = format!("{volume}-{pod}");
        let labels = set.pointer("/spec/selector/matchLabels").cloned().unwrap_or_else(|| json!({}));
        let made = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"labels": labels, "finalizers": ["kubernetes.io/pvc-protection"]},
            "spec": template["spec"], "status": {"phase": "Pending"}});
        if shared.objects.create(&Key::new("", "persistentvolumeclaims", Some(namespace), &claim), made).is_ok() {
            let message = format!("Create Claim {claim} Pod {pod} in StatefulSet {name} success");
            events::tell(shared, set, false, "SuccessfulCreate", &message, NAME);
        }
        volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}}));
    }
    volumes
}
