//! What helm knows of the release: its revisions, its own record of one, whether it is what was captured, and whose it is.
//!
//! Nothing here changes anything. Called by `helm`, by the checks and by the gate of a removal.

use serde_json::{Value, json};

use crate::{
    actions::{
        context::{Halt, StepCx, secret_name},
        objects::pods::{object, text},
        programs::host::{Call, answer},
    },
    ports::{Identity, ObjectRef, SecretBytes, kinds},
    run::StepId,
    text::{Diagnostic, printable},
};

/// Vault field that holds the release's values.
pub const VALUES: &str = "values";
/// Vault field that holds helm's own record of the release: chart, values and manifest of the version before.
pub const RECORD: &str = "release";
/// How the status of a release begins that a helm works on, or left in the middle.
pub const PENDING: &str = "pending-";

/// A release as `helm list` tells it; `None` if there is none of that name.
pub async fn release(cx: &StepCx, place: &Identity, name: &str) -> Result<Option<Value>, Halt> {
    let call = Call::new(cx, "helm", &["list", "--all", "-n", &place.namespace, "-o", "json"]);
    let listed: Value = serde_json::from_slice(&answer(cx, place, call).await?)
        .map_err(|error| Diagnostic::new("helm list answers no JSON").cause(error.to_string()))?;
    Ok(listed.as_array().into_iter().flatten().find(|release| text(release, "/name") == name).cloned())
}

/// Every revision of a release as `helm history` tells it, newest last.
pub async fn history(cx: &StepCx, place: &Identity, name: &str) -> Result<Vec<Value>, Halt> {
    let call = Call::new(cx, "helm", &["history", name, "-n", &place.namespace, "-o", "json"]);
    serde_json::from_slice(&answer(cx, place, call).await?)
        .map_err(|error| Diagnostic::new("helm history answers no JSON").cause(error.to_string()).into())
}

/// How a revision is described that this attempt made: helm writes it down only once the revision is deployed.
pub fn mark(cx: &StepCx) -> String {
    format!("drydock {}, step {}, try {}", cx.short(), cx.step.0, cx.attempt)
}

/// Whether the newest revision is deployed and carries this description, or begins with it.
pub async fn is_marked(cx: &StepCx, place: &Identity, name: &str, mark: &str) -> Result<bool, Halt> {
    let newest = history(cx, place, name).await?.pop();
    Ok(newest.is_some_and(|newest| {
        text(&newest, "/status") == "deployed" && text(&newest, "/description").starts_with(mark)
    }))
}

/// What leads out of a release that is not deployed: the last revision that was, by name where helm still has one.
pub async fn not_deployed(cx: &StepCx, name: &str, status: &str) -> Diagnostic {
    let listed = history(cx, &cx.target, name).await.unwrap_or_default();
    let good = |revision: &&Value| matches!(text(revision, "/status"), "deployed" | "superseded");
    let last = listed.iter().rfind(good).and_then(|found| found["revision"].as_u64());
    let problem = Diagnostic::new(format!("release {name} is {status}"))
        .proves("a helm before this run failed or was cut: the release's values need not be those that run")
        .safe("everything: this was only read");
    match last {
        Some(last) => problem.help(format!(
            "`helm rollback {name} {last} -n {}` leads back to the last revision that was deployed; then start again",
            cx.namespace()
        )),
        None => {
            problem.help(format!("helm has no earlier revision of {name}: finish its installation first, with helm"))
        }
    }
}

/// Where helm keeps a revision.
pub fn record_of(place: &Identity, name: &str, revision: &str) -> ObjectRef {
    object(kinds::secret(), &place.namespace, &format!("sh.helm.release.v1.{name}.v{revision}"))
}

/// Values of a revision, as helm prints them.
pub async fn values(cx: &StepCx, name: &str, revision: &str) -> Result<SecretBytes, Halt> {
    let args = ["get", "values", name, "-n", cx.namespace(), "--revision", revision, "-o", "yaml"];
    Ok(SecretBytes::new(answer(cx, &cx.target, Call::new(cx, "helm", &args)).await?))
}

/// Helm's own record of a revision, as a Secret that can be made again as it is, and the uid of the one that is there. A
/// removal takes the record away, and with it the only copy of the chart, the values and the manifest of the version before.
pub async fn record(cx: &StepCx, name: &str, revision: &str) -> Result<(SecretBytes, String), Halt> {
    let reference = record_of(&cx.target, name, revision);
    let found = cx.world.objects.get(&reference).await?.unwrap_or_default();
    let content = text(&found, "/data/release");
    if content.is_empty() {
        return Err(Diagnostic::new(format!("helm's record {} of revision {revision} cannot be read", reference.name))
            .proves("without it the version before could not be installed again as it was")
            .help("helm changed the release in this moment, or keeps its records elsewhere: look, then try again")
            .into());
    }
    let kept = json!({"apiVersion": "v1", "kind": "Secret", "type": text(&found, "/type"),
        "metadata": {"name": reference.name, "labels": found.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}))},
        "data": {"release": content}});
    Ok((SecretBytes::new(kept.to_string().into_bytes()), text(&found, "/metadata/uid").to_owned()))
}

/// Whether the release is still the one that was captured, with its values; in words either way.
pub async fn unchanged(cx: &StepCx) -> Result<Result<String, String>, Halt> {
    let helm = &cx.deployment()?.helm;
    let state = cx.driver.state();
    let Some(facts) = state.facts.get(&StepId(helm.captured.clone())) else {
        return Ok(Err("what is deployed was not recorded yet".to_owned()));
    };
    let (name, begun) = (cx.render(&helm.release)?, state.removal_begun());
    let before = text(facts, "/release/revision");
    let now = release(cx, &cx.target, &name).await?;
    let deployed = now.as_ref().filter(|now| text(now, "/status") == "deployed");
    let Some(now) = deployed else {
        return Ok(match now {
            // a removal that was cut takes the records one by one
            _ if begun => Ok("the release was read before the removal began".to_owned()),
            Some(now) => Err(format!("release {name} is {}", text(&now, "/status"))),
            None => Err(format!("helm knows no release {name} any more")),
        });
    };
    let revision = text(now, "/revision");
    if revision != before {
        let how = last_words(cx, &cx.target, &name).await;
        return Ok(Err(format!(
            "release {name} was revision {before} when it was recorded, it is {revision} now{how}"
        )));
    }
    // a release that was removed and installed again counts its revisions anew; runs of before have no uid
    let uid = text(facts, "/release/uid");
    if !uid.is_empty() && record(cx, &name, revision).await?.1 != uid {
        let how = last_words(cx, &cx.target, &name).await;
        return Ok(Err(format!("release {name} was removed and installed anew since it was recorded{how}")));
    }
    let captured = cx.secret(&secret_name(&helm.captured, "1", VALUES)).await?;
    if values(cx, &name, revision).await?.expose_secret() != captured.expose_secret() {
        return Ok(Err(format!("the values of release {name} are not those that were recorded")));
    }
    Ok(Ok(format!("release {name} is revision {revision} with the same values")))
}

/// What leads on where the release is not what was captured.
pub fn record_again(cx: &StepCx) -> Result<String, Halt> {
    let (state, step) = (cx.driver.state(), StepId(cx.deployment()?.helm.captured.clone()));
    let number = state.planned(&step).map_or_else(|| step.0.clone(), |step| step.number.clone());
    Ok(format!("find out who works on this release, then go back to {number} and record it again"))
}

/// When and how the newest revision was made, as helm tells it; empty where it does not.
async fn last_words(cx: &StepCx, place: &Identity, name: &str) -> String {
    let newest = history(cx, place, name).await.ok().and_then(|mut all| all.pop()).unwrap_or_default();
    let told = ["/updated", "/description"].map(|part| printable(text(&newest, part)));
    let told: Vec<&str> = told.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

/// Refuses a release in `place` that this run neither made nor captured: what somebody else deployed is never upgraded over.
/// `effect` is how the run writes its own attempts down.
pub async fn refuse_another(cx: &StepCx, place: &Identity, name: &str, effect: &str) -> Result<(), Halt> {
    let mut all = history(cx, place, name).await?;
    let whole = |revision: &&Value| matches!(text(revision, "/status"), "deployed" | "superseded");
    let of_run = format!("drydock {}, ", cx.short());
    let ours = all.iter().filter(whole).all(|revision| text(revision, "/description").starts_with(&of_run));
    let is_whole = all.last().is_some_and(|newest| text(newest, "/status") == "deployed");
    // helm describes a revision only once it is deployed: one that is not is ours only if we had begun
    let begun = cx.driver.state().effects.iter().any(|done| done.effect == effect);
    if ours && (is_whole || begun) {
        return Ok(());
    }
    // a runbook that removes nothing upgrades what it captured
    if place == &cx.target && !cx.driver.state().removal_begun() && unchanged(cx).await?.is_ok() {
        return Ok(());
    }
    let newest = all.pop().unwrap_or_default();
    let problem = Diagnostic::new(format!(
        "release {name} in {} is {} and was not installed by this run{}",
        place.namespace,
        text(&newest, "/status"),
        last_words(cx, place, name).await
    ))
    .proves("somebody else works on this release, and may count on what is there now")
    .safe("what they installed: nothing was sent")
    .help(format!("find out who it was: `helm history {name} -n {0}`, `helm get all {name} -n {0}`", place.namespace))
    .help(format!("where it may go, `helm uninstall {name} -n {}`, then try again", place.namespace));
    Err(Halt::Refused(Box::new(problem)))
}
