//! Logs of every container of a namespace's pods, also of those that come later: which pods there are, and one task a
//! container. What a task does stands in `container_log`.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, watch as channel};
use tokio_util::sync::CancellationToken;

use super::{connect::Cluster, container_log::ContainerLog, watch};
use crate::ports::{LogLine, LogNote, Logs, PortErrorKind, kinds};

/// A note that is about no single container.
fn of_all(note: LogNote) -> LogLine {
    LogLine::Note { pod: String::new(), container: String::new(), note }
}

/// Names of all containers of a pod, in the order in which they start.
fn containers(pod: &Value) -> impl Iterator<Item = &str> {
    ["/spec/initContainers", "/spec/containers", "/spec/ephemeralContainers"]
        .into_iter()
        .flat_map(|list| pod.pointer(list).and_then(Value::as_array).into_iter().flatten())
        .filter_map(|container| container["name"].as_str())
}

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
        // the tasks of a pod hear through its channel how it stands; a channel that closes says that the pod is gone
        let mut known: HashMap<String, channel::Sender<Arc<Value>>> = HashMap::new();
        let mut followed: HashMap<String, Vec<String>> = HashMap::new();
        let mut tasks = tokio::task::JoinSet::new();
        let (mut told_waiting, mut told_refused) = (false, false);
        loop {
            let next = tokio::select! {
                next = lists.next() => next,
                () = cancel.cancelled() => return,
                () = to.closed() => return,
            };
            let pods = match next {
                Some(Ok(pods)) => pods,
                Some(Err(error)) => {
                    if error.kind == PortErrorKind::Forbidden && !std::mem::replace(&mut told_refused, true) {
                        let _ = to.send(of_all(LogNote::Refused { right: "list and watch on pods".to_owned() })).await;
                    }
                    continue;
                }
                None => return,
            };
            if pods.is_empty() && !std::mem::replace(&mut told_waiting, true) {
                let _ = to.send(of_all(LogNote::Waiting)).await;
            }
            let uid_of = |pod: &Value| pod.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
            let there: HashMap<String, Arc<Value>> =
                pods.into_iter().filter_map(|pod| Some((uid_of(&pod)?, Arc::new(pod)))).collect();
            known.retain(|uid, _| there.contains_key(uid));
            followed.retain(|uid, _| there.contains_key(uid));
            while tasks.try_join_next().is_some() {}
            for (uid, pod) in there {
                let sender = known.entry(uid.clone()).or_insert_with(|| channel::Sender::new(Arc::clone(&pod)));
                sender.send_replace(Arc::clone(&pod));
                let names = followed.entry(uid.clone()).or_default();
                for container in containers(&pod) {
                    if names.iter().any(|name| name == container) {
                        continue;
                    }
                    names.push(container.to_owned());
                    let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                    let log = ContainerLog::new(self.clone(), (namespace, name, &uid, container), since, to.clone());
                    tasks.spawn(log.follow(sender.subscribe(), cancel.clone()));
                }
            }
        }
    }
}
