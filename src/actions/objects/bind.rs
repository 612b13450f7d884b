//! Volumes that were kept when their claims went: whether they are there still, and setting them free for a new claim of the
//! same name. Nothing here removes anything. Called by `patch`, by the checks and by the gate of what they take the place of.

use serde_json::{Value, json};

use super::{
    keep,
    pods::{object, text},
};
use crate::{
    actions::context::{Halt, StepCx},
    ports::{ObjectRef, kinds},
    run::short_of,
    text::{Diagnostic, units},
};

/// How a kept volume stands.
enum Stands {
    /// Its claim of before, or a new one of the same name, holds it.
    Held,
    /// No claim holds it, and only one of that name can.
    Free,
    /// It still names the claim that is gone: no other can hold it.
    Released,
}

/// A volume as it was kept, and as it is.
struct Kept {
    volume: Value,
    claim: String,
    stands: Stands,
}

impl Kept {
    fn name(&self) -> &str {
        text(&self.volume, "/metadata/name")
    }
}

/// Every volume that `step` set to be kept.
///
/// # Errors
/// The inner one says which of them cannot be used, and why.
async fn read(cx: &StepCx, step: &str) -> Result<Result<Vec<Kept>, String>, Halt> {
    let facts = cx.facts_of(step)?;
    let mut all = Vec::new();
    for kept in facts["volumes"].as_array().into_iter().flatten() {
        let (name, claim) = (text(kept, "/volume"), text(kept, "/claim"));
        let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() };
        let Some(volume) = cx.get(&reference).await? else {
            return Ok(Err(format!("volume {name} of {claim} is not there any more")));
        };
        if text(&volume, "/metadata/uid") != text(kept, "/uid") {
            return Ok(Err(format!("volume {name} of {claim} is another one of that name")));
        }
        let policy = text(&volume, "/spec/persistentVolumeReclaimPolicy");
        if policy != "Retain" {
            return Ok(Err(format!("volume {name} of {claim} says {policy}, not keep")));
        }
        let of = |field: &str| text(&volume, &format!("/spec/claimRef/{field}")).to_owned();
        if of("name").is_empty() {
            let (name, ns) = (text(kept, "/volume"), cx.namespace());
            return Ok(Err(format!(
                "volume {name} is there, and any claim may take it; reserve it first: kubectl patch pv {name} --type merge -p \
                 '{{\"spec\":{{\"claimRef\":{{\"namespace\":\"{ns}\",\"name\":\"{claim}\"}}}}}}'"
            )));
        }
        if of("namespace") != cx.namespace() || of("name") != claim {
            return Ok(Err(format!("volume {name} of {claim} belongs to {}/{} now", of("namespace"), of("name"))));
        }
        let holder = cx.get(&object(kinds::claim(), cx.namespace(), claim)).await?;
        let stands = match holder {
            Some(holder) if text(&holder, "/spec/volumeName") == name => Stands::Held,
            // what took its place is looked at by who puts it back
            _ if of("uid").is_empty() => Stands::Free,
            _ => Stands::Released,
        };
        all.push(Kept { volume, claim: claim.to_owned(), stands });
    }
    if all.is_empty() {
        let why = keep::not_kept(cx, step).map_or_else(String::new, |why| format!(" ({why})"));
        let short = short_of(cx.driver.state().keeper_of(step)).to_owned();
        return Ok(Err(format!(
            "no volume was kept{why}: only the proven dump leads back, by the commands at the end of `drydock report {short}`"
        )));
    }
    Ok(Ok(all))
}

/// Whether the volumes that `step` set to be kept are there, kept and nobody else's; in words either way.
pub async fn kept(cx: &StepCx, step: &str) -> Result<Result<String, String>, Halt> {
    Ok(read(cx, step).await?.map(|all| {
        let names: Vec<&str> = all.iter().map(Kept::name).collect();
        format!("{} kept: {}", units::plural(all.len(), "volume is", "volumes are"), names.join(", "))
    }))
}

/// Whether no claim holds any of the volumes that are left of those that `step` set to be kept; in words either way.
pub async fn unused(cx: &StepCx, step: &str) -> Result<Result<String, String>, Halt> {
    let facts = cx.facts_of(step)?;
    let mut free = 0;
    for kept in facts["volumes"].as_array().into_iter().flatten() {
        let (name, uid) = (text(kept, "/volume"), text(kept, "/uid"));
        let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() };
        let Some(volume) = cx.get(&reference).await?.filter(|now| text(now, "/metadata/uid") == uid) else { continue };
        let of = |field: &str| text(&volume, &format!("/spec/claimRef/{field}")).to_owned();
        let claim = cx.get(&object(kinds::claim(), &of("namespace"), &of("name"))).await?;
        if claim.is_some_and(|claim| text(&claim, "/spec/volumeName") == name) {
            return Ok(Err(format!("volume {name} is held by claim {}/{}", of("namespace"), of("name"))));
        }
        // the storage takes back only what was released; one that waits for a claim would go with the data of that claim
        if !matches!(text(&volume, "/status/phase"), "Released" | "Failed") {
            let (phase, of) = (text(&volume, "/status/phase"), of("name"));
            return Ok(Err(format!("volume {name} is {phase} for claim {of}: somebody began to bring it back")));
        }
        free += 1;
    }
    Ok(Ok(format!("{} of before, held by no claim", units::plural(free, "volume", "volumes"))))
}

/// How many of the volumes can be held by a claim of their name, or are; and how many there are.
pub async fn reached(cx: &StepCx, step: &str) -> Result<(usize, usize), Halt> {
    let all = read(cx, step).await?.map_err(Diagnostic::new)?;
    Ok((all.iter().filter(|kept| !matches!(kept.stands, Stands::Released)).count(), all.len()))
}

/// Sets the volumes free for a new claim of the same name; says of each what it is free for.
///
/// # Errors
/// A refusal where another claim of that name is in the way, or a volume cannot be used.
pub async fn set_free(cx: &StepCx, step: &str) -> Result<Vec<(String, String)>, Halt> {
    let unusable = |reason: String| {
        Halt::Refused(Box::new(
            Diagnostic::new(reason).safe("every volume: none was changed").help("the proven dump leads back, too"),
        ))
    };
    let all = read(cx, step).await?.map_err(unusable)?;
    for kept in &all {
        let in_the_way = cx.get(&object(kinds::claim(), cx.namespace(), &kept.claim)).await?;
        if !matches!(kept.stands, Stands::Held) && in_the_way.is_some() {
            return Err(unusable(format!(
                "claim {} is there and holds another volume than {}",
                kept.claim,
                kept.name()
            )));
        }
    }
    for kept in all.iter().filter(|kept| matches!(kept.stands, Stands::Released)) {
        let name = kept.name();
        let effect = format!("set volume {name} free for claim {}", kept.claim);
        cx.effect(&effect).await?;
        let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() };
        // the claim's name stays: no other claim gets the volume. What this field manager set before is said again, or it would go
        let claim = json!({"uid": "", "resourceVersion": ""});
        let fields = json!({"spec": {"persistentVolumeReclaimPolicy": "Retain", "claimRef": claim}});
        cx.world.objects.apply(&reference, text(&kept.volume, "/metadata/uid"), &fields).await?;
        cx.effected(&effect, "accepted").await?;
    }
    let now = read(cx, step).await?.map_err(unusable)?;
    if let Some(kept) = now.iter().find(|kept| matches!(kept.stands, Stands::Released)) {
        return Err(Diagnostic::new(format!("volume {} still names a claim that is gone", kept.name())).into());
    }
    Ok(now.iter().map(|kept| (kept.name().to_owned(), kept.claim.clone())).collect())
}
