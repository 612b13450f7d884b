//! Reading of objects: one, or lists in pages; whole, as metadata only, or as a table for people.

use std::sync::Arc;

use axum::{Json, http::HeaderMap, response::IntoResponse};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Shared,
    kinds::Served,
    query::{Query, Selector},
    route::Place,
    status::{Answer, Refused},
    tables,
    write::{key, text},
};

/// How an object is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Whole,
    /// Its metadata only.
    Metadata,
    /// As rows of cells, with the metadata.
    Table,
    /// As rows of cells, with the whole object.
    TableOfWhole,
}

impl Form {
    /// The first form that the client takes and the server knows.
    pub fn of(headers: &HeaderMap, query: &Query) -> Self {
        let accept = headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        for choice in accept.split(',') {
            let parts: Vec<&str> = choice.split(';').map(str::trim).collect();
            if !matches!(parts.first(), Some(&("application/json" | "*/*" | "application/*"))) {
                continue;
            }
            match parts.iter().find_map(|part| part.strip_prefix("as=")) {
                Some("Table") if query.get("includeObject") == Some("Object") => return Self::TableOfWhole,
                Some("Table") => return Self::Table,
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Self::Metadata,
                Some(_) => {}
                None => return Self::Whole,
            }
        }
        Self::Whole
    }

    /// One object in this form.
    pub fn show(self, kind: &Served, object: &Value) -> Value {
        match self {
            Self::Whole => whole(kind, object),
            Self::Metadata => metadata_of(object),
            Self::Table | Self::TableOfWhole => {
                let revision = text(object, "/metadata/resourceVersion");
                tables::table(kind, std::iter::once(object), &json!({"resourceVersion": revision}), self)
            }
        }
    }
}

/// The object with the kind and version that every document carries.
fn whole(kind: &Served, object: &Value) -> Value {
    if object.get("kind").is_some() && object.get("apiVersion").is_some() {
        return object.clone();
    }
    let mut named = json!({"kind": kind.kind, "apiVersion": kind.api_version()});
    if let (Some(to), Some(from)) = (named.as_object_mut(), object.as_object()) {
        to.extend(from.iter().map(|(field, value)| (field.clone(), value.clone())));
    }
    named
}

/// Only the metadata of an object.
pub fn metadata_of(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

/// GET of an object or its status.
pub fn get(shared: &Shared, place: &Place, form: Form) -> Answer {
    let found = shared.objects.get(&key(place)).ok_or_else(|| Refused::not_found(place.kind, &place.name))?;
    Ok(Json(form.show(place.kind, &found)).into_response())
}

/// Where the next page begins: after this namespace and name.
fn token(object: &Value) -> String {
    let after = json!([text(object, "/metadata/namespace"), text(object, "/metadata/name")]);
    URL_SAFE_NO_PAD.encode(after.to_string())
}

fn after(token: &str) -> Result<(String, String), Refused> {
    let read = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok();
    read().ok_or_else(|| Refused::bad_request(format!("continue key is not valid: {token}")))
}

/// GET of a collection.
pub fn list(shared: &Shared, place: &Place, query: &Query, form: Form) -> Answer {
    let kind = place.kind;
    let selector = Selector::of(query, kind)?;
    let (revision, mut found) = shared.objects.list(kind.group, kind.plural, place.namespace.as_deref());
    found.retain(|object| selector.fits(object));
    let limit = query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let mut meta = json!({"resourceVersion": revision.to_string()});
    if let Some(given) = query.get("continue") {
        let (namespace, name) = after(given)?;
        let last = (namespace.as_str(), name.as_str());
        found.retain(|object| (text(object, "/metadata/namespace"), text(object, "/metadata/name")) > last);
    }
    if let Some(limit) = limit.filter(|limit| found.len() > *limit) {
        meta["continue"] = json!(token(&found[limit - 1]));
        meta["remainingItemCount"] = json!(found.len() - limit);
        found.truncate(limit);
    }
    Ok(Json(shown(kind, &found, &meta, form)).into_response())
}

fn shown(kind: &Served, found: &[Arc<Value>], meta: &Value, form: Form) -> Value {
    let items = || found.iter().map(AsRef::as_ref);
    match form {
        Form::Whole => {
            let items: Vec<Value> = items().map(|object| whole(kind, object)).collect();
            json!({"kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(), "metadata": meta, "items": items})
        }
        Form::Metadata => {
            let items: Vec<Value> = items().map(metadata_of).collect();
            json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items})
        }
        Form::Table | Form::TableOfWhole => tables::table(kind, items(), meta, form),
    }
}
