//! A dump whose job outlived the process: it is of the moment at which it began, whoever finds it again and when.

use std::path::{Path, PathBuf};

use drydock::{
    plain::Say,
    run::{Event, Outcome, Question, Record, Reply, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::{answers, whole},
    drive::{Act, Clerk, Desk, pixelcore},
    world::{Fake, Moment, State},
};

const JOB: &str = "job plant dump-1";

/// What a kill leaves behind right after `pg_dump` was done, and the answers.
async fn dumped() -> (tempfile::TempDir, Value, Moment) {
    let (home, mut answers) = answers();
    let (_, moments) = whole(&answers).await;
    let after = |moment: &Moment| moment.state.calls.last().is_some_and(|call| call == JOB);
    answers["steps"]["dump"] = json!({"choose": ["retry"]});
    answers["steps"]["announce"] = json!({"choose": ["again"]});
    (home, answers, moments.into_iter().find(after).unwrap())
}

/// Why the dump step failed, each time.
fn failures(desk: &Desk) -> Vec<String> {
    let failed = |record: Record| match record {
        Record::Ended { step, outcome: Outcome::Failed { problem, .. }, .. } if step.0 == "dump" => Some(problem.what),
        _ => None,
    };
    desk.entries().into_iter().filter_map(|entry| failed(entry.record)).collect()
}

/// A row is changed; no count of rows tells.
fn update(desk: &Desk) {
    let mut state = desk.fake.state();
    state.database().tables.get_mut("objects").unwrap()[0] = "1\tpomp".into();
    state.database().writes += 1;
}

async fn finished_with_the_change(desk: &Desk, answers: Value) {
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(desk.fake.state().database().tables["objects"][0], "1\tpomp", "the change is not lost");
}

#[tokio::test(start_paused = true)]
async fn a_row_changed_after_a_job_that_outlived_drydock_is_not_lost() {
    let (_home, answers, moment) = dumped().await;
    for late in [None, Some(10)] {
        let desk = Desk::after(&moment, None);
        update(&desk);
        desk.fake.state().database().counted =
            late.map(|late| tokio::time::Instant::now() + std::time::Duration::from_secs(late));
        finished_with_the_change(&desk, answers.clone()).await;
        let failures = failures(&desk);
        assert!(failures.len() == 1 && failures[0].contains("was written to"), "{late:?}: {failures:?}");
        assert_eq!(desk.fake.calls("job plant dump-").len(), 2, "{late:?}: a dump of the new moment");
    }
}

#[tokio::test(start_paused = true)]
async fn no_dump_begins_or_ends_beside_an_open_transaction() {
    let (_home, mut answers) = answers();
    answers["steps"]["dump"] = json!({"choose": ["retry"]});
    let (_, moments) = whole(&answers).await;
    let before = moments.into_iter().rfind(|moment| !moment.state.calls.iter().any(|call| call == JOB)).unwrap();
    let desk = Desk::after(&before, None);
    desk.fake.state().database().open_writer = true;
    let fake = std::sync::Arc::clone(&desk.fake);
    let failed = |event: &Event| matches!(event, Event::Recorded { record, .. } if matches!(&**record, Record::Ended { step, outcome: Outcome::Failed { .. }, .. } if step.0 == "dump"));
    let clerk = Clerk::hooked(answers, move |event| {
        if failed(event) {
            assert!(fake.calls(JOB).is_empty(), "it began beside it");
            fake.state().database().open_writer = false;
        }
        None
    });
    assert_eq!(desk.go(clerk).await.stopped, Stopped::Finished);
    let failures = failures(&desk);
    assert!(failures.len() == 1 && failures[0].contains("is open; writing now: ingest"), "{failures:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_of_a_quiet_database_is_taken_up_and_one_without_its_beginning_is_not() {
    let (_home, answers, moment) = dumped().await;
    let desk = Desk::after(&moment, None);
    assert_eq!(desk.go(Clerk::new(answers.clone())).await.stopped, Stopped::Finished);
    assert_eq!((desk.fake.calls("job plant dump-").len(), failures(&desk).len()), (1, 0));

    let mut moment = moment;
    let file = PathBuf::from("answers.json");
    let mut drafts: Value = serde_json::from_slice(&moment.files[Path::new("answers.json")]).unwrap();
    drafts.as_object_mut().unwrap().remove("dump").unwrap();
    moment.files.insert(file, drafts.to_string().into_bytes());
    let desk = Desk::after(&moment, None);
    update(&desk);
    finished_with_the_change(&desk, answers).await;
    assert_eq!((desk.fake.calls(JOB).len(), failures(&desk).len()), (2, 0), "begun anew in the same attempt");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_counts_no_row_changes_is_believed_only_while_no_transaction_ends() {
    // an update while the dump is made, and the counters stand still
    let (_home, answers, moment) = dumped().await;
    let desk = Desk::after(&moment, None);
    update(&desk);
    desk.fake.state().database().uncounted = true;
    finished_with_the_change(&desk, answers.clone()).await;
    let failed = failures(&desk);
    assert!(failed.len() == 1 && failed[0].contains("track_counts is off"), "{failed:?}");

    // one after the dump: the lock stays shut and says why
    let mut state = State::with_deployment("test");
    state.database().uncounted = true;
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let (fake, mut sentence) = (std::sync::Arc::clone(&desk.fake), String::new());
    let (told, hear) = std::sync::mpsc::channel();
    let clerk = Clerk::hooked(answers, move |event| {
        let Event::Asking { question, .. } = event else { return None };
        let Question::Gate { gate, .. } = &**question else { return None };
        let quiet = gate.locks.iter().find(|lock| lock.name == "quiet").unwrap();
        if sentence.is_empty() {
            assert!(gate.is_open(), "nothing has ended since: {gate:?}");
            let mut state = fake.state();
            state.database().tables.get_mut("objects").unwrap()[0] = "1\tpomp".into();
            state.database().writes += 1;
            sentence.clone_from(&quiet.sentence);
            return Some(vec![Act::Say(Say::Reply(Reply::Again))]);
        }
        told.send((quiet.open, quiet.sentence.clone())).unwrap();
        Some(vec![Act::Leave])
    });
    desk.go(clerk).await;
    let (open, sentence) = hear.try_recv().unwrap();
    assert!(!open && sentence.contains("track_counts is off") && sentence.contains("then dump again"), "{sentence}");
    assert!(desk.fake.calls("delete Deployment plant/").is_empty());
}
