//! What a step stopped and left: whether it stands as it was left, so that nothing can have been written by it since. Reads
//! only; called by `scale`, which writes it down, and by the gate of its removal.

use serde_json::{Map, Value, json};

use super::{
    pods::{object, text},
    removal,
};
use crate::{
    actions::{
        context::{Halt, StepCx},
        spec::ScaleSpec,
    },
    ports::{Kind, kinds},
    text::units,
};

/// Member of the facts of a `scale` step: each workload with its uid and generation once it had no replicas.
const LEFT: &str = "left";

/// The workloads of a step, with their kinds, in the order in which they are scaled.
pub fn workloads(spec: &ScaleSpec) -> impl Iterator<Item = (Kind, &str)> {
    let deployments = spec.deployments.iter().map(|name| (kinds::deployment(), name.as_str()));
    deployments.chain(spec.stateful_sets.iter().map(|name| (kinds::stateful_set(), name.as_str())))
}

/// Adds how each workload of a step was left to its facts.
pub async fn write_down(cx: &StepCx, spec: &ScaleSpec, facts: &mut Value) -> Result<(), Halt> {
    let mut left = Map::new();
    for (kind, name) in workloads(spec) {
        let Some(now) = cx.get(&object(kind.clone(), cx.namespace(), name)).await? else { continue };
        let generation = now.pointer("/metadata/generation").cloned().unwrap_or_default();
        left.insert(
            format!("{}/{name}", kind.kind),
            json!({"uid": text(&now, "/metadata/uid"), "generation": generation}),
        );
    }
    facts[LEFT] = Value::Object(left);
    Ok(())
}

/// Whether what `step` stopped stands as it was left, every change of it counted by the server, and no pod is there; in words
/// either way.
pub async fn still(cx: &StepCx, step: &str) -> Result<Result<String, String>, Halt> {
    let facts = cx.facts_of(step)?;
    let left = facts[LEFT].as_object().cloned().unwrap_or_default();
    if left.is_empty() {
        return Ok(Err("nobody wrote down how it was left".to_owned()));
    }
    for (workload, before) in &left {
        let (kind, name) = workload.split_once('/').unwrap_or_default();
        let kind = if kind == "StatefulSet" { kinds::stateful_set() } else { kinds::deployment() };
        let Some(now) = cx.get(&object(kind, cx.namespace(), name)).await? else {
            // taken by the removal itself, or by somebody: it runs no more
            continue;
        };
        if text(&now, "/metadata/uid") != text(before, "/uid") {
            return Ok(Err(format!("{workload} was made anew since it was stopped")));
        }
        let replicas = now.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        if replicas > 0 {
            return Ok(Err(format!("{workload} runs again: {}", units::plural(replicas, "replica", "replicas"))));
        }
        if now.pointer("/metadata/generation") != before.get("generation") {
            return Ok(Err(format!("{workload} was changed since it was stopped, and may have run meanwhile")));
        }
    }
    let is_over = |pod: &Value| matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
    let goes = removal::find_in(cx, vec![kinds::stateful_set(), kinds::claim()]).await?.goes;
    // a neighbour's pod on a volume of its own is no matter
    let ours: Vec<&str> = goes.iter().map(|target| target.object.name.as_str()).collect();
    let pods = cx.list(&kinds::pod(), cx.namespace(), "").await?;
    if let Some(pod) = pods.iter().find(|pod| !is_over(pod) && claims_of(pod).any(|claim| ours.contains(&claim))) {
        return Ok(Err(format!("pod {} is there and uses a volume of it", text(pod, "/metadata/name"))));
    }
    Ok(Ok(format!(
        "{} as they were left, at 0 all the time since; no pod uses a volume",
        units::plural(left.len(), "part is", "parts are")
    )))
}

fn claims_of(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    volumes.into_iter().flatten().filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str())
}
