//! Jobs, simple: one pod after another until one succeeds or the limit is reached.

use serde_json::{Value, json};

use super::{Shared, is_ending, is_open, is_over, key, number, owned, pods, set_status, text};

/// One step for all of them.
pub fn step(shared: &Shared) {
    for job in shared.objects.list("batch", "jobs", None).1 {
        let finished = job.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        if !finished && !is_ending(&job) && is_open(shared, text(&job, "/metadata/namespace")) {
            one(shared, &job);
        }
    }
}

fn one(shared: &Shared, job: &Value) {
    let mine = owned(shared, "", "pods", job);
    let succeeded = mine.iter().filter(|pod| text(pod, "/status/phase") == "Succeeded").count();
    let failed = mine.iter().filter(|pod| text(pod, "/status/phase") == "Failed").count();
    let active = mine.iter().filter(|pod| !is_over(pod)).count();
    let limit = number(job, "/spec/backoffLimit", 6);
    let start =
        job.pointer("/status/startTime").cloned().unwrap_or_else(|| json!(format!("{:.0}", jiff::Timestamp::now())));
    let mut status = json!({"startTime": start, "active": active, "succeeded": succeeded, "failed": failed});
    let now = format!("{:.0}", jiff::Timestamp::now());
    if succeeded > 0 {
        status["completionTime"] = json!(now);
        status["conditions"] = json!([{"type": "Complete", "status": "True", "reason": "CompletionsReached",
            "message": "Reached expected number of succeeded pods", "lastTransitionTime": now}]);
    } else if failed > limit {
        status["conditions"] = json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit", "lastTransitionTime": now}]);
    } else if active == 0 {
        pods::make(shared, job, None, &[("job-name", text(job, "/metadata/name"))], &[], "job-controller");
    }
    set_status(shared, &key("batch", "jobs", job), &status);
}
