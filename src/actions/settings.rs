//! Captured settings against what the application says now: before the removal (nothing was edited since) and after the
//! re-apply (all is back). Secrets are compared and never shown.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Map, Value, json};

use super::{
    api::Api,
    ask::EXTRA,
    context::{Halt, StepCx, secret_name},
    form_state::load_of,
    pods::{ready_pod, text},
    spec::FoundInApi,
};
use crate::{
    ports::{ObjectRef, Provenance, kinds},
    run::{FieldValue, Item, StepId, StepState, equal_but_for_masks, masks_within},
    text::{Diagnostic, units},
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
        let value = match item.values.get(field) {
            None | Some(FieldValue::Empty) => continue,
            Some(FieldValue::Text { value, .. }) => typed(value),
            Some(FieldValue::Secret { .. }) => {
                let secret = cx.secret(&secret_name(step, &item.id, field)).await?;
                json!(String::from_utf8_lossy(secret.expose_secret()))
            }
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

/// A field's text as the JSON it stands for: `true`, `false` and objects; everything else is a string.
fn typed(value: &str) -> Value {
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

/// Whether the application still says what these steps captured; in words either way.
pub async fn unchanged(cx: &StepCx, steps: &[String]) -> Result<Result<String, String>, Halt> {
    let state = cx.driver.state();
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    let (mut compared, mut by_hand) = (0, 0);
    let api = match Api::open(cx, cx.namespace()).await {
        Ok(api) => api,
        Err(Halt::Failed(problem)) => {
            // after a removal that was cut there is no application left to ask; what it said before is what counts
            return Ok(if state.removal_begun() {
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
                if is_typed(item) {
                    by_hand += 1;
                    continue;
                }
                let what = format!("{} is gone from the application since it was captured", item.id);
                return Ok(Err(what + &restarted(cx, &step).await));
            };
            let members: BTreeMap<_, _> = found
                .fields
                .iter()
                .filter(|(field, _)| {
                    item.values.get(*field).is_none_or(|value| *value == FieldValue::Empty || is_found(value))
                })
                .map(|(a, b)| (a.clone(), b.clone()))
                .collect();
            let (differ, _) = differences(&body(cx, &step.0, item, &members).await?, settings);
            if !differ.is_empty() {
                let what = format!("{} was changed since it was captured: {}", item.id, differ.join(", "));
                return Ok(Err(what + &restarted(cx, &step).await));
            }
            compared += 1;
        }
        let belongs = |settings: &Value| found.filter.iter().all(|(k, v)| text(settings, &format!("/{k}")) == v);
        let new = now
            .as_object()
            .into_iter()
            .flatten()
            .find(|(name, settings)| belongs(settings) && !form.items.iter().any(|item| item.id == **name));
        if let Some((name, _)) = new {
            return Ok(Err(format!("{} is in the application and was not captured", crate::text::printable(name))));
        }
    }
    let mut sentence = format!("{} read again, the same", units::plural(compared, "item", "items"));
    if by_hand > 0 {
        let _ = write!(sentence, "; {by_hand} typed by hand, not in the application");
    }
    Ok(Ok(sentence))
}

/// Whether the application itself told this value.
fn is_found(value: &FieldValue) -> bool {
    matches!(value, FieldValue::Secret { provenance, .. } | FieldValue::Text { provenance, .. }
        if matches!(provenance, Provenance::Found { .. }))
}

/// Whether an item was added by hand: the application told nothing of it, so it cannot be gone from there.
fn is_typed(item: &Item) -> bool {
    item.extra.is_empty() && !item.values.values().any(is_found)
}

/// The likely cause, where the core container is younger than what was captured by `step`.
async fn restarted(cx: &StepCx, step: &StepId) -> String {
    let state = cx.driver.state();
    let (StepState::Done { at, .. }, Ok(deployment)) = (state.step(step), cx.deployment()) else {
        return String::new();
    };
    let Ok((_, pod)) = ready_pod(cx, cx.namespace(), &deployment.core).await else { return String::new() };
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    let core = statuses.into_iter().flatten().find(|status| text(status, "/name") == deployment.core.container);
    let started = core.and_then(|status| text(status, "/state/running/startedAt").parse::<jiff::Timestamp>().ok());
    match started {
        Some(started) if started > *at => format!(
            "; the core container started again at {started:.0}, after it was captured: a restart loses every setting, \
             and the vault still has them"
        ),
        _ => String::new(),
    }
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
        assert_eq!(typed("true"), json!(true));
        assert_eq!(typed("{\"a\":1}"), json!({"a": 1}));
        assert_eq!(typed("42"), json!("42"));
    }
}
