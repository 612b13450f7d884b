//! Logs of containers: the kept lines, then those to come, until the container ends.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    Shared,
    query::Query,
    route::Place,
    status::{Answer, Refused},
    write::{key, text},
};
use crate::practice::LogBook;

/// Blocks of lines that may wait for a slow client.
const QUEUE: usize = 16;
/// How often it is looked whether the container still runs.
const LOOK: Duration = Duration::from_millis(250);

/// The container that a request means: the named one, or the first.
pub fn container_of(pod: &Value, query: &Query) -> Result<String, Refused> {
    let lists = ["/spec/containers", "/spec/initContainers"];
    let names: Vec<&str> = lists
        .iter()
        .flat_map(|list| pod.pointer(list).and_then(Value::as_array).into_iter().flatten())
        .map(|container| text(container, "/name"))
        .collect();
    let wanted = query.get("container").or(names.first().copied()).unwrap_or_default();
    if names.contains(&wanted) {
        return Ok(wanted.to_owned());
    }
    Err(Refused::bad_request(format!("container {wanted} is not valid for pod {}", text(pod, "/metadata/name"))))
}

/// The status of one container.
pub fn status_of<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let lists = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let mut all = lists.iter().flat_map(|list| pod.pointer(list).and_then(Value::as_array).into_iter().flatten());
    all.find(|status| text(status, "/name") == container)
}

/// Which lines are wanted, and how.
struct Wanted {
    since: Option<Timestamp>,
    timestamps: bool,
    /// Bytes left of the limit.
    room: Option<usize>,
}

impl Wanted {
    /// The lines as bytes; false when the limit is reached.
    fn block(&mut self, lines: &[(Timestamp, String)]) -> (Bytes, bool) {
        let mut block = String::new();
        for (at, line) in lines {
            if self.since.is_some_and(|since| *at < since) {
                continue;
            }
            if self.timestamps {
                block.push_str(&at.to_string());
                block.push(' ');
            }
            block.push_str(line);
            block.push('\n');
        }
        let mut bytes = Bytes::from(block);
        if let Some(room) = &mut self.room {
            bytes.truncate(*room);
            *room -= bytes.len();
        }
        (bytes, self.room != Some(0))
    }
}

fn plain(body: Body) -> Response {
    ([("content-type", "text/plain")], body).into_response()
}

/// GET of a pod's log.
pub fn log(shared: &Arc<Shared>, place: &Place, query: &Query) -> Answer {
    let pod = shared.objects.get(&key(place)).ok_or_else(|| Refused::not_found(place.kind, &place.name))?;
    let container = container_of(&pod, query)?;
    let previous = query.flag("previous");
    // a container that waits for its next start has none but its last one
    let waits = status_of(&pod, &container).is_some_and(|status| {
        status.pointer("/state/waiting").is_some() && status.pointer("/lastState/terminated").is_some()
    });
    let book = if previous && !waits {
        shared.containers.logs_before(&pod, &container)
    } else {
        shared.containers.logs(&pod, &container)
    };
    if previous && book.is_none() {
        let message = format!("previous terminated container \"{container}\" in pod \"{}\" not found", place.name);
        return Err(Refused::bad_request(message));
    }
    let Some(book) = book else {
        let why = status_of(&pod, &container).map_or("", |status| text(status, "/state/waiting/reason"));
        let (verb, why) = match why {
            "" => ("is waiting to start", "ContainerCreating"),
            "ErrImagePull" | "ImagePullBackOff" => ("is waiting to start", "trying and failing to pull image"),
            why => ("is waiting to start", why),
        };
        let message = format!("container \"{container}\" in pod \"{}\" {verb}: {why}", place.name);
        return Err(Refused::bad_request(message));
    };
    let since = match (query.get("sinceTime"), query.number("sinceSeconds")?) {
        (Some(time), _) => {
            let wrong = || Refused::bad_request(format!("sinceTime {time} is no time"));
            Some(time.parse::<Timestamp>().map_err(|_| wrong())?)
        }
        (None, Some(seconds)) => {
            let back = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            Timestamp::now().checked_sub(back).ok()
        }
        (None, None) => None,
    };
    let room = query.number("limitBytes")?.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut wanted = Wanted { since, timestamps: query.flag("timestamps"), room };
    let mut written = book.written();
    written.mark_unchanged();
    let (mut lines, next) = book.read(0);
    if let Some(tail) = query.number("tailLines")? {
        let tail = usize::try_from(tail).unwrap_or(usize::MAX);
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let (block, more) = wanted.block(&lines);
    if !query.flag("follow") || previous || !more {
        return Ok(plain(Body::from(block)));
    }
    let (to, blocks) = mpsc::channel(QUEUE);
    let follow = Follow {
        shared: Arc::clone(shared),
        place: place.clone(),
        uid: text(&pod, "/metadata/uid").to_owned(),
        container,
        book,
        next,
    };
    let stopped = shared.stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = follow.run(block, wanted, written, &to) => {}
            () = to.closed() => {}
            () = stopped.cancelled() => {}
        }
    });
    let body = futures::stream::unfold(blocks, |mut blocks| async move {
        blocks.recv().await.map(|block| (Ok::<_, std::convert::Infallible>(block), blocks))
    });
    Ok(plain(Body::from_stream(body)))
}

/// A log that is followed.
struct Follow {
    shared: Arc<Shared>,
    place: Place,
    uid: String,
    container: String,
    book: Arc<LogBook>,
    next: u64,
}

impl Follow {
    /// Whether this very container can still write to this very book.
    fn is_alive(&self) -> bool {
        let Some(pod) = self.shared.objects.get(&key(&self.place)) else { return false };
        let same =
            self.shared.containers.logs(&pod, &self.container).is_some_and(|book| Arc::ptr_eq(&book, &self.book));
        let ended =
            status_of(&pod, &self.container).is_some_and(|status| status.pointer("/state/terminated").is_some());
        same && !ended && text(&pod, "/metadata/uid") == self.uid
    }

    async fn run(
        mut self,
        first: Bytes,
        mut wanted: Wanted,
        mut written: tokio::sync::watch::Receiver<u64>,
        to: &mpsc::Sender<Bytes>,
    ) {
        if to.send(first).await.is_err() {
            return;
        }
        loop {
            // asked before the lines are read: what a container wrote before its end is still passed on
            let alive = self.is_alive();
            let (lines, next) = self.book.read(self.next);
            self.next = next;
            let (block, more) = wanted.block(&lines);
            if !block.is_empty() && to.send(block).await.is_err() {
                return;
            }
            if !alive || !more {
                return;
            }
            // an error here means that nobody writes any more, which the next look finds
            let changed = tokio::time::timeout(LOOK, written.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}
