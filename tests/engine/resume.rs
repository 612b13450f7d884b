//! What a new process does with a run: steps in doubt are looked at, and what must not be done twice is not begun again
//! without a human.

use drydock::{
    ports::PortErrorKind,
    run::{Outcome, Question, Record, Repeat, StepId, Stopped, Verdict},
};
use serde_json::{Value, json};

use crate::{
    crash::{answers, whole},
    drive::{Clerk, Desk, Ride, SMALL, walk},
    world::{Fake, Moment, State},
};

/// What a kill leaves behind right after `strike` was done, before its end was written.
async fn struck() -> Moment {
    let desk = Desk::begin(SMALL, Fake::new(State::default())).await;
    desk.fake.keep_moments(&desk.folder());
    assert_eq!(desk.go_watched(Clerk::new(walk()), usize::MAX).await.stopped, Stopped::Finished);
    let moments = desk.fake.moments();
    moments.into_iter().find(|moment| moment.state.calls.iter().any(|call| call.starts_with("program strike"))).unwrap()
}

fn choosing(choices: &[&str]) -> Value {
    let mut answers = walk();
    answers["steps"]["strike"] = json!({"choose": choices});
    answers
}

fn strikes(desk: &Desk) -> usize {
    desk.fake.calls("program strike").len()
}

fn ids(ride: &Ride) -> Vec<Vec<String>> {
    let choices = |question: &&Question| match question {
        Question::Choose { choices, .. } => Some(choices.iter().map(|choice| choice.id.clone()).collect()),
        _ => None,
    };
    ride.questions().iter().filter_map(choices).collect()
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_done_twice_is_asked_about() {
    let moment = struck().await;
    for (choices, times, finished) in [
        (&["done"][..], 1, true),
        (&["again"], 2, true),
        (&["stop"], 1, false),
        (&[], 1, false),
        (&["skip", "retry"], 1, false),
    ] {
        let desk = Desk::after(&moment, None);
        let ride = desk.go(Clerk::new(choosing(choices))).await;
        assert_eq!(ids(&ride)[0], ["done", "again", "stop"]);
        assert_eq!((strikes(&desk), ride.stopped == Stopped::Finished), (times, finished), "{choices:?}");
        if choices.is_empty() {
            assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_harmless_choice_comes_first_after_what_must_not_be_done_twice() {
    let desk = Desk::after(&struck().await, None);
    let ride = desk.go(Clerk::new(choosing(&["stop"]))).await;
    let questions = ride.questions();
    let Question::Resume { recommended, choices, uncertain, .. } = questions[0] else { panic!("{questions:?}") };
    assert_eq!(choices[*recommended].id, "look");
    assert_eq!(uncertain.len(), 1);
    let Question::Choose { recommended, choices, .. } = questions[1] else { panic!("{questions:?}") };
    assert_eq!(choices[*recommended].id, "stop");
}

#[tokio::test(start_paused = true)]
async fn what_failed_or_was_stopped_is_not_done_again_unasked_either() {
    let desk = Desk::begin(SMALL, Fake::new(State::default())).await;
    desk.fake.state().says.insert("strike".into(), (1, "half\n".into()));
    let ride = desk.go(Clerk::new(choosing(&["retry", "stop"]))).await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }));
    assert_eq!(strikes(&desk), 2, "once more, as the operator chose");
    let desk = desk.again();
    let ride = desk.go(Clerk::new(choosing(&["stop"]))).await;
    assert!(matches!(ride.stopped, Stopped::Paused { .. }), "{:?}", ride.stopped);
    assert_eq!(strikes(&desk), 2);
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(choosing(&["done"]))).await.stopped, Stopped::Finished);
    assert_eq!(strikes(&desk), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_never_begun_is_not_asked_about() {
    let desk = Desk::begin(SMALL, Fake::new(State::default())).await;
    desk.fake.fail("program say", PortErrorKind::Other);
    let ride = desk.go(Clerk::new(walk())).await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }));
    let desk = desk.again();
    let ride = desk.go(Clerk::new(walk())).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert!(ids(&ride).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_choice_holds_through_another_kill() {
    let desk = Desk::after(&struck().await, None);
    desk.fake.keep_moments(&desk.folder());
    desk.go_watched(Clerk::new(choosing(&["again"])), usize::MAX).await;
    let decided = |moment: &&Moment| {
        let text = String::from_utf8_lossy(&moment.files[std::path::Path::new("journal.jsonl")]).into_owned();
        text.lines().last().is_some_and(|line| line.contains("\"decided\""))
    };
    let moments = desk.fake.moments();
    let desk = Desk::after(moments.iter().find(decided).unwrap(), None);
    let ride = desk.go(Clerk::new(walk())).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(strikes(&desk), 2, "the one from before the kill, and the one that was chosen");
}

#[tokio::test(start_paused = true)]
async fn a_look_changes_nothing() {
    let desk = Desk::after(&struck().await, None);
    let mut answers = walk();
    answers["resume"] = json!("look");
    let before = desk.fake.state().clone();
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Paused { reason: "left paused after a look".into() });
    assert!(before == *desk.fake.state());
}

/// Every step that was begun and not ended at some moment of the upgrade is looked at first, and the look is true.
#[tokio::test(start_paused = true)]
async fn steps_in_doubt_are_looked_at() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let mut look = answers.clone();
    look["resume"] = json!("look");
    for (call, step, repeat, verdict) in [
        ("scale Deployment plant/pix-feed to 0", "freeze", Repeat::Guarded, Verdict::Done),
        ("scale Deployment plant/pix-worker to 0", "freeze", Repeat::Guarded, Verdict::Partly),
        ("apply PersistentVolume", "keep", Repeat::Guarded, Verdict::Done),
        ("delete Deployment plant/pix-core", "remove", Repeat::Never, Verdict::Partly),
        ("program helm upgrade --install pixelcore /chart -n plant ", "deploy", Repeat::Guarded, Verdict::Done),
        ("PUT plant /api/applications/lns-eu", "put_lns", Repeat::Guarded, Verdict::NotDone),
        ("program announce", "announce", Repeat::Never, Verdict::Unknown),
    ] {
        let after = |moment: &&Moment| moment.state.calls.last().is_some_and(|last| last.starts_with(call));
        let desk = Desk::after(moments.iter().find(after).unwrap_or_else(|| panic!("{call}")), None);
        let calls = desk.fake.state().calls.len();
        let ride = desk.go(Clerk::new(look.clone())).await;
        assert!(matches!(ride.stopped, Stopped::Paused { .. }), "{call}: {:?}", ride.stopped);
        let entries = desk.entries();
        let probed = entries.iter().find_map(|entry| match &entry.record {
            Record::Probed { step, verdict, .. } => Some((step.0.as_str(), *verdict)),
            _ => None,
        });
        assert_eq!(probed, Some((step, verdict)), "{call}");
        let begun = |record: &Record| matches!(record, Record::Intent { step: StepId(of), repeat: how, .. } if of == step && *how == repeat);
        assert!(entries.iter().any(|entry| begun(&entry.record)), "{call}");
        // opening the vault is all that a look may do
        assert!(desk.fake.state().calls[calls..].iter().all(|call| call == "open the vault"), "{call}");
    }
}

/// What a look at a dump or a restore says of how far it came is what is there.
#[tokio::test(start_paused = true)]
async fn a_look_says_how_far_a_dump_or_a_restore_came() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let mut look = answers.clone();
    look["resume"] = json!("look");
    let called = |moment: &Moment, call: &str| moment.state.calls.last().is_some_and(|last| last.starts_with(call));
    let written = |moment: &Moment, word: &str| {
        let text = String::from_utf8_lossy(&moment.files[std::path::Path::new("journal.jsonl")]).into_owned();
        text.lines().last().is_some_and(|line| line.contains(word) && line.contains("\"step\":\"restore\""))
    };
    let first = |wanted: &dyn Fn(&Moment) -> bool| moments.iter().find(|moment| wanted(moment)).unwrap();
    let pod = "made in the client pod drydock-client-7f3a, none is here yet; the dump is taken up there";
    for (moment, verdict, sentence) in [
        (first(&|m| called(m, "job plant dump-1")), Verdict::Partly, format!("1 of 2 files is {pod}")),
        (first(&|m| written(m, "\"intent\"")), Verdict::NotDone, "nothing was loaded yet".to_owned()),
        (
            first(&|m| written(m, "empty ")),
            Verdict::Partly,
            "the tables of the dump were about to be emptied; nothing was loaded yet".to_owned(),
        ),
        (first(&|m| written(m, "to its end")), Verdict::Done, "loaded to its end; all ".to_owned()),
    ] {
        let desk = Desk::after(moment, None);
        desk.go(Clerk::new(look.clone())).await;
        let probed = desk.entries().into_iter().find_map(|entry| match entry.record {
            Record::Probed { verdict, sentence, .. } => Some((verdict, sentence)),
            _ => None,
        });
        let (found, told) = probed.unwrap();
        assert!(found == verdict && told.starts_with(&sentence), "{found:?} {told}, not {sentence}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_this_try_deployed_is_not_upgraded_again() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let upgrade = "program helm upgrade --install pixelcore /chart -n plant ";
    let after = |moment: &&Moment| moment.state.calls.last().is_some_and(|last| last.starts_with(upgrade));
    let moment = moments.iter().find(after).unwrap();
    let desk = Desk::after(moment, None);
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(desk.fake.calls(upgrade).len(), 1, "the one from before the kill");

    // one that somebody else deployed since is theirs
    let mut moment = moment.clone();
    moment.state.marks.insert("plant".into(), "Upgrade complete".into());
    let desk = Desk::after(&moment, None);
    let ride = desk.go(Clerk::new(answers)).await;
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(problem.what.contains("was not installed by this run (Upgrade complete)"), "{problem:?}");
    assert_eq!(desk.fake.calls(upgrade).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_cluster_under_the_same_name_is_refused_before_anything_is_sent() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let removing =
        |moment: &&Moment| moment.state.calls.last().is_some_and(|call| call.starts_with("delete Deployment"));
    let mut moment = moments.iter().find(removing).unwrap().clone();
    moment.state.cluster = "00000000-another".into();
    let desk = Desk::after(&moment, None);
    let calls = desk.fake.state().calls.len();
    let ride = desk.go(Clerk::new(answers)).await;
    assert!(matches!(&ride.stopped, Stopped::Refused { problem } if problem.what.contains("another place")));
    assert_eq!(desk.fake.state().calls[calls..], ["open the vault"]);
    let refused = |record: &Record| matches!(record, Record::Ended { outcome: Outcome::Failed { .. }, .. });
    assert!(refused(&desk.entries().iter().rev().find(|e| matches!(e.record, Record::Ended { .. })).unwrap().record));
}
