//! Whether the new version's images can be fetched: the kubelet's own verdict, by throw-away pods that run nothing of the
//! application, placed and with the pull secrets as the chart's own pods.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    actions::{
        context::{Halt, StepCx},
        deploy::rendered::{Needed, Rendered},
        objects::pods::{object, text},
        spec::CheckKind,
    },
    ports::{ObjectRef, kinds},
    run::{Check, CheckResult, OutputLine, Tag},
    text::{Diagnostic, printable, units},
};

/// Longest wait for an image that is being fetched.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longest wait for a node, and for a kubelet that does not begin.
const BEGIN: Duration = Duration::from_secs(60);
/// How often the pod is looked at.
const LOOK: Duration = Duration::from_millis(400);
/// How often it is said that an image is still being fetched.
const TELL: Duration = Duration::from_secs(10);

/// What was found out about an image.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The kubelet has it.
    Fetched,
    /// The kubelet says that it cannot have it, and why.
    Cannot(String),
    /// Nobody said either, and why.
    Unknown(String),
}

/// Asks for every image of the rendered chart.
pub async fn pullable(cx: &StepCx) -> Result<Check, Halt> {
    let needed = Rendered::read(cx).await?.images();
    if needed.is_empty() {
        return Ok(CheckKind::Images.found(CheckResult::Fail, "the rendered chart names no image", &[]));
    }
    for (index, one) in needed.iter().enumerate() {
        let image = &one.image;
        let (sentence, help) = match verdict(cx, index, one).await? {
            Verdict::Fetched => continue,
            Verdict::Cannot(why) => {
                (format!("{image} cannot be fetched: {why}"), "push the image or change the values, then check again")
            }
            Verdict::Unknown(why) => (
                format!("no verdict on {image}: {why}"),
                "look at the nodes and at the events of this namespace, then check again",
            ),
        };
        return Ok(CheckKind::Images.found(CheckResult::Fail, &sentence, &[help]));
    }
    let mut images: Vec<&str> = needed.iter().map(|one| one.image.as_str()).collect();
    images.dedup();
    let sentence =
        format!("{} fetched by the kubelet: {}", units::plural(images.len(), "image", "images"), images.join(", "));
    Ok(CheckKind::Images.found(CheckResult::Pass, &sentence, &[]))
}

async fn verdict(cx: &StepCx, index: usize, needed: &Needed) -> Result<Verdict, Halt> {
    let name = format!("drydock-image-{}-{index}", cx.short());
    let reference = object(kinds::pod(), cx.namespace(), &name);
    if let Some(old) = cx.world.objects.get(&reference).await? {
        remove(cx, &reference, text(&old, "/metadata/uid")).await?;
        wait_gone(cx, &reference).await?;
    }
    let effect = format!("create throw-away pod {name}");
    cx.effect(&effect).await?;
    let made = match cx.world.objects.create(&needed.pod((cx.namespace(), &name), &cx.short(), &["true"])).await {
        Ok(made) => made,
        Err(error) => {
            // where only the answer was lost it was made
            if let Ok(Some(made)) = cx.world.objects.get(&reference).await {
                remove(cx, &reference, text(&made, "/metadata/uid")).await?;
            }
            return Err(error.into());
        }
    };
    let uid = text(&made, "/metadata/uid").to_owned();
    // where that cannot be written down nothing more is sent: the next check finds the pod by its name
    cx.effected(&effect, "accepted").await?;
    let verdict = watch(cx, &reference, &uid, &needed.image).await;
    // on every other way out; what went wrong before is the better reason
    let removed = remove(cx, &reference, &uid).await;
    let verdict = verdict?;
    removed?;
    Ok(verdict)
}

/// Deletes exactly this throw-away pod.
async fn remove(cx: &StepCx, reference: &ObjectRef, uid: &str) -> Result<(), Halt> {
    let effect = format!("delete throw-away pod {} uid {uid}", reference.name);
    cx.effect(&effect).await?;
    cx.world.objects.delete(reference, uid).await?;
    cx.effected(&effect, "accepted").await
}

/// What the pod's status says of its image, as far as it is decided.
fn decided(pod: &Value) -> Option<Verdict> {
    let status = pod.pointer("/status/containerStatuses/0").unwrap_or(&Value::Null);
    match text(status, "/state/waiting/reason") {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable" => return Some(Verdict::Cannot(printable(text(status, "/state/waiting/message")))),
        // what comes after the fetch
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => return Some(Verdict::Fetched),
        _ => {}
    }
    let ran = !text(status, "/imageID").is_empty() || status.pointer("/state/terminated").is_some();
    ran.then_some(Verdict::Fetched)
}

/// Why no node takes the pod.
fn unschedulable(pod: &Value) -> Option<String> {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let mut refused = conditions.filter(|c| text(c, "/type") == "PodScheduled" && text(c, "/status") == "False");
    refused.next().map(|condition| printable(text(condition, "/message")))
}

/// Whether the kubelet said that it is fetching.
async fn is_pulling(cx: &StepCx, uid: &str) -> bool {
    let events = cx.world.objects.list(&kinds::event(), Some(cx.namespace()), "").await.unwrap_or_default();
    events.iter().any(|event| text(event, "/involvedObject/uid") == uid && text(event, "/reason") == "Pulling")
}

async fn watch(cx: &StepCx, reference: &ObjectRef, uid: &str, image: &str) -> Result<Verdict, Halt> {
    let (started, mut told) = (Instant::now(), Instant::now());
    let mut pulling = false;
    loop {
        let pod = cx.get(reference).await?.filter(|now| text(now, "/metadata/uid") == uid);
        let Some(pod) = pod else { return Ok(Verdict::Unknown("its throw-away pod was taken away".to_owned())) };
        if let Some(verdict) = decided(&pod) {
            return Ok(verdict);
        }
        let (waited, nowhere) = (started.elapsed(), unschedulable(&pod));
        if told.elapsed() >= TELL {
            told = Instant::now();
            pulling = pulling || is_pulling(cx, uid).await;
            let text = match &nowhere {
                Some(why) => format!("{image}: no node takes its pod for {} s: {why}", waited.as_secs()),
                None if pulling => format!("{image} is being fetched, {} s", waited.as_secs()),
                None => format!("{image}: the kubelet has not begun, {} s", waited.as_secs()),
            };
            let (at, source) = (cx.world.clock.now(), reference.name.clone());
            cx.driver.line(OutputLine { at, source, tag: Tag::Plain, text }).await;
        }
        if let Some(why) = nowhere.filter(|_| waited >= BEGIN) {
            return Ok(Verdict::Unknown(format!("no node takes its pod: {why}")));
        }
        if waited >= PATIENCE || (waited >= BEGIN && !pulling) {
            let how = if pulling { "is still fetching it" } else { "has not begun to fetch it" };
            return Ok(Verdict::Unknown(format!("the kubelet {how} after {} s", waited.as_secs())));
        }
        cx.pause(LOOK).await?;
    }
}

async fn wait_gone(cx: &StepCx, reference: &ObjectRef) -> Result<(), Halt> {
    for _ in 0..60 {
        if cx.get(reference).await?.is_none() {
            return Ok(());
        }
        cx.pause(Duration::from_millis(500)).await?;
    }
    Err(Diagnostic::new(format!("pod {} of an earlier check does not end", reference.name)).into())
}
