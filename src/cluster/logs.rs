//! Logs of every container of a namespace's pods, also of those that come later; each line once, gaps told.

use std::{collections::HashSet, time::Duration};

use async_trait::async_trait;
use futures::{AsyncBufRead, AsyncReadExt, StreamExt, io::AsyncBufReadExt};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{connect::Cluster, objects::query, watch};
use crate::ports::{LogLine, LogNote, Logs, kinds};

/// Longest line that is kept whole, in bytes.
const LONGEST: u64 = 64 * 1024;
/// First and longest pause before a new try.
const PAUSES: (u64, u64) = (1, 30);

#[async_trait]
impl Logs for Cluster {
    async fn follow(
        &self,
        namespace: &str,
        selector: &str,
        since: Timestamp,
        to: mpsc::Sender<LogLine>,
        cancel: CancellationToken,
    ) {
        let mut lists = watch::lists(self.client.clone(), &kinds::pod(), Some(namespace), selector);
        let mut followed: HashSet<(String, String)> = HashSet::new();
        let mut tasks = tokio::task::JoinSet::new();
        let waiting = LogLine::Note { pod: String::new(), container: String::new(), note: LogNote::Waiting };
        let mut told_waiting = false;
        loop {
            let pods = tokio::select! {
                list = lists.next() => match list { Some(Ok(list)) => list, Some(Err(_)) => continue, None => return },
                () = cancel.cancelled() => return,
            };
            if pods.is_empty() && !told_waiting {
                told_waiting = true;
                let _ = to.send(waiting.clone()).await;
            }
            for pod in &pods {
                let uid = pod.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
                let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                for status in pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten() {
                    let container = status["name"].as_str().unwrap_or_default();
                    let started =
                        status.pointer("/state/running").is_some() || status.pointer("/state/terminated").is_some();
                    if started && followed.insert((uid.to_owned(), container.to_owned())) {
                        let one = One {
                            cluster: self.clone(),
                            namespace: namespace.to_owned(),
                            pod: name.to_owned(),
                            container: container.to_owned(),
                            to: to.clone(),
                        };
                        tasks.spawn(one.follow(since, cancel.clone()));
                    }
                }
            }
        }
    }
}

/// One container's log.
struct One {
    cluster: Cluster,
    namespace: String,
    pod: String,
    container: String,
    to: mpsc::Sender<LogLine>,
}

impl One {
    async fn note(&self, note: LogNote) {
        let _ = self.to.send(LogLine::Note { pod: self.pod.clone(), container: self.container.clone(), note }).await;
    }

    async fn follow(self, since: Timestamp, cancel: CancellationToken) {
        // lines of the newest second that were passed on: the server's `sinceTime` knows seconds only
        let (mut last, mut seen) = (since, HashSet::<(Timestamp, String)>::new());
        let (mut pause, mut opened, mut cut_at) = (PAUSES.0, false, None::<Timestamp>);
        loop {
            let passed = tokio::select! {
                passed = self.once(&mut last, &mut seen, &mut opened, &mut cut_at) => passed,
                () = cancel.cancelled() => return,
            };
            if passed > 0 {
                pause = PAUSES.0;
            }
            if !self.is_alive().await {
                self.note(LogNote::Ended).await;
                return;
            }
            cut_at.get_or_insert_with(Timestamp::now);
            self.note(LogNote::Cut { retry_in_s: pause }).await;
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(pause)) => {}
                () = cancel.cancelled() => return,
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Whether the pod is there and its container may say more.
    async fn is_alive(&self) -> bool {
        let path = format!("/api/v1/namespaces/{}/pods/{}", self.namespace, self.pod);
        match self.cluster.json("cannot read the pod", "GET", &path, None).await {
            Ok(pod) => !matches!(pod.pointer("/status/phase").and_then(Value::as_str), Some("Succeeded" | "Failed")),
            Err(error) => error.kind != crate::ports::PortErrorKind::NotFound,
        }
    }

    /// One connection; returns the number of lines passed on.
    async fn once(
        &self,
        last: &mut Timestamp,
        seen: &mut HashSet<(Timestamp, String)>,
        opened: &mut bool,
        cut_at: &mut Option<Timestamp>,
    ) -> u64 {
        let since = jiff::fmt::temporal::DateTimePrinter::new().precision(Some(0)).timestamp_to_string(last);
        let url = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&follow=true&timestamps=true&sinceTime={}",
            self.namespace,
            self.pod,
            self.container,
            query(&since)
        );
        let Ok(request) = http::Request::get(url).body(Vec::new()) else { return 0 };
        let what = "cannot follow the log";
        let Ok(mut stream) = self.cluster.bounded(what, self.cluster.client.request_stream(request)).await else {
            return 0;
        };
        if !std::mem::replace(opened, true) {
            self.note(LogNote::Opened).await;
        }
        let mut passed = 0;
        loop {
            let Ok(Some(line)) = read_line(&mut stream).await else { return passed };
            let (stamp, text) = line.split_once(' ').unwrap_or((&line, ""));
            let Ok(at) = stamp.parse::<Timestamp>() else { continue };
            if at < *last || !seen.insert((at, text.to_owned())) {
                continue;
            }
            if at.as_second() > last.as_second() {
                seen.retain(|(of, _)| of.as_second() >= at.as_second());
            }
            *last = at;
            passed += 1;
            if let Some(since) = cut_at.take() {
                let after_s = u64::try_from(Timestamp::now().duration_since(since).as_secs()).unwrap_or(0);
                self.note(LogNote::Back { after_s, caught_up: 0 }).await;
            }
            let (pod, container) = (self.pod.clone(), self.container.clone());
            if self.to.send(LogLine::Line { pod, container, at, text: text.to_owned() }).await.is_err() {
                return passed;
            }
        }
    }
}

/// One line without its end; a longer one than is kept is cut with a mark, and the rest of it skipped.
async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let n = (&mut *stream).take(LONGEST).read_until(b'\n', &mut line).await?;
    if n == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 >= LONGEST {
        let mut rest = Vec::new();
        loop {
            rest.clear();
            let n = (&mut *stream).take(LONGEST).read_until(b'\n', &mut rest).await?;
            if n == 0 || rest.last() == Some(&b'\n') {
                break;
            }
        }
        line.extend_from_slice(" … cut by drydock".as_bytes());
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned()))
}
