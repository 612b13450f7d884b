//! `patch`: volumes of the deployment's claims are set to be kept before anything is removed, and set free for its claims when
//! it comes back.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{
    bind, keep, owners,
    pods::{object, text},
    removal::find_in,
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        spec::{PatchObjects, PatchSpec},
    },
    ports::{ObjectRef, kinds},
    run::{Repeat, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

/// The field that is changed, for who owns it.
const POLICY: [&str; 2] = ["spec", "persistentVolumeReclaimPolicy"];

/// Volumes bound to claims that go with the deployment, each with claim name.
pub async fn volumes(cx: &StepCx) -> Result<Vec<(String, Value)>, Halt> {
    let mut found = Vec::new();
    let goes = find_in(cx, vec![kinds::stateful_set(), kinds::claim()]).await?.goes;
    for target in goes.into_iter().filter(|target| target.object.kind == kinds::claim()) {
        let name = target.object.name.clone();
        let Some(claim) = cx.world.objects.get(&target.object).await? else { continue };
        let volume = text(&claim, "/spec/volumeName");
        if volume.is_empty() {
            continue;
        }
        let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: volume.to_owned() };
        let Some(json) = cx.world.objects.get(&reference).await? else {
            return Err(Diagnostic::new(format!("claim {name} names volume {volume}, which does not exist")).into());
        };
        found.push((name, json));
    }
    Ok(found)
}

/// How many of these volumes are set to be kept, and how many there are.
fn said(volumes: &[(String, Value)]) -> (usize, usize) {
    (volumes.iter().filter(|(_, volume)| policy(volume) == "Retain").count(), volumes.len())
}

pub fn policy(volume: &Value) -> &str {
    text(volume, "/spec/persistentVolumeReclaimPolicy")
}

#[async_trait]
impl Action for PatchSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        match self.objects {
            PatchObjects::KeepVolumes => Described {
                commands: vec![
                    "$ kubectl patch persistentvolume VOLUME -p '{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Retain\"}}'".to_owned(),
                ],
                rights: vec![right("list", "", "persistentvolumeclaims", "", Some(cx.namespace))]
                    .into_iter()
                    .chain(if self.or_dump.is_none() { keep::rights() } else { Vec::new() })
                    .collect(),
                optional: if self.or_dump.is_some() { keep::rights() } else { Vec::new() },
                ..Described::default()
            },
            PatchObjects::BindVolumes => Described {
                commands: vec![
                    "$ kubectl patch persistentvolume VOLUME -p '{\"spec\":{\"claimRef\":{\"uid\":null,\"resourceVersion\":null}}}'".to_owned(),
                ],
                rights: vec![
                    right("get", "", "persistentvolumeclaims", "", Some(cx.namespace)),
                    right("get", "", "persistentvolumes", "", None),
                    right("patch", "", "persistentvolumes", "", None),
                ],
                ..Described::default()
            },
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        if self.or_dump.is_some() && !keep::missing(cx).await?.is_empty() {
            return Ok(Probed::new(Verdict::NotDone, "no volume can be kept here, so none was changed"));
        }
        let (kept, all) = match &self.kept {
            Some(step) => bind::reached(cx, step).await?,
            None => said(&volumes(cx).await?),
        };
        let what = if self.kept.is_some() { "free for their claims" } else { "set to keep" };
        Ok(match kept {
            n if n == all => Probed::new(Verdict::Done, format!("{n} of {n} volumes are {what}")),
            0 => Probed::new(Verdict::NotDone, format!("no volume is {what} yet")),
            n => Probed::new(Verdict::Partly, format!("{n} of {all} volumes are {what}")),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        if let Some(step) = &self.kept {
            let free = bind::set_free(cx, step).await?;
            let row = |(volume, claim): &(String, String)| Row {
                sign: Sign::Done,
                word: "free".into(),
                name: claim.clone(),
                detail: volume.clone(),
            };
            cx.show("", free.iter().map(row).collect(), None, None);
            return Ok(Done::plain(format!(
                "{} free for their claims",
                units::plural(free.len(), "volume", "volumes")
            )));
        }
        if let Some(rehearsal) = &self.or_dump {
            let missing = keep::missing(cx).await?;
            if !missing.is_empty() {
                return keep::without(cx, rehearsal, &missing).await;
            }
        }
        // what each of them said before, by uid: the way to put it back
        let mut before: Map<String, Value> =
            cx.driver.draft(&cx.step).and_then(|draft| draft.as_object().cloned()).unwrap_or_default();
        for (_, volume) in volumes(cx).await?.into_iter().filter(|(_, volume)| policy(volume) != "Retain") {
            before.insert(text(&volume, "/metadata/uid").to_owned(), json!(policy(&volume)));
            cx.driver.save_draft(&cx.step, Value::Object(before.clone())).await?;
            set(cx, &volume, "Retain").await?;
        }
        // read back: only what the cluster says counts
        let now = volumes(cx).await?;
        if let Some((claim, volume)) = now.iter().find(|(_, volume)| policy(volume) != "Retain") {
            return Err(Diagnostic::new(format!(
                "volume {} of claim {claim} still says {}",
                text(volume, "/metadata/name"),
                policy(volume)
            ))
            .into());
        }
        let rows = now.iter().map(|(claim, volume)| Row {
            sign: Sign::Done,
            word: "keep".into(),
            name: claim.clone(),
            detail: format!("{} {}", text(volume, "/metadata/name"), text(volume, "/spec/capacity/storage")),
        });
        cx.show("", rows.collect(), None, None);
        let facts: Vec<Value> = now
            .iter()
            .map(|(claim, volume)| {
                json!({"claim": claim, "volume": text(volume, "/metadata/name"), "uid": text(volume, "/metadata/uid"),
                       "size": text(volume, "/spec/capacity/storage")})
            })
            .collect();
        Ok(Done::with(
            format!("{} set to keep", units::plural(now.len(), "volume", "volumes")),
            json!({ "volumes": facts }),
        ))
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        let changed = changed(cx).await?;
        Ok(changed
            .iter()
            .map(|(volume, to)| format!("volume {} back to {to}", text(volume, "/metadata/name")))
            .collect())
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let all = changed(cx).await?;
        for (volume, to) in &all {
            set(cx, volume, to).await?;
        }
        if let Some((volume, to)) = changed(cx).await?.first() {
            let name = text(volume, "/metadata/name");
            return Err(Diagnostic::new(format!("volume {name} does not say {to} again")).into());
        }
        for (volume, _) in &all {
            let name = text(volume, "/metadata/name").to_owned();
            let reference = ObjectRef { kind: kinds::volume(), namespace: None, name };
            owners::give_back(cx, &reference, text(volume, "/metadata/uid"), &POLICY).await?;
        }
        let names: Vec<String> = all
            .iter()
            .map(|(volume, to)| format!("volume {} says {to} again", text(volume, "/metadata/name")))
            .collect();
        Ok(if names.is_empty() { "the volumes say what they said".to_owned() } else { names.join(", ") })
    }
}

/// Sets the policy of exactly this volume.
async fn set(cx: &StepCx, volume: &Value, to: &str) -> Result<(), Halt> {
    let name = text(volume, "/metadata/name");
    let effect = format!("set volume {name} from {} to {to}", policy(volume));
    owners::remember(cx, volume).await?;
    cx.effect(&effect).await?;
    let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() };
    let fields = json!({"spec": {"persistentVolumeReclaimPolicy": to}});
    cx.world.objects.apply(&reference, text(volume, "/metadata/uid"), &fields).await?;
    cx.effected(&effect, "accepted").await
}

/// Volumes that say keep by this step, each with what it said before. Only those whose claim is there and stays: another
/// policy on a volume without one would remove it with its data.
async fn changed(cx: &StepCx) -> Result<Vec<(Value, String)>, Halt> {
    let Some(before) = cx.driver.draft(&cx.step) else { return Ok(Vec::new()) };
    let mut changed = Vec::new();
    for (claim, volume) in volumes(cx).await? {
        let Some(said) = before.get(text(&volume, "/metadata/uid")).and_then(Value::as_str) else { continue };
        let claim = cx.world.objects.get(&object(kinds::claim(), cx.namespace(), &claim)).await?;
        let stays = claim.is_some_and(|claim| text(&claim, "/metadata/deletionTimestamp").is_empty());
        if stays && policy(&volume) == "Retain" && said != "Retain" {
            changed.push((volume, said.to_owned()));
        }
    }
    Ok(changed)
}
