//! Endpoints and EndpointSlices: which ready pods stand behind a Service.

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

/// The same for those who ask in today's form.
fn slice(shared: &Shared, service: &Value, addresses: &[Value], ports: &[Value]) {
    let (namespace, name) = (text(service, "/metadata/namespace"), text(service, "/metadata/name"));
    let at = Key::new(
        "discovery.k8s.io",
        "endpointslices",
        Some(namespace),
        &format!("{name}-{}", super::short_hash(text(service, "/metadata/uid"), 5)),
    );
    if shared.objects.get(&at).is_none() {
        let mut labels = service.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
        labels["endpointslice.kubernetes.io/managed-by"] = json!("endpointslice-controller.k8s.io");
        labels["kubernetes.io/service-name"] = json!(name);
        let meta =
            json!({"labels": labels, "generateName": format!("{name}-"), "ownerReferences": super::owner(service)});
        let made = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "metadata": meta,
            "endpoints": [], "ports": ports});
        // the namespace may have ended in between
        let _ = shared.objects.create(&at, made);
    }
    let conditions = json!({"ready": true, "serving": true, "terminating": false});
    let endpoint = |address: &Value| json!({"addresses": [address["ip"]], "conditions": conditions, "nodeName": NODE, "targetRef": address["targetRef"]});
    let endpoints: Vec<Value> = addresses.iter().map(endpoint).collect();
    // gone only with its Service
    let _ = shared.objects.update(&at, |slice| {
        slice["endpoints"] = json!(endpoints);
        Ok(())
    });
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
    slice(shared, service, &addresses, &ports);
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
