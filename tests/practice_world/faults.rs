//! Each fault, and what drydock does about it.

use std::{path::Path, time::Instant};

use drydock::{
    ports::kinds,
    practice::Fault,
    run::{Event, Question, Record, Stopped},
};
use serde_json::json;

use crate::desk::{Desk, Ride};

fn ended(wanted: &str) -> impl Fn(&Event) -> bool + use<'_> {
    move |event| match event {
        Event::Recorded { record, .. } => matches!(record.as_ref(), Record::Ended { step, .. } if step.0 == wanted),
        _ => false,
    }
}

fn attempts(ride: &Ride, wanted: &str) -> usize {
    ride.records().filter(|record| matches!(record, Record::Intent { step, .. } if step.0 == wanted)).count()
}

/// When a record that prints like this was written.
fn at(ride: &Ride, wanted: &str) -> jiff::Timestamp {
    let found = |event: &Event| match event {
        Event::Recorded { at, record } => format!("{record:?}").starts_with(wanted).then_some(*at),
        _ => None,
    };
    ride.events.iter().find_map(found).unwrap_or_else(|| panic!("no {wanted}"))
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}

/// The run stops at `step` with these words, and every object of the plant is as it was.
async fn refuses(fault: Fault, words: &[&str]) {
    let desk = Desk::new(&[fault], 200).await;
    let before = desk.every(kinds::stateful_set(), "/metadata/uid").await;
    let ride = desk.upgrade("pod", &json!({})).await;
    assert!(matches!(ride.stopped, Some(Stopped::Refused { .. })), "{fault:?}: {:?}\n{}", ride.stopped, ride.said);
    for word in words {
        assert!(ride.says(word), "{fault:?}: {word:?} is not in\n{}", ride.said);
    }
    assert_eq!(desk.every(kinds::stateful_set(), "/metadata/uid").await, before);
    assert_eq!(desk.every(kinds::volume(), "/spec/persistentVolumeReclaimPolicy").await, ["Delete"]);
    desk.plant().await;
}

/// The first attempt of `step` fails with these words and leaves nothing that counts; a second one does well.
async fn fails_once(fault: Fault, way: &str, step: &str, words: &[&str]) {
    let desk = Desk::new(&[fault], 400).await;
    let ride = desk.start(way, &json!({step: {"choose": ["retry", "retry"]}}), ended("files")).await;
    assert_eq!(ride.stopped, None, "{fault:?}: {}", ride.said);
    for word in words {
        assert!(ride.says(word), "{fault:?}: {word:?} is not in\n{}", ride.said);
    }
    // what a cut transfer left behind may cost a third attempt: its beginning is another dump's
    let attempts = attempts(&ride, step);
    assert!(attempts == 2 || (attempts == 3 && fault == Fault::TruncatedTail), "{}", ride.said);
    assert!(ride.says("Rung 2: trailer found"), "{}", ride.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_cannot_be_fetched_is_found_before_anything_is_changed() {
    refuses(Fault::ImagePull, &["pixelcore:5.0.0 cannot be fetched", "not found", "no check changes anything"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_right_is_found_before_anything_is_changed() {
    refuses(Fault::Forbidden, &["1 of ", " calls are refused: delete statefulsets in namespace plant"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_in_two_namespaces_are_enough_where_the_data_may_go() {
    let desk = Desk::new(&[Fault::OneNamespace], 200).await;
    let seen = json!({"preflight": {"seen": ["rights"]}});
    let ride = desk.upgrade("pod", &seen).await;
    assert!(matches!(ride.stopped, Some(Stopped::NeedsAnswer { .. })), "{:?}\n{}", ride.stopped, ride.said);
    assert_eq!(desk.every(kinds::claim(), "/metadata/name").await, ["data-pix-db-0"], "{}", ride.said);
    let mut more = seen;
    more["keep"] = json!({"go_on": true});
    let ride = desk.resume(&more, |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    assert!(ride.says("no volume can be kept: the way back is the proven dump"), "{}", ride.said);
    desk.plant().await;

    // what would need the volumes is refused before anything goes, with what leads back
    let ride = desk.go_on("undo-remove", &json!({"keep_new": {"go_on": true}}), |_| false).await;
    assert!(matches!(ride.stopped, Some(Stopped::Refused { .. })), "{:?}\n{}", ride.stopped, ride.said);
    for part in ["no volume was kept", "the proven dump leads back", "drydock report "] {
        assert!(ride.says(part), "{part}: {}", ride.said);
    }
    desk.plant().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_written_after_the_dump_keep_the_gate_shut() {
    refuses(Fault::WritesAfterDump, &["written to since the dump: ", "dump and rehearse again"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_is_cut_counts_as_none() {
    let words = ["ended with status 1", "PQgetCopyData() failed", "server closed the connection unexpectedly"];
    fails_once(Fault::CutMidDump, "pod", "dump", &words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_says_done_over_a_cut_dump_is_not_believed() {
    let words = ["the dump script ended with status 0 and ", "error line", "PQgetCopyData() failed", "count as cut"];
    fails_once(Fault::CutMidDump, "scripts", "dump", &words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_in_the_client_pod_is_said_and_tried_again() {
    fails_once(Fault::DiskFull, "pod", "dump", &["No space left on device"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_that_changes_on_its_way_is_found_by_its_hash() {
    fails_once(Fault::CorruptedDump, "pod", "dump", &["with hash", "what came is thrown away"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_the_server_drops_is_missed() {
    fails_once(Fault::TruncatedTail, "pod", "dump", &["the end of the output is missing"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_without_its_status_is_not_taken_for_done() {
    fails_once(Fault::NoStatus, "pod", "preflight", &["the server never said how the command ended"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_link_only_takes_its_time() {
    let desk = Desk::new(&[Fault::SlowLink], 400).await;
    let begun = Instant::now();
    let ride = desk.start("pod", &json!({}), ended("files")).await;
    assert!(ride.stopped.is_none() && ride.says("Rung 2: trailer found"), "{}", ride.said);
    let bytes = size(&desk.run().artifacts());
    let least = f64::from(u32::try_from(bytes).unwrap()) / f64::from(256 * 1024);
    assert!(begun.elapsed().as_secs_f64() > least, "{bytes} bytes in {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scratch_namespace_that_does_not_end_is_waited_for_and_named() {
    let desk = Desk::paced(&[Fault::StuckNamespace], 100, 0.1).await;
    let ride = desk.start("pod", &json!({}), ended("rehearse")).await;
    assert!(ride.stopped.is_none() && ride.says("Rung 3: "), "{}", ride.said);
    let asked = at(&ride, "Effect { step: StepId(\"rehearse\"), effect: \"delete scratch namespace");
    let gone = at(&ride, "Effected { step: StepId(\"rehearse\"), effect: \"delete scratch namespace");
    assert!(gone.duration_since(asked).as_secs_f64() >= 2.9, "held for 30 s at a tenth of the pace");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_start_is_waited_for_and_explained() {
    let desk = Desk::paced(&[Fault::SlowStart], 100, 0.1).await;
    let ride = desk.start("pod", &json!({}), ended("rehearse")).await;
    assert!(ride.stopped.is_none() && ride.says("version 5.0.0 answers"), "{}", ride.said);
    let started = at(&ride, "Effected { step: StepId(\"rehearse\"), effect: \"create StatefulSet pix-db");
    let ready = at(&ride, "Effect { step: StepId(\"rehearse\"), effect: \"create pod drydock-client");
    // 45 s at a tenth of the pace, and the 5 s for which ready parts are watched
    assert!(ready.duration_since(started).as_secs_f64() >= 9.0, "{}", ride.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_ignores_policies_is_found_and_the_copy_runs_only_where_somebody_agrees() {
    let desk = Desk::new(&[Fault::NetworkIgnoresPolicy], 100).await;
    let ride = desk.upgrade("pod", &json!({})).await;
    assert!(matches!(&ride.stopped, Some(Stopped::NeedsAnswer { step, .. }) if step == "2.5"), "{:?}", ride.stopped);
    let reached = "the cluster's API and the database of plant were reached from the test copy";
    assert!(ride.says(reached), "{}", ride.said);
    let asked = ride.events.iter().rev().find_map(|event| match event {
        Event::Asking { question, .. } => match &**question {
            Question::Confirm { text, .. } => Some(text.join("\n")),
            _ => None,
        },
        _ => None,
    });
    let asked = asked.unwrap();
    for words in [
        reached,
        "Nothing of the copy runs yet. pix-worker will not run there at all",
        "Captured settings name ",
        "Going back removes the scratch namespace.",
    ] {
        assert!(asked.contains(words), "{words:?} is not in\n{asked}");
    }
    let spaces = desk.every(kinds::namespace(), "/metadata/name").await;
    assert!(!spaces.iter().any(|name| name.ends_with("-rehearsal")), "{spaces:?}");
    let ride = desk.resume(&json!({"rehearse": {"go_on": true}}), ended("rehearse")).await;
    assert!(ride.says("its network not held"), "{}", ride.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_keeps_policies_is_proven_and_nothing_is_asked() {
    let desk = Desk::new(&[], 100).await;
    let ride = desk.start("pod", &json!({}), ended("rehearse")).await;
    assert!(ride.says("neither the cluster's API nor the database of plant was reached from there"), "{}", ride.said);
    assert!(ride.says("version 5.0.0 answers") && !ride.says("not held"), "{}", ride.said);
}
