//! Which run a target belongs to: of two that are both open at their plans, one is approved.

use drydock::{
    run::{Event, Question, Record, Stopped},
    store::{Entry, Journal},
};

use jiff::Timestamp;

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore},
    world::{Fake, State},
};

/// Another run on the target of `desk`, beside it, as it stands once its plan is approved.
fn lay_approved(desk: &Desk, other: &str) {
    let folder = desk.folder().parent().unwrap().join(other);
    std::fs::create_dir(&folder).unwrap();
    let mut journal = Journal::create(&folder.join("journal.jsonl")).unwrap();
    for Entry { at, mut record, .. } in desk.entries() {
        if let Record::Started { run, .. } = &mut record {
            other.clone_into(run);
        }
        journal.append(at, &record).unwrap();
    }
    journal.append(Timestamp::now(), &Record::Approved { by: "ben".into() }).unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_two_plans_for_one_target_one_is_approved() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let beside = std::sync::Arc::new(desk);
    let hand = std::sync::Arc::clone(&beside);
    // the other is approved while this one's plan is read
    let clerk = Clerk::hooked(answers, move |event| {
        if matches!(event, Event::Asking { question, .. } if **question == Question::Approve) {
            lay_approved(&hand, "2026-11-20-test-aaaa");
        }
        None
    });
    let ride = beside.go(clerk).await;
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert_eq!(problem.what, "run 2026-11-20-test-aaaa on plant is not at its end");
    assert!(!beside.entries().iter().any(|entry| matches!(entry.record, Record::Approved { .. })));
}
