//! What a run promises while it runs: the journal comes first, a failure pauses, nothing is done after a failed write, and
//! the operator can always pause, stop and leave.

use std::sync::{Arc, Mutex};

use drydock::{
    plain::Say,
    run::{Command, Event, Outcome, Question, Record, Reply, StepId, Stopped},
};
use serde_json::json;

use crate::{
    crash::{answers, for_each, whole},
    drive::{Act, Clerk, Desk, Ride, SMALL, pixelcore, walk},
    world::{Fake, State},
};

async fn small() -> Desk {
    Desk::begin(SMALL, Fake::new(State::default())).await
}

fn say(reply: Reply) -> Vec<Act> {
    vec![Act::Say(Say::Reply(reply))]
}

fn began(event: &Event, wanted: &str) -> bool {
    matches!(event, Event::Recorded { record, .. } if matches!(&**record, Record::Intent { step, .. } if step.0 == wanted))
}

/// Steps that were begun, in order.
fn begun(desk: &Desk) -> Vec<String> {
    let intent = |record| if let Record::Intent { step, .. } = record { Some(step.0) } else { None };
    desk.entries().into_iter().filter_map(|entry| intent(entry.record)).collect()
}

fn last(desk: &Desk) -> Record {
    desk.entries().pop().unwrap().record
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_durable_before_it_is_told() {
    let desk = small().await;
    let folder = desk.folder();
    let ride = desk
        .go(Clerk::hooked(walk(), move |event| {
            if let Event::Recorded { record, .. } = event {
                let text = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
                let line = serde_json::to_string(record).unwrap();
                assert!(text.contains(&line), "told and not written: {line}");
            }
            None
        }))
        .await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(begun(&desk), ["say", "strike", "look", "end"]);
}

#[tokio::test(start_paused = true)]
async fn every_change_was_written_down_before_it_was_made() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let mut changes = 0;
    for pair in moments.windows(2) {
        let Some(call) = pair[1].state.calls.get(pair[0].state.calls.len()) else { continue };
        if call == "open the vault" {
            continue;
        }
        changes += 1;
        let text = String::from_utf8(pair[0].files[std::path::Path::new("journal.jsonl")].clone()).unwrap();
        let records: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["record"].clone())
            .collect();
        let begun = records.iter().filter(|record| record["type"] == "intent").count();
        let ended = records.iter().filter(|record| record["type"] == "ended").count();
        assert_eq!(begun, ended + 1, "no step was begun before: {call}");
        let lasting = ["scale Deployment ", "apply ", "program helm", "PUT ", "create "];
        let removal = call.starts_with("delete ") && !call.contains("/drydock-image-") || call.contains(" TRUNCATE ");
        if removal || lasting.iter().any(|begin| call.starts_with(begin)) {
            let last = records.last().unwrap();
            assert_eq!(last["type"], "effect", "nothing says beforehand: {call}");
        }
    }
    assert!(changes > 50, "{changes}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_pauses_and_offers_and_never_skips() {
    let desk = small().await;
    desk.fake.state().says.insert("say".into(), (3, "no\n".into()));
    let ride = desk
        .go(Clerk::hooked(walk(), |event| match event {
            Event::Asking { number: 2, question } => {
                let Question::Choose { choices, recommended: 0, problem, .. } = &**question else {
                    panic!("{question:?}")
                };
                let ids: Vec<&str> = choices.iter().map(|choice| choice.id.as_str()).collect();
                assert_eq!(ids, ["retry", "stop"]);
                assert_eq!(problem.what, "say ended with status 3");
                Some(say(Reply::Choose { choice: "skip".into() }))
            }
            Event::Asking { number: 3, .. } => Some(say(Reply::Continue)),
            Event::Asking { number: 4, .. } => Some(say(Reply::Choose { choice: "retry".into() })),
            Event::Asking { number: 5, .. } => Some(say(Reply::Choose { choice: "stop".into() })),
            _ => None,
        }))
        .await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }));
    assert_eq!(begun(&desk), ["say", "say"], "twice, as chosen, and nothing after it");
    // mended, the same run goes on in another process
    desk.fake.state().says.clear();
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(walk())).await.stopped, Stopped::Finished);
    assert_eq!(begun(&desk), ["say", "say", "say", "strike", "look", "end"]);
}

#[test]
fn after_a_write_that_failed_nothing_more_is_done() {
    let (_home, answers) = answers();
    let cases: Vec<usize> = (0..150).collect();
    let reached = Mutex::new(0);
    for_each(&cases, async |left| {
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        let ride = desk.go_watched(Clerk::new(answers.clone()), *left).await;
        let late = desk.late.lock().unwrap().clone();
        if ride.stopped == Stopped::Finished {
            assert!(late.is_empty() && *left > 100, "{left}");
            return;
        }
        assert!(matches!(&ride.stopped, Stopped::Fault { .. }), "{left}: {:?}", ride.stopped);
        assert_eq!(late, [desk.fake.state().calls.len()], "after write {left}: one try, and no change after it");
        *reached.lock().unwrap() += 1;
    });
    assert!(*reached.lock().unwrap() > 100);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_another_question_is_thrown_away() {
    let desk = small().await;
    let yes = |question| Act::Command(Command::Answer { question, reply: Reply::Continue });
    let ride = desk
        .go(Clerk::hooked(walk(), move |event| match event {
            // far too early: three answers to questions that were not put yet
            Event::Recorded { record, .. } if matches!(**record, Record::Approved { .. }) => {
                Some((1..6).map(yes).collect())
            }
            // too late: the question before
            Event::Asking { number: 2, .. } => Some(vec![yes(1), yes(3), Act::Command(Command::Stop)]),
            _ => None,
        }))
        .await;
    let Stopped::Paused { reason } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert_eq!(reason, "stopped by the operator");
    assert_eq!(begun(&desk), ["say", "strike", "look"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_waits_for_the_step_in_hand() {
    let desk = small().await;
    let hook = |event: &Event| began(event, "say").then(|| vec![Act::Command(Command::Pause)]);
    let hold = desk.fake.hold("program say");
    let (ride, ()) = tokio::join!(desk.go(Clerk::hooked(walk(), hook)), async {
        hold.reached.acquire().await.unwrap().forget();
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        hold.go.add_permits(1);
    });
    assert_eq!(ride.stopped, Stopped::Paused { reason: "paused by the operator".into() });
    assert_eq!(begun(&desk), ["say"]);
    assert!(matches!(last(&desk), Record::Paused { .. }));
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(walk())).await.stopped, Stopped::Finished);
    assert_eq!(begun(&desk), ["say", "strike", "look", "end"], "what was done is not done again");
}

#[tokio::test(start_paused = true)]
async fn a_pause_can_be_taken_back() {
    let desk = small().await;
    let hook =
        |event: &Event| began(event, "say").then(|| vec![Act::Command(Command::Pause), Act::Command(Command::Go)]);
    let hold = desk.fake.hold("program say");
    let (ride, ()) = tokio::join!(desk.go(Clerk::hooked(walk(), hook)), async {
        hold.reached.acquire().await.unwrap().forget();
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        hold.go.add_permits(1);
    });
    assert_eq!(ride.stopped, Stopped::Finished);
}

/// Runs the four steps and stops while `say` runs; the program ends after the order.
async fn stop_in_say(desk: &Desk) -> Stopped {
    let hook = |event: &Event| began(event, "say").then(|| vec![Act::Command(Command::Stop)]);
    let hold = desk.fake.hold("program say");
    let (ride, ()) = tokio::join!(desk.go(Clerk::hooked(walk(), hook)), async {
        hold.reached.acquire().await.unwrap().forget();
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        hold.go.add_permits(1);
    });
    ride.stopped
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_step_in_hand_and_the_run() {
    let desk = small().await;
    assert_eq!(stop_in_say(&desk).await, Stopped::Paused { reason: "stopped by the operator".into() });
    assert_eq!(begun(&desk), ["say"]);
    assert!(matches!(last(&desk), Record::Ended { outcome: Outcome::Stopped { .. }, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_stop_holds_when_the_step_ends_well_all_the_same() {
    let desk = small().await;
    desk.fake.state().says.insert("say".into(), (0, "deaf\n".into()));
    let stopped = stop_in_say(&desk).await;
    assert!(matches!(stopped, Stopped::Paused { .. }), "{stopped:?}");
    assert_eq!(begun(&desk), ["say"], "who says stop does not want the next step");
    let done = desk.entries().iter().any(|entry| {
        matches!(&entry.record, Record::Ended { step: StepId(step), outcome: Outcome::Done { .. }, .. } if step == "say")
    });
    assert!(done, "what was done is written down as done");
}

#[tokio::test(start_paused = true)]
async fn a_question_without_anybody_says_what_it_needs() {
    let mut unknown = walk();
    unknown["steps"] = json!({});
    let desk = small().await;
    let ride = desk.go(Clerk::new(json!({"format": 1}))).await;
    assert_eq!(ride.stopped, Stopped::NeedsAnswer { step: String::new(), what: "the run".into() });
    assert!(begun(&desk).is_empty() && desk.fake.state().calls.is_empty());
    let desk = desk.again();
    let ride = desk.go(Clerk::new(unknown)).await;
    assert_eq!(ride.stopped, Stopped::NeedsAnswer { step: "1.3".into(), what: "step 1.3".into() });
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(walk())).await.stopped, Stopped::Finished);
    assert_eq!(begun(&desk), ["say", "strike", "look", "look", "end"]);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_goes_lets_the_step_in_hand_end() {
    let desk = small().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&told);
    let hold = desk.fake.hold("program say");
    let hook = move |event: &Event| {
        keep.lock().unwrap().push(event.clone());
        began(event, "say").then(|| vec![Act::Leave])
    };
    let (ride, ()) = tokio::join!(desk.go(Clerk::hooked(walk(), hook)), async {
        hold.reached.acquire().await.unwrap().forget();
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        hold.go.add_permits(1);
    });
    assert_eq!(ride.stopped, Stopped::Paused { reason: "the terminal went; the step in hand was finished".into() });
    assert_eq!(begun(&desk), ["say"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_changes_before_the_operator_said_so_and_it_is_asked_once() {
    let (_home, mut answers) = answers();
    let yes = answers["steps"].as_object_mut().unwrap().remove("freeze").unwrap();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let before = desk.fake.state().objects.clone();
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert!(matches!(&ride.stopped, Stopped::NeedsAnswer { step, .. } if step == "2.2"), "{:?}", ride.stopped);
    let after = desk.fake.state().objects.clone();
    let changed: Vec<_> = after.iter().filter(|(key, object)| before.get(*key) != Some(object)).collect();
    assert!(changed.is_empty() && before.len() == after.len(), "{changed:?}");
    answers["steps"]["freeze"] = yes;
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let asked = |ride: &Ride| ride.questions().iter().filter(|q| matches!(q, Question::Confirm { .. })).count();
    assert_eq!(asked(&ride), 1);
}
