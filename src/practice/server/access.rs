//! Questions about rights. Everything is allowed in practice, but what a fault forbids.

use axum::{
    Json,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Shared, kinds::REVIEWS, route::Place, status::Refused, write::text};
use crate::practice::{Fault, NAMESPACE, REHEARSAL};

/// The verb of a request.
pub fn verb(method: &Method, place: &Place, watches: bool) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ if !place.name.is_empty() => "get",
        _ if watches => "watch",
        _ => "list",
    }
}

/// Namespaces that an account of few rights has something in.
const OWN: [&str; 2] = [NAMESPACE, REHEARSAL];

/// Whether the fault of few rights denies this. A namespace is read by who has rights in it; `name` may be that of one.
fn is_beyond(shared: &Shared, verb: &str, resource: &str, name: &str) -> bool {
    let denied = match resource {
        "namespaces" => verb != "get" || !OWN.contains(&name),
        "persistentvolumes" | "storageclasses" | "nodes" => true,
        _ => false,
    };
    denied && shared.faults.holds(Fault::OneNamespace)
}

/// Refuses what the account may not do.
pub fn allowed(shared: &Shared, verb: &str, place: &Place) -> Result<(), Refused> {
    let slash = if place.part.is_empty() { "" } else { "/" };
    let resource = format!("{}{slash}{}", place.kind.plural, place.part);
    if !shared.denied.contains(&(verb, &resource)) && !is_beyond(shared, verb, place.kind.plural, &place.name) {
        return Ok(());
    }
    let because =
        format!("User \"practice\" cannot {verb} resource \"{resource}\" in API group \"{}\"", place.kind.group);
    Err(Refused::forbidden(place.kind, &place.name, &because))
}

/// Answers a review.
pub fn review(shared: &Shared, kind: &str, body: &Value) -> Response {
    let group = REVIEWS.iter().find(|(_, known, _)| *known == kind).map_or("", |(group, _, _)| group);
    let status = if kind == "SelfSubjectReview" {
        json!({"userInfo": {"username": "practice", "groups": ["system:authenticated"]}})
    } else if kind == "SelfSubjectRulesReview" {
        let mut rules = vec![json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})];
        if shared.faults.holds(Fault::Forbidden) {
            let verbs = ["create", "get", "list", "patch", "update", "watch"];
            rules = vec![
                json!({"verbs": ["*"], "apiGroups": ["", "batch"], "resources": ["*"]}),
                json!({"verbs": verbs, "apiGroups": ["apps"], "resources": ["statefulsets"]}),
            ];
        }
        let paths = json!([{"verbs": ["get"], "nonResourceURLs": ["*"]}]);
        json!({"resourceRules": rules, "nonResourceRules": paths, "incomplete": false})
    } else {
        let asked = |field: &str| text(body, &format!("/spec/resourceAttributes/{field}"));
        let hit = matches!(asked("verb"), "delete" | "*")
            && matches!(asked("resource"), "statefulsets" | "*")
            && matches!(asked("group"), "apps" | "*");
        let slash = if asked("subresource").is_empty() { "" } else { "/" };
        let resource = format!("{}{slash}{}", asked("resource"), asked("subresource"));
        let denied = shared.denied.contains(&(asked("verb"), &resource));
        let beyond = is_beyond(shared, asked("verb"), asked("resource"), asked("namespace"));
        let refused = denied || beyond || (hit && shared.faults.holds(Fault::Forbidden));
        json!({"allowed": !refused})
    };
    let review = json!({"kind": kind, "apiVersion": format!("{group}/v1"), "metadata": {},
        "spec": body["spec"], "status": status});
    (StatusCode::CREATED, Json(review)).into_response()
}
