//! What stands behind the gate of `delete`: its list, its locks, and what stays. Nothing here deletes.

use async_trait::async_trait;

use super::{
    bind,
    gate::{Gated, lock},
    keep,
    pods::text,
    removal::{Found, Target, find},
    stopped,
};
use crate::{
    actions::{
        context::{Halt, StepCx},
        data::{
            artifacts,
            database::{self, Waited},
        },
        deploy::release,
        forms::{form_state::load_of, settings},
        preflight::{checks, rights},
        spec::DeleteSpec,
    },
    ports::{ObjectRef, kinds},
    run::{Lock, StepId, StepState},
    text::units,
};

/// The lock that asks for a restored dump.
const PROVEN: &str = "proven";

#[async_trait]
impl Gated for DeleteSpec {
    async fn found(&self, cx: &StepCx) -> Result<Found, Halt> {
        find(cx).await
    }

    async fn locks(&self, cx: &StepCx, found: &Found, waited: &mut Waited) -> Result<Vec<Lock>, Halt> {
        let state = cx.driver.state();
        let number =
            |step: &str| state.planned(&StepId(step.to_owned())).map_or_else(String::new, |p| p.number.clone());
        // a dump of another run cannot be made again here
        let own = self.checked_by.as_ref().map(|_| self.dump.clone());
        let dumped = |lock: Lock| Lock { again: own.iter().cloned().collect(), ..lock };
        let captured = &cx.requires.captured;
        let (complete, opens) = gathered(cx, captured);
        let mut locks = vec![lock("gathered", complete, opens)];
        if let Some(checked_by) = &self.checked_by {
            let (same, again) = unchanged(cx, captured).await?;
            locks.push(Lock { again, ..lock("unchanged", same, number(checked_by)) });
        }
        let files = artifacts::rehash(cx, &self.dump).await?;
        locks.push(dumped(lock("complete", files, number(&self.dump))));
        let restored = artifacts::proven(cx, &self.dump, &self.proven_by);
        locks.push(dumped(lock(PROVEN, restored, number(&self.proven_by))));
        // what was written since a dump of elsewhere stays on the volumes, which is another lock
        let adopted = artifacts::DumpFacts::of(cx, &self.dump).is_ok_and(|facts| facts.is_adopted());
        if self.checked_by.is_some() && !adopted {
            locks.push(dumped(lock("quiet", database::quiet(cx, &self.dump, waited).await?, number(&self.dump))));
        }
        // of a dump that comes back its own locks ask
        if let Some(step) = self.brings_back.as_ref().filter(|step| **step != self.dump) {
            locks.push(lock("comes back", bind::kept(cx, step).await?, number(step)));
        }
        if let Some(step) = &self.stopped_by {
            locks.push(lock("stopped", stopped::still(cx, step).await?, number(step)));
        }
        if let Some(step) = &self.serves {
            locks.push(lock("serves", checks::serves(&cx.at(step)?).await?, number(step)));
        }
        // what stands in the place of something else may have no volume yet
        let none = self.brings_back.is_some() && volumes(cx, &self.keep_volumes, "").is_empty();
        if let Some(why) = self.without_volumes(cx) {
            locks.push(self.given_up(cx, &why, number(&self.keep_volumes)).await?);
            locks.push(lock("allowed", rights::allowed(cx, found).await?, String::new()));
            return Ok(locks);
        }
        let set =
            if none { Ok("no volume goes".to_owned()) } else { settings::volumes_kept(cx, &self.keep_volumes).await? };
        let kept = match set {
            Ok(sentence) => claims_kept(cx, found).await?.map(|()| sentence),
            shut => shut,
        };
        locks.push(lock("kept", kept, number(&self.keep_volumes)));
        locks.push(lock("allowed", rights::allowed(cx, found).await?, String::new()));
        Ok(locks)
    }

    fn stays(&self, cx: &StepCx, found: &Found, locks: &[Lock]) -> Vec<String> {
        let mut stays = volumes(cx, &self.keep_volumes, "kept");
        if self.without_volumes(cx).is_some() {
            let claims: Vec<String> = keep::claims(cx, &self.keep_volumes).into_iter().map(|(name, _)| name).collect();
            let claims = claims.join(", ");
            stays.push(format!("no volume: the data of {claims} go"));
        }
        stays.extend(self.brings_back.iter().flat_map(|step| volumes(cx, step, "comes back")));
        stays.push("the namespace itself".to_owned());
        let serves = self.serves.iter().filter_map(|step| cx.at(step).ok());
        stays.extend(serves.map(|there| format!("the new version in {}, with its own volumes", there.namespace())));
        // of what goes for a backup nothing is in either: they are of then
        let of = if self.brings_back.as_ref() == Some(&self.dump) { "the backup: " } else { "" };
        if locks.iter().any(|lock| lock.name == PROVEN && lock.open) {
            stays.push(format!("{of}the dump, proven"));
        }
        stays.push(format!("{of}what is in the vault"));
        stays.extend(found.stays.iter().cloned());
        stays
    }

    fn way_back(&self, cx: &StepCx) -> String {
        match &self.brings_back {
            None if self.without_volumes(cx).is_some() => {
                let rehearsed = keep::rehearsed(cx, &self.proven_by).unwrap_or_else(|_| "not rehearsed".to_owned());
                format!("the version before, with the proven dump, {rehearsed}; no volume")
            }
            None => "the version before, on the kept volumes".to_owned(),
            Some(step) if *step == self.dump => {
                "the volumes of what goes; its values and .env only if you have them".to_owned()
            }
            Some(_) => "what goes now, on the volumes it leaves; by hand".to_owned(),
        }
    }

    fn takes(&self, cx: &StepCx, target: &Target) -> Option<&'static str> {
        (target.object.kind == kinds::claim() && self.without_volumes(cx).is_some()).then_some("with its data")
    }
}

impl DeleteSpec {
    /// Why no volume is kept, where that was agreed to, and the dump holds every row: only what `quiet` is asked of does.
    pub fn without_volumes(&self, cx: &StepCx) -> Option<String> {
        let adopted = artifacts::DumpFacts::of(cx, &self.dump).is_ok_and(|facts| facts.is_adopted());
        let whole = self.checked_by.is_some() && self.brings_back.is_none() && !adopted;
        whole.then(|| keep::not_kept(cx, &self.keep_volumes)).flatten()
    }

    /// The lock of volumes that are not kept: shut as soon as they can be.
    async fn given_up(&self, cx: &StepCx, why: &str, number: String) -> Result<Lock, Halt> {
        let again = vec![self.keep_volumes.clone()];
        if keep::missing(cx).await?.is_empty() {
            let sentence = format!("they were given up since {why}; now they can be kept");
            return Ok(Lock { again, ..lock("kept", Err(sentence), number) });
        }
        Ok(lock("kept", Ok(format!("not kept, as agreed: {why}")), number))
    }
}

/// The volumes of a step that set them to be kept, each with what becomes of it.
fn volumes(cx: &StepCx, step: &str, becomes: &str) -> Vec<String> {
    let facts = cx.facts_of(step).unwrap_or_default();
    let volumes = facts["volumes"].as_array().into_iter().flatten();
    volumes
        .map(|volume| {
            let of = |field: &str| text(volume, &format!("/{field}"));
            format!("volume of {} {}, {becomes} ({})", of("claim"), of("size"), of("volume"))
        })
        .collect()
}

/// Whether helm's release and the application's settings are still what was captured, and the steps that capture what is not.
async fn unchanged(cx: &StepCx, captured: &[String]) -> Result<(Result<String, String>, Vec<String>), Halt> {
    let recorded: Vec<String> = captured.iter().filter(|step| checks::is_capture(cx, step)).cloned().collect();
    let mut release = String::new();
    if !recorded.is_empty() {
        match release::unchanged(cx).await? {
            Ok(sentence) => release = format!("; {sentence}"),
            Err(sentence) => return Ok((Err(format!("{sentence}; {}", release::record_again(cx)?)), recorded)),
        }
    }
    let settings = settings::unchanged(cx, captured).await?.map(|settings| format!("{settings}{release}"));
    Ok((settings, checks::forms(cx, captured)))
}

/// Whether every claim on the list is on a volume that says keep now: one may have come since the volumes were set.
async fn claims_kept(cx: &StepCx, found: &Found) -> Result<Result<(), String>, Halt> {
    for target in found.goes.iter().filter(|target| target.object.kind.kind == "PersistentVolumeClaim") {
        let Some(claim) = cx.world.objects.get(&target.object).await? else { continue };
        let name = text(&claim, "/spec/volumeName");
        if name.is_empty() {
            // without a volume it holds nothing
            continue;
        }
        let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() };
        let volume = cx.world.objects.get(&reference).await?;
        if volume.is_none_or(|volume| text(&volume, "/spec/persistentVolumeReclaimPolicy") != "Retain") {
            return Ok(Err(format!("claim {}: its volume {name} does not say keep", target.object.name)));
        }
    }
    Ok(Ok(()))
}

/// Whether each of these steps is complete, and the number of the one that is not, else of the last.
fn gathered(cx: &StepCx, steps: &[String]) -> (Result<String, String>, String) {
    let state = cx.driver.state();
    let forms: Vec<_> = steps.iter().filter_map(|step| state.planned(&StepId(step.clone()))).collect();
    let last = forms.last().map_or_else(String::new, |step| step.number.clone());
    let open =
        forms.iter().find(|step| !matches!(state.step(&step.id), StepState::Done { .. } | StepState::Skipped { .. }));
    if let Some(open) = open {
        return (Err(format!("{} {} is not complete", open.number, open.title)), open.number.clone());
    }
    let mut items = 0;
    for step in forms.iter().filter(|step| step.kind == "ask" && matches!(state.step(&step.id), StepState::Done { .. }))
    {
        match load_of(cx, &step.id.0) {
            Ok(form) => items += form.items.len(),
            Err(Halt::Failed(problem)) => return (Err(problem.what), step.number.clone()),
            Err(_) => return (Err(format!("{} {} cannot be read", step.number, step.title)), step.number.clone()),
        }
    }
    (Ok(format!("{}, confirmed", units::plural(items, "item", "items"))), last)
}
