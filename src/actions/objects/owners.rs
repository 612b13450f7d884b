//! Who owns which field of an object that a run changes and puts back: the server gives each changed field to whoever changed it,
//! and whoever applied it before meets a conflict at their next change. What is as before again belongs to them again.

use serde_json::{Map, Value, json};

use super::pods::text;
use crate::{
    actions::context::{Halt, StepCx},
    ports::{ObjectRef, PortErrorKind},
    run::{OutputLine, StepId, Tag},
};

/// Name under which our changes are owned.
const OURS: &str = "drydock";
/// Under which the owners of before are kept among the drafts; no step can have that name.
const MEMO: &str = "@owners";
/// How often an object that changes meanwhile is read again.
const TRIES: u32 = 5;

fn memo() -> StepId {
    StepId(MEMO.to_owned())
}

fn entries(object: &Value) -> Vec<Value> {
    object.pointer("/metadata/managedFields").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Writes down who owns the fields of an object, before this run changes it for the first time.
///
/// # Errors
/// A fault, when it cannot be written.
pub async fn remember(cx: &StepCx, object: &Value) -> Result<(), Halt> {
    let mut all: Map<String, Value> =
        cx.driver.draft(&memo()).and_then(|all| all.as_object().cloned()).unwrap_or_default();
    let (uid, now) = (text(object, "/metadata/uid"), entries(object));
    if now.is_empty() || all.contains_key(uid) {
        return Ok(());
    }
    all.insert(uid.to_owned(), Value::Array(now));
    cx.driver.save_draft(&memo(), Value::Object(all)).await
}

/// Gives the field at `path` of exactly this object back to who owned it before, once its value is as before. Where the server
/// refuses that it is told, and is no failure: the value is what counts.
///
/// # Errors
/// A failure, where nobody answers; a stop.
pub async fn give_back(cx: &StepCx, object: &ObjectRef, uid: &str, path: &[&str]) -> Result<(), Halt> {
    let kept = cx.driver.draft(&memo()).and_then(|all| all.get(uid)?.as_array().cloned());
    let Some(before) = kept else { return Ok(()) };
    let effect = format!("give {} of {} {} back to its owner", path.join("."), object.kind.kind, object.name);
    for _ in 0..TRIES {
        let Some(found) = cx.get(object).await?.filter(|found| text(found, "/metadata/uid") == uid) else {
            return Ok(());
        };
        let now = entries(&found);
        let given = given_back(&before, &now, path);
        // a server takes an empty list for none at all
        if given == now || given.is_empty() {
            return Ok(());
        }
        cx.effect(&effect).await?;
        let fields = json!({"metadata": {"managedFields": given}});
        match cx.world.objects.merge(object, uid, text(&found, "/metadata/resourceVersion"), &fields).await {
            Ok(_) => return cx.effected(&effect, "accepted").await,
            Err(error) if error.kind == PortErrorKind::Conflict => cx.effected(&effect, "it changed meanwhile").await?,
            Err(error) if error.is_refusal() || error.kind == PortErrorKind::NotFound => {
                cx.effected(&effect, "refused").await?;
                let told = format!(
                    "{} {} is as before, but drydock still owns {}",
                    object.kind.kind,
                    object.name,
                    path.join(".")
                );
                let (at, source) = (cx.world.clock.now(), "owners".to_owned());
                cx.driver.line(OutputLine { at, source, tag: Tag::Plain, text: told }).await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The owners of now without us, and with those of before where the field at `path` has no other owner.
fn given_back(before: &[Value], now: &[Value], path: &[&str]) -> Vec<Value> {
    let is_ours = |entry: &&Value| text(entry, "/manager") == OURS;
    let field = |entry: &Value| part(&entry["fieldsV1"], path);
    let ours_before = before.iter().filter(is_ours);
    let mut given: Vec<Value> = now.iter().filter(|entry| !is_ours(entry)).cloned().collect();
    let is_taken = given.iter().any(|entry| field(entry).is_some());
    for owner in before.iter().filter(|owner| !is_ours(owner) && !is_taken) {
        let Some(lost) = field(owner) else { continue };
        let place = ["manager", "operation", "apiVersion", "subresource"];
        if let Some(entry) = given.iter_mut().find(|entry| place.iter().all(|key| entry.get(key) == owner.get(key))) {
            union(&mut entry["fieldsV1"], &lost);
            // nothing else of it has changed: not even when
            if same_fields(&entry["fieldsV1"], &owner["fieldsV1"]) {
                *entry = owner.clone();
            }
        } else {
            let mut entry = owner.clone();
            entry["fieldsV1"] = lost;
            given.push(entry);
        }
    }
    given.extend(ours_before.cloned());
    given
}

/// The part of a set of fields that lies at a path, with the way to it.
fn part(fields: &Value, path: &[&str]) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return Some(fields.clone()) };
    let key = format!("f:{first}");
    let inner = part(fields.get(&key)?, rest)?;
    Some(json!({ key: inner }))
}

fn union(into: &mut Value, more: &Value) {
    let (Some(into), Some(more)) = (into.as_object_mut(), more.as_object()) else { return };
    for (key, value) in more {
        union(into.entry(key.clone()).or_insert_with(|| json!({})), value);
    }
}

/// Whether two sets are the same, in whatever order they are written.
fn same_fields(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return a == b };
    a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same_fields(value, other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, time: u8, fields: &Value) -> Value {
        json!({"manager": manager, "operation": "Update", "apiVersion": "v1", "time": time, "fieldsV1": fields})
    }

    const PATH: [&str; 2] = ["spec", "suspend"];

    #[test]
    fn what_was_taken_is_given_back_and_nothing_else_changes() {
        let all = json!({"f:spec": {"f:schedule": {}, "f:suspend": {}}});
        let rest = json!({"f:spec": {"f:schedule": {}}});
        let suspend = json!({"f:spec": {"f:suspend": {}}});
        let status = entry("controller", 9, &json!({"f:status": {}}));
        let before = [entry("helm", 1, &all), status.clone()];
        let now = [entry("drydock", 5, &suspend), entry("helm", 2, &rest), status.clone()];
        assert_eq!(given_back(&before, &now, &PATH), before);
        // a field that nobody owns any more has lost its owner all the same
        assert_eq!(given_back(&before, &[entry("helm", 2, &rest), status.clone()], &PATH), before);
        // who owned nothing but that is there again
        let alone = [entry("kubectl", 1, &suspend)];
        assert_eq!(given_back(&alone, &[entry("drydock", 5, &suspend)], &PATH), alone);
        // nothing of before knew the field: only we go
        assert_eq!(given_back(&[entry("helm", 2, &rest)], &now[..2], &PATH), [entry("helm", 2, &rest)]);
    }

    #[test]
    fn an_owner_of_now_stays_and_so_does_what_we_owned_before() {
        let all = json!({"f:spec": {"f:schedule": {}, "f:suspend": {}}});
        let rest = json!({"f:spec": {"f:schedule": {}}});
        let suspend = json!({"f:spec": {"f:suspend": {}}});
        let taken = [entry("human", 7, &suspend), entry("helm", 2, &rest)];
        assert_eq!(given_back(&[entry("helm", 1, &all)], &taken, &PATH), taken);
        let changed = json!({"f:spec": {"f:jobTemplate": {}}});
        let now = [entry("drydock", 5, &suspend), entry("helm", 6, &changed)];
        let wanted = json!({"f:spec": {"f:jobTemplate": {}, "f:suspend": {}}});
        assert_eq!(given_back(&[entry("helm", 1, &all)], &now, &PATH), [entry("helm", 6, &wanted)]);
        let earlier = [entry("drydock", 1, &rest), entry("helm", 1, &suspend)];
        let given = given_back(&earlier, &[entry("drydock", 5, &all)], &PATH);
        assert_eq!(given, [entry("helm", 1, &suspend), entry("drydock", 1, &rest)]);
    }
}
