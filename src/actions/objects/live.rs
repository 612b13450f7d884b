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

/// Does `work`; as long as it lasts, the step's output gets every line of every pod of `namespace`.
pub async fn beside<T>(cx: &StepCx, namespace: &str, work: impl Future<Output = T>) -> T {
    let cancel = cx.cancel.child_token();
    let (to, mut lines) = mpsc::channel(QUEUE);
    let now = cx.world.clock.now();
    let since = now.checked_sub(BEFORE).unwrap_or(now);
    let follow = cx.world.logs.follow(namespace, "", since, to, cancel.clone());
    let write = async {
        while let Some(line) = lines.recv().await {
            cx.driver.line(output(cx, line)).await;
        }
    };
    let logs = async {
        tokio::join!(follow, write);
        // a log that ends does not end the work
        std::future::pending().await
    };
    let done = tokio::select! {
        done = work => done,
        done = logs => done,
    };
    cancel.cancel();
    done
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
