//! Cells of the tables that take more than one look at an object.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::write::text;

fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn or_none(joined: String) -> Value {
    json!(if joined.is_empty() { "<none>".to_owned() } else { joined })
}

/// A duration as kubectl writes it: two units at most.
pub fn human(seconds: i64) -> String {
    let two = |big: i64, unit: &str, small: i64, rest: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{rest}") }
    };
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => two(days / 365, "y", days % 365, "d"),
    }
}

/// How long ago a time of an object was.
pub fn age(object: &Value, pointer: &str) -> Value {
    let since =
        text(object, pointer).parse::<Timestamp>().or_else(|_| text(object, "/metadata/creationTimestamp").parse());
    json!(
        since.map_or_else(|_| "<unknown>".to_owned(), |since| human(Timestamp::now().as_second() - since.as_second()))
    )
}

/// A field of every container of a template.
pub fn containers(object: &Value, field: &str) -> Value {
    let names = list(object, "/spec/template/spec/containers").iter().map(|one| text(one, &format!("/{field}")));
    json!(names.collect::<Vec<_>>().join(","))
}

/// `a=b,c=d`
pub fn pairs(map: Option<&Value>) -> Value {
    let pairs = map.and_then(Value::as_object).into_iter().flatten();
    or_none(
        pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>().join(","),
    )
}

/// The selector of a workload.
pub fn selector(object: &Value) -> Value {
    pairs(object.pointer("/spec/selector/matchLabels"))
}

/// `1/2`
pub fn pod_ready(pod: &Value) -> Value {
    let statuses = list(pod, "/status/containerStatuses");
    let ready = statuses.iter().filter(|one| one["ready"] == true).count();
    json!(format!("{ready}/{}", list(pod, "/spec/containers").len()))
}

/// The one word for how a pod is.
pub fn pod_status(pod: &Value) -> Value {
    let mut word = text(pod, "/status/reason");
    if word.is_empty() {
        word = text(pod, "/status/phase");
    }
    for status in list(pod, "/status/containerStatuses").iter().rev() {
        let waiting = text(status, "/state/waiting/reason");
        let ended = text(status, "/state/terminated/reason");
        if !waiting.is_empty() {
            word = waiting;
        } else if !ended.is_empty() {
            word = ended;
        }
    }
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        word = "Terminating";
    }
    json!(word)
}

/// `3 (5m ago)`
pub fn pod_restarts(pod: &Value) -> Value {
    let statuses = list(pod, "/status/containerStatuses");
    let count: u64 = statuses.iter().filter_map(|one| one["restartCount"].as_u64()).sum();
    let last =
        statuses.iter().filter_map(|one| text(one, "/lastState/terminated/finishedAt").parse::<Timestamp>().ok()).max();
    match last.filter(|_| count > 0) {
        Some(last) => json!(format!("{count} ({} ago)", human(Timestamp::now().as_second() - last.as_second()))),
        None => json!(count.to_string()),
    }
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    let found = list(object, "/status/conditions").iter().find(|one| text(one, "/type") == kind);
    found.map_or("", |one| text(one, "/status"))
}

/// `Complete`, `Failed`, `Running`
pub fn job_status(job: &Value) -> Value {
    json!(match (condition(job, "Complete"), condition(job, "Failed")) {
        ("True", _) => "Complete",
        (_, "True") => "Failed",
        _ => "Running",
    })
}

/// From start to end, or to now.
pub fn job_duration(job: &Value) -> Value {
    let Ok(start) = text(job, "/status/startTime").parse::<Timestamp>() else { return json!("") };
    let end = text(job, "/status/completionTime").parse().unwrap_or_else(|_| Timestamp::now());
    json!(human(end.as_second() - start.as_second()))
}

/// `8080/TCP,5432/TCP`
pub fn service_ports(service: &Value) -> Value {
    let ports = list(service, "/spec/ports").iter().map(|port| {
        let protocol = Some(text(port, "/protocol")).filter(|protocol| !protocol.is_empty()).unwrap_or("TCP");
        let node = port["nodePort"].as_u64().map_or_else(String::new, |node| format!(":{node}"));
        format!("{}{node}/{protocol}", port["port"])
    });
    or_none(ports.collect::<Vec<_>>().join(","))
}

/// `10.0.0.1:8080,10.0.0.2:8080`
pub fn endpoints(object: &Value) -> Value {
    let mut found = Vec::new();
    for subset in list(object, "/subsets") {
        for address in list(subset, "/addresses") {
            found
                .extend(list(subset, "/ports").iter().map(|port| format!("{}:{}", text(address, "/ip"), port["port"])));
        }
    }
    or_none(found.join(","))
}

/// What stands at `pointer` in every entry of a list.
pub fn each(object: &Value, entries: &str, pointer: &str) -> Value {
    let shown = |entry: &Value| match entry.pointer(pointer) {
        Some(Value::String(word)) => word.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let found: Vec<String> = list(object, entries).iter().map(shown).collect();
    if found.is_empty() { json!("<unset>") } else { json!(found.join(",")) }
}

/// `Ready`, `NotReady,SchedulingDisabled`
pub fn node_status(node: &Value) -> Value {
    let mut words = vec![match condition(node, "Ready") {
        "True" => "Ready",
        "" => "Unknown",
        _ => "NotReady",
    }];
    if node.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
        words.push("SchedulingDisabled");
    }
    json!(words.join(","))
}

/// Roles from the labels.
pub fn node_roles(node: &Value) -> Value {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object);
    let roles = labels.into_iter().flat_map(Map::keys).filter_map(|key| key.strip_prefix("node-role.kubernetes.io/"));
    or_none(roles.collect::<Vec<_>>().join(","))
}

/// The inner address of a node.
pub fn node_address(node: &Value) -> Value {
    let found = list(node, "/status/addresses").iter().find(|one| text(one, "/type") == "InternalIP");
    or_none(found.map_or_else(String::new, |one| text(one, "/address").to_owned()))
}

/// `Bound`, `Terminating`
pub fn claim_status(claim: &Value) -> Value {
    let ending = claim.pointer("/metadata/deletionTimestamp").is_some();
    json!(if ending { "Terminating" } else { text(claim, "/status/phase") })
}

/// `RWO,ROX`
pub fn modes(object: &Value, pointer: &str) -> Value {
    let short = |mode: &Value| match mode.as_str().unwrap_or_default() {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "?",
    };
    json!(list(object, pointer).iter().map(short).collect::<Vec<_>>().join(","))
}

/// `plant/data-db-0`
pub fn volume_claim(volume: &Value) -> Value {
    let part = |field: &str| text(volume, &format!("/spec/claimRef/{field}")).to_owned();
    json!(if part("name").is_empty() { String::new() } else { format!("{}/{}", part("namespace"), part("name")) })
}

/// The name of a class, with a mark at the default one.
pub fn class_name(class: &Value) -> Value {
    let mark = "storageclass.kubernetes.io/is-default-class";
    let default = class.pointer("/metadata/annotations").and_then(|notes| notes.get(mark)) == Some(&json!("true"));
    json!(format!("{}{}", text(class, "/metadata/name"), if default { " (default)" } else { "" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_kubectl_writes_them() {
        for (seconds, text) in [
            (33, "33s"),
            (277, "4m37s"),
            (300, "5m"),
            (5000, "83m"),
            (16_140, "4h29m"),
            (90_000, "25h"),
            (700_000, "8d"),
        ] {
            assert_eq!(human(seconds), text);
        }
    }

    #[test]
    fn a_pod_is_called_by_what_keeps_it() {
        let pod = json!({"spec": {"containers": [{}]}, "status": {"phase": "Pending",
            "containerStatuses": [{"ready": false, "restartCount": 2, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}});
        assert_eq!(pod_status(&pod), "ImagePullBackOff");
        assert_eq!(pod_ready(&pod), "0/1");
        assert_eq!(pod_restarts(&pod), "2");
    }
}
