//! What of a rendered chart goes into the scratch copy of a rehearsal. Nothing there may act on the world: what takes traffic,
//! belongs to the whole cluster, begins by itself or leads out of the namespace stays out, and writers have no pod from the
//! first moment on. Pure.

use serde_json::{Map, Value, json};

use super::rendered::Rendered;
use crate::{actions::objects::pods::text, text::Diagnostic};

/// Volumes that are of the namespace or of the pod itself.
const OWN_VOLUMES: [&str; 7] =
    ["configMap", "secret", "emptyDir", "projected", "downwardAPI", "persistentVolumeClaim", "ephemeral"];
/// What of a Service's spec opens a way in from outside, or is an address that production has.
const WAYS_IN: [&str; 9] = [
    "clusterIP",
    "clusterIPs",
    "externalIPs",
    "loadBalancerIP",
    "loadBalancerClass",
    "loadBalancerSourceRanges",
    "allocateLoadBalancerNodePorts",
    "externalTrafficPolicy",
    "healthCheckNodePort",
];
/// Annotation with which a pod gets a second network, of which no policy knows.
const SECOND_NETWORK: &str = "k8s.v1.cni.cncf.io/networks";
/// Kinds that belong to the whole cluster, of those that charts bring.
const OF_CLUSTER: [&str; 14] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CSIDriver",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// The objects of a scratch copy.
pub struct Scratch {
    /// Those that start nothing.
    pub still: Vec<Value>,
    /// Those whose pods run, after what bounds them.
    pub running: Vec<Value>,
    /// What is left out or changed, one line each.
    pub told: Vec<String>,
}

/// What becomes of an object.
enum Fate {
    Still,
    Runs,
    Out(String),
}

fn name_of(document: &Value) -> String {
    format!("{} {}", text(document, "/kind"), text(document, "/metadata/name"))
}

fn is_part(document: &Value, parts: &[String]) -> bool {
    let own = format!("{}/{}", text(document, "/kind"), text(document, "/metadata/name"));
    parts.contains(&own)
}

fn group(document: &Value) -> &str {
    text(document, "/apiVersion").split_once('/').map_or("", |(group, _)| group)
}

/// Whether an object goes into a copy, by its kind and what it says of itself.
fn fate(document: &Value, namespace: &str, parts: &[String]) -> Fate {
    let out = |why: &str| Fate::Out(why.to_owned());
    let annotations = document.pointer("/metadata/annotations");
    if annotations.and_then(|all| all.get("helm.sh/hook")).is_some() {
        return out("a hook of helm, which acts by itself");
    }
    let place = text(document, "/metadata/namespace");
    if !place.is_empty() && place != namespace {
        return Fate::Out(format!("it is meant for namespace {place}"));
    }
    let kind = text(document, "/kind");
    match (group(document), kind) {
        ("", "Service") if text(document, "/spec/type") == "ExternalName" => out("it leads out of the namespace"),
        ("", "ConfigMap" | "Secret" | "Service" | "ServiceAccount" | "PersistentVolumeClaim")
        | ("policy", "PodDisruptionBudget") => Fate::Still,
        // what bounds the copy's pods is not for those of ours that come before them
        ("", "LimitRange" | "ResourceQuota") | ("apps", "Deployment" | "StatefulSet") => Fate::Runs,
        ("batch", "Job") if is_part(document, parts) => Fate::Runs,
        ("batch", "Job" | "CronJob") | ("", "Pod") => out("it acts by itself"),
        ("apps", "DaemonSet" | "ReplicaSet") | ("", "ReplicationController") => out("nothing holds its pods back"),
        ("autoscaling", _) => out("it would start what is held back"),
        ("networking.k8s.io", "NetworkPolicy") => out("the copy has its own, and policies only allow more"),
        ("networking.k8s.io", "Ingress") | ("gateway.networking.k8s.io" | "route.openshift.io", _) => {
            out("it would take production's traffic")
        }
        ("rbac.authorization.k8s.io", "Role" | "RoleBinding") => {
            out("it gives rights in the cluster, which the copy may not reach")
        }
        ("", "Endpoints") | ("discovery.k8s.io", _) => out("its addresses are written by hand"),
        (_, kind) if OF_CLUSTER.contains(&kind) => out("it belongs to the whole cluster"),
        _ => out("others act upon this kind"),
    }
}

impl Rendered {
    /// The documents of a kind that goes into a scratch copy.
    pub fn copied(&self, namespace: &str, parts: &[String]) -> impl Iterator<Item = &Value> {
        self.documents().iter().filter(move |document| !matches!(fate(document, namespace, parts), Fate::Out(_)))
    }

    /// The objects of a copy in `namespace`, with its `writers` at zero.
    ///
    /// # Errors
    /// Why there can be no copy that stays in its namespace, or none that is whole.
    pub fn scratch(&self, namespace: &str, writers: &[String], parts: &[String]) -> Result<Scratch, Diagnostic> {
        let mut scratch = Scratch { still: Vec::new(), running: Vec::new(), told: Vec::new() };
        for document in self.documents() {
            let (mut object, name) = (document.clone(), name_of(document));
            match fate(document, namespace, parts) {
                Fate::Out(why) if is_part(document, parts) => return Err(refused(&format!("{name}: {why}"))),
                Fate::Out(why) => scratch.told.push(format!("{name} is left out: {why}")),
                Fate::Still => {
                    if let Some(why) = foreign_volume(&object) {
                        return Err(refused(&format!("{name}: {why}")));
                    }
                    scratch.told.extend(tamed(&mut object).into_iter().map(|what| format!("{name}: {what}")));
                    scratch.still.push(placed(object, namespace));
                }
                Fate::Runs => {
                    if let Some(why) = leads_out(&object) {
                        if is_part(document, parts) {
                            return Err(refused(&format!("{name}: {why}")));
                        }
                        scratch.told.push(format!("{name} is left out: {why}"));
                        continue;
                    }
                    let writer = text(document, "/kind") == "Deployment"
                        && writers.iter().any(|writer| writer == text(document, "/metadata/name"));
                    if writer {
                        object["spec"]["replicas"] = json!(0);
                        scratch.told.push(format!("{name} writes: it has 0 replicas"));
                    }
                    if without_host_ports(&mut object) {
                        scratch.told.push(format!("{name}: without ports of the node"));
                    }
                    scratch.running.push(placed(object, namespace));
                }
            }
        }
        scratch.running.sort_by_key(|object| !matches!(text(object, "/kind"), "LimitRange" | "ResourceQuota"));
        let missing =
            parts.iter().find(|part| !scratch.running.iter().any(|object| is_part(object, &[(*part).clone()])));
        missing.map_or(Ok(scratch), |part| {
            Err(Diagnostic::new(format!("the test copy would have no {part}: the chart renders none"))
                .proves("a rehearsal without it proves nothing of the new version")
                .safe("everything: nothing was installed")
                .help("look at the chart and at the values of this release"))
        })
    }
}

fn refused(why: &str) -> Diagnostic {
    Diagnostic::new(format!("the test copy would act outside of its namespace: {why}"))
        .proves("a copy of production must not act on the world, and this part of it cannot be left out")
        .safe("everything: nothing was installed")
        .help("a rehearsal needs a chart whose pods stay in their namespace; look at its values for a way")
}

fn placed(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    object
}

/// Takes away by what others would act upon an object that starts nothing itself; says what.
fn tamed(object: &mut Value) -> Vec<String> {
    let kind = text(object, "/kind").to_owned();
    let mut told = Vec::new();
    // a name in the public DNS, a load balancer's orders, an account of the cloud, a Secret that is copied elsewhere: others
    // read them and act
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        let others = annotations.keys().filter(|key| !key.starts_with("meta.helm.sh/")).count();
        annotations.clear();
        if others > 0 {
            told.push("without its annotations, upon which others act".to_owned());
        }
    }
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut).filter(|_| kind == "Service") else {
        return told;
    };
    if let Some(open @ ("LoadBalancer" | "NodePort")) = spec.get("type").and_then(Value::as_str) {
        told.push(format!("inside the cluster only, instead of {open}"));
    } else if spec.contains_key("externalIPs") {
        told.push("without its external addresses".to_owned());
    }
    let headless = spec.get("clusterIP").is_some_and(|address| address == "None");
    for key in WAYS_IN {
        spec.remove(key);
    }
    spec.insert("type".to_owned(), json!("ClusterIP"));
    if headless {
        spec.insert("clusterIP".to_owned(), json!("None"));
    }
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        port.as_object_mut().map(|port| port.remove("nodePort"));
    }
    told
}

/// Why a claim would take a volume that is not its own.
fn foreign_volume(claim: &Value) -> Option<String> {
    let named = text(claim, "/spec/volumeName");
    if !named.is_empty() {
        return Some(format!("it takes the volume {named}, which is there already"));
    }
    let chooses = text(claim, "/kind") == "PersistentVolumeClaim" && claim.pointer("/spec/selector").is_some();
    chooses.then(|| "it chooses among volumes that are there already".to_owned())
}

/// Why the pods of a workload would not stay in their namespace, whatever a policy says.
fn leads_out(workload: &Value) -> Option<String> {
    let template = workload.pointer("/spec/template")?;
    let spec = template.get("spec")?;
    let is = |key: &str| spec.get(key).and_then(Value::as_bool) == Some(true);
    if is("hostNetwork") {
        return Some("its pods use the node's own network, which no policy holds".to_owned());
    }
    if is("hostPID") || is("hostIPC") {
        return Some("its pods reach the processes of the node".to_owned());
    }
    if template.pointer("/metadata/annotations").is_some_and(|all| all.get(SECOND_NETWORK).is_some()) {
        return Some("its pods have a second network, which no policy holds".to_owned());
    }
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let empty = Map::new();
    for volume in list(spec.get("volumes")) {
        let fields = volume.as_object().unwrap_or(&empty);
        if let Some(kind) = fields.keys().find(|key| *key != "name" && !OWN_VOLUMES.contains(&key.as_str())) {
            return Some(format!("its volume {} is of kind {kind}, outside of the namespace", text(&volume, "/name")));
        }
    }
    list(workload.pointer("/spec/volumeClaimTemplates")).iter().find_map(|claim| {
        let claim = json!({"kind": "PersistentVolumeClaim", "spec": claim.get("spec")});
        foreign_volume(&claim)
    })
}

/// Takes the ports of the node away; whether there were any.
fn without_host_ports(workload: &mut Value) -> bool {
    let mut found = false;
    let Some(spec) = workload.pointer_mut("/spec/template/spec").and_then(Value::as_object_mut) else { return false };
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        let ports = containers.filter_map(|container| container.get_mut("ports")?.as_array_mut()).flatten();
        for port in ports.filter_map(Value::as_object_mut) {
            found |= port.remove("hostPort").is_some();
            port.remove("hostIP");
        }
    }
    found
}

#[cfg(test)]
mod tests;
