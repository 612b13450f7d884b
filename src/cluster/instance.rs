//! Which start of a container the node has a log of, as the pod's status tells it. Pure; called by `container_log`.

use jiff::Timestamp;
use serde_json::Value;

/// One start of a container, the last one that began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// How many starts were before it.
    pub restarts: u32,
    /// When it began, where the status says so.
    pub began: Option<Timestamp>,
    /// Whether it has ended.
    pub ended: bool,
    /// Whether none will come after it.
    pub for_good: bool,
    /// When the start before it began and ended, where the node still has that one's log.
    pub before: Option<(Timestamp, Timestamp)>,
}

impl Instance {
    /// The last start of `container`; `None` as long as it never began.
    pub fn of(pod: &Value, container: &str) -> Option<Self> {
        let lists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
        let mut all = lists.iter().flat_map(|list| pod["status"][list].as_array().into_iter().flatten());
        let status = all.find(|status| status["name"] == container)?;
        let last = status.pointer("/lastState/terminated");
        let (running, ended) = (status.pointer("/state/running"), status.pointer("/state/terminated"));
        let restarts = status["restartCount"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let time = |state: &Value, key: &str| state[key].as_str()?.parse::<Timestamp>().ok();
        let began = |state: &Value| time(state, "startedAt");
        let times = |state: &Value| Some((began(state)?, time(state, "finishedAt")?));
        if let Some(ended) = ended {
            let for_good = !begins_again(pod, container, ended["exitCode"].as_i64().unwrap_or(1));
            let before = last.and_then(times);
            return Some(Self { restarts, began: began(ended), ended: true, for_good, before });
        }
        if let Some(running) = running {
            let before = last.and_then(times);
            return Some(Self { restarts, began: began(running), ended: false, for_good: false, before });
        }
        // it waits for its next start: what it was last is the newest that the node has
        last.map(|last| Self { restarts, began: began(last), ended: true, for_good: false, before: None })
    }
}

/// Whether the kubelet starts a container again that ended with `code`.
fn begins_again(pod: &Value, container: &str, code: i64) -> bool {
    if matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
        return false;
    }
    let named = |list: &str| pod["spec"][list].as_array().into_iter().flatten().find(|one| one["name"] == container);
    let policy = pod["spec"]["restartPolicy"].as_str().unwrap_or("Always");
    if let Some(init) = named("initContainers") {
        // one with a policy of its own runs beside the others
        return init["restartPolicy"] == "Always" || (code != 0 && policy != "Never");
    }
    if named("ephemeralContainers").is_some() {
        return false;
    }
    match policy {
        "Never" => false,
        "OnFailure" => code != 0,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(policy: &str, status: &Value) -> Value {
        json!({"spec": {"restartPolicy": policy, "containers": [{"name": "main"}], "initContainers": [{"name": "first"}]},
            "status": {"phase": "Running", "containerStatuses": [status]}})
    }

    #[test]
    fn the_last_start_is_found_in_every_state() {
        let ended = json!({"terminated": {"exitCode": 1, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:09Z"}});
        let status =
            |state: Value, last: Value| json!({"name": "main", "restartCount": 2, "state": state, "lastState": last});
        let of = |policy, state, last| Instance::of(&pod(policy, &status(state, last)), "main");
        assert_eq!(of("Always", json!({"waiting": {}}), json!({})), None);
        let waits = of("Always", json!({"waiting": {"reason": "CrashLoopBackOff"}}), ended.clone()).unwrap();
        assert_eq!((waits.restarts, waits.ended, waits.for_good, waits.before), (2, true, false, None));
        let runs = of("Always", json!({"running": {}}), ended.clone()).unwrap();
        assert!(!runs.ended && runs.before.is_some());
        assert!(!of("Always", ended.clone(), json!({})).unwrap().for_good);
        assert!(of("Never", ended, json!({})).unwrap().for_good);
    }

    #[test]
    fn an_init_container_that_did_its_work_is_over() {
        let mut pod = pod("Always", &json!({}));
        let end =
            |code: i64| json!([{"name": "first", "restartCount": 0, "state": {"terminated": {"exitCode": code}}}]);
        pod["status"]["initContainerStatuses"] = end(0);
        assert!(Instance::of(&pod, "first").unwrap().for_good);
        pod["status"]["initContainerStatuses"] = end(1);
        assert!(!Instance::of(&pod, "first").unwrap().for_good);
    }
}
