//! A client pod of our own: the core's image and environment, an empty disk, nothing that writes. Long work runs here, so
//! that nothing is ever orphaned under a database, and a restart of the application does not cut it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    actions::{
        context::{Halt, StepCx},
        objects::{
            events::Events,
            pods::{container, is_ready, object, ready_pod, resources, text},
            reasons,
        },
    },
    ports::{PodRef, kinds},
    run::Row,
    text::Diagnostic,
};

/// Label that marks a pod as ours, with the short id of its run.
const MARK: &str = "drydock.run";
/// Folder of the client pod's disk.
pub const FOLDER: &str = "/drydock";
/// What a pod of ours does: nothing, until it is ended.
pub const IDLE: [&str; 3] = ["sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 30 & wait $!; done"];
/// Longest wait for a pod of ours.
const PATIENCE: Duration = Duration::from_secs(120);

/// Name of the client pod of this run.
pub fn name(cx: &StepCx) -> String {
    format!("drydock-client-{}", cx.short())
}

/// The client pod in `namespace`, made if it is not there, ready.
///
/// # Errors
/// A failure with the pod's own reason when it does not get ready in two minutes.
pub async fn ensure(cx: &StepCx, namespace: &str) -> Result<PodRef, Halt> {
    let name = name(cx);
    let reference = object(kinds::pod(), namespace, &name);
    let found = cx.world.objects.get(&reference).await?;
    let usable = found.as_ref().is_some_and(|pod| {
        pod.pointer("/metadata/deletionTimestamp").is_none()
            && matches!(text(pod, "/status/phase"), "Pending" | "Running" | "")
    });
    if !usable {
        if let Some(old) = found {
            remove_pod(cx, namespace, &old).await?;
        }
        let deployment = cx.deployment()?;
        let (_, core) = ready_pod(cx, namespace, &deployment.core).await?;
        let manifest = manifest(cx, namespace, &core)?;
        cx.effect(&format!("create pod {name} in {namespace}")).await?;
        let made = cx.world.objects.create(&manifest).await?;
        cx.effected(&format!("create pod {name} in {namespace}"), text(&made, "/metadata/uid")).await?;
    }
    until_ready(cx, (namespace, &name, "client"), "A client pod of ours is made.").await
}

/// Waits until a pod of ours is ready; `sentence` says meanwhile what it is for.
///
/// # Errors
/// A failure with the pod's own reason when it does not get ready in two minutes.
pub async fn until_ready(
    cx: &StepCx,
    (namespace, name, container): (&str, &str, &str),
    sentence: &str,
) -> Result<PodRef, Halt> {
    let reference = object(kinds::pod(), namespace, name);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut events = Events::new(cx, namespace);
    loop {
        let found = cx.get(&reference).await?.unwrap_or(Value::Null);
        if is_ready(&found) {
            let uid = text(&found, "/metadata/uid").to_owned();
            return Ok(PodRef {
                namespace: namespace.to_owned(),
                pod: name.to_owned(),
                container: container.to_owned(),
                uid,
            });
        }
        let said = events.read().await?;
        events.tell(&said, &[name]).await;
        let (sign, word, detail) = reasons::pod(&found, &said, cx.world.clock.now());
        let row = Row { sign, word: word.to_owned(), name: name.to_owned(), detail: detail.clone() };
        cx.show(sentence, vec![row], None, None);
        if tokio::time::Instant::now() > deadline {
            return Err(Diagnostic::new(format!("pod {name} did not get ready in {} s", PATIENCE.as_secs()))
                .cause(detail)
                .help("mend what holds it, then try again: a new one is made")
                .into());
        }
        cx.pause(Duration::from_millis(500)).await?;
    }
}

/// Removes the client pod of `namespace`, if it is there, and waits until it is gone.
pub async fn remove(cx: &StepCx, namespace: &str) -> Result<(), Halt> {
    match cx.world.objects.get(&object(kinds::pod(), namespace, &name(cx))).await? {
        Some(pod) => remove_pod(cx, namespace, &pod).await,
        None => Ok(()),
    }
}

/// The client pod that this run has made in `namespace`, where it is left.
pub async fn left(cx: &StepCx, namespace: &str) -> Result<Option<Value>, Halt> {
    let found = cx.world.objects.get(&object(kinds::pod(), namespace, &name(cx))).await?;
    let run = Value::String(cx.short());
    Ok(found.filter(|pod| pod.pointer("/metadata/labels").and_then(|labels| labels.get(MARK)) == Some(&run)))
}

/// The same, where a command can be run in it.
pub async fn left_ready(cx: &StepCx, namespace: &str) -> Result<Option<PodRef>, Halt> {
    let found = left(cx, namespace).await?.filter(is_ready);
    Ok(found.map(|pod| reference(namespace, name(cx), &pod)))
}

fn reference(namespace: &str, pod: String, found: &Value) -> PodRef {
    let uid = text(found, "/metadata/uid").to_owned();
    PodRef { namespace: namespace.to_owned(), pod, container: "client".to_owned(), uid }
}

/// Removes exactly this pod and waits until it is gone.
pub async fn remove_pod(cx: &StepCx, namespace: &str, pod: &Value) -> Result<(), Halt> {
    let reference = object(kinds::pod(), namespace, text(pod, "/metadata/name"));
    let uid = text(pod, "/metadata/uid");
    let effect = format!("delete pod {} in {namespace} uid {uid}", reference.name);
    cx.effect(&effect).await?;
    cx.world.objects.delete(&reference, uid).await?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while cx.get(&reference).await?.is_some_and(|now| text(&now, "/metadata/uid") == uid) {
        if tokio::time::Instant::now() > deadline {
            return Err(Diagnostic::new(format!(
                "pod {} is still ending after {} s",
                reference.name,
                PATIENCE.as_secs()
            ))
            .into());
        }
        cx.pause(Duration::from_millis(500)).await?;
    }
    cx.effected(&effect, "gone").await
}

/// The client pod, as a core pod is.
pub fn manifest(cx: &StepCx, namespace: &str, core: &Value) -> Result<Value, Halt> {
    let wanted = &cx.deployment()?.core.container;
    let spec = container(core, wanted)
        .ok_or_else(|| Diagnostic::new(format!("pod {} has no container {wanted}", text(core, "/metadata/name"))))?;
    let mut client = json!({
        "name": "client",
        "image": spec["image"],
        "command": IDLE,
        "volumeMounts": [{"name": "work", "mountPath": FOLDER}],
    });
    for key in ["env", "envFrom", "imagePullPolicy", "securityContext"] {
        if let Some(value) = spec.get(key) {
            client[key] = value.clone();
        }
    }
    if let Some(resources) = resources(spec) {
        client["resources"] = resources;
    }
    let mut pod = json!({
        "containers": [client],
        "volumes": [{"name": "work", "emptyDir": {}}],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2,
        "automountServiceAccountToken": false,
    });
    for key in ["imagePullSecrets", "nodeSelector", "tolerations", "securityContext", "serviceAccountName"] {
        if let Some(value) = core.pointer("/spec").and_then(|spec| spec.get(key)) {
            pod[key] = value.clone();
        }
    }
    Ok(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name(cx), "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "drydock", MARK: cx.short()},
        },
        "spec": pod,
    }))
}
