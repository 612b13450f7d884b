//! Waits that explain themselves on a real cluster: within five seconds of the cluster's own event its reason is told, also where
//! it is not the application's container that cannot start, or no pod can be made at all.

use jiff::Timestamp;
use serde_json::Value;

use crate::{live::Live, pixelcore::Plant};

/// What only the rehearsal's namespace gets.
const ONLY_THERE: &str = "hasSuffix \"-rehearsal\" .Release.Namespace";

/// When the cluster first told of `reason` with these words in the rehearsal's namespace.
fn first(plant: &Plant, reason: &str, words: &str) -> Timestamp {
    let rehearsal = format!("{}-rehearsal", plant.namespace);
    let events: Value =
        serde_json::from_str(&plant.kubectl(&["-n", &rehearsal, "get", "events", "-o", "json"])).unwrap();
    let text = |event: &Value, pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let all = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| text(event, "/reason") == reason && text(event, "/message").contains(words));
    let at = |event: &Value| {
        let times = [text(event, "/firstTimestamp"), text(event, "/eventTime")];
        times.into_iter().find_map(|time| time.parse::<Timestamp>().ok())
    };
    all.filter_map(at).min().unwrap_or_else(|| panic!("no event {reason} with {words}: {events}"))
}

/// Runs to the rehearsal's wait; there `told` must be shown within five seconds of the event with `reason` and `words`.
fn explains(plant: &Plant, chart: &str, (reason, words): (&str, &str), told: &[&str]) {
    let ours = format!("chart={}", plant.chart());
    let start: Vec<String> =
        plant.start("pod").into_iter().map(|arg| if arg == ours { format!("chart={chart}") } else { arg }).collect();
    let mut live = Live::start(plant.drydock(&start.iter().map(String::as_str).collect::<Vec<_>>()));
    live.step("rehearse");
    let marks: Vec<&str> = ["\"type\":\"progress\""].into_iter().chain(told.iter().copied()).collect();
    let line = live.until(&marks);
    let (now, event) = (Timestamp::now(), first(plant, reason, words));
    println!("\n== {reason} at {event}, told at {now}\n   {line:.600}");
    // the cluster's timestamp has whole seconds
    assert!(now.duration_since(event).as_millis() < 6_000, "told at {now}, the event is of {event}: {line}");
    live.kill();
    // it may not be found there by the next run
    let rehearsal = format!("{}-rehearsal", plant.namespace);
    plant.kubectl(&["delete", "namespace", &rehearsal, "--timeout=120s"]);
    plant.give_up();
}

#[test]
fn what_does_not_start_is_told_within_five_seconds_of_the_event() {
    let Some(plant) = Plant::install("dd-why", 500) else { return };
    let chart = plant.folder.path().join("chart");
    let chart = chart.to_str().unwrap();
    assert!(plant.command("cp").args(["-r", &plant.chart(), chart]).status().unwrap().success());
    assert!(plant.command("chmod").args(["-R", "u+w", chart]).status().unwrap().success());
    let core = format!("{chart}/templates/core.yaml");
    let whole = std::fs::read_to_string(&core).unwrap();
    let at = "      containers:\n        - name: pix-core\n";
    assert!(whole.contains(at), "{whole}");
    let first = format!(
        "      {{{{- if {ONLY_THERE} }}}}\n      initContainers: [{{name: first, image: localhost/no-such:9, \
         imagePullPolicy: IfNotPresent, command: [sh]}}]\n      {{{{- end }}}}\n"
    );
    std::fs::write(&core, whole.replacen(at, &format!("{first}{at}"), 1)).unwrap();
    explains(&plant, chart, ("Failed", "localhost/no-such:9"), &["the image localhost/no-such:9 cannot be fetched"]);

    std::fs::write(&core, whole).unwrap();
    let quota = format!(
        "{{{{- if {ONLY_THERE} }}}}\napiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: none}}\n\
         spec: {{hard: {{pods: \"0\"}}}}\n{{{{- end }}}}\n"
    );
    std::fs::write(format!("{chart}/templates/quota.yaml"), quota).unwrap();
    explains(&plant, chart, ("FailedCreate", "exceeded quota"), &["its pod cannot be made: ", "exceeded quota: none"]);
}
