//! The log of one container through all its starts: each line once, restarts and losses told where they happened.
//!
//! Called by `logs`, which says how the pod stands. What was passed on is remembered by `passed`.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch::Receiver},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    connect::Cluster,
    instance::Instance,
    log_lines::{LogLines, Next},
    passed::{File, Passed},
};
use crate::{
    ports::{LogLine, LogNote, PortError, PortErrorKind},
    text::in_query,
};

/// First and longest pause before a new try, in seconds.
const PAUSES: (u64, u64) = (1, 30);
/// So long after the end of a log the pod's status may still be the one before.
const STATUS: Duration = Duration::from_secs(2);
/// So long a log goes on at most after its container's next start was seen: longer, it is that start's.
const GRACE: Duration = Duration::from_secs(10);
/// After so long without a line a log is opened again: on a connection that died unnoticed no line ever comes.
const SILENT: Duration = Duration::from_secs(60);
/// A line so much older than the request that brought it was there before, whatever the clocks differ by.
const OLD: SignedDuration = SignedDuration::from_secs(1);
/// A log that is silent for so long has caught up.
const QUIET: Duration = Duration::from_millis(300);

/// How the pod stands, told at every change; closed when it is gone.
type Pods = Receiver<Arc<Value>>;

/// One container's log.
pub struct ContainerLog {
    cluster: Cluster,
    namespace: String,
    pod: String,
    uid: String,
    container: String,
    to: mpsc::Sender<LogLine>,
    passed: Passed,
    /// The start whose log was read last, and whether a line of it was passed on.
    known: Option<(u32, bool)>,
    /// The start whose log was read to its end.
    drained: Option<u32>,
    /// Earlier lines are not wanted; nothing once the container began again, as all of that is later.
    floor: Option<Timestamp>,
    cut: Option<Timestamp>,
    /// Since when the log that is opened again was silent.
    silent: Option<Timestamp>,
    /// Lines that were passed on since then.
    caught_up: u64,
    opened: bool,
    ended: bool,
}

/// What is asked of the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// The log of the last start, as it grows.
    Growing,
    /// The same, as it is now.
    AsItIs,
    /// The log of the start before.
    Before,
}

/// How a log that was read ended.
enum End {
    Whole,
    Broken,
    /// Nothing came for long. Whether there was nothing shows when it is opened again.
    Silent,
    /// It is the log of another start than was meant.
    Other,
}

impl ContainerLog {
    /// The log of a container, named by namespace, pod, the pod's uid and itself.
    pub fn new(cluster: Cluster, of: (&str, &str, &str, &str), since: Timestamp, to: mpsc::Sender<LogLine>) -> Self {
        let (namespace, pod, uid, container) = of;
        Self {
            cluster,
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            uid: uid.to_owned(),
            container: container.to_owned(),
            to,
            passed: Passed::default(),
            known: None,
            drained: None,
            floor: Some(since),
            cut: None,
            silent: None,
            caught_up: 0,
            opened: false,
            ended: false,
        }
    }

    /// Follows it until the pod is gone or it may not be read.
    pub async fn follow(mut self, mut pods: Pods, cancel: CancellationToken) {
        let to = self.to.clone();
        tokio::select! {
            () = self.all(&mut pods) => {}
            () = cancel.cancelled() => {}
            () = to.closed() => {}
        }
    }

    async fn note(&self, note: LogNote) {
        let _ = self.to.send(LogLine::Note { pod: self.pod.clone(), container: self.container.clone(), note }).await;
    }

    async fn end(&mut self) {
        if self.opened && !std::mem::replace(&mut self.ended, true) {
            self.note(LogNote::Ended).await;
        }
    }

    /// Waits for a start that was not read to its end; `None` when the pod is gone.
    async fn next_start(&mut self, pods: &mut Pods) -> Option<Instance> {
        loop {
            if pods.has_changed().is_err() {
                self.end().await;
                return None;
            }
            let now = Instance::of(&pods.borrow_and_update(), &self.container);
            match now {
                Some(now) if self.drained != Some(now.restarts) => return Some(now),
                Some(now) if now.for_good => self.end().await,
                _ => {}
            }
            // an error here is found at the beginning of the loop
            let _ = pods.changed().await;
        }
    }

    async fn all(&mut self, pods: &mut Pods) {
        let mut pause = PAUSES.0;
        while let Some(now) = self.next_start(pods).await {
            let before = self.passed.last();
            let read = match self.begin(&now).await {
                Ok(()) => self.read(Which::Growing, now.restarts, pods).await,
                Err(refused) => Err(refused),
            };
            if self.passed.last() != before {
                pause = PAUSES.0;
            }
            match read {
                Err(error) if error.kind == PortErrorKind::Forbidden => {
                    return self.note(LogNote::Refused { right: "get on pods/log".to_owned() }).await;
                }
                // not there to be read: the status will say why
                Err(error) if matches!(error.kind, PortErrorKind::NotFound | PortErrorKind::Invalid) => {
                    let _ = timeout(Duration::from_secs(pause), pods.changed()).await;
                    sleep(QUIET).await;
                    continue;
                }
                Ok(End::Other) => {
                    sleep(QUIET).await;
                    continue;
                }
                Ok(End::Silent) => continue,
                Ok(End::Whole) if self.is_over(now.restarts, pods).await => continue,
                Ok(End::Whole | End::Broken) | Err(_) => {}
            }
            if pods.has_changed().is_err() {
                continue;
            }
            if self.cut.is_none() {
                (self.cut, self.caught_up) = (Some(Timestamp::now()), 0);
            }
            self.note(LogNote::Cut { retry_in_s: pause }).await;
            sleep(Duration::from_secs(pause)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Whether a log ended because its container did.
    async fn is_over(&mut self, restarts: u32, pods: &mut Pods) -> bool {
        let container = self.container.clone();
        let told = async {
            loop {
                let now = Instance::of(&pods.borrow_and_update(), &container);
                if let Some(now) = now.filter(|now| now.ended || now.restarts != restarts) {
                    return Some(now);
                }
                if pods.changed().await.is_err() {
                    return None;
                }
            }
        };
        match timeout(STATUS, told).await {
            Err(_) => false,
            Ok(None) => true,
            Ok(Some(now)) => {
                if now.restarts == restarts {
                    if now.for_good {
                        // no later start can take its place: it is read once more, and is whole then
                        let _ = self.read(Which::AsItIs, restarts, pods).await;
                    }
                    self.drained = Some(restarts);
                }
                true
            }
        }
    }

    /// Before the log of a start is read: what the one before said last, and what is lost between.
    async fn begin(&mut self, now: &Instance) -> Result<(), PortError> {
        let known = self.known.map(|(restarts, _)| restarts);
        if known == Some(now.restarts) {
            return Ok(());
        }
        let from = self.passed.last().or(self.floor).unwrap_or_else(Timestamp::now);
        let first = known.unwrap_or(0);
        if now.restarts > first {
            let whole = known.is_some() && self.drained == known;
            let began = now.before.map(|(began, _)| began);
            // of several starts the node keeps the last two
            if now.restarts - first > 1 && began.is_none_or(|began| began > from) {
                self.gap(from, began.unwrap_or_else(Timestamp::now)).await;
            }
            let wanted = now.before.is_some_and(|(_, ended)| self.floor.is_none_or(|floor| ended >= floor));
            let had = match now.before {
                Some(_) if wanted => match self.read(Which::Before, now.restarts - 1, &mut gone()).await {
                    Ok(End::Whole | End::Other) => true,
                    Ok(End::Broken | End::Silent) => {
                        let what = "cannot read the log of the start before";
                        return Err(PortError::new(PortErrorKind::ConnectionLost, what, "it was cut off"));
                    }
                    Err(error) if error.kind == PortErrorKind::Forbidden => return Err(error),
                    Err(error) if error.is_transient() => return Err(error),
                    Err(_) => false,
                },
                Some(_) => true,
                None => false,
            };
            let lost = now.began.is_none_or(|began| began > from);
            if !had && !whole && lost && now.restarts - first == 1 {
                let ended = now.before.map(|(_, ended)| ended).or(now.began);
                self.gap(from, ended.unwrap_or_else(Timestamp::now).max(from)).await;
            }
        }
        if known.is_some() {
            self.note(LogNote::Restarted { restarts: now.restarts }).await;
            self.floor = None;
            self.ended = false;
        }
        self.known = Some((now.restarts, false));
        Ok(())
    }

    async fn gap(&self, from: Timestamp, to: Timestamp) {
        self.note(LogNote::Gap { from, to }).await;
    }

    /// Whether the server still says that this start of this pod is the last one.
    async fn is_the_last(&self, restarts: u32) -> bool {
        let path = format!("/api/v1/namespaces/{}/pods/{}", self.namespace, self.pod);
        match self.cluster.json("cannot read the pod", "GET", &path, None).await {
            Ok(pod) => {
                pod.pointer("/metadata/uid").and_then(Value::as_str) == Some(&self.uid)
                    && Instance::of(&pod, &self.container).is_some_and(|now| now.restarts == restarts)
            }
            Err(error) => error.kind != PortErrorKind::NotFound,
        }
    }

    fn url(&self, which: Which, since: Option<Timestamp>) -> String {
        let since = since.map_or_else(String::new, |since| {
            // the server knows whole seconds only
            let since = jiff::fmt::temporal::DateTimePrinter::new().precision(Some(0)).timestamp_to_string(&since);
            format!("&sinceTime={}", in_query(&since))
        });
        format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&timestamps=true&follow={}&previous={}{since}",
            self.namespace,
            self.pod,
            self.container,
            which == Which::Growing,
            which == Which::Before
        )
    }

    /// Reads a log of the start `restarts`; lines that were passed on before are left out.
    async fn read(&mut self, which: Which, restarts: u32, pods: &mut Pods) -> Result<End, PortError> {
        let same = self.known == Some((restarts, true));
        let file = if same { File::Same } else { File::Other };
        let since = if same { self.passed.since().max(self.floor) } else { self.floor };
        let what = "cannot read the log";
        let request = http::Request::get(self.url(which, since)).body(Vec::new());
        let request = request.map_err(|error| PortError::new(PortErrorKind::Invalid, what, error.to_string()))?;
        let stream = self.cluster.bounded(what, self.cluster.client.request_stream(request)).await?;
        if !std::mem::replace(&mut self.opened, true) {
            self.note(LogNote::Opened).await;
        }
        let (mut lines, mut again) = (LogLines::new(stream), self.passed.again(file));
        let (mut begun, mut silent) = (false, self.silent.take());
        let now = Timestamp::now();
        let mut heard = (Instant::now(), now);
        let container = self.container.clone();
        let later = later(pods, &container, restarts);
        tokio::pin!(later);
        loop {
            let next = tokio::select! {
                next = lines.next() => next,
                () = sleep(QUIET), if self.cut.is_some() || silent.is_some() => {
                    silent = None;
                    self.back().await;
                    continue;
                }
                () = sleep_until(heard.0 + SILENT) => {
                    self.silent = Some(heard.1);
                    return Ok(End::Silent);
                }
                () = &mut later, if which == Which::Growing => return Ok(End::Other),
            };
            heard = (Instant::now(), Timestamp::now());
            let line = match next {
                Next::Line(line) => line,
                Next::Broken => return Ok(End::Broken),
                // only of a container that ended it is sure that no more of this line will come
                Next::End(Some(rest)) if which == Which::AsItIs => rest,
                Next::End(_) => return Ok(End::Whole),
            };
            let (stamp, text) = line.split_once(' ').unwrap_or((&line, ""));
            let Ok(at) = stamp.parse::<Timestamp>() else { continue };
            if self.floor.is_some_and(|floor| at < floor) || again.knows(at, text) {
                continue;
            }
            if let Some(since) = silent.filter(|_| now.duration_since(at) > OLD) {
                (self.cut, self.caught_up, silent) = (Some(since), 0, None);
            }
            if same && !begun && !again.met() {
                if which == Which::Growing && !self.is_the_last(restarts).await {
                    return Ok(End::Other);
                }
                let from = self.passed.last().unwrap_or(at);
                self.gap(from, at).await;
            }
            begun = true;
            if which != Which::Before {
                self.known = Some((restarts, true));
            }
            if self.cut.is_some() && at > now {
                self.back().await;
            }
            self.caught_up += 1;
            self.passed.keep(at, text);
            let (pod, container, text) = (self.pod.clone(), self.container.clone(), text.to_owned());
            let _ = self.to.send(LogLine::Line { pod, container, at, text }).await;
        }
    }

    async fn back(&mut self) {
        if let Some(cut) = self.cut.take() {
            let caught_up = std::mem::take(&mut self.caught_up);
            let after_s = u64::try_from(Timestamp::now().duration_since(cut).as_secs()).unwrap_or(0);
            self.note(LogNote::Back { after_s, caught_up }).await;
        }
    }
}

/// How a pod stands that nobody tells of.
fn gone() -> Pods {
    Receiver::clone(&tokio::sync::watch::channel(Arc::new(Value::Null)).1)
}

/// Ends some time after a later start was seen, or the pod's end: a log that still goes on then is not of this start.
async fn later(pods: &mut Pods, container: &str, restarts: u32) {
    loop {
        let now = Instance::of(&pods.borrow_and_update(), container);
        if now.is_some_and(|now| now.restarts > restarts) || pods.changed().await.is_err() {
            return sleep(GRACE).await;
        }
    }
}

#[cfg(test)]
mod tests;
