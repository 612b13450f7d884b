//! A log whose connection falls silent, on paused time: the server is in memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Router, body::Body, extract::State, routing::get};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::json;

use super::*;

/// What each request gets, and then nothing more: seconds before a line, its age in seconds, and its text.
type Answers = &'static [&'static [(u64, i64, &'static str)]];

struct Server {
    answers: Answers,
    asked: AtomicUsize,
    began: Timestamp,
}

async fn log(State(server): State<Arc<Server>>) -> Body {
    let at = server.asked.fetch_add(1, Ordering::SeqCst);
    let (lines, began) = (server.answers.get(at).copied().unwrap_or_default(), server.began);
    let told = futures::stream::iter(lines).then(move |&(wait, age, text)| async move {
        sleep(Duration::from_secs(wait)).await;
        Ok::<_, std::io::Error>(Bytes::from(format!("{} {text}\n", began - SignedDuration::from_secs(age))))
    });
    Body::from_stream(told.chain(futures::stream::pending()))
}

/// Follows a log on a server of these answers for `minutes`; what was passed on, and the requests that took.
async fn told(answers: Answers, minutes: u64) -> (Vec<String>, usize) {
    let server = Arc::new(Server { answers, asked: AtomicUsize::new(0), began: Timestamp::now() });
    let path = "/api/v1/namespaces/plant/pods/box/log";
    let router = Router::new().route(path, get(log)).with_state(Arc::clone(&server));
    let client = kube::Client::new(router, "plant");
    let pinned = Arc::new(kube::config::Kubeconfig::default());
    let cluster = Cluster { client, pinned, ca: None, plugin: None, proxy: None, context: "c".into() };
    let pod = json!({"status": {"containerStatuses": [{"name": "main", "restartCount": 0, "state": {"running": {}}}]}});
    let (_pods, stand) = tokio::sync::watch::channel(Arc::new(pod));
    let (to, mut lines) = mpsc::channel(100);
    let since = server.began - SignedDuration::from_secs(600);
    let log = ContainerLog::new(cluster, ("plant", "box", "uid", "main"), since, to);
    let cancel = CancellationToken::new();
    let _ = timeout(Duration::from_secs(60 * minutes), log.follow(stand, cancel)).await;
    let mut told = Vec::new();
    while let Some(line) = lines.recv().await {
        told.push(match line {
            LogLine::Line { text, .. } => text,
            LogLine::Note { note: LogNote::Back { caught_up, .. }, .. } => format!("back, {caught_up} caught up"),
            LogLine::Note { note, .. } => format!("{note:?}").split(' ').next().unwrap_or_default().to_owned(),
        });
    }
    (told, server.asked.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_silent_log_is_opened_again_and_nothing_is_told_of_it() {
    let answers: Answers = &[&[(0, 100, "one")], &[(0, 100, "one")], &[(0, 100, "one"), (5, -200, "two")]];
    let (told, asked) = told(answers, 5).await;
    assert_eq!(told, ["Opened", "one", "two"]);
    assert!((4..=6).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_connection_never_brought_is_caught_up_and_said() {
    let answers: Answers =
        &[&[(0, 100, "one")], &[(0, 100, "one"), (0, 30, "two"), (0, 20, "three"), (2, -200, "four")]];
    let (told, _) = told(answers, 3).await;
    assert_eq!(told, ["Opened", "one", "two", "three", "back, 2 caught up", "four"]);
}
