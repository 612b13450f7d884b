//! A removal is undone: what the upgrade removed comes back on its kept volumes, with its rows and settings.

use drydock::{
    ports::kinds,
    run::{Event, Record, Stopped},
};
use serde_json::json;

use crate::desk::Desk;

/// Whether a change of a step was just written down.
fn changes(event: &Event, of: &str) -> bool {
    matches!(event, Event::Recorded { record, .. } if matches!(&**record, Record::Effect { step, .. } if step.0 == of))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_removed_comes_back_with_its_rows_and_settings() {
    let desk = Desk::new(&[], 500).await;
    let before = desk.plant().await;
    let ride = desk.upgrade("pod", &json!({})).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    let upgrade = desk.run();

    let more = json!({"keep_new": {"go_on": true}, "clear": {"phrase": "practice"}});
    let cut = desk.go_on("undo-remove", &more, |event| changes(event, "clear")).await;
    assert_eq!(cut.stopped, None);
    assert_ne!(desk.run().id, upgrade.id);
    let cut = desk.resume(&more, |event| changes(event, "rollback")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    let ride = desk.resume(&more, |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    assert!(ride.said.contains("release pixelcore is what it was at revision 1"), "{}", ride.said);

    let after = desk.plant().await;
    assert!(after.settings.get("edge-sync").is_none(), "that application is of 5.0.0");
    assert_eq!(after.seen_as(&before), before);
    let mut volumes = desk.every(kinds::volume(), "/status/phase").await;
    volumes.sort_unstable();
    assert_eq!(volumes, ["Bound", "Released"], "what was written since the upgrade is kept, too");
    let policies = desk.every(kinds::volume(), "/spec/persistentVolumeReclaimPolicy").await;
    assert_eq!(policies, ["Retain", "Retain"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_that_got_no_further_than_its_removal_is_undone_and_ends_with_that() {
    let desk = Desk::new(&[], 500).await;
    let before = desk.plant().await;
    let cut = desk.start("pod", &json!({}), |event| changes(event, "deploy")).await;
    assert_eq!(cut.stopped, None);
    let upgrade = desk.run();
    // nothing is there that would have to be deleted, so no words are asked for
    let ride = desk.go_on("undo-remove", &json!({"keep_new": {"go_on": true}}), |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    assert!(ride.said.contains("nothing stands in the way"), "{}", ride.said);
    assert_eq!(desk.plant().await.seen_as(&before), before);
    let entries = drydock::runner::records(&upgrade).unwrap();
    let last = &entries.last().unwrap().record;
    assert!(matches!(last, Record::Abandoned { reason, .. } if reason.contains("goes on from it")), "{last:?}");
}
