//! Endpoints: which ready pods stand behind a Service.

use serde_json::{Value, json};

use super::{
    super::{kubelet::NODE, objects::Key},
    Shared, is_ending, is_open, is_ready, set_status, text,
};

/// One step for all of them.
pub fn step(shared: &Shared) {
    for service in shared.objects.list("", "services", None).1 {
        let namespace = text(&service, "/metadata/namespace");
        if !is_ending(&service) && is_open(shared, namespace) {
            one(shared, namespace, &service);
        }
    }
    for endpoints in shared.objects.list("", "endpoints", None).1 {
        let at = super::key("", "endpoints", &endpoints);
        if shared.objects.get(&Key { plural: "services".to_owned(), ..at.clone() }).is_none() {
            shared.objects.remove(&at);
        }
    }
}

fn one(shared: &Shared, namespace: &str, service: &Value) {
    let Some(selector) = service.pointer("/spec/selector").and_then(Value::as_object) else { return };
    let name = text(service, "/metadata/name");
    let (_, pods) = shared.objects.list("", "pods", Some(namespace));
    let behind = pods.iter().filter(|pod| {
        is_ready(pod)
            && selector
                .iter()
                .all(|(key, value)| pod.pointer("/metadata/labels").and_then(|l| l.get(key)) == Some(value))
    });
    let addresses: Vec<Value> = behind
        .map(|pod| {
            json!({"ip": text(pod, "/status/podIP"), "nodeName": NODE, "targetRef": {"kind": "Pod", "namespace": namespace,
                "name": text(pod, "/metadata/name"), "uid": text(pod, "/metadata/uid")}})
        })
        .collect();
    let ports: Vec<Value> = service
        .pointer("/spec/ports")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|port| json!({"name": port["name"], "port": port["port"], "protocol": "TCP"}))
        .collect();
    let subsets = if addresses.is_empty() { json!([]) } else { json!([{"addresses": addresses, "ports": ports}]) };
    let at = Key::new("", "endpoints", Some(namespace), name);
    if shared.objects.get(&at).is_none() {
        let labels = service.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
        let made = json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"labels": labels}, "subsets": []});
        // the namespace may have ended in between
        let _ = shared.objects.create(&at, made);
    }
    // gone only with its Service
    let _ = shared.objects.update(&at, |endpoints| {
        endpoints["subsets"] = subsets;
        Ok(())
    });
    if service.get("status").is_none() {
        set_status(shared, &super::key("", "services", service), &json!({"loadBalancer": {}}));
    }
}
