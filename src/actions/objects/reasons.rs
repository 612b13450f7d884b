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
    let mine = pods.iter().filter(|pod| {
        labels.is_some_and(|all| {
            all.iter().all(|(k, v)| pod.pointer("/metadata/labels").and_then(|l| l.get(k)) == Some(v))
        })
    });
    let mine: Vec<&Value> = mine.filter(|pod| !is_ready(pod)).collect();
    let (ending, open): (Vec<&Value>, Vec<&Value>) = mine.into_iter().partition(|pod| is_ending(pod));
    let unmade = || unmade(name, workload, pods, events).map(|why| (Sign::Careful, "stuck", why));
    let why = open.last().map(|pod| self::pod(pod, events, now)).or_else(unmade);
    if let Some((sign, word, detail)) = why.or_else(|| ending.last().map(|pod| self::pod(pod, events, now))) {
        return row(sign, word, detail);
    }
    row(Sign::Running, "starting", format!("{ready} of {wanted} ready"))
}

fn is_ending(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// Whether an object of this name is the one called `maker`, or one that its controller has named after it.
pub fn is_made_by(name: &str, maker: &str) -> bool {
    name.strip_prefix(maker).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Why a workload has no pod: a quota, an admission. A Deployment says so itself, as long as it is so; of others only the event
/// tells, until a pod has come after it.
fn unmade(name: &str, workload: &Value, pods: &[Value], events: &[Value]) -> Option<String> {
    let conditions = workload.pointer("/status/conditions").and_then(Value::as_array);
    let of_its_own = conditions.into_iter().flatten().find(|condition| text(condition, "/type") == "ReplicaFailure");
    let told = |said: &str| format!("its pod cannot be made: {}", printable(said));
    if let Some(condition) = of_its_own.filter(|condition| text(condition, "/status") == "True") {
        return Some(told(text(condition, "/message")));
    }
    if text(workload, "/kind") == "Deployment" {
        return None;
    }
    let created = |object: &Value| text(object, "/metadata/creationTimestamp").parse::<Timestamp>().ok();
    let newest = pods.iter().filter(|pod| is_made_by(text(pod, "/metadata/name"), name)).filter_map(created).max();
    let since = newest.max(created(workload));
    let refused = events
        .iter()
        .filter(|event| text(event, "/reason") == "FailedCreate" && text(event, "/involvedObject/name") == name);
    let last = refused.filter_map(|event| Some((last_seen(event)?, event))).max_by_key(|(at, _)| *at);
    last.filter(|(at, _)| since.is_none_or(|since| *at >= since)).map(|(_, event)| told(text(event, "/message")))
}

/// When an event was seen last.
fn last_seen(event: &Value) -> Option<Timestamp> {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
    times.into_iter().find_map(|field| text(event, field).parse().ok())
}

/// Why one pod is not ready.
pub fn pod(pod: &Value, events: &[Value], now: Timestamp) -> (Sign, &'static str, String) {
    if is_ending(pod) {
        return (Sign::Running, "ending", ending(pod));
    }
    // those of the start come first: as long as they are not through, the others only wait for them
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    for status in lists.iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten() {
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
    let count = event.pointer("/count").and_then(Value::as_u64).filter(|count| *count > 1);
    let often = count.map_or_else(String::new, |count| format!(", {count} times"));
    let word = if text(event, "/type") == "Warning" { "WARN " } else { "" };
    OutputLine {
        at: last_seen(event).unwrap_or(now),
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
    fn an_image_of_the_start_is_as_stuck_as_one_of_the_application() {
        let pod = json!({"metadata": {"uid": "u"}, "status": {
            "initContainerStatuses": [{"image": "x:1", "state": {"terminated": {"exitCode": 0}}},
                {"image": "x:9", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}],
            "containerStatuses": [{"image": "x:5", "state": {"waiting": {"reason": "PodInitializing"}}}]}});
        let (sign, _, detail) = super::pod(&pod, &[], now());
        assert_eq!((sign, detail.as_str()), (Sign::Careful, "the image x:9 cannot be fetched: no such image"));
    }

    #[test]
    fn a_pod_that_cannot_be_made_is_told_by_the_deployment_or_by_the_event() {
        let quota = "pods \"w-1\" is forbidden: exceeded quota: none";
        let spec = json!({"replicas": 1, "selector": {"matchLabels": {"app": "w"}}});
        let created = json!({"name": "w", "creationTimestamp": "2026-11-20T21:00:00Z"});
        let workload = |kind: &str, conditions: Value| json!({"kind": kind, "metadata": created, "spec": spec, "status": {"conditions": conditions}});
        let refused = |at: &str, of: &str| json!({"reason": "FailedCreate", "message": quota, "lastTimestamp": at, "involvedObject": {"name": of}});
        let told = |workload: &Value, pods: &[Value], events: &[Value]| {
            let row = part("w", Some(workload), pods, events, now());
            (row.sign, row.detail)
        };
        let why = (Sign::Careful, format!("its pod cannot be made: {quota}"));
        let failure = json!([{"type": "ReplicaFailure", "status": "True", "message": quota}]);
        assert_eq!(told(&workload("Deployment", failure), &[], &[]), why);
        // an event of a failure that a Deployment does not speak of any more
        let old = [refused("2026-11-20T21:00:20Z", "w-5d8f")];
        assert_eq!(told(&workload("Deployment", json!([])), &[], &old).0, Sign::Running);
        let set = workload("StatefulSet", json!(null));
        let events = [refused("2026-11-20T21:00:20Z", "w"), refused("2026-11-20T20:59:00Z", "w")];
        assert_eq!(told(&set, &[], &events), why);
        assert_eq!(told(&set, &[], &events[1..]).0, Sign::Running, "of the one before it");
        let ending = json!({"metadata": {"name": "w-0", "labels": {"app": "w"}, "deletionTimestamp": "x",
            "creationTimestamp": "2026-11-20T21:00:25Z"}});
        assert_eq!(told(&set, &[ending], &events), (Sign::Running, "stopping".to_owned()), "a pod came after it");
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
