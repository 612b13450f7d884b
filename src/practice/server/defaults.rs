//! What a real server fills in before it stores an object, and which names it takes.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{kinds::Served, status::Refused};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Refuses a name that a real server would refuse, in its words.
pub fn check_name(kind: &Served, name: &str) -> Result<(), Refused> {
    if name.is_empty() {
        return Err(Refused::invalid(kind, "", "metadata.name", "Required value: name or generateName is required"));
    }
    let (longest, fits, rule) = match kind.plural {
        "namespaces" => (63, is_label(name), LABEL),
        "services" => (63, is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()), DNS_1035),
        _ => (253, name.split('.').all(is_label), SUBDOMAIN),
    };
    let fault = if name.len() > longest {
        format!("Invalid value: \"{name}\": must be no more than {longest} bytes")
    } else if fits {
        return Ok(());
    } else {
        format!("Invalid value: \"{name}\": {rule}")
    };
    Err(Refused::invalid(kind, name, "metadata.name", &fault))
}

/// Refuses what no controller could work with.
pub fn check(kind: &Served, name: &str, object: &Value) -> Result<(), Refused> {
    let pod = match kind.plural {
        "pods" => "spec",
        "deployments" | "statefulsets" | "replicasets" | "jobs" => "spec.template.spec",
        _ => return Ok(()),
    };
    let at = format!("/{}", pod.replace('.', "/"));
    let containers = object.pointer(&format!("{at}/containers")).and_then(Value::as_array);
    let Some(containers) = containers.filter(|list| !list.is_empty()) else {
        return Err(Refused::invalid(kind, name, &format!("{pod}.containers"), "Required value"));
    };
    for (n, container) in containers.iter().enumerate() {
        for field in ["name", "image"] {
            if container.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
                let field = format!("{pod}.containers[{n}].{field}");
                return Err(Refused::invalid(kind, name, &field, "Required value"));
            }
        }
    }
    if matches!(kind.plural, "deployments" | "statefulsets" | "replicasets") {
        let wanted = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
        let Some(wanted) = wanted.filter(|labels| !labels.is_empty()) else {
            return Err(Refused::invalid(kind, name, "spec.selector", "Required value"));
        };
        let labels = object.pointer("/spec/template/metadata/labels");
        if wanted.iter().any(|(key, value)| labels.and_then(|labels| labels.get(key)) != Some(value)) {
            let fault = "Invalid value: null: `selector` does not match template `labels`";
            return Err(Refused::invalid(kind, name, "spec.template.metadata.labels", fault));
        }
    }
    Ok(())
}

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    if map.get(name).is_none_or(Value::is_null) {
        map.insert(name.to_owned(), value);
    }
}

/// The map under a name, made where it is missing.
fn within<'a>(map: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    set(map, name, json!({}));
    map.get_mut(name)?.as_object_mut()
}

fn pod_spec(spec: &mut Map<String, Value>) {
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(container) = container.as_object_mut() else { continue };
            let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
            let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map_or("latest", |(_, tag)| tag);
            let policy = if tag == "latest" { "Always" } else { "IfNotPresent" };
            set(container, "imagePullPolicy", json!(policy));
            set(container, "resources", json!({}));
            set(container, "terminationMessagePath", json!("/dev/termination-log"));
            set(container, "terminationMessagePolicy", json!("File"));
            for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
                if let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) {
                    for (field, value) in
                        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
                    {
                        set(probe, field, json!(value));
                    }
                }
            }
            for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(port) = port.as_object_mut() {
                    set(port, "protocol", json!("TCP"));
                }
            }
        }
    }
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "schedulerName", json!("default-scheduler"));
    set(spec, "securityContext", json!({}));
    set(spec, "terminationGracePeriodSeconds", json!(30));
}

/// What admission gives a pod: its account with a token, its priority, how long it bears a sick node.
fn admit(spec: &mut Map<String, Value>, name: &str) {
    set(spec, "enableServiceLinks", json!(true));
    set(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    set(spec, "priority", json!(0));
    set(spec, "serviceAccountName", json!("default"));
    set(spec, "serviceAccount", json!("default"));
    let bears = |key: &str| json!({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300});
    set(spec, "tolerations", json!(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(bears)));
    let volumes = spec.get("volumes").and_then(Value::as_array).into_iter().flatten();
    let known =
        volumes.into_iter().any(|v| v["name"].as_str().is_some_and(|name| name.starts_with("kube-api-access-")));
    if known || spec.get("automountServiceAccountToken") == Some(&json!(false)) {
        return;
    }
    let volume = format!("kube-api-access-{}", crate::practice::short_hash(name, 5));
    let sources = json!([
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]);
    push(spec, "volumes", json!({"name": volume, "projected": {"defaultMode": 420, "sources": sources}}));
    let mount = json!({"name": volume, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true});
    for container in spec.get_mut("containers").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(container) = container.as_object_mut() {
            push(container, "volumeMounts", mount.clone());
        }
    }
}

fn push(map: &mut Map<String, Value>, list: &str, item: Value) {
    set(map, list, json!([]));
    if let Some(list) = map.get_mut(list).and_then(Value::as_array_mut) {
        list.push(item);
    }
}

fn template(spec: &mut Map<String, Value>) {
    if let Some(spec) = within(spec, "template").and_then(|template| within(template, "spec")) {
        pod_spec(spec);
    }
}

fn service(spec: &mut Map<String, Value>, seed: &str) {
    set(spec, "type", json!("ClusterIP"));
    set(spec, "sessionAffinity", json!("None"));
    // any address of the service range will do; the same name keeps its own
    let sum = seed.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    set(spec, "clusterIP", json!(format!("10.96.{}.{}", (sum >> 8) & 255, 2 + sum % 250)));
    let address = spec["clusterIP"].clone();
    set(spec, "clusterIPs", json!([address]));
    set(spec, "internalTrafficPolicy", json!("Cluster"));
    set(spec, "ipFamilies", json!(["IPv4"]));
    set(spec, "ipFamilyPolicy", json!("SingleStack"));
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(port) = port.as_object_mut() else { continue };
        set(port, "protocol", json!("TCP"));
        let number = port.get("port").cloned().unwrap_or_default();
        set(port, "targetPort", number);
    }
}

/// Fills in what the server fills in on every write.
pub fn fill(kind: &Served, name: &str, object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    map.insert("apiVersion".to_owned(), json!(kind.api_version()));
    map.insert("kind".to_owned(), json!(kind.kind));
    if kind.plural == "namespaces"
        && let Some(labels) = within(map, "metadata").and_then(|meta| within(meta, "labels"))
    {
        labels.insert("kubernetes.io/metadata.name".to_owned(), json!(name));
    }
    if kind.plural == "secrets" {
        set(map, "type", json!("Opaque"));
        if let Some(Value::Object(plain)) = map.shift_remove("stringData")
            && let Some(data) = within(map, "data")
        {
            data.extend(
                plain.into_iter().map(|(key, value)| (key, json!(STANDARD.encode(value.as_str().unwrap_or_default())))),
            );
        }
    }
    let specs = ["pods", "deployments", "statefulsets", "replicasets", "jobs", "services", "persistentvolumeclaims"];
    if !specs.contains(&kind.plural) {
        return;
    }
    let Some(spec) = within(map, "spec") else { return };
    match kind.plural {
        "pods" => {
            pod_spec(spec);
            admit(spec, name);
        }
        "services" => service(spec, name),
        "persistentvolumeclaims" => set(spec, "volumeMode", json!("Filesystem")),
        "jobs" => {
            set(spec, "backoffLimit", json!(6));
            set(spec, "completions", json!(1));
            set(spec, "parallelism", json!(1));
            template(spec);
        }
        plural => {
            set(spec, "replicas", json!(1));
            if plural == "deployments" {
                set(spec, "progressDeadlineSeconds", json!(600));
                if let Some(strategy) = within(spec, "strategy") {
                    set(strategy, "type", json!("RollingUpdate"));
                    if strategy["type"] == "RollingUpdate" {
                        set(strategy, "rollingUpdate", json!({"maxSurge": "25%", "maxUnavailable": "25%"}));
                    }
                }
            }
            if plural == "statefulsets" {
                set(spec, "podManagementPolicy", json!("OrderedReady"));
                set(spec, "updateStrategy", json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}));
            }
            if plural != "replicasets" {
                set(spec, "revisionHistoryLimit", json!(10));
            }
            template(spec);
        }
    }
}

/// The status that a new object of a kind has before any controller saw it.
pub fn first_status(kind: &Served) -> Option<Value> {
    Some(match kind.plural {
        "namespaces" => json!({"phase": "Active"}),
        "pods" => json!({"phase": "Pending", "qosClass": "BestEffort"}),
        "persistentvolumeclaims" | "persistentvolumes" => json!({"phase": "Pending"}),
        "services" => json!({"loadBalancer": {}}),
        "deployments" | "jobs" => json!({}),
        "statefulsets" | "replicasets" => json!({"replicas": 0}),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_the_rules_of_their_kind() {
        let kind = |plural| Served::find("", "v1", plural).unwrap();
        for (plural, name, fits) in [
            ("configmaps", "kube-root-ca.crt", true),
            ("configmaps", "A_b", false),
            ("configmaps", "a..b", false),
            ("namespaces", "a.b", false),
            ("namespaces", "plant-2", true),
            ("services", "2a", false),
            ("pods", "", false),
        ] {
            assert_eq!(check_name(kind(plural), name).is_ok(), fits, "{plural} {name}");
        }
        assert!(check_name(kind("pods"), &"a".repeat(254)).is_err());
    }

    #[test]
    fn plain_text_of_a_secret_is_stored_encoded() {
        let mut secret = json!({"stringData": {"a": "b"}, "data": {"c": "ZA=="}});
        fill(Served::find("", "v1", "secrets").unwrap(), "x", &mut secret);
        assert_eq!(secret["data"], json!({"c": "ZA==", "a": "Yg=="}));
        assert!(secret.get("stringData").is_none());
    }
}
