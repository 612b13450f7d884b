//! What a removal takes, read from the cluster: the kill list, each object by its uid; and whether a removal has begun that an
//! application would feel. Nothing here deletes. Called by `delete`, its `gate`, the checks, and whoever asks an application
//! that may be gone.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::pods::{object, text};
use crate::{
    actions::context::{Halt, StepCx},
    ports::{Kind, ObjectRef, Objects, PortError, kinds},
    run::StepId,
};

/// One object of the kill list.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Which.
    pub object: ObjectRef,
    /// Exactly this one.
    pub uid: String,
}

/// What belongs to the deployment in the namespace, in the order in which it is deleted, and what does not.
pub struct Found {
    /// What goes.
    pub goes: Vec<Target>,
    /// What stays, as `ConfigMap notes`.
    pub stays: Vec<String>,
}

/// Whether an object belongs to the Helm release: its own mark, its release record, or a claim of one of its StatefulSets.
fn belongs(object: &Value, kind: &Kind, release: &Release<'_>, stateful: &[String]) -> bool {
    let name = text(object, "/metadata/name");
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    // only a number follows: a neighbour may be called `RELEASE.vpn`
    let record = kind.kind == "Secret"
        && name.strip_prefix(&format!("sh.helm.release.v1.{}.v", release.name)).is_some_and(is_number);
    let claim = kind.kind == "PersistentVolumeClaim"
        && stateful.iter().any(|prefix| name.strip_prefix(prefix.as_str()).is_some_and(is_number));
    release.has(object) || record || claim || is_helper(object)
}

/// Whether drydock made it, to look at something or to carry it.
fn is_helper(object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels");
    labels.and_then(|all| all.get("app.kubernetes.io/managed-by")?.as_str()) == Some("drydock")
}

/// A Helm release.
struct Release<'a> {
    name: &'a str,
    namespace: &'a str,
}

impl Release<'_> {
    /// Whether an object carries its mark. A release of the same name in another namespace may have made objects in this one.
    fn has(&self, object: &Value) -> bool {
        let of = |key: &str| {
            object.pointer("/metadata/annotations").and_then(|all| all.get(format!("meta.helm.sh/{key}"))?.as_str())
        };
        of("release-name") == Some(self.name) && of("release-namespace").is_none_or(|place| place == self.namespace)
    }
}

/// Controllers go first, so that nothing is made again; then what they left; configuration and records last.
pub fn rank(kind: &str) -> u8 {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob" => 0,
        "Pod" => 1,
        "PersistentVolumeClaim" => 3,
        "Secret" => 4,
        _ => 2,
    }
}

/// Kinds of which something may belong to a deployment: all that the server has, but what it makes by itself.
pub async fn removable(cx: &StepCx) -> Result<Vec<Kind>, Halt> {
    Ok(kinds_of_applications(cx.world.objects.as_ref()).await?)
}

/// The same, for who has no step yet.
pub async fn kinds_of_applications(objects: &dyn Objects) -> Result<Vec<Kind>, PortError> {
    let noise = ["Event", "Endpoints", "EndpointSlice", "Lease", "ControllerRevision", "PodMetrics"];
    let all = objects.kinds().await?.into_iter();
    Ok(all.filter(|kind| kind.namespaced && !noise.contains(&kind.kind.as_str())).collect())
}

/// Whether an object is one that every namespace of a cluster has, made by the cluster itself.
pub fn furniture(kind: &Kind, object: &Value) -> bool {
    let name = text(object, "/metadata/name");
    match kind.kind.as_str() {
        "ConfigMap" => ["kube-root-ca.crt", "openshift-service-ca.crt", "istio-ca-root-cert"].contains(&name),
        "ServiceAccount" => ["default", "builder", "deployer"].contains(&name),
        // what logs those accounts in
        "Secret" => object
            .pointer("/metadata/annotations")
            .and_then(|all| all.get("kubernetes.io/service-account.name")?.as_str())
            .is_some_and(|account| ["default", "builder", "deployer"].contains(&account)),
        _ => false,
    }
}

/// Reads the kill list. Objects that others own, and those every namespace has, are neither listed nor touched.
pub async fn find(cx: &StepCx) -> Result<Found, Halt> {
    find_in(cx, removable(cx).await?).await
}

/// The same of these kinds only.
pub async fn find_in(cx: &StepCx, kinds: Vec<Kind>) -> Result<Found, Halt> {
    let name = cx.render(&cx.deployment()?.helm.release)?;
    let release = Release { name: &name, namespace: cx.namespace() };
    let mut all: Vec<(Kind, Value)> = Vec::new();
    for kind in kinds {
        let objects = cx.world.objects.list(&kind, Some(cx.namespace()), "").await?;
        all.extend(objects.into_iter().map(|object| (kind.clone(), object)));
    }
    let mut stateful = Vec::new();
    for (kind, object) in &all {
        // a neighbour's claims are made of templates, too
        if kind.kind == "StatefulSet" && release.has(object) {
            for template in object.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array).into_iter().flatten()
            {
                stateful.push(format!("{}-{}-", text(template, "/metadata/name"), text(object, "/metadata/name")));
            }
        }
    }
    // a removal that was cut took the StatefulSet before its claim, and with it what tells that the claim belongs: what an
    // opened gate listed by uid still goes
    let listed: Vec<Value> = cx.driver.draft(&cx.step).and_then(|draft| draft.as_array().cloned()).unwrap_or_default();
    let mut found = Found { goes: Vec::new(), stays: Vec::new() };
    let released: BTreeSet<String> = all
        .iter()
        .filter(|(_, object)| release.has(object))
        .map(|(_, object)| text(object, "/metadata/uid").to_owned())
        .collect();
    for (kind, object) in all {
        let name = text(&object, "/metadata/name").to_owned();
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        // what is owned goes with its owner, unasked; a claim takes its volume along, so it is listed and kept like any other
        let claim = kind.kind == "PersistentVolumeClaim"
            && owners.into_iter().flatten().any(|owner| released.contains(text(owner, "/uid")));
        let owned = !claim && owners.is_some_and(|owners| !owners.is_empty());
        let furniture = furniture(&kind, &object);
        // a helper of ours that ends already would be gone while the words are typed, and the list another one
        let ending = is_helper(&object) && object.pointer("/metadata/deletionTimestamp").is_some();
        if owned || furniture || ending {
            continue;
        }
        let uid = text(&object, "/metadata/uid").to_owned();
        let ours = claim || belongs(&object, &kind, &release, &stateful);
        let target = Target { object: ObjectRef { kind, namespace: Some(cx.namespace().to_owned()), name }, uid };
        if ours || listed.contains(&entry_of(&target)) {
            found.goes.push(target);
        } else {
            found.stays.push(format!("{} {}", target.object.kind.kind, target.object.name));
        }
    }
    found.goes.sort_by(|a, b| (rank(&a.object.kind.kind), &a.object).cmp(&(rank(&b.object.kind.kind), &b.object)));
    Ok(found)
}

/// A target as the draft and the facts of its step hold it.
pub fn entry_of(target: &Target) -> Value {
    json!({"object": target.object, "uid": target.uid})
}

/// How the journal names the deletion of a target.
pub fn effect_of(target: &Target) -> String {
    deletion(&target.object.kind.kind, &target.object.name, &target.uid)
}

fn deletion(kind: &str, name: &str, uid: &str) -> String {
    format!("delete {kind} {name} uid {uid}")
}

/// Whether a workload without which the application cannot answer was deleted by this run: only then is it no wonder that it
/// does not. A deletion that was written down and never answered counts once its object is gone.
pub async fn is_under_way(cx: &StepCx) -> Result<bool, Halt> {
    let deployment = cx.deployment()?;
    let state = cx.driver.state();
    for (kind, name) in deployment.parts.iter().filter_map(|part| part.split_once('/')) {
        if deployment.writers.iter().any(|writer| writer == name) {
            continue;
        }
        let begin = deletion(kind, name, "");
        let of_removal = |step: &StepId| state.planned(step).is_some_and(|step| step.kind == "delete");
        for effect in state.effects.iter().filter(|effect| of_removal(&effect.step)) {
            let Some(uid) = effect.effect.strip_prefix(&begin) else { continue };
            let kind = if kind == "StatefulSet" { kinds::stateful_set() } else { kinds::deployment() };
            let is_there = async {
                let now = cx.world.objects.get(&object(kind, cx.namespace(), name)).await?;
                Ok::<_, Halt>(now.is_some_and(|now| text(&now, "/metadata/uid") == uid))
            };
            if effect.result.is_some() || !is_there.await? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
