//! Deployments: one ReplicaSet for each template. The old one ends before the new one begins, which is what the strategy
//! Recreate asks for; a rolling update has its new pods ready first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::objects::Key, Shared, events, is_ending, is_open, is_over, is_ready, key, number, owned, owner, set_status,
    short_hash, text,
};

const NAME: &str = "deployment-controller";

/// One step for all of them.
pub fn step(shared: &Shared) {
    for deployment in shared.objects.list("apps", "deployments", None).1 {
        if !is_ending(&deployment) && is_open(shared, text(&deployment, "/metadata/namespace")) {
            one(shared, &deployment);
        }
    }
}

fn scale(shared: &Shared, deployment: &Value, set: &Value, to: usize) {
    let from = number(set, "/spec/replicas", 0);
    if from == to {
        return;
    }
    let changed = shared.objects.update(&key("apps", "replicasets", set), |set| {
        set["spec"]["replicas"] = json!(to);
        Ok(())
    });
    if changed.is_ok() {
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {from} to {to}", text(set, "/metadata/name"));
        events::tell(shared, deployment, false, "ScalingReplicaSet", &message, NAME);
    }
}

fn one(shared: &Shared, deployment: &Value) {
    let wanted = number(deployment, "/spec/replicas", 1);
    let template = deployment.pointer("/spec/template").cloned().unwrap_or_default();
    let hash = short_hash(&template.to_string(), 10);
    let name = format!("{}-{hash}", text(deployment, "/metadata/name"));
    let sets = owned(shared, "apps", "replicasets", deployment);
    let (new, old): (Vec<Arc<Value>>, Vec<Arc<Value>>) =
        sets.into_iter().partition(|set| text(set, "/metadata/name") == name);
    let recreate = text(deployment, "/spec/strategy/type") == "Recreate";
    let pods = |set: &Arc<Value>| owned(shared, "", "pods", set);
    let old_pods: usize = old.iter().map(|set| pods(set).iter().filter(|pod| !is_over(pod)).count()).sum();
    let stop_all = || {
        for set in &old {
            scale(shared, deployment, set, 0);
        }
    };
    let mut new_pods = Vec::new();
    if recreate && old_pods > 0 {
        stop_all();
    } else if let Some(set) = new.first() {
        scale(shared, deployment, set, wanted);
        new_pods = pods(set).into_iter().filter(|pod| !is_over(pod) && !is_ending(pod)).collect();
    } else {
        make(shared, deployment, &name, &hash, &template, old.len() + 1);
    }
    let ready = new_pods.iter().filter(|pod| is_ready(pod)).count();
    if ready >= wanted {
        stop_all();
    }
    let available = ready >= wanted;
    let old_status = deployment.get("status").cloned().unwrap_or_default();
    let since = |kind: &str, word: &str| {
        let conditions = old_status.get("conditions").and_then(Value::as_array).into_iter().flatten();
        let before = conditions
            .filter(|c| c["type"] == kind && c["status"] == word)
            .map(|c| c["lastTransitionTime"].clone())
            .next();
        before.unwrap_or_else(|| json!(format!("{:.0}", jiff::Timestamp::now())))
    };
    let (word, reason, message) = if available {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let (why, said) = if available {
        ("NewReplicaSetAvailable", format!("ReplicaSet \"{name}\" has successfully progressed."))
    } else {
        ("ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing."))
    };
    let (at, going) = (since("Available", word), since("Progressing", "True"));
    let mut status = json!({
        "observedGeneration": deployment.pointer("/metadata/generation").cloned().unwrap_or_default(),
        "replicas": new_pods.len() + old_pods, "updatedReplicas": new_pods.len(), "readyReplicas": ready, "availableReplicas": ready,
        "conditions": [
            {"type": "Available", "status": word, "reason": reason, "message": message, "lastTransitionTime": at, "lastUpdateTime": at},
            {"type": "Progressing", "status": "True", "reason": why, "message": said, "lastTransitionTime": going, "lastUpdateTime": going},
        ],
    });
    if ready < wanted {
        status["unavailableReplicas"] = json!(wanted - ready);
    }
    set_status(shared, &key("apps", "deployments", deployment), &status);
}

fn make(shared: &Shared, deployment: &Value, name: &str, hash: &str, template: &Value, revision: usize) {
    let namespace = text(deployment, "/metadata/namespace");
    let mut template = template.clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let mut selector = deployment.pointer("/spec/selector").cloned().unwrap_or_else(|| json!({}));
    selector["matchLabels"]["pod-template-hash"] = json!(hash);
    let mut annotations = deployment.pointer("/metadata/annotations").cloned().unwrap_or_else(|| json!({}));
    annotations["deployment.kubernetes.io/revision"] = json!(revision.to_string());
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"labels": template["metadata"]["labels"], "annotations": annotations, "ownerReferences": owner(deployment)},
        "spec": {"replicas": 0, "selector": selector, "template": template},
    });
    if shared.objects.create(&Key::new("apps", "replicasets", Some(namespace), name), set).is_ok() {
        // the deployment may be going by now
        let _ = shared.objects.update(&key("apps", "deployments", deployment), |deployment| {
            if deployment.pointer("/metadata/annotations").is_none_or(|annotations| !annotations.is_object()) {
                deployment["metadata"]["annotations"] = json!({});
            }
            deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!(revision.to_string());
            Ok(())
        });
    }
}
