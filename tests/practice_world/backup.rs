//! A backup is made, proven and sealed, and later put in the place of what is deployed by then.

use drydock::run::{Event, Record, Stopped};
use serde_json::json;

use crate::desk::Desk;

/// Whether a change of a step was just written down.
fn changes(event: &Event, of: &str) -> bool {
    matches!(event, Event::Recorded { record, .. } if matches!(&**record, Record::Effect { step, .. } if step.0 == of))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_sealed_and_restored_over_a_later_version() {
    let desk = Desk::new(&[], 500).await;
    let before = desk.plant().await;
    let ride = desk.begin("backup", "pod", &json!({}), |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    for said in ["the chart of helm's own record", "version 4.2.0 answers", "sealed in"] {
        assert!(ride.said.contains(said), "{said}: {}", ride.said);
    }
    assert_eq!(desk.plant().await, before, "a backup leaves everything as it was");
    let backup = desk.run();
    let set = backup.artifacts().join("recovery-set");
    let mut names: Vec<String> =
        std::fs::read_dir(&set).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let wanted = ["answers.json", "artifacts.db-data.sql-plant", "artifacts.object_properties_history.csv-plant"];
    assert_eq!(names[..3], wanted);
    assert_eq!(names[3..], ["journal.jsonl", "runbook.yaml"]);

    let ride = desk.upgrade("pod", &json!({})).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    let more = json!({"keep_now": {"go_on": true}, "clear": {"phrase": "practice"}});
    let cut = desk.go_on("restore", &more, |event| changes(event, "clear")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    let cut = desk.resume(&more, |event| changes(event, "restore")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    let ride = desk.resume(&more, |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    let after = desk.plant().await;
    assert!(after.settings.get("edge-sync").is_none(), "that application is of 5.0.0");
    assert_eq!(after.seen_as(&before), before);
}

/// The backup could dump anew what is being restored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_restored_from_a_backup_that_is_not_at_its_end() {
    let desk = Desk::new(&[], 100).await;
    let before = desk.plant().await;
    let cut = desk.begin("backup", "pod", &json!({}), |event| changes(event, "seal")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    let ride =
        desk.go_on("restore", &json!({"keep_now": {"go_on": true}, "clear": {"phrase": "practice"}}), |_| false).await;
    assert_ne!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    let stopped = format!("{:?}", ride.stopped);
    assert!(stopped.contains("is not at its end"), "{stopped} {}", ride.said);
    assert_eq!(desk.plant().await, before);
}
