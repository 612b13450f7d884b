//! What the server says about itself: version, groups, kinds, and as much of an OpenAPI document as kubectl looks at.

use serde_json::{Map, Value, json};

use super::{
    kinds::{REVIEWS, SERVED, Scope, Served, VERBS, groups, is_of_reviews},
    status::Refused,
};

/// `/version`
pub fn version() -> Value {
    json!({"major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35", "gitVersion": "v1.36.0+practice", "gitCommit": "practice", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "none", "platform": "practice/practice"})
}

/// `/api`
pub fn core(address: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})
}

fn group_of(group: &str, version: &str) -> Value {
    let named = json!({"groupVersion": format!("{group}/{version}"), "version": version});
    json!({"name": group, "versions": [named.clone()], "preferredVersion": named})
}

/// `/apis`
pub fn all_groups() -> Value {
    let groups: Vec<Value> = groups().into_iter().map(|(group, version)| group_of(group, version)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`
pub fn one_group(name: &str) -> Result<Value, Refused> {
    let (group, version) = groups().into_iter().find(|(group, _)| *group == name).ok_or_else(Refused::no_such_path)?;
    let mut document = json!({"kind": "APIGroup", "apiVersion": "v1"});
    if let (Some(to), Value::Object(from)) = (document.as_object_mut(), group_of(group, version)) {
        to.extend(from);
    }
    Ok(document)
}

/// Kinds of a group's version; none means that it is not served.
fn kinds_of(group: &str, version: &str) -> Vec<&'static Served> {
    SERVED.iter().filter(|kind| kind.group == group && kind.version == version).collect()
}

fn resource(kind: &Served) -> Value {
    let mut resource = json!({"name": kind.plural, "singularName": kind.kind.to_lowercase(),
        "namespaced": kind.scope == Scope::Namespaced, "kind": kind.kind, "verbs": VERBS});
    if kind.plural == "namespaces" {
        resource["verbs"] = json!(VERBS.iter().filter(|verb| **verb != "deletecollection").collect::<Vec<_>>());
    }
    if !kind.short.is_empty() {
        resource["shortNames"] = json!(kind.short);
    }
    if kind.in_all() {
        resource["categories"] = json!(["all"]);
    }
    resource
}

fn subresource(kind: &Served, part: &str) -> Option<Value> {
    let (named, verbs): (&str, &[&str]) = match part {
        "scale" => ("Scale", &["get", "patch", "update"]),
        "status" => (kind.kind, &["get", "patch", "update"]),
        "finalize" => (kind.kind, &["update"]),
        "exec" => ("PodExecOptions", &["create", "get"]),
        "portforward" => ("PodPortForwardOptions", &["create", "get"]),
        "log" => (kind.kind, &["get"]),
        "eviction" => ("Eviction", &["create"]),
        _ => return None,
    };
    let mut resource = json!({"name": format!("{}/{part}", kind.plural), "singularName": "",
        "namespaced": kind.scope == Scope::Namespaced, "kind": named, "verbs": verbs});
    let foreign = match part {
        "scale" => Some("autoscaling"),
        "eviction" => Some("policy"),
        _ => None,
    };
    if let Some(group) = foreign {
        resource["group"] = json!(group);
        resource["version"] = json!("v1");
    }
    Some(resource)
}

/// `/api/v1` and `/apis/GROUP/VERSION`
pub fn kinds(group: &str, version: &str) -> Result<Value, Refused> {
    let mut resources = Vec::new();
    for kind in kinds_of(group, version) {
        resources.push(resource(kind));
        resources.extend(kind.subresources.iter().filter_map(|part| subresource(kind, part)));
    }
    let reviews = REVIEWS.iter().filter(|(of, _, _)| *of == group && version == "v1");
    resources.extend(reviews.map(|(_, kind, plural)| {
        json!({"name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind, "verbs": ["create"]})
    }));
    if resources.is_empty() {
        return Err(Refused::no_such_path());
    }
    let named = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": named, "resources": resources}))
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// `/openapi/v3`
pub fn schemas() -> Value {
    let versions = std::iter::once(("", "v1")).chain(groups());
    let paths: Map<String, Value> = versions
        .map(|(group, version)| {
            let root = root(group, version);
            (root.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{root}")}))
        })
        .collect();
    json!({"paths": paths})
}

/// Which query parameters a PATCH of each kind knows. kubectl looks up `fieldValidation` and `dryRun` here before it sends
/// anything; schemas of the kinds are left out, and it then merges by the types it was built with.
pub fn schema(group: &str, version: &str) -> Result<Value, Refused> {
    let kinds = kinds_of(group, version);
    if kinds.is_empty() && !is_of_reviews(group) {
        return Err(Refused::no_such_path());
    }
    let parameter =
        |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let parameters = json!(["dryRun", "fieldManager", "fieldValidation", "force"].map(parameter));
    let paths: Map<String, Value> = kinds
        .into_iter()
        .map(|kind| {
            let namespace = if kind.scope == Scope::Namespaced { "/namespaces/{namespace}" } else { "" };
            let path = format!("/{}{namespace}/{}/{{name}}", root(group, version), kind.plural);
            let patch = json!({"patch": {
                "operationId": format!("patch{}", kind.kind),
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind}}});
            (path, patch)
        })
        .collect();
    Ok(json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.0+practice"}, "paths": paths,
        "components": {"schemas": {}}}))
}
