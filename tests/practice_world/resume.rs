//! The world outlives the process: a run is cut, the world is taken up from its file, and the run goes on to its end.

use std::time::Duration;

use drydock::{
    practice::{Key, NAMESPACE},
    run::{Event, Record, Stopped},
};
use serde_json::{Value, json};

use crate::desk::{Desk, Ride};

fn recorded(event: &Event, wanted: impl Fn(&Record) -> bool) -> bool {
    matches!(event, Event::Recorded { record, .. } if wanted(record))
}

fn deletions(rides: &[Ride]) -> Vec<String> {
    let sent = |record: &Record| match record {
        Record::Effect { effect, .. } if effect.starts_with("delete ") && !effect.contains("namespace") => {
            Some(effect.clone())
        }
        _ => None,
    };
    rides.iter().flat_map(|ride| ride.records().filter_map(sent).collect::<Vec<_>>()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_after_the_dump_and_after_the_removal() {
    let desk = Desk::new(&[], 600).await;
    let before = desk.plant().await;
    let dumped = |event: &Event| recorded(event, |r| matches!(r, Record::Ended { step, .. } if step.0 == "dump"));
    let first = desk.start("pod", &json!({}), dumped).await;
    assert_eq!(first.stopped, None, "{}", first.said);
    desk.world.save().await.unwrap();
    let desk = desk.again().await;
    assert_eq!(desk.plant().await, before, "a world that is taken up again holds what it held");

    // in the middle of the removal, and without a word to the world: what its keeper wrote must do
    let removing = |event: &Event| {
        recorded(
            event,
            |r| matches!(r, Record::Effected { step, effect, .. } if step.0 == "remove" && effect.contains("StatefulSet")),
        )
    };
    let second = desk.resume(&json!({}), removing).await;
    assert_eq!(second.stopped, None, "{}", second.said);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    let desk = desk.again().await;
    let third = desk.resume(&json!({}), |_| false).await;
    assert_eq!(third.stopped, Some(Stopped::Finished), "{}", third.said);
    assert_eq!(desk.plant().await.seen_as(&before), before);
    let mut sent = deletions(&[first, second, third]);
    let all = sent.len();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), all, "something was deleted twice: {sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_world_where_nothing_happens_is_not_written_again() {
    let desk = Desk::new(&[], 100).await;
    let written = || std::fs::metadata(desk.folder.path().join("world.json")).unwrap().modified().unwrap();
    // what the start still brings about is saved within this time
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let before = written();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(written(), before);
    let note = Key::new("", "configmaps", Some(NAMESPACE), "note");
    desk.world.objects.create(&note, json!({"apiVersion": "v1", "kind": "ConfigMap"})).unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(written() > before, "what does happen is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_ran_when_the_process_ended_is_lost_and_said_so() {
    let desk = Desk::paced(&[], 4_000, 1.0).await;
    let begun = |event: &Event| matches!(event, Event::Progress { progress } if progress.step.0 == "dump" && progress.rows.iter().any(|row| row.detail.contains("/s")));
    let first = desk.start("pod", &json!({}), begun).await;
    assert_eq!(first.stopped, None, "{}", first.said);
    desk.world.save().await.unwrap();
    let desk = desk.again().await;
    let files = |event: &Event| recorded(event, |r| matches!(r, Record::Ended { step, .. } if step.0 == "files"));
    let second = desk.resume(&json!({"dump": {"choose": ["retry"]}}), files).await;
    assert!(second.says("Rung 2: trailer found"), "{:?}\n{}", second.stopped, second.said);
}

/// Gives every object of this name one more member.
fn give(value: &mut Value, name: &str, member: &str) -> usize {
    let Some(members) = value.as_object_mut() else { return 0 };
    let mut given = 0;
    if let Some(found) = members.get_mut(name).and_then(Value::as_object_mut) {
        found.insert(member.to_owned(), json!(3));
        given += 1;
    }
    given + members.values_mut().map(|inner| give(inner, name, member)).sum::<usize>()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_came_since_the_capture_is_seen_before_the_removal() {
    let desk = Desk::new(&[], 600).await;
    let frozen = |event: &Event| recorded(event, |r| matches!(r, Record::Ended { step, .. } if step.0 == "freeze"));
    let first = desk.start("pod", &json!({}), frozen).await;
    assert_eq!(first.stopped, None, "{}", first.said);
    desk.world.save().await.unwrap();
    let desk = desk.edited(|world| assert_eq!(give(world, "valve-guard", "retries"), 1)).await;
    let second = desk.resume(&json!({}), |_| false).await;
    assert!(
        second.says("valve-guard was changed since it was captured: has a new member retries"),
        "{:?}: {}",
        second.stopped,
        second.said
    );
    let sent = deletions(&[first, second]);
    assert!(!sent.iter().any(|effect| effect.contains("pix-")), "deleted before that is settled: {sent:?}");
}
