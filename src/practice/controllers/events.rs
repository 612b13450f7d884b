//! Events, as controllers and the kubelet tell them.

use serde_json::{Value, json};

use super::super::{
    objects::{Key, uid},
    state::Shared,
};

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Tells something about an object; the same words again are counted in the event that is there.
pub fn tell(shared: &Shared, about: &Value, warning: bool, reason: &str, message: &str, by: &str) {
    let namespace = match text(about, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    };
    let place = shared.objects.get(&Key::new("", "namespaces", None, namespace));
    if place.is_none_or(|place| place.pointer("/metadata/deletionTimestamp").is_some()) {
        return;
    }
    let now = format!("{:.0}", jiff::Timestamp::now());
    let (name, about_uid) = (text(about, "/metadata/name"), text(about, "/metadata/uid"));
    let (_, all) = shared.objects.list("", "events", Some(namespace));
    let same = all.iter().find(|event| {
        text(event, "/involvedObject/uid") == about_uid
            && text(event, "/reason") == reason
            && text(event, "/message") == message
    });
    if let Some(event) = same {
        let key = Key::new("", "events", Some(namespace), text(event, "/metadata/name"));
        // it may be gone by now
        let _ = shared.objects.update(&key, |event| {
            let count = event["count"].as_u64().unwrap_or(1);
            event["count"] = json!(count + 1);
            event["lastTimestamp"] = json!(now);
            Ok(())
        });
        return;
    }
    let unique: String = uid().replace('-', "").chars().take(16).collect();
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "type": if warning { "Warning" } else { "Normal" },
        "involvedObject": {"apiVersion": text(about, "/apiVersion"), "kind": text(about, "/kind"), "namespace": text(about, "/metadata/namespace"),
            "name": name, "uid": about_uid, "resourceVersion": text(about, "/metadata/resourceVersion")},
        "reason": reason, "message": message, "count": 1, "firstTimestamp": now, "lastTimestamp": now, "eventTime": null,
        "source": {"component": by}, "reportingComponent": by, "reportingInstance": "",
    });
    // the namespace may have ended in between
    let _ = shared.objects.create(&Key::new("", "events", Some(namespace), &format!("{name}.{unique}")), event);
}
