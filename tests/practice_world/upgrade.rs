//! The whole upgrade, to its end: every row, sequence and setting again, and what is said step by step.

use std::path::Path;

use drydock::{
    ports::kinds,
    run::{Outcome, Record, Stopped},
};
use serde_json::json;

use crate::desk::{Desk, Ride};

/// What the same runbook said of each step on a real cluster; numbers that differ are left out.
const SAID: [(&str, &str); 24] = [
    ("version", "4.2.0, 3 images, release pixelcore revision 1"),
    ("environment", "1 of 1 environment files confirmed"),
    ("lns", "2 of 2 connections confirmed"),
    ("workers", "5 of 5 workers confirmed"),
    ("other", "none, because checked every tab against the defaults"),
    ("preflight", "all 11 checks pass"),
    ("freeze", "pix-worker stopped"),
    ("dump", "two files, "),
    ("files", "trailer found, 21 tables and "),
    ("rehearse", "restored in "),
    ("settings", "all 4 checks pass"),
    ("keep", "1 volume set to keep"),
    ("remove", "10 objects deleted"),
    ("gone", "10 of 10 gone"),
    ("deploy", "release pixelcore is deployed"),
    ("ready", "3 of 3 parts are ready"),
    ("hold", "pix-worker stopped"),
    ("restore", "restored in "),
    ("compare", "21 of 21 tables have as many rows as the dump"),
    ("release", "pix-worker scaled"),
    ("put_lns", "2 of 2 read back the same, 0 by eye, 0 waived"),
    ("put_workers", "5 of 5 read back the same, 0 by eye, 0 waived"),
    ("put_other", "none, because checked every tab against the defaults"),
    ("answers", "all 2 checks pass"),
];

/// Secrets of the practice plant.
const SECRETS: [&str; 5] = ["eyJhbGciOiJIUzI1NiJ9", "b4ck-up_token", "v4lve-mail-77", "practice-db", "practice me #1"];

fn summaries(ride: &Ride) -> Vec<(String, String)> {
    let done = |record: &Record| match record {
        Record::Ended { step, outcome: Outcome::Done { summary, .. }, .. } => Some((step.0.clone(), summary.clone())),
        _ => None,
    };
    ride.records().filter_map(done).collect()
}

fn assert_no_secret(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_secret(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for secret in SECRETS {
            assert!(
                !bytes.windows(secret.len()).any(|part| part == secret.as_bytes()),
                "{secret} in {}",
                path.display()
            );
        }
    }
}

async fn upgrades(way: &str) {
    let desk = Desk::new(&[], 2_000).await;
    let before = desk.plant().await;
    assert!(before.rows() > 10_000 && before.settings["valve-guard"]["settings"]["threshold"] == 0.75);
    let ride = desk.upgrade(way, &json!({})).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    let upgrade = desk.run();
    let said = summaries(&ride);
    assert_eq!(said.len(), SAID.len(), "{said:#?}");
    for ((step, sentence), (wanted, begins)) in said.iter().zip(SAID) {
        assert!(step == wanted && sentence.starts_with(begins), "{step}: {sentence:?} is not {wanted}: {begins:?}");
    }
    let after = desk.plant().await;
    assert!(after.settings.get("edge-sync").is_some(), "5.0.0 has an application more");
    assert_eq!(after.seen_as(&before), before);
    // the old volume is kept, the new one is in use, the rehearsal's is gone
    let mut volumes = desk.every(kinds::volume(), "/status/phase").await;
    volumes.sort_unstable();
    assert_eq!(volumes, ["Bound", "Released"]);
    assert_no_secret(&desk.folder.path().join("runs"));
    // a volume that somebody set free for its claim again is not given back, whatever is typed
    let kept = desk.released().await;
    desk.hold(&kept, "").await;
    let shut = desk.go_on("release-volumes", &json!({"release": {"phrase": "practice"}}), |_| false).await;
    assert_ne!(shut.stopped, Some(Stopped::Finished), "{}", shut.said);
    assert!(shut.says("somebody began to bring it back"), "{}", shut.said);
    assert_eq!(desk.every(kinds::volume(), "/metadata/name").await.len(), 2);
    desk.hold(&kept, "gone").await;
    // the fast way back goes when it is told to, and nothing else does
    let ride = desk.resume(&json!({"release": {"phrase": "practice"}}), |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    assert_eq!(desk.every(kinds::volume(), "/status/phase").await, ["Bound"]);
    assert_eq!(desk.plant().await.seen_as(&before), before);
    // what the cluster said of the parts is in the log of the wait for them, each thing once
    let log = std::fs::read_to_string(upgrade.output("ready")).unwrap();
    let events: Vec<&str> =
        log.lines().filter_map(|line| line.split_once("\tevent · ")).map(|(_, event)| event).collect();
    // a pod of a Deployment has a name of its own: made once, told once
    let made: Vec<&str> = events.into_iter().filter(|event| event.starts_with("SuccessfulCreate: ")).collect();
    let once: std::collections::BTreeSet<&str> =
        made.iter().copied().filter(|event| event.contains("pix-core-")).collect();
    let cores = made.iter().filter(|event| event.contains("pix-core-")).count();
    assert!(cores > 0 && once.len() == cores, "{made:#?}");
    assert!(log.contains("\tpix-db-0\tplain\tevent · "), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn natively() {
    upgrades("pod").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_admins_scripts() {
    upgrades("scripts").await;
}
