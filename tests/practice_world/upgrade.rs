//! The whole upgrade, to its end.

use drydock::run::Stopped;
use serde_json::json;

use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn natively_to_the_end() {
    let desk = Desk::new(&[], 2_000).await;
    let ride = desk.upgrade("pod", &json!({})).await;
    eprintln!("{}", ride.said);
    assert!(matches!(ride.stopped, Some(Stopped::Finished)), "{:?}\n{}", ride.stopped, ride.said);
}
