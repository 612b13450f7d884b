//! Whether the new version's images can be fetched: the kubelet's own verdict, by throw-away pods that run nothing of the
//! application.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{
    checks::result,
    context::{Halt, StepCx, secret_name},
    host::{Call, answer},
    pods::{object, text},
    spec::CheckKind,
};
use crate::{
    ports::kinds,
    run::{Check, CheckResult},
    text::{Diagnostic, units},
};

/// Longest wait for the kubelet's verdict.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for every image of the rendered chart.
pub async fn pullable(cx: &StepCx) -> Result<Check, Halt> {
    let images = rendered(cx).await?;
    if images.is_empty() {
        return Ok(result(CheckKind::Images, CheckResult::Fail, "the rendered chart names no image", &[]));
    }
    for (index, image) in images.iter().enumerate() {
        if let Err(reason) = verdict(cx, index, image).await? {
            let sentence = format!("{image} cannot be fetched: {reason}");
            return Ok(result(
                CheckKind::Images,
                CheckResult::Fail,
                &sentence,
                &["push the image or change the values, then check again"],
            ));
        }
    }
    Ok(result(
        CheckKind::Images,
        CheckResult::Pass,
        &format!("{} fetched by the kubelet: {}", units::plural(images.len(), "image", "images"), list(&images)),
        &[],
    ))
}

fn list(images: &BTreeSet<String>) -> String {
    images.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Images of the chart as it will be installed.
async fn rendered(cx: &StepCx) -> Result<BTreeSet<String>, Halt> {
    let helm = &cx.deployment()?.helm;
    let (name, chart) = (cx.render(&helm.release)?, cx.render(&helm.chart)?);
    let state = cx.driver.state();
    let captured =
        state.plan.iter().find(|step| step.kind == "capture").map(|step| step.id.0.clone()).unwrap_or_default();
    let mut call =
        Call::new(cx, "helm", &["template", &name, &chart, "-n", cx.namespace(), "-f", "{file:values.yaml}"]);
    call.files.push(("values.yaml".to_owned(), cx.secret(&secret_name(&captured, "1", "values")).await?));
    for (value, item) in &helm.set_file {
        let file = item.replace('/', ".");
        call.args.extend(["--set-file".to_owned(), format!("{value}={{file:{file}}}")]);
        call.files.push((file, cx.secret(item).await?));
    }
    for (key, value) in &helm.set {
        call.args.extend(["--set".to_owned(), format!("{key}={}", cx.render(value)?)]);
    }
    // the rendered manifests hold secrets: only the image lines are looked at
    let manifests = answer(cx, &cx.target, call).await?;
    let text = String::from_utf8_lossy(&manifests);
    let image = |line: &str| {
        let line = line.trim().trim_start_matches("- ");
        let value = line.strip_prefix("image:")?.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    Ok(text.lines().filter_map(image).collect())
}

async fn verdict(cx: &StepCx, index: usize, image: &str) -> Result<Result<(), String>, Halt> {
    let name = format!("drydock-image-{}-{index}", cx.short());
    let reference = object(kinds::pod(), cx.namespace(), &name);
    if let Some(old) = cx.world.objects.get(&reference).await? {
        cx.world.objects.delete(&reference, text(&old, "/metadata/uid")).await?;
        wait_gone(cx, &name).await?;
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": cx.namespace(),
            "labels": {"app.kubernetes.io/managed-by": "drydock", "drydock.run": cx.short()}},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false,
            "containers": [{"name": "image", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["true"]}]},
    });
    let effect = format!("create throw-away pod {name}");
    cx.effect(&effect).await?;
    let made = cx.world.objects.create(&pod).await?;
    cx.effected(&effect, "accepted").await?;
    let uid = text(&made, "/metadata/uid").to_owned();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let verdict = loop {
        let now = cx.world.objects.get(&reference).await?.unwrap_or(Value::Null);
        let status = now.pointer("/status/containerStatuses/0").cloned().unwrap_or(Value::Null);
        let waiting = text(&status, "/state/waiting/reason");
        if matches!(waiting, "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull") {
            break Err(crate::text::printable(text(&status, "/state/waiting/message")));
        }
        // fetched: it runs, ran, or could not be started, which all come after the fetch
        if !text(&status, "/imageID").is_empty() || status.pointer("/state/terminated").is_some() {
            break Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            break Err(format!("no verdict of the kubelet in {} s", PATIENCE.as_secs()));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(400)) => {}
            () = cx.cancel.cancelled() => break Err("stopped by the operator".to_owned()),
        }
    };
    cx.world.objects.delete(&reference, &uid).await?;
    Ok(verdict)
}

async fn wait_gone(cx: &StepCx, name: &str) -> Result<(), Halt> {
    let reference = object(kinds::pod(), cx.namespace(), name);
    for _ in 0..60 {
        if cx.world.objects.get(&reference).await?.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Err(Diagnostic::new(format!("pod {name} of an earlier check does not end")).into())
}
