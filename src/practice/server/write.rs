//! Changes of objects: create, replace, patch, scale, delete, each with the checks of a real server.

use std::sync::Arc;

use axum::{Json, http::StatusCode, response::IntoResponse};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Shared,
    defaults::{check, check_name, fill, first_status},
    kinds::{Scope, Served},
    merge::PatchKind,
    query::{Query, Selector},
    route::Place,
    status::{Answer, Refused},
};
use crate::practice::{Fault, Key, Refusal, objects::uid};

/// What the server itself writes of an object's metadata.
const OWN: [&str; 6] =
    ["uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"];

pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn key(place: &Place) -> Key {
    Key::new(place.kind.group, place.kind.plural, place.namespace.as_deref(), &place.name)
}

/// Ending of a generated name, from letters that make no words.
fn ending() -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let random = uid();
    let bytes: Vec<u8> = random.bytes().filter(|byte| *byte != b'-').collect();
    bytes.chunks(2).take(5).map(|pair| usize::from(pair[0]) * 7 + usize::from(pair[1]) * 13).fold(
        String::new(),
        |mut ending, number| {
            ending.push(char::from(LETTERS[number % LETTERS.len()]));
            ending
        },
    )
}

fn check_document(place: &Place, body: &Value) -> Result<(), Refused> {
    let kind = place.kind;
    let (found, version) = (text(body, "/kind"), text(body, "/apiVersion"));
    if !version.is_empty() && version != kind.api_version() {
        return Err(Refused::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    if !found.is_empty() && found != kind.kind {
        return Err(Refused::bad_request(format!(
            "{found} in version \"{version}\" cannot be handled as a {}",
            kind.kind
        )));
    }
    let namespace = text(body, "/metadata/namespace");
    if !namespace.is_empty() && Some(namespace) != place.namespace.as_deref() {
        return Err(Refused::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// Refuses new things in a namespace that is not there or ends.
fn check_namespace(shared: &Shared, place: &Place) -> Result<(), Refused> {
    let Some(namespace) = &place.namespace else { return Ok(()) };
    let found = shared.objects.get(&Key::new("", "namespaces", None, namespace));
    let found = found.ok_or_else(|| Refused::no_namespace(namespace))?;
    if found.pointer("/metadata/deletionTimestamp").is_some() {
        return Err(Refused::ending_namespace(place.kind, &place.name, namespace));
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the last word of functions that answer or refuse")]
fn answer(code: StatusCode, object: &Value) -> Answer {
    Ok((code, Json(object)).into_response())
}

/// POST to a collection.
pub fn create(shared: &Shared, mut place: Place, query: &Query, mut body: Value) -> Answer {
    if place.kind.scope == Scope::Namespaced && place.namespace.is_none() {
        return Err(Refused::method_not_allowed());
    }
    check_document(&place, &body)?;
    if !body.is_object() {
        return Err(Refused::bad_request("the document is no object"));
    }
    let prefix = text(&body, "/metadata/generateName").to_owned();
    text(&body, "/metadata/name").clone_into(&mut place.name);
    if place.name.is_empty() && !prefix.is_empty() {
        place.name = format!("{prefix}{}", ending());
    }
    check_name(place.kind, &place.name)?;
    check_namespace(shared, &place)?;
    let (kind, name) = (place.kind, place.name.clone());
    fill(kind, &name, &mut body);
    check(kind, &name, &body)?;
    if let Some(map) = body.as_object_mut() {
        if kind.has_status() {
            map.shift_remove("status");
        }
        if let Some(status) = first_status(kind) {
            map.insert("status".to_owned(), status);
        }
    }
    if kind.plural == "namespaces" {
        body["spec"] = json!({"finalizers": ["kubernetes"]});
    }
    if query.is_dry_run() {
        if shared.objects.get(&key(&place)).is_some() {
            return Err(Refused::from_store(kind, &name, &Refusal::Exists));
        }
        body["metadata"]["name"] = json!(name);
        if let Some(namespace) = &place.namespace {
            body["metadata"]["namespace"] = json!(namespace);
        }
        body["metadata"]["uid"] = json!(uid());
        body["metadata"]["creationTimestamp"] = json!(format!("{:.0}", Timestamp::now()));
        return answer(StatusCode::CREATED, &body);
    }
    let made = shared.objects.create(&key(&place), body);
    answer(StatusCode::CREATED, &*made.map_err(|refusal| Refused::from_store(kind, &name, &refusal))?)
}

/// Holds the new document to what may change and what may not.
fn settle(place: &Place, before: &Value, mut after: Value) -> Result<Value, Refused> {
    check_document(place, &after)?;
    let (kind, name) = (place.kind, place.name.as_str());
    let given = |field: &str| after.pointer(&format!("/metadata/{field}")).and_then(Value::as_str).unwrap_or_default();
    let stands =
        |field: &str| before.pointer(&format!("/metadata/{field}")).and_then(Value::as_str).unwrap_or_default();
    if !given("name").is_empty() && given("name") != name {
        return Err(Refused::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({name})",
            given("name")
        )));
    }
    if !given("uid").is_empty() && given("uid") != stands("uid") {
        let because = format!(
            "Precondition failed: UID in precondition: {}, UID in object meta: {}",
            given("uid"),
            stands("uid")
        );
        return Err(Refused::conflict(kind, name, &because));
    }
    if !given("resourceVersion").is_empty() && given("resourceVersion") != stands("resourceVersion") {
        let because = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Refused::conflict(kind, name, because));
    }
    let mut merged = before.clone();
    if place.part == "status" {
        merged["status"] = after["status"].take();
        return Ok(merged);
    }
    if !after.get("metadata").is_some_and(Value::is_object) {
        after["metadata"] = json!({});
    }
    for field in OWN.iter().chain(&["name", "namespace"]) {
        if let Some(value) = before.pointer(&format!("/metadata/{field}")) {
            after["metadata"][*field] = value.clone();
        } else if let Some(meta) = after["metadata"].as_object_mut() {
            meta.shift_remove(*field);
        }
    }
    if kind.has_status() {
        match before.get("status") {
            Some(status) => after["status"] = status.clone(),
            None => drop(after.as_object_mut().map(|map| map.shift_remove("status"))),
        }
    }
    fill(kind, name, &mut after);
    check(kind, name, &after)?;
    // what was stored without the server may lack its defaults
    let mut filled = before.clone();
    fill(kind, name, &mut filled);
    immutable(place, &filled, &after)?;
    Ok(after)
}

/// Fields that only a new object can have otherwise.
fn immutable(place: &Place, before: &Value, after: &Value) -> Result<(), Refused> {
    let differs = |pointer: &str| before.pointer(pointer) != after.pointer(pointer);
    let fixed = ["/spec/selector", "/spec/serviceName", "/spec/volumeClaimTemplates", "/spec/podManagementPolicy"];
    let (field, fault) = match place.kind.plural {
        "statefulsets" if fixed.iter().any(|pointer| differs(pointer)) => (
            "spec",
            "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
        "deployments" | "replicasets" if differs("/spec/selector") => {
            ("spec.selector", "Invalid value: field is immutable")
        }
        _ => return Ok(()),
    };
    Err(Refused::invalid(place.kind, &place.name, field, fault))
}

/// Changes what is stored, or only says what it would become.
pub(super) fn change(
    shared: &Shared,
    place: &Place,
    query: &Query,
    work: impl Fn(&Value) -> Result<Value, Refused>,
) -> Result<Arc<Value>, Refused> {
    let (kind, name) = (place.kind, place.name.as_str());
    if query.is_dry_run() {
        let before = shared.objects.get(&key(place)).ok_or_else(|| Refused::not_found(kind, name))?;
        return work(&before).map(Arc::new);
    }
    let mut refused = None;
    let done = shared.objects.update(&key(place), |object| {
        *object = work(object).map_err(|why| {
            refused = Some(why);
            Refusal::Invalid(String::new())
        })?;
        Ok(())
    });
    done.map_err(|refusal| refused.unwrap_or_else(|| Refused::from_store(kind, name, &refusal)))
}

/// PUT of an object or its status.
pub fn replace(shared: &Shared, place: &Place, query: &Query, body: &Value) -> Answer {
    if place.part == "finalize" {
        let found = shared.objects.get(&key(place)).ok_or_else(|| Refused::not_found(place.kind, &place.name))?;
        return answer(StatusCode::OK, &found);
    }
    let done = change(shared, place, query, |before| settle(place, before, body.clone()))?;
    answer(StatusCode::OK, &done)
}

/// PATCH of an object or its status. Server-side apply makes what is not there.
pub fn patch(shared: &Shared, place: Place, query: &Query, kind: PatchKind, body: Value) -> Answer {
    if kind == PatchKind::Apply {
        if query.get("fieldManager").is_none() {
            let fault = "Required value: is required for apply patch";
            return Err(Refused::invalid(place.kind, &place.name, "fieldManager", fault));
        }
        if shared.objects.get(&key(&place)).is_none() {
            let wanted = text(&body, "/metadata/uid");
            if !wanted.is_empty() {
                let because = format!(
                    "uid mismatch: the provided object specified uid {wanted}, and no existing object was found"
                );
                return Err(Refused::conflict(place.kind, &place.name, &because));
            }
            let mut body = body;
            if body.get("metadata").is_none_or(Value::is_null) {
                return Err(Refused::bad_request("the document has no metadata"));
            }
            body["metadata"]["name"] = json!(place.name);
            return create(shared, place, query, body);
        }
        let (wanted, found) = (text(&body, "/metadata/uid"), shared.objects.get(&key(&place)).unwrap_or_default());
        if !wanted.is_empty() && wanted != text(&found, "/metadata/uid") {
            let fault = format!("Invalid value: \"{wanted}\": field is immutable");
            return Err(Refused::invalid(place.kind, &place.name, "metadata.uid", &fault));
        }
    }
    let done = change(shared, &place, query, |before| settle(&place, before, kind.apply(before, &body)?))?;
    answer(StatusCode::OK, &done)
}

fn selector_text(object: &Value) -> String {
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let pairs: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.join(",")
}

/// The scale of an object.
fn scale_of(object: &Value) -> Value {
    let meta = |field: &str| object["metadata"][field].clone();
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": meta("name"), "namespace": meta("namespace"), "uid": meta("uid"),
            "resourceVersion": meta("resourceVersion"), "creationTimestamp": meta("creationTimestamp")},
        "spec": {"replicas": object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1)},
        "status": {"replicas": object.pointer("/status/replicas").and_then(Value::as_u64).unwrap_or(0),
            "selector": selector_text(object)}})
}

/// GET of the scale.
pub fn read_scale(shared: &Shared, place: &Place) -> Answer {
    let found = shared.objects.get(&key(place)).ok_or_else(|| Refused::not_found(place.kind, &place.name))?;
    answer(StatusCode::OK, &scale_of(&found))
}

/// PUT (no kind of patch) or PATCH of the scale.
pub fn write_scale(shared: &Shared, place: &Place, query: &Query, kind: Option<PatchKind>, body: &Value) -> Answer {
    let whole = Place { part: String::new(), ..place.clone() };
    let done = change(shared, &whole, query, |before| {
        let scale = scale_of(before);
        let wanted = kind.map_or_else(|| Ok(body.clone()), |kind| kind.apply(&scale, body))?;
        let replicas = wanted.pointer("/spec/replicas").and_then(Value::as_u64).ok_or_else(|| {
            Refused::invalid(
                place.kind,
                &place.name,
                "spec.replicas",
                "Invalid value: must be greater than or equal to 0",
            )
        })?;
        let mut after = before.clone();
        after["metadata"]["uid"] = wanted["metadata"]["uid"].clone();
        after["metadata"]["resourceVersion"] = wanted["metadata"]["resourceVersion"].clone();
        after["spec"]["replicas"] = json!(replicas);
        settle(&whole, before, after)
    })?;
    answer(StatusCode::OK, &scale_of(&done))
}

/// Options of a deletion, from body and query.
fn option<'a>(query: &'a Query, body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).or_else(|| query.get(name)).unwrap_or_default()
}

fn delete_one(shared: &Shared, place: &Place, query: &Query, body: &Value) -> Result<Arc<Value>, Refused> {
    let (kind, name) = (place.kind, place.name.as_str());
    if kind.plural == "statefulsets" && shared.faults.holds(Fault::Forbidden) {
        let because = format!(
            "User \"practice\" cannot delete resource \"statefulsets\" in API group \"apps\" in the namespace \"{}\"",
            place.namespace.as_deref().unwrap_or_default()
        );
        return Err(Refused::forbidden(kind, name, &because));
    }
    let key = key(place);
    let found = shared.objects.get(&key).ok_or_else(|| Refused::not_found(kind, name))?;
    let version = text(body, "/preconditions/resourceVersion");
    if !version.is_empty() && version != text(&found, "/metadata/resourceVersion") {
        return Err(Refused::conflict(kind, name, "the ResourceVersion in the precondition does not match the record"));
    }
    let uid = Some(text(body, "/preconditions/uid")).filter(|uid| !uid.is_empty());
    if query.is_dry_run() {
        return Ok(found);
    }
    if option(query, body, "propagationPolicy") == "Orphan" {
        orphan(shared, place, text(&found, "/metadata/uid"));
    }
    let ended = shared.objects.delete(&key, uid).map_err(|refusal| Refused::from_store(kind, name, &refusal))?;
    let grace = body.get("gracePeriodSeconds").and_then(Value::as_u64);
    if kind.plural == "pods" && (grace == Some(0) || query.get("gracePeriodSeconds") == Some("0")) {
        shared.objects.remove(&key);
    }
    Ok(ended)
}

/// Takes an owner out of everything in its namespace.
fn orphan(shared: &Shared, place: &Place, owner: &str) {
    for key in place.namespace.iter().flat_map(|namespace| shared.objects.keys(namespace)) {
        // gone in the meantime is as good as freed
        let _ = shared.objects.update(&key, |object| {
            if let Some(owners) = object.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut) {
                owners.retain(|reference| text(reference, "/uid") != owner);
            }
            Ok(())
        });
    }
}

/// DELETE of an object; also what an eviction does.
pub fn delete(shared: &Shared, place: &Place, query: &Query, body: &Value) -> Answer {
    let ended = delete_one(shared, place, query, body)?;
    if shared.objects.get(&key(place)).is_some() {
        let now = shared.objects.get(&key(place));
        return answer(StatusCode::OK, now.as_deref().unwrap_or(&ended));
    }
    answer(
        StatusCode::OK,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": place.name, "group": place.kind.group, "kind": place.kind.plural, "uid": text(&ended, "/metadata/uid")}}),
    )
}

/// DELETE of a collection.
pub fn delete_all(shared: &Shared, place: &Place, query: &Query, body: &Value) -> Answer {
    let kind: &Served = place.kind;
    let selector = Selector::of(query, kind)?;
    let (revision, found) = shared.objects.list(kind.group, kind.plural, place.namespace.as_deref());
    let meant: Vec<Arc<Value>> = found.into_iter().filter(|object| selector.fits(object)).collect();
    for object in &meant {
        let namespace = Some(text(object, "/metadata/namespace").to_owned()).filter(|name| !name.is_empty());
        let one = Place { namespace, name: text(object, "/metadata/name").to_owned(), ..place.clone() };
        delete_one(shared, &one, query, body)?;
    }
    let list = json!({"kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(),
        "metadata": {"resourceVersion": revision.to_string()}, "items": meant});
    answer(StatusCode::OK, &list)
}
