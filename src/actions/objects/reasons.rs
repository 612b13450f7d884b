//! Why a part is not ready or an object does not end, in words. Pure.

use jiff::Timestamp;
use serde_json::Value;

use super::pods::{is_ready, text};
use crate::{
    run::{EVENT, OutputLine, Row, Sign, Tag},
    text::{printable, units},
};

/// How a workload stands.
pub fn part(name: &str, workload: Option<&Value>, pods: &[Value], events: &[Value], now: Timestamp) -> Row {
    let row = |sign, word: &str, detail: String| Row { sign, word: word.to_owned(), name: name.to_owned(), detail };
    let Some(workload) = workload else {
        return row(Sign::NotYet, "not there", "not created yet".to_owned());
    };
    let number = |pointer: &str| workload.pointer(pointer).and_then(Value::as_u64);
    let wanted = number("/spec/replicas").unwrap_or(1);
    let ready = number("/status/readyReplicas").unwrap_or(0);
    let current = number("/status/updatedReplicas").unwrap_or(if wanted == 0 { 0 } else { ready });
    let seen = number("/status/observedGeneration").unwrap_or(0) >= number("/metadata/generation").unwrap_or(0);
    if seen && wanted == 0 && ready == 0 {
        return row(Sign::Done, "ready", "held back: 0 wanted".to_owned());
    }
    if seen && ready >= wanted && current >= wanted {
        return row(Sign::Done, "ready", format!("{ready} of {wanted}"));
    }
    let labels = workload.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let mut mine = pods.iter().filter(|pod| {
        labels.is_some_and(|all| {
            all.iter().all(|(k, v)| pod.pointer("/metadata/labels").and_then(|l| l.get(k)) == Some(v))
        })
    });
    if let Some(pod) = mine.rfind(|pod| !is_ready(pod)) {
        let (sign, word, detail) = self::pod(pod, events, now);
        return row(sign, word, detail);
    }
    row(Sign::Running, "starting", format!("{ready} of {wanted} ready"))
}

/// Why one pod is not ready.
pub fn pod(pod: &Value, events: &[Value], now: Timestamp) -> (Sign, &'static str, String) {
    for status in pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten() {
        let waiting = text(status, "/state/waiting/reason");
        let restarts = status.pointer("/restartCount").and_then(Value::as_u64).unwrap_or(0);
        match waiting {
            "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
                let said = printable(text(status, "/state/waiting/message"));
                return (
                    Sign::Careful,
                    "stuck",
                    format!("the image {} cannot be fetched: {said}", text(status, "/image")),
                );
            }
            "CrashLoopBackOff" => {
                let code = status.pointer("/lastState/terminated/exitCode").and_then(Value::as_u64).unwrap_or(0);
                return (
                    Sign::Careful,
                    "stuck",
                    format!(
                        "starts and ends again, {}, last with status {code}",
                        units::plural(restarts, "time", "times")
                    ),
                );
            }
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                let said = printable(text(status, "/state/waiting/message"));
                return (Sign::Careful, "stuck", format!("its container cannot be made: {said}"));
            }
            _ => {}
        }
    }
    let unscheduled = pod
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|condition| text(condition, "/type") == "PodScheduled" && text(condition, "/status") == "False");
    if let Some(condition) = unscheduled {
        return (Sign::Careful, "stuck", printable(text(condition, "/message")));
    }
    let uid = text(pod, "/metadata/uid");
    let warning = events.iter().rfind(|e| text(e, "/involvedObject/uid") == uid && text(e, "/type") == "Warning");
    let age = text(pod, "/metadata/creationTimestamp")
        .parse::<Timestamp>()
        .ok()
        .map_or(0, |since| now.duration_since(since).as_secs().max(0));
    let said = warning.map(|e| format!(" · {}", printable(text(e, "/message")))).unwrap_or_default();
    (Sign::Running, "starting", format!("{age} s{said}"))
}

/// An event as a line of output, under the name of what it is about. One without a time of its own counts as `now`.
pub fn event(event: &Value, now: Timestamp) -> OutputLine {
    let times = ["/lastTimestamp", "/eventTime", "/firstTimestamp"].map(|field| text(event, field).parse().ok());
    let count = event.pointer("/count").and_then(Value::as_u64).filter(|count| *count > 1);
    let often = count.map_or_else(String::new, |count| format!(", {count} times"));
    let word = if text(event, "/type") == "Warning" { "WARN " } else { "" };
    OutputLine {
        at: times.into_iter().flatten().next().unwrap_or(now),
        source: text(event, "/involvedObject/name").to_owned(),
        tag: Tag::Plain,
        text: format!("{EVENT}{word}{}{often}: {}", text(event, "/reason"), printable(text(event, "/message"))),
    }
}

/// Why an object has not gone yet.
pub fn ending(object: &Value) -> String {
    let finalizers: Vec<&str> = object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let held = conditions
        .filter(|c| text(c, "/status") == "True" && text(c, "/type").starts_with("Namespace"))
        .map(|c| text(c, "/message"))
        .next();
    match (held, finalizers.is_empty(), object.pointer("/metadata/deletionTimestamp").is_some()) {
        (Some(message), _, _) => printable(message),
        (None, false, _) => format!("held by the finalizer {}", finalizers.join(", ")),
        (None, true, true) => "stopping".to_owned(),
        (None, true, false) => "not asked to end yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T21:00:30Z".parse().unwrap()
    }

    #[test]
    fn an_image_that_cannot_be_fetched_is_named() {
        let workload = json!({"metadata": {"generation": 1}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}},
            "status": {"observedGeneration": 1}});
        let pod = json!({"metadata": {"uid": "u", "labels": {"app": "a"}, "creationTimestamp": "2026-11-20T21:00:00Z"},
            "status": {"containerStatuses": [{"image": "x:5", "state": {"waiting": {"reason": "ErrImagePull", "message": "404\u{1b}"}}}]}});
        let row = part("pix-core", Some(&workload), &[pod], &[], now());
        assert_eq!((row.sign, row.word.as_str()), (Sign::Careful, "stuck"));
        assert_eq!(row.detail, "the image x:5 cannot be fetched: 404␛");
    }

    #[test]
    fn an_event_says_what_how_often_and_of_whom() {
        let event = json!({"type": "Warning", "reason": "FailedScheduling", "message": "no node has room", "count": 3,
            "involvedObject": {"name": "pix-worker-6d9f-x2k4q"}, "lastTimestamp": "2026-11-20T21:00:07Z"});
        let line = self::event(&event, now());
        assert_eq!(line.text, "event · WARN FailedScheduling, 3 times: no node has room");
        assert_eq!(
            (line.source.as_str(), line.at.to_string().as_str()),
            ("pix-worker-6d9f-x2k4q", "2026-11-20T21:00:07Z")
        );
        let bare = self::event(&json!({"type": "Normal", "reason": "Pulled", "eventTime": null}), now());
        assert_eq!((bare.text.as_str(), bare.at), ("event · Pulled: ", now()));
    }

    #[test]
    fn an_old_status_is_not_ready() {
        let workload = json!({"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": {"observedGeneration": 1, "readyReplicas": 1, "updatedReplicas": 1}});
        assert_eq!(part("w", Some(&workload), &[], &[], now()).sign, Sign::Running);
    }

    #[test]
    fn a_finalizer_is_named() {
        let object = json!({"metadata": {"deletionTimestamp": "x", "finalizers": ["example.com/hold"]}});
        assert_eq!(ending(&object), "held by the finalizer example.com/hold");
    }
}
