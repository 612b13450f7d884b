//! Which namespace a rehearsal can have, read from the cluster: whether it is there, whose it is, and whether it is empty. Only
//! reads. Called by `scratch_place`, by the checks and the rights of the preflight, and by `cli` before a run begins.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    actions::{
        context::{Halt, StepCx, right},
        objects::{
            pods::text,
            removal::{furniture, kinds_of_applications},
            rooms,
        },
    },
    ports::{Identity, Kind, Objects, PortError, PortErrorKind, Right},
};

/// Label that marks what a run has made, with its short id.
pub const MARK: &str = "drydock.run";
/// Things in a namespace that are named; the others are counted.
const NAMED: usize = 4;

/// How a rehearsal can have its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is made, and goes again; or it is of this run already.
    Made,
    /// It is there and empty, and stays.
    Given,
    /// It is there and cannot be used, and why.
    Taken(String),
    /// None may be made, and this one is not there or may not be read.
    Refused,
}

/// What stands under the name now.
pub enum There {
    Nothing,
    /// It may not be read, nor what is in it.
    Unknown,
    /// This run made it, as it is.
    Ours(Value),
    /// It is somebody else's.
    Other(Option<Value>),
}

fn mark(found: &Value) -> Option<&str> {
    found.pointer("/metadata/labels").and_then(|labels| labels.get(MARK)).and_then(Value::as_str)
}

/// Effect with which a given namespace is taken; its result is the namespace's id.
pub fn taking(name: &str) -> String {
    format!("use the empty namespace {name} for the rehearsal")
}

/// Effect with which it is emptied again.
pub fn emptying(name: &str) -> String {
    format!("remove what this run made in {name}")
}

/// Kinds of which something may be in a copy. Who may do what is never of a copy: an empty namespace that was given has that.
pub async fn kinds_inside(objects: &dyn Objects) -> Result<Vec<Kind>, PortError> {
    let all = kinds_of_applications(objects).await?.into_iter();
    Ok(all.filter(|kind| !["Role", "RoleBinding"].contains(&kind.kind.as_str())).collect())
}

/// What is in a namespace beyond what every one has and what says who may do how much there, as `ConfigMap notes`.
///
/// # Errors
/// `Forbidden` where a kind may not be listed there: then nobody knows whether it is empty.
pub async fn contents(objects: &dyn Objects, name: &str) -> Result<Vec<String>, PortError> {
    let mut found = Vec::new();
    for kind in kinds_inside(objects).await? {
        // what bounds those whom it was given to
        if ["LimitRange", "ResourceQuota"].contains(&kind.kind.as_str()) {
            continue;
        }
        for object in objects.list(&kind, Some(name), "").await? {
            if !furniture(&kind, &object) {
                found.push(format!("{} {}", kind.kind, text(&object, "/metadata/name")));
            }
        }
    }
    Ok(found)
}

/// Why a namespace that is there cannot be used, or nothing when it is empty.
///
/// # Errors
/// As of [`contents`].
pub async fn unusable(objects: &dyn Objects, name: &str, found: Option<&Value>) -> Result<Option<String>, PortError> {
    if let Some(found) = found {
        if found.pointer("/metadata/deletionTimestamp").is_some() {
            return Ok(Some(format!("namespace {name} is being removed; wait until it is gone, or name another")));
        }
        if let Some(run) = mark(found) {
            return Ok(Some(format!(
                "namespace {name} is left of run {run}; name another, or remove it: kubectl delete namespace {name}"
            )));
        }
    }
    let all = contents(objects, name).await?;
    if all.is_empty() {
        return Ok(None);
    }
    let more = all.len().saturating_sub(NAMED);
    let mut named: Vec<String> = all.into_iter().take(NAMED).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    Ok(Some(format!(
        "namespace {name} is there and not empty: {}; drydock never empties what it has not made, so name another",
        named.join(", ")
    )))
}

pub async fn look(cx: &StepCx, name: &str) -> Result<There, Halt> {
    match cx.world.objects.get(&rooms::reference(name)).await {
        Ok(None) => Ok(There::Nothing),
        Ok(Some(found)) if mark(&found) == Some(cx.short().as_str()) => Ok(There::Ours(found)),
        Ok(Some(found)) => Ok(There::Other(Some(found))),
        // rights in one namespace often do not hold the namespace itself
        Err(error) if error.kind == PortErrorKind::Forbidden => match cx.world.objects.identity(name).await {
            Ok(_) => Ok(There::Other(None)),
            Err(error) if matches!(error.kind, PortErrorKind::Forbidden | PortErrorKind::NotFound) => {
                Ok(There::Unknown)
            }
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// How the rehearsal of this run can have the namespace. Only reads.
pub async fn way(cx: &StepCx, name: &str) -> Result<Way, Halt> {
    let may_make = || async {
        let answers = cx.world.objects.access(&[right("create", "", "namespaces", "", None)]).await?;
        Ok::<_, Halt>(if answers.iter().all(|answer| answer.allowed) { Way::Made } else { Way::Refused })
    };
    match look(cx, name).await? {
        There::Ours(_) => Ok(Way::Made),
        There::Nothing | There::Unknown => may_make().await,
        There::Other(_) if is_taken(cx, name).await? => Ok(Way::Given),
        There::Other(found) => Ok(match unusable(cx.world.objects.as_ref(), name, found.as_ref()).await? {
            Some(why) => Way::Taken(why),
            None => Way::Given,
        }),
    }
}

/// What is needed to use and empty a given namespace, beyond `known`, which a copy needs anyhow: whatever is made there is
/// deleted there.
pub async fn rights_in(cx: &StepCx, name: &str, known: &BTreeSet<Right>) -> Result<Vec<Right>, Halt> {
    let here = |right: &&Right| right.namespace.as_deref() == Some(name) && right.subresource.is_empty();
    let made = known.iter().filter(here).filter(|right| right.verb == "create");
    let deleted = made.map(|right| Right { verb: "delete".to_owned(), ..right.clone() });
    let lists = kinds_inside(cx.world.objects.as_ref()).await?;
    let lists = lists.into_iter().map(|kind| right("list", &kind.group, &kind.plural, "", Some(name)));
    let claims = right("delete", "", "persistentvolumeclaims", "", Some(name));
    Ok(deleted.chain(lists).chain([claims]).collect())
}

/// The ways in which a namespace can be had where none may be made, one line each.
pub fn ways(cx: &StepCx) -> Vec<String> {
    vec![
        "ask for: {apiGroups: [\"\"], resources: [\"namespaces\"], verbs: [\"get\", \"create\", \"delete\"]} in the cluster"
            .to_owned(),
        format!(
            "or ask for an empty namespace with the Role you have in {}, and name it: --set rehearsal=NAME",
            cx.namespace()
        ),
    ]
}

/// The id of a given namespace that whoever has rights in it can read.
pub fn id_of(place: &Identity) -> &str {
    if place.root_uid.is_empty() { &place.namespace_uid } else { &place.root_uid }
}

/// Whether this run took that very namespace, and has not seen it empty since.
pub async fn is_taken(cx: &StepCx, name: &str) -> Result<bool, Halt> {
    let (taking, emptying) = (taking(name), emptying(name));
    let state = cx.driver.state();
    let mut last = None;
    for effect in state.effects.iter().filter(|effect| effect.result.is_some()) {
        if effect.effect == taking {
            last.clone_from(&effect.result);
        } else if effect.effect == emptying {
            last = None;
        }
    }
    let Some(uid) = last else { return Ok(false) };
    Ok(id_of(&cx.world.objects.identity(name).await?) == uid)
}
