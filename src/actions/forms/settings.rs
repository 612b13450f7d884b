//! Captured settings against what the application says now: before the removal (nothing was edited since) and after the
//! re-apply (all is back). Secrets are compared and never shown.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Map, Value, json};

use super::{api::Api, form_state::load_of, found::EXTRA};
use crate::{
    actions::{
        context::{Halt, StepCx, secret_name},
        objects::{
            pods::{ready_pod, text},
            removal,
        },
        spec::FoundInApi,
    },
    ports::{ObjectRef, kinds},
    run::{FieldValue, Item, JsonType, StepId, StepState, equal_but_for_masks, masks_within},
    text::{Diagnostic, printable, units},
};

/// The JSON body that puts an item back: member to value, with `members` as field id to member.
pub async fn body(
    cx: &StepCx,
    step: &str,
    item: &Item,
    members: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, Halt> {
    let mut body = Map::new();
    for (field, member) in members.iter().filter(|(_, member)| *member != "@name") {
        let kind = item.types.get(field).copied();
        let value = match item.values.get(field) {
            None | Some(FieldValue::Empty) => continue,
            // an optional one that was emptied
            Some(FieldValue::Text { value, .. }) if value.is_empty() && kind.is_some_and(|k| k != JsonType::Text) => {
                continue;
            }
            Some(FieldValue::Text { value, .. }) => kind.map_or_else(|| Some(guessed(value)), |kind| kind.value(value)),
            Some(FieldValue::Secret { .. }) => {
                let secret = cx.secret(&secret_name(step, &item.id, field)).await?;
                kind.unwrap_or_default().value(&String::from_utf8_lossy(secret.expose_secret()))
            }
        };
        let Some(value) = value else {
            let what = format!("{field} of {} is not {}", item.id, kind.unwrap_or_default().words());
            return Err(Diagnostic::new(what).help("open its step and save the field again").into());
        };
        body.insert(member.clone(), value);
    }
    if !item.extra.is_empty() {
        let secret = cx.secret(&secret_name(step, &item.id, EXTRA)).await?;
        let extra: Map<String, Value> = serde_json::from_slice(secret.expose_secret())
            .map_err(|_| Diagnostic::new(format!("the further settings of {} cannot be read", item.id)))?;
        body.extend(extra);
    }
    Ok(body)
}

/// A field's text as JSON where nobody wrote down its type, as in runs of an earlier version.
fn guessed(value: &str) -> Value {
    match value {
        "true" => json!(true),
        "false" => json!(false),
        _ if value.starts_with('{') => serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
        _ => json!(value),
    }
}

/// Members in which `now` differs from `wanted`, and where it shows only a mask, by name. A mask counts neither as equal, not
/// even to itself, nor as different.
pub fn differences(wanted: &Map<String, Value>, now: &Value) -> (Vec<String>, Vec<String>) {
    let (mut differ, mut masked) = (Vec::new(), Vec::new());
    for (member, value) in wanted {
        let found = now.get(member).unwrap_or(&Value::Null);
        masked.extend(masks_within(member, found));
        if now.get(member).is_none() || !equal_but_for_masks(value, found) {
            differ.push(member.clone());
        }
    }
    (differ, masked)
}

/// A member of which the application says something else than what was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub member: String,
    /// Whether it was there when the item was captured.
    pub captured: bool,
}

impl Change {
    /// What happened to it, after "was changed since it was captured: ".
    fn words(&self) -> String {
        let member = printable(&self.member);
        if self.captured { member } else { format!("has a new member {member}") }
    }

    /// How it stands in `now`; nothing of its value.
    pub fn state(&self, now: &Value) -> String {
        let state = match (self.captured, now.get(&self.member)) {
            (false, _) => "is new",
            (true, Some(_)) => "is another",
            (true, None) => "is gone",
        };
        format!("{} {state}", printable(&self.member))
    }
}

/// What the application says now of an item and what it had not said when it was captured. What was typed by hand in its place
/// is not compared, nor is a mask.
pub async fn changes(
    cx: &StepCx,
    step: &str,
    item: &Item,
    found: &FoundInApi,
    now: &Value,
) -> Result<Vec<Change>, Halt> {
    if item.is_by_hand() {
        return Ok(Vec::new());
    }
    let told = |field: &String| item.values.get(field).is_none_or(|v| *v == FieldValue::Empty || v.is_found());
    let members: BTreeMap<_, _> =
        found.fields.iter().filter(|(field, _)| told(field)).map(|(a, b)| (a.clone(), b.clone())).collect();
    let wanted = body(cx, step, item, &members).await?;
    let (differ, _) = differences(&wanted, now);
    let mut changes: Vec<Change> = differ.into_iter().map(|member| Change { member, captured: true }).collect();
    for (member, value) in now.as_object().into_iter().flatten().filter(|(member, _)| !wanted.contains_key(*member)) {
        let field = found.fields.iter().find(|(_, of)| *of == member).map(|(field, _)| field);
        let same = match field {
            // typed by hand; or empty then and now; or a mask, which was never kept
            Some(field) => !told(field) || value.is_null() || value == "" || !masks_within(member, value).is_empty(),
            // where one of these is a mask none was kept: its fault says so
            None => found.filter.contains_key(member) || item.faults.contains_key(EXTRA),
        };
        if !same {
            changes.push(Change { member: member.clone(), captured: false });
        }
    }
    Ok(changes)
}

/// Whether the application still says what these steps captured; in words either way.
pub async fn unchanged(cx: &StepCx, steps: &[String]) -> Result<Result<String, String>, Halt> {
    let state = cx.driver.state();
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    let (mut compared, mut by_hand, mut differ, mut cause) = (0, 0, Vec::new(), String::new());
    let api = match Api::open(cx, cx.namespace()).await {
        Ok(api) => api,
        Err(Halt::Failed(problem)) => {
            // after a removal that was cut there is no application left to ask; what it said before is what counts
            return Ok(if removal::is_under_way(cx).await? {
                Ok("read before the removal began".to_owned())
            } else {
                Err(problem.what)
            });
        }
        Err(other) => return Err(other),
    };
    for step in steps.iter().map(|step| StepId(step.clone())) {
        let Some(facts) = state.facts.get(&step) else { continue };
        let Ok(found) = serde_json::from_value::<FoundInApi>(facts["found"].clone()) else { continue };
        if !answers.contains_key(&found.path) {
            answers.insert(found.path.clone(), api.get(&found.path).await?);
        }
        let now = &answers[&found.path];
        let form = match load_of(cx, &step.0) {
            Ok(form) => form,
            Err(Halt::Failed(problem)) => return Ok(Err(problem.what)),
            Err(other) => return Err(other),
        };
        for item in &form.items {
            let Some(settings) = now.get(&item.id) else {
                if item.is_by_hand() {
                    by_hand += 1;
                    continue;
                }
                differ.push(format!("{} is gone from the application since it was captured", item.id));
                continue;
            };
            let changes = changes(cx, &step.0, item, &found, settings).await?;
            if !changes.is_empty() {
                let changes: Vec<String> = changes.iter().map(Change::words).collect();
                differ.push(format!("{} was changed since it was captured: {}", item.id, changes.join(", ")));
            }
            compared += 1;
        }
        let new = now
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, settings)| found.takes(settings) && !form.items.iter().any(|item| item.id == **name));
        differ.extend(new.map(|(name, _)| format!("{} is in the application and was not captured", printable(name))));
        if !differ.is_empty() && cause.is_empty() {
            cause = restarted(cx, &step).await;
        }
    }
    if !differ.is_empty() {
        return Ok(Err(differ.join("; ") + &cause));
    }
    let mut sentence = format!("{} read again, the same", units::plural(compared, "item", "items"));
    if by_hand > 0 {
        let _ = write!(sentence, "; {by_hand} typed by hand, not in the application");
    }
    Ok(Ok(sentence))
}

/// The likely cause, where the core container is younger than what was captured by `step`.
async fn restarted(cx: &StepCx, step: &StepId) -> String {
    match cx.driver.state().step(step) {
        StepState::Done { at, .. } => {
            restarted_since(cx, *at).await.map_or_else(String::new, |cause| format!("; {cause}"))
        }
        _ => String::new(),
    }
}

/// Says so, where the core container is younger than what was captured at that time.
pub async fn restarted_since(cx: &StepCx, captured: jiff::Timestamp) -> Option<String> {
    let deployment = cx.deployment().ok()?;
    let (_, pod) = ready_pod(cx, cx.namespace(), &deployment.core).await.ok()?;
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    let core = statuses.into_iter().flatten().find(|status| text(status, "/name") == deployment.core.container)?;
    let started = text(core, "/state/running/startedAt").parse::<jiff::Timestamp>().ok()?;
    (started > captured).then(|| {
        format!(
            "the core container started again at {started:.0}, after it was captured: a restart loses every setting, and \
             the vault still has them"
        )
    })
}

/// Whether every volume that `step` set to keep still is.
pub async fn volumes_kept(cx: &StepCx, step: &str) -> Result<Result<String, String>, Halt> {
    let (state, step) = (cx.driver.state(), StepId(step.to_owned()));
    let (Some(facts), StepState::Done { .. }) = (state.facts.get(&step), state.step(&step)) else {
        return Ok(Err("the volumes are not set to keep yet".to_owned()));
    };
    let volumes = facts["volumes"].as_array().cloned().unwrap_or_default();
    if volumes.is_empty() {
        return Ok(Err("the deployment has no volume that could be kept: there would be no fast way back".to_owned()));
    }
    for volume in &volumes {
        let name = text(volume, "/volume");
        let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() };
        let now = cx.world.objects.get(&reference).await?;
        let keeps = now.as_ref().is_some_and(|now| {
            text(now, "/spec/persistentVolumeReclaimPolicy") == "Retain"
                && text(now, "/metadata/uid") == text(volume, "/uid")
        });
        if !keeps {
            return Ok(Err(format!("volume {name} does not say keep any more")));
        }
    }
    Ok(Ok(units::plural(volumes.len(), "volume says keep", "volumes say keep")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_neither_equal_nor_different() {
        let Value::Object(wanted) = json!({"token": "abc", "owner": "x", "active": true}) else { unreachable!() };
        let (differ, masked) = differences(&wanted, &json!({"token": "********", "owner": "y", "active": true}));
        assert_eq!((differ, masked), (vec!["owner".to_owned()], vec!["token".to_owned()]));
        let Value::Object(wanted) = json!({"password": "********", "settings": {"key": "********", "s": 30}}) else {
            unreachable!()
        };
        let now = Value::Object(wanted.clone());
        let masked = vec!["password".to_owned(), "settings.key".to_owned()];
        assert_eq!(differences(&wanted, &now), (Vec::new(), masked), "a mask is not the same as itself");
        let (differ, _) =
            differences(&wanted, &json!({"password": "********", "settings": {"key": "********", "s": 31}}));
        assert_eq!(differ, ["settings"]);
        assert_eq!(differences(&wanted, &json!({})).0, ["password", "settings"]);
        assert_eq!(guessed("true"), json!(true));
        assert_eq!(guessed("{\"a\":1}"), json!({"a": 1}));
        assert_eq!(guessed("42"), json!("42"));
    }
}
