//! Refusals as the API machinery words them: a `metav1.Status` with code, reason and details.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::kinds::Served;
use crate::practice::Refusal;

/// Why a request is refused.
#[derive(Debug, Clone)]
pub struct Refused {
    code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

/// What a request leads to.
pub type Answer = Result<Response, Refused>;

impl Refused {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Value::Null }
    }

    fn about(mut self, kind: &Served, name: &str) -> Self {
        self.details = json!({"name": name, "group": kind.group, "kind": kind.plural});
        if kind.group.is_empty()
            && let Some(details) = self.details.as_object_mut()
        {
            details.shift_remove("group");
        }
        self
    }

    /// No token, or another one.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// Nothing is served at this path.
    pub fn no_such_path() -> Self {
        let mut refused = Self::new(404, "NotFound", "the server could not find the requested resource");
        refused.details = json!({});
        refused
    }

    /// There is no such object.
    pub fn not_found(kind: &Served, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", kind.resource())).about(kind, name)
    }

    /// There is no such namespace.
    pub fn no_namespace(name: &str) -> Self {
        let mut refused = Self::new(404, "NotFound", format!("namespaces \"{name}\" not found"));
        refused.details = json!({"name": name, "kind": "namespaces"});
        refused
    }

    /// The namespace is ending and takes nothing new.
    pub fn ending_namespace(kind: &Served, name: &str, namespace: &str) -> Self {
        let because = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut refused = Self::forbidden(kind, name, &because);
        refused.details["causes"] = json!([{"reason": "NamespaceTerminating", "field": "metadata.namespace",
            "message": format!("namespace {namespace} is being terminated")}]);
        refused
    }

    /// Not allowed, because.
    pub fn forbidden(kind: &Served, name: &str, because: &str) -> Self {
        Self::new(403, "Forbidden", format!("{} \"{name}\" is forbidden: {because}", kind.resource())).about(kind, name)
    }

    /// Another object or version than the caller expects.
    pub fn conflict(kind: &Served, name: &str, because: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {because}", kind.resource());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// A field that cannot be what it is.
    pub fn invalid(kind: &Served, name: &str, field: &str, fault: &str) -> Self {
        let message = format!("{} \"{name}\" is invalid: {field}: {fault}", kind.group_kind());
        let mut refused = Self::new(422, "Invalid", message).about(kind, name);
        refused.details["kind"] = json!(kind.kind);
        let reason = match fault.split_once(':').map_or(fault, |(word, _)| word) {
            "Required value" => "FieldValueRequired",
            "Forbidden" => "FieldValueForbidden",
            _ => "FieldValueInvalid",
        };
        refused.details["causes"] = json!([{"reason": reason, "message": fault, "field": field}]);
        refused
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// The verb does nothing here.
    pub fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// The body is in no form that is understood.
    pub fn unsupported_media(media: &str) -> Self {
        Self::new(415, "UnsupportedMediaType", format!("the body of the request was in an unknown format - {media}"))
    }

    /// The past that is asked for is not kept any more.
    pub fn expired(asked: u64, now: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({now})"))
    }

    /// The server or a node behind it failed.
    pub fn internal(message: &str) -> Self {
        let mut refused = Self::new(500, "InternalError", format!("Internal error occurred: {message}"));
        refused.details = json!({"causes": [{"message": message}]});
        refused
    }

    /// What the store refuses, in the server's words.
    pub fn from_store(kind: &Served, name: &str, refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(kind, name),
            Refusal::Exists => {
                let message = format!("{} \"{name}\" already exists", kind.resource());
                Self::new(409, "AlreadyExists", message).about(kind, name)
            }
            Refusal::Conflict(because) => Self::conflict(kind, name, because),
            Refusal::Invalid(message) => Self::bad_request(message.clone()),
        }
    }

    /// The document.
    pub fn status(&self) -> Value {
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "details": self.details, "code": self.code});
        if self.details.is_null()
            && let Some(map) = status.as_object_mut()
        {
            map.shift_remove("details");
        }
        status
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (code, Json(self.status())).into_response()
    }
}
