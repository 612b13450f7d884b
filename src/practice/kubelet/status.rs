//! The status of a pod as the kubelet writes it.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Pod, text};
use crate::text::hex;

/// How a pod stands.
#[derive(Debug, Clone)]
pub enum Stand {
    /// No node takes it, and why.
    Unscheduled(String),
    /// Its container waits.
    Waiting { reason: &'static str, message: String },
    /// Its container runs.
    Running { ready: bool },
    /// Its container ended.
    Ended { code: u8, for_good: bool },
    /// Its container ended too often.
    CrashLoop { code: u8, message: String },
}

fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// A condition, with its time kept as long as it stands.
fn condition(old: &Value, kind: &str, holds: bool, reason: &str, message: &str) -> Value {
    let word = if holds { "True" } else { "False" };
    let conditions = old.get("conditions").and_then(Value::as_array).into_iter().flatten();
    let before =
        conditions.filter(|c| c["type"] == kind && c["status"] == word).map(|c| c["lastTransitionTime"].clone()).next();
    let mut condition = json!({"type": kind, "status": word, "lastProbeTime": null, "lastTransitionTime": before.unwrap_or_else(|| json!(now()))});
    if !reason.is_empty() {
        condition["reason"] = json!(reason);
        condition["message"] = json!(message);
    }
    condition
}

fn ended(code: u8, started: &Value) -> Value {
    let reason = if code == 0 { "Completed" } else { "Error" };
    json!({"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now()})
}

/// Writes the pod's status. Nothing is told when it did not change.
pub fn write(pod: &Pod, stand: &Stand) {
    // only looks, once the pod has its address: what stays as it is must not make the world's file be written again
    let restarts = pod.shared.look(|state| state.pods.get(&pod.uid).map_or(0, |pod| pod.restarts));
    let has_none = pod.object().is_some_and(|object| text(&object, "/status/podIP").is_empty());
    let address = if has_none && !matches!(stand, Stand::Unscheduled(_)) {
        let number = pod.shared.change(|state| {
            state.addresses += 1;
            state.addresses
        });
        format!("10.244.0.{}", 10 + number % 240)
    } else {
        String::new()
    };
    // the pod may be gone, or be another by now
    let _ = pod.shared.objects.update(&pod.key, |object| {
        if text(object, "/metadata/uid") == pod.uid {
            let old = object.get("status").cloned().unwrap_or_default();
            object["status"] = status(object, &old, stand, restarts, &address);
        }
        Ok(())
    });
}

fn status(object: &Value, old: &Value, stand: &Stand, restarts: u32, address: &str) -> Value {
    let name = text(object, "/spec/containers/0/name");
    let image = text(object, "/spec/containers/0/image");
    let before = old.pointer("/containerStatuses/0").cloned().unwrap_or_default();
    let started = match before.pointer("/state/running/startedAt") {
        Some(time) => time.clone(),
        None => json!(now()),
    };
    let last = before.get("lastState").filter(|last| !last.is_null()).cloned().unwrap_or_else(|| json!({}));
    let (phase, ready, state, last) = match stand {
        Stand::Unscheduled(why) => {
            let scheduled = condition(old, "PodScheduled", false, "Unschedulable", why);
            return json!({"phase": "Pending", "qosClass": "BestEffort", "conditions": [scheduled]});
        }
        Stand::Waiting { reason, message } => {
            let mut waiting = json!({ "reason": reason });
            if !message.is_empty() {
                waiting["message"] = json!(message);
            }
            ("Pending", false, json!({ "waiting": waiting }), last)
        }
        Stand::Running { ready } => {
            let last = before.pointer("/state/terminated").map_or(last, |ended| json!({ "terminated": ended }));
            ("Running", *ready, json!({"running": {"startedAt": started}}), last)
        }
        Stand::Ended { code, for_good } => {
            let phase = match (for_good, code) {
                (false, _) => "Running",
                (true, 0) => "Succeeded",
                (true, _) => "Failed",
            };
            (phase, false, json!({"terminated": ended(*code, &started)}), last)
        }
        Stand::CrashLoop { code, message } => {
            let last = before.pointer("/state/terminated").cloned().unwrap_or_else(|| ended(*code, &started));
            let waiting = json!({"reason": "CrashLoopBackOff", "message": message});
            ("Running", false, json!({ "waiting": waiting }), json!({ "terminated": last }))
        }
    };
    let done = matches!(phase, "Succeeded" | "Failed");
    let fetched = !matches!(stand, Stand::Waiting { .. });
    let image_id = if fetched {
        format!("{}@sha256:{}", image.split(':').next().unwrap_or(image), hash(image))
    } else {
        String::new()
    };
    let why = if done { "PodCompleted" } else { "ContainersNotReady" };
    let reason = if ready { "" } else { why };
    let message = format!("containers with unready status: [{name}]");
    let mut container = json!({
        "name": name, "image": image, "imageID": image_id, "ready": ready, "restartCount": restarts,
        "started": matches!(stand, Stand::Running { .. }), "state": state, "lastState": last,
    });
    if fetched {
        let unique = format!("{}{restarts}", text(object, "/metadata/uid"));
        container["containerID"] = json!(format!("containerd://{}", hash(&unique)));
    }
    let conditions = json!([
        condition(old, "PodReadyToStartContainers", !done, "", ""),
        condition(old, "Initialized", true, "", ""),
        condition(old, "Ready", ready, reason, &message),
        condition(old, "ContainersReady", ready, reason, &message),
        condition(old, "PodScheduled", true, "", ""),
    ]);
    let start = old.get("startTime").filter(|time| !time.is_null()).cloned().unwrap_or_else(|| json!(now()));
    let ip = Some(text(old, "/podIP")).filter(|ip| !ip.is_empty()).unwrap_or(address);
    json!({
        "phase": phase, "conditions": conditions, "containerStatuses": [container], "hostIP": "10.244.0.1",
        "hostIPs": [{"ip": "10.244.0.1"}], "podIP": ip, "podIPs": [{ "ip": ip }], "qosClass": "BestEffort", "startTime": start,
    })
}
