//! Questions about rights. Everything is allowed in practice, but what a fault forbids.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Shared, write::text};
use crate::practice::Fault;

/// Answers a review.
pub fn review(shared: &Shared, kind: &str, body: &Value) -> Response {
    let status = if kind == "SelfSubjectRulesReview" {
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
        json!({"allowed": !(hit && shared.faults.holds(Fault::Forbidden))})
    };
    let review = json!({"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {},
        "spec": body["spec"], "status": status});
    (StatusCode::CREATED, Json(review)).into_response()
}
