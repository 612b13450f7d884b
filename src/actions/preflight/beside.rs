//! Whether a second deployment of the same chart can stand beside the one that is there: what both would need and only one can
//! have, what of the new one names the namespace of the old one, and what of the old namespace is not of the chart. Only reads.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    actions::{
        context::{Halt, StepCx},
        deploy::rendered::Rendered,
        objects::{
            pods::text,
            removal,
            rooms::{self, Room},
        },
        spec::CheckKind,
    },
    ports::{Kind, ObjectRef},
    run::{Check, CheckResult},
    text::units,
};

const KIND: CheckKind = CheckKind::NewNamespace;
/// Most things of a sort that are named.
const NAMED: usize = 4;

/// What was found: the first stands in the way, the second is for a human to judge.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    collides: BTreeSet<String>,
    careful: BTreeSet<String>,
}

/// Asks it of the chart as it would be installed there.
pub async fn room(cx: &StepCx) -> Result<Check, Halt> {
    let Some(name) = &cx.needs.beside else { return Ok(KIND.pass("nothing is installed in another namespace")) };
    let other = |sentence: String| KIND.found(CheckResult::Fail, &sentence, &["choose another with --set beside=NAME"]);
    if name == cx.namespace() || cx.needs.scratch.as_ref() == Some(name) {
        return Ok(other(format!("namespace {name} is the target's own, or the one of the rehearsal")));
    }
    if let Some(there) = cx.world.objects.get(&rooms::reference(name)).await?
        && !Room::New.is_ours(cx, &there)
    {
        return Ok(other(format!("namespace {name} exists and is not of this run")));
    }
    let rendered = Rendered::read_in(cx, name).await?;
    let kinds = cx.world.objects.kinds().await?;
    let mut found = shared(rendered.documents(), (name, cx.namespace()), &kinds);
    for reference in outside(rendered.documents(), name, &kinds) {
        if cx.world.objects.get(&reference).await?.is_some() {
            let place =
                reference.namespace.as_deref().map_or_else(|| "of the cluster".to_owned(), |ns| format!("in {ns}"));
            found.collides.insert(format!("{} {} {place} is there already", reference.kind.kind, reference.name));
        }
    }
    let left: BTreeSet<String> = removal::find(cx).await?.stays.into_iter().collect();
    if !left.is_empty() {
        found.careful.insert(format!("not of the chart, so not in {name}: {}", named(&left)));
    }
    let all: Vec<String> = found.collides.iter().chain(&found.careful).cloned().collect();
    Ok(if !found.collides.is_empty() {
        let help = "only one of both can have it: take it out of the values, or use the intent `upgrade`, which keeps the namespace";
        KIND.found(CheckResult::Fail, &all.join("; "), &[help])
    } else if !found.careful.is_empty() {
        let help = "see that the new deployment does without it, or bring it there before its writers start";
        KIND.found(CheckResult::Warn, &format!("namespace {name} is free; {}", all.join("; ")), &[help])
    } else {
        let count = units::plural(rendered.documents().len(), "object", "objects");
        KIND.pass(&format!("namespace {name} is free; {count} of the chart, none in the way of what is deployed"))
    })
}

fn named(all: &BTreeSet<String>) -> String {
    let mut shown: Vec<String> = all.iter().take(NAMED).cloned().collect();
    if all.len() > NAMED {
        shown.push(format!("{} more", all.len() - NAMED));
    }
    shown.join(", ")
}

fn title(document: &Value) -> String {
    format!("{} {}", text(document, "/kind"), text(document, "/metadata/name"))
}

fn kind_of<'a>(document: &Value, kinds: &'a [Kind]) -> Option<&'a Kind> {
    let group = text(document, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
    kinds.iter().find(|kind| kind.group == group && kind.kind == text(document, "/kind"))
}

/// Objects of the chart that are not in `name`: of the whole cluster, or of a namespace that they name themselves.
fn outside(documents: &[Value], name: &str, kinds: &[Kind]) -> Vec<ObjectRef> {
    let all = documents.iter().filter_map(|document| {
        let kind = kind_of(document, kinds)?;
        let place = text(document, "/metadata/namespace");
        let elsewhere = !kind.namespaced || !matches!(place, "" | "default") && place != name;
        elsewhere.then(|| ObjectRef {
            kind: kind.clone(),
            namespace: kind.namespaced.then(|| place.to_owned()),
            name: text(document, "/metadata/name").to_owned(),
        })
    });
    all.collect()
}

/// What two deployments of one chart cannot both have, and what of the new one names the namespace of the `old`.
fn shared(documents: &[Value], (new, old): (&str, &str), kinds: &[Kind]) -> Found {
    let mut found = Found::default();
    for document in documents {
        let title = title(document);
        if kind_of(document, kinds).is_none() {
            found.careful.insert(format!("{title}: the server knows no such kind"));
        }
        if text(document, "/metadata/namespace") == old && old != new {
            found.collides.insert(format!("{title} is made in {old}, whatever namespace is given"));
        }
        for what in taken(document) {
            found.collides.insert(format!("{title} takes {what}"));
        }
        let mut ports = Vec::new();
        host_ports(document, &mut ports);
        found.careful.extend(ports.iter().map(|port| format!("{title} takes {port}, and needs another node for it")));
        let mut at = Vec::new();
        names(document, old, &mut String::new(), &mut at);
        if !at.is_empty() {
            let at: BTreeSet<String> = at.into_iter().collect();
            found.careful.insert(format!("{title} names {old} at {}", named(&at)));
        }
    }
    found
}

/// What of a document only one object of a cluster can have.
fn taken(document: &Value) -> Vec<String> {
    let list = |pointer: &str| document.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut found = Vec::new();
    match text(document, "/kind") {
        "Service" => {
            let ports = list("/spec/ports");
            let ports = ports.iter().filter_map(|port| port.get("nodePort")?.as_u64()).filter(|port| *port > 0);
            found.extend(ports.map(|port| format!("node port {port}")));
            let addresses =
                list("/spec/externalIPs").into_iter().chain(document.pointer("/spec/loadBalancerIP").cloned());
            found.extend(addresses.filter_map(|ip| ip.as_str().map(|ip| format!("address {ip}"))));
        }
        "Ingress" => {
            found.extend(list("/spec/rules").iter().map(|rule| host(text(rule, "/host"))));
            if document.pointer("/spec/defaultBackend").is_some() {
                found.push(host(""));
            }
        }
        "HTTPRoute" | "GRPCRoute" | "TLSRoute" => {
            found.extend(list("/spec/hostnames").iter().filter_map(Value::as_str).map(host));
        }
        "Route" => {
            // without one the router makes a name of the namespace's
            found.extend(Some(text(document, "/spec/host")).filter(|name| !name.is_empty()).map(host));
        }
        _ => {}
    }
    found
}

fn host(name: &str) -> String {
    if name.is_empty() { "every host name".to_owned() } else { format!("host name {name}") }
}

/// Ports of the node that a pod takes.
fn host_ports(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let port = fields.get("hostPort").and_then(Value::as_u64).filter(|port| *port > 0);
            found.extend(port.map(|port| format!("port {port} of its node")));
            fields.values().for_each(|value| host_ports(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| host_ports(value, found)),
        _ => {}
    }
}

/// Where texts name the namespace `old`, as a host in it does; of Secrets, too, without their values.
fn names(value: &Value, old: &str, at: &mut String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let coded = at == "/data";
            for (key, value) in fields {
                let length = at.len();
                at.push('/');
                at.push_str(key);
                let decoded = value.as_str().filter(|_| coded).and_then(|text| STANDARD.decode(text).ok());
                if let Some(decoded) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    names(&Value::String(decoded), old, at, found);
                }
                names(value, old, at, found);
                at.truncate(length);
            }
        }
        Value::Array(items) => items.iter().for_each(|value| names(value, old, at, found)),
        Value::String(text) if names_it(text, old) => {
            found.push(at.rsplit('/').next().unwrap_or_default().to_owned());
        }
        _ => {}
    }
}

/// Whether a text is the namespace, or names a host in it, as `pix-core.OLD` or `pix-core.OLD.svc`. Its bare name among other
/// words may be any word.
fn names_it(text: &str, old: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text == old
        || text.match_indices(old).any(|(start, _)| {
            let (before, after) = (&text[..start], &text[start + old.len()..]);
            let is_host = before.ends_with('.') && before.trim_end_matches('.').ends_with(part);
            let whole = !after.starts_with(part) && (!after.starts_with('.') || after.starts_with(".svc"));
            is_host && whole
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::kinds;

    const CHART: &str = "---
apiVersion: v1
kind: Service
metadata: {name: open}
spec: {type: NodePort, ports: [{port: 1, nodePort: 30080}, {port: 2}], externalIPs: [192.0.2.7]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door}
spec: {rules: [{host: pix.example.net}, {http: {}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: core}
spec: {template: {spec: {containers: [{image: 'i:1', ports: [{hostPort: 514}], env: [{name: UP, value: 'http://hub.plant.svc:80/x'}, {name: OF, value: plant-2}]}]}}}
---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
data: {URL: YW1xcDovL3BpeDpodW50ZXItb2Ytcm93c0BtcS5wbGFudA==, PLAIN: cGxhbnQuZXhhbXBsZS5uZXQ=}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: fixed, namespace: plant}
";

    fn known() -> Vec<Kind> {
        let more = [
            ("networking.k8s.io", "Ingress", "ingresses", true),
            ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false),
        ];
        let more = more.map(|(group, kind, plural, namespaced)| Kind::new(group, "v1", kind, plural, namespaced));
        let core = [kinds::service(), kinds::deployment(), kinds::secret(), kinds::config_map()];
        core.into_iter().chain(more).collect()
    }

    #[test]
    fn what_only_one_of_two_can_have_is_named() {
        let chart = Rendered::parse(CHART).unwrap();
        let found = shared(chart.documents(), ("plant-next", "plant"), &known());
        let collides = [
            "ConfigMap fixed is made in plant, whatever namespace is given",
            "Ingress door takes every host name",
            "Ingress door takes host name pix.example.net",
            "Service open takes address 192.0.2.7",
            "Service open takes node port 30080",
        ];
        assert_eq!(found.collides.iter().map(String::as_str).collect::<Vec<_>>(), collides);
        let careful = [
            "ConfigMap fixed names plant at namespace",
            "Deployment core names plant at value",
            "Deployment core takes port 514 of its node, and needs another node for it",
            "Secret hidden names plant at URL",
        ];
        assert_eq!(found.careful.iter().map(String::as_str).collect::<Vec<_>>(), careful);
        assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
        let outside: Vec<String> =
            outside(chart.documents(), "plant-next", &known()).into_iter().map(|reference| reference.name).collect();
        assert_eq!(outside, ["reader", "fixed"]);
    }

    #[test]
    fn a_word_is_no_host() {
        for text in ["plant", "http://core.plant:80", "core.plant.svc.cluster.local", "x@core.plant"] {
            assert!(names_it(text, "plant"), "{text}");
        }
        for text in ["plant-2", "core.plant-2", "the plant", "plant.example.net", "core.plant.example.net", ".plant"] {
            assert!(!names_it(text, "plant"), "{text}");
        }
    }
}
