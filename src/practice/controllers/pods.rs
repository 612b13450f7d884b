//! Making pods from templates, and giving each pod its kubelet task.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::{
    super::{
        objects::{Key, uid},
        server,
    },
    Shared, events, key, owner, play, short_hash, text,
};

/// Starts a task for each pod that has none, and forgets those that ended.
pub fn assign(shared: &Arc<Shared>, kubelets: &mut HashMap<String, AbortOnDropHandle<()>>) {
    kubelets.retain(|_, task| !task.is_finished());
    let (_, pods) = shared.objects.list("", "pods", None);
    for pod in pods {
        let uid = text(&pod, "/metadata/uid").to_owned();
        kubelets.entry(uid.clone()).or_insert_with(|| play(shared, key("", "pods", &pod), uid));
    }
}

/// Makes a pod of `owner` from its template; `name` where the controller gives it one, and more labels.
pub fn make(shared: &Shared, of: &Value, name: Option<String>, labels: &[(&str, &str)], volumes: &[Value], by: &str) {
    let namespace = text(of, "/metadata/namespace");
    let base = text(of, "/metadata/name");
    let name = name.unwrap_or_else(|| format!("{base}-{}", short_hash(&uid(), 5)));
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}, "status": {"phase": "Pending", "qosClass": "BestEffort"}});
    let template = of.pointer("/spec/template").cloned().unwrap_or_default();
    pod["metadata"]["labels"] = template.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    for (key, value) in labels {
        pod["metadata"]["labels"][key] = json!(value);
    }
    if let Some(annotations) = template.pointer("/metadata/annotations") {
        pod["metadata"]["annotations"] = annotations.clone();
    }
    pod["metadata"]["generateName"] = json!(format!("{base}-"));
    pod["metadata"]["ownerReferences"] = owner(of);
    pod["spec"] = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    if !volumes.is_empty() {
        let mut all = pod.pointer("/spec/volumes").and_then(Value::as_array).cloned().unwrap_or_default();
        all.extend(volumes.iter().cloned());
        pod["spec"]["volumes"] = json!(all);
    }
    if pod.pointer("/spec/restartPolicy").is_none() {
        pod["spec"]["restartPolicy"] = json!("Always");
    }
    server::fill("", "pods", &name, &mut pod);
    if shared.objects.create(&Key::new("", "pods", Some(namespace), &name), pod).is_ok() {
        let message = match text(of, "/kind") {
            "StatefulSet" => format!("Create Pod {name} in StatefulSet {base} successful"),
            _ => format!("Created pod: {name}"),
        };
        events::tell(shared, of, false, "SuccessfulCreate", &message, by);
    }
}
