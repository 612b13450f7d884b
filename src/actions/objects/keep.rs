//! Where volumes cannot be kept, since they belong to the whole cluster: who finds that out, what is asked then, and what the gate
//! says of it. Nothing here changes anything; called by `patch`, by the gate of `delete` and by the preflight.

use serde_json::{Map, Value, json};

use super::{
    patch::{policy, volumes},
    pods::text,
    removal::find_in,
};
use crate::{
    actions::{
        agree::{Who, agrees},
        context::{Done, Halt, StepCx, right},
        preflight::rights,
    },
    ports::{Right, kinds},
    run::{Record, Row, Sign},
    text::{Diagnostic, units},
};

/// Member of the facts that says why no volume was kept.
const NOT_KEPT: &str = "not_kept";

/// What is needed to keep volumes.
pub fn rights() -> Vec<Right> {
    ["get", "patch"].map(|verb| right(verb, "", "persistentvolumes", "", None)).to_vec()
}

/// Which of these rights are missing, as far as they are needed: who may read that every volume is kept already needs no more.
pub async fn missing(cx: &StepCx) -> Result<Vec<Right>, Halt> {
    let refused = rights::refused(cx, &rights().into_iter().collect()).await?;
    let readable = refused.iter().all(|right| right.verb != "get");
    if readable && !refused.is_empty() && volumes(cx).await?.iter().all(|(_, volume)| policy(volume) == "Retain") {
        return Ok(Vec::new());
    }
    Ok(refused)
}

/// How long the rehearsal took, and in which version.
pub fn rehearsed(cx: &StepCx, step: &str) -> Result<String, Halt> {
    let proof = cx.facts_of(step)?;
    let seconds = proof["seconds"].as_u64().unwrap_or(0);
    Ok(format!("rehearsed in {} in version {}", units::seconds(seconds), text(&proof, "/version")))
}

/// Whether the cluster could copy the volumes in another way, which is not drydock's.
async fn elsewise(cx: &StepCx) -> Result<&'static str, Halt> {
    let served = cx.world.objects.kinds().await?;
    Ok(if served.iter().any(|kind| kind.kind == "VolumeSnapshot") {
        "The cluster serves VolumeSnapshots: one that you make of each claim before the removal would be a faster way back."
    } else {
        "The cluster serves no VolumeSnapshots."
    })
}

/// Asks whether to go on where no volume can be kept, with what that costs; a yes is written down.
///
/// # Errors
/// The way back; or a refusal, where no dump is proven that could take the place of the volumes.
pub async fn without(cx: &StepCx, rehearsal: &str, missing: &[Right]) -> Result<Done, Halt> {
    let told = rights::told(missing);
    let found = find_in(cx, vec![kinds::stateful_set(), kinds::claim()]).await?.goes;
    let found: Vec<_> = found.into_iter().filter(|target| target.object.kind == kinds::claim()).collect();
    let claims: Vec<String> = found.iter().map(|target| target.object.name.clone()).collect();
    let Ok(rehearsed) = rehearsed(cx, rehearsal) else {
        return Err(Halt::Refused(Box::new(
            Diagnostic::new(format!("no volume can be kept: {} is refused", told.what))
                .proves("with the claims their data would go, and no dump is proven that brings them back")
                .safe("everything: nothing was changed")
                .help(told.rules.join("; ")),
        )));
    };
    let row = |claim: &String| Row {
        sign: Sign::Careful,
        word: "goes".into(),
        name: claim.clone(),
        detail: "its volume cannot be kept".to_owned(),
    };
    cx.show("", claims.iter().map(row).collect(), None, None);
    let text = vec![
        format!("The volumes of {} cannot be kept: {} is refused.", claims.join(", "), told.what),
        "With the removal their claims take them along: what is on them is then gone for good.".to_owned(),
        format!(
            "The way back is then the version before with the proven dump, {rehearsed}; it takes that time, and the settings are put back \
             from the vault. Into the version before itself it was not tried."
        ),
        format!("To keep them, go back and {}.", told.rules.join("; ")),
        "Whoever runs the cluster can also set these volumes to Retain.".to_owned(),
        elsewise(cx).await?.to_owned(),
        "Nothing is deleted by this step.".to_owned(),
    ];
    if !agrees(cx, text, "Go on without keeping them", Who::of(cx)).await? {
        return Err(Halt::Back);
    }
    let why = format!("{} is refused", told.what);
    let uids: Map<String, Value> = found.into_iter().map(|target| (target.object.name, json!(target.uid))).collect();
    let (step, by) = (cx.step.clone(), cx.world.host.operator());
    let reason = format!("{why}; the way back is the proven dump, {rehearsed}");
    cx.driver.record(Record::Confirmed { step, item: "no volume is kept".to_owned(), by, reason }).await?;
    Ok(Done::with(
        "no volume can be kept: the way back is the proven dump",
        json!({"volumes": [], NOT_KEPT: why, "claims": uids}),
    ))
}

/// Why `step` kept no volume, where it was agreed that none is.
pub fn not_kept(cx: &StepCx, step: &str) -> Option<String> {
    cx.facts_of(step).ok()?.get(NOT_KEPT).and_then(Value::as_str).map(str::to_owned)
}

/// Claims whose data go with them, each with its uid.
pub fn claims(cx: &StepCx, step: &str) -> Vec<(String, String)> {
    let facts = cx.facts_of(step).unwrap_or_default();
    let claims = facts["claims"].as_object().into_iter().flatten();
    claims.map(|(name, uid)| (name.clone(), text(uid, "").to_owned())).collect()
}
