//! Logs of the pods of a namespace beside the work that waits for them, as lines of the step's output.

use std::{future::Future, time::Duration};

use tokio::sync::mpsc;

use crate::{
    actions::context::StepCx,
    ports::{LogLine, LogNote},
    run::{OutputLine, Tag},
    text::units,
};

/// Lines that may wait for the step's output.
const QUEUE: usize = 256;
/// Lines so much older than the work are shown, too: clocks differ, and a pod may have begun before its wait did.
const BEFORE: Duration = Duration::from_secs(60);

/// For so long lines that wait at the end of the work are still written.
const LAST: Duration = Duration::from_secs(2);

/// Does `work`; as long as it lasts, the step's output gets every line of the deployment's own pods in `namespace`.
pub async fn beside<T>(cx: &StepCx, namespace: &str, work: impl Future<Output = T>) -> T {
    let parts = cx.deployment.as_ref().map_or(&[][..], |deployment| &deployment.parts);
    let cancel = cx.cancel.child_token();
    let (to, mut lines) = mpsc::channel(QUEUE);
    let now = cx.world.clock.now();
    let since = now.checked_sub(BEFORE).unwrap_or(now);
    let follow = cx.world.logs.follow(namespace, "", since, to, cancel.clone());
    let write = async {
        while let Some(line) = lines.recv().await {
            let (LogLine::Line { pod, .. } | LogLine::Note { pod, .. }) = &line;
            // what a neighbour says is nobody's business in the folder of this run
            if pod.is_empty() || is_part(parts, pod) {
                cx.driver.line(output(cx, line)).await;
            }
        }
    };
    let logs = async { tokio::join!(follow, write) };
    tokio::pin!(logs, work);
    let mut is_over = false;
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            // a log that ends does not end the work
            _ = &mut logs, if !is_over => is_over = true,
        }
    };
    cancel.cancel();
    if !is_over {
        // what came last often says why the work failed
        let _ = tokio::time::timeout(LAST, logs).await;
    }
    done
}

/// Whether a pod of this name belongs to one of these workloads, as `Deployment/pix-core`.
fn is_part(parts: &[String], pod: &str) -> bool {
    parts.iter().any(|part| {
        let (kind, name) = part.split_once('/').unwrap_or(("", part));
        let Some(rest) = pod.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')) else { return false };
        // a StatefulSet numbers its pods; others add a word, a Deployment one more for its replica set
        match kind {
            "StatefulSet" => rest.bytes().all(|byte| byte.is_ascii_digit()),
            _ => rest.split('-').count() <= 2,
        }
    })
}

fn output(cx: &StepCx, line: LogLine) -> OutputLine {
    match line {
        LogLine::Line { pod, at, text, .. } => OutputLine { at, source: pod, tag: Tag::Plain, text },
        LogLine::Note { pod, note, .. } => {
            OutputLine { at: cx.world.clock.now(), source: pod, tag: Tag::Expected, text: words(&note) }
        }
    }
}

fn words(note: &LogNote) -> String {
    match note {
        LogNote::Waiting => "no pod is there yet".to_owned(),
        LogNote::Opened => "its log begins".to_owned(),
        LogNote::Cut { retry_in_s } => format!("its log was cut off; next try in {retry_in_s} s"),
        LogNote::Back { after_s, caught_up } => {
            format!("its log is back after {after_s} s, {} caught up", units::plural(*caught_up, "line", "lines"))
        }
        LogNote::Gap { from, to } => format!("its log has a gap from {from:.0} to {to:.0}: these lines are lost"),
        LogNote::Restarted { restarts } => {
            format!("its container restarted, {} so far", units::plural(*restarts, "time", "times"))
        }
        LogNote::Ended => "its log is at its end".to_owned(),
        LogNote::Refused { right } => format!("its log may not be read: verb {right}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_known_by_its_workload() {
        let parts = ["StatefulSet/pix-db", "Deployment/pix-core"].map(str::to_owned);
        for (pod, own) in [
            ("pix-db-0", true),
            ("pix-core-5d8f7c9b6d-x2x7k", true),
            ("pix-db-backup-29012345-abcde", false),
            ("pix-db", false),
            ("pix-core-tools-5d8f7c9b6d-x2x7k", false),
            ("ledger-0", false),
        ] {
            assert_eq!(is_part(&parts, pod), own, "{pod}");
        }
    }
}
