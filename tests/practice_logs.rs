//! Logs followed through the practice server: every line once, whatever becomes of the connection and the container.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod tiny;

use std::time::Duration;

use drydock::{
    cluster::Cluster,
    ports::{LogLine, LogNote, Logs},
    practice::{Key, ServerOptions},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tiny::World;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A follower of the pod `box`.
struct Follower {
    world: World,
    lines: mpsc::Receiver<LogLine>,
    cancel: CancellationToken,
    notes: Vec<LogNote>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Follower {
    async fn begin(options: ServerOptions, prepare: impl FnOnce(&World)) -> Self {
        let world = World::begin(&[], options).await;
        prepare(&world);
        let cluster = Cluster::from_text(&world.kubeconfig()).unwrap();
        let (to, lines) = mpsc::channel(100);
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let since = "2026-01-01T00:00:00Z".parse().unwrap();
        tokio::spawn(async move { cluster.follow("plant", "app=box", since, to, stop).await });
        Self { world, lines, cancel, notes: Vec::new() }
    }

    async fn next(&mut self) -> LogLine {
        tokio::time::timeout(Duration::from_secs(20), self.lines.recv()).await.expect("nothing is said").unwrap()
    }

    /// The next lines; notes are kept aside.
    async fn take(&mut self, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < count {
            match self.next().await {
                LogLine::Line { text, .. } => lines.push(text),
                LogLine::Note { note, .. } => self.notes.push(note),
            }
        }
        lines
    }

    /// The next note that is `wanted`; no line may come before it.
    async fn note(&mut self, wanted: impl Fn(&LogNote) -> bool) -> LogNote {
        loop {
            match self.next().await {
                LogLine::Line { text, .. } => panic!("a line before the note: {text}"),
                LogLine::Note { note, .. } if wanted(&note) => return note,
                LogLine::Note { note, .. } => self.notes.push(note),
            }
        }
    }

    /// Nothing more is said.
    async fn silence(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(1500), self.lines.recv()).await;
        assert!(next.is_err(), "{next:?}");
    }

    /// Changes the status of the container.
    fn status(&self, restarts: u32, state: &Value, last: &Value) {
        self.world
            .objects
            .update(&Key::new("", "pods", Some("plant"), "box"), |pod| {
                let status = &mut pod["status"]["containerStatuses"][0];
                status["restartCount"] = json!(restarts);
                status["state"] = state.clone();
                status["lastState"] = last.clone();
                Ok(())
            })
            .unwrap();
    }

    /// The container ended.
    fn ended(&self, restarts: u32) {
        self.status(restarts, &ended(), &json!({}));
    }

    /// It begins again.
    fn began(&self, restarts: u32) {
        self.world.tiny.next_start("box");
        self.status(restarts, &json!({"running": {"startedAt": now()}}), &ended());
    }
}

fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

fn ended() -> Value {
    json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": now(), "finishedAt": now()}})
}

fn before(millis: i64) -> Timestamp {
    Timestamp::now().checked_sub(SignedDuration::from_millis(millis)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_out_of_order_are_all_passed_on_and_once_after_a_cut() {
    let mut log = Follower::begin(ServerOptions::default(), |world| world.tiny.book("box").write("first")).await;
    assert_eq!(log.take(1).await, ["first"]);
    let book = log.world.tiny.book("box");
    // stdout and stderr, merged by the node
    let (early, late) = (before(900), before(100));
    book.write_at(late, "out 1");
    book.write_at(early, "err 1");
    book.write_at(late, "out 1");
    assert_eq!(log.take(3).await, ["out 1", "err 1", "out 1"]);
    assert_eq!(log.notes, [LogNote::Opened]);
    // the connection is cut, the log stays; what was written meanwhile is counted
    log.world.tiny.cut_log("box");
    log.note(|note| matches!(note, LogNote::Cut { retry_in_s: 1 })).await;
    let book = log.world.tiny.book("box");
    book.write_at(early, "err 2");
    book.write("out 2");
    assert_eq!(log.take(2).await, ["err 2", "out 2"]);
    let back = log.note(|note| matches!(note, LogNote::Back { .. })).await;
    assert!(matches!(back, LogNote::Back { caught_up: 2, .. }), "{back:?}");
    book.write("live");
    assert_eq!(log.take(1).await, ["live"]);
    log.silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_told_and_the_last_words_before_it_come_first() {
    let mut log = Follower::begin(ServerOptions::default(), |world| world.tiny.book("box").write("one")).await;
    assert_eq!(log.take(1).await, ["one"]);
    // cut off just before the end: the last words are only in the log of the start before
    log.world.tiny.cut_log("box");
    log.note(|note| matches!(note, LogNote::Cut { .. })).await;
    log.world.tiny.book("box").write("last words");
    log.began(1);
    // the clock of the node went back
    log.world.tiny.book("box").write_at(before(3_600_000), "two");
    assert_eq!(log.take(1).await, ["last words"]);
    log.note(|note| *note == LogNote::Restarted { restarts: 1 }).await;
    assert_eq!(log.take(1).await, ["two"]);
    log.note(|note| matches!(note, LogNote::Back { caught_up: 2, .. })).await;
    // and an orderly end: nothing comes again, no cut is told
    log.notes.clear();
    log.ended(1);
    log.began(2);
    log.world.tiny.book("box").write("three");
    log.note(|note| *note == LogNote::Restarted { restarts: 2 }).await;
    assert_eq!(log.take(1).await, ["three"]);
    assert!(!log.notes.iter().any(|note| matches!(note, LogNote::Gap { .. })), "{:?}", log.notes);
    log.silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_told_as_a_gap() {
    let mut log = Follower::begin(ServerOptions::default(), |world| world.tiny.book("box").write("one")).await;
    assert_eq!(log.take(1).await, ["one"]);
    // the node began a new file: the log begins later than what was passed on
    log.world.tiny.end_log("box");
    log.note(|note| matches!(note, LogNote::Cut { .. })).await;
    log.world.tiny.book("box").write("later");
    let gap = log.note(|note| matches!(note, LogNote::Gap { .. })).await;
    assert!(matches!(gap, LogNote::Gap { from, to } if from < to), "{gap:?}");
    assert_eq!(log.take(1).await, ["later"]);
    // two starts while the connection was away: the node has no log of the first of them
    log.world.tiny.cut_log("box");
    log.note(|note| matches!(note, LogNote::Cut { .. })).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    log.world.tiny.next_start("box");
    log.began(3);
    log.world.tiny.forget_before("box");
    log.world.tiny.book("box").write("third");
    log.note(|note| matches!(note, LogNote::Gap { .. })).await;
    log.note(|note| *note == LogNote::Restarted { restarts: 3 }).await;
    assert_eq!(log.take(1).await, ["third"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_may_not_be_read_is_said_once() {
    let options = ServerOptions { denied: &[("get", "pods/log")], ..ServerOptions::default() };
    let mut log = Follower::begin(options, |world| world.tiny.book("box").write("one")).await;
    let refused = log.note(|note| matches!(note, LogNote::Refused { .. })).await;
    assert_eq!((refused, log.notes.len()), (LogNote::Refused { right: "get on pods/log".to_owned() }, 0));
    log.silence().await;

    let options = ServerOptions { denied: &[("list", "pods"), ("watch", "pods")], ..ServerOptions::default() };
    let mut log = Follower::begin(options, |_| {}).await;
    log.note(|note| *note == LogNote::Refused { right: "list and watch on pods".to_owned() }).await;
    log.silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_container_is_followed_and_ends_for_good() {
    let prepare = |world: &World| {
        world.tiny.book("box").write("prepared");
        let key = Key::new("", "pods", Some("plant"), "box");
        let change = |pod: &mut Value| {
            pod["spec"]["initContainers"] = json!([{"name": "first", "image": "localhost/box:1"}]);
            pod["spec"]["containers"] = json!([]);
            let status = pod["status"]["containerStatuses"][0].clone();
            pod["status"]["containerStatuses"] = json!([]);
            pod["status"]["initContainerStatuses"] = json!([status]);
            pod["status"]["initContainerStatuses"][0]["name"] = json!("first");
            pod["status"]["initContainerStatuses"][0]["state"] =
                json!({"terminated": {"exitCode": 0, "startedAt": now(), "finishedAt": now()}});
            Ok(())
        };
        world.objects.update(&key, change).unwrap();
    };
    let mut log = Follower::begin(ServerOptions::default(), prepare).await;
    assert_eq!(log.take(1).await, ["prepared"]);
    log.note(|note| *note == LogNote::Ended).await;
    assert_eq!(log.notes, [LogNote::Opened]);
    log.silence().await;
}
