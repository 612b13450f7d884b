//! A run that is given up: asked first, then as before, and on its own cluster only.

use drydock::{
    plain::Say,
    run::{Event, Question, Record, Reply, Stopped},
};
use serde_json::json;

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, pixelcore},
    roll_back::{broken, choosing, is_as_before, objects, state_of},
};

#[tokio::test(start_paused = true)]
async fn a_run_is_given_up_once_the_operator_agrees_and_then_all_is_as_before() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), broken()).await;
    let ride = desk.go(choosing(answers.clone(), &["stop"])).await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }), "{:?}", ride.stopped);
    let left = objects(&desk.fake.state());
    let say = |reply: Reply| {
        Clerk::hooked(json!({"format": 1}), move |event| match event {
            Event::Asking { .. } => Some(vec![Act::Say(Say::Reply(reply.clone()))]),
            _ => None,
        })
    };
    // the vault stays shut: nothing that is put back needs a secret
    let desk = desk.again();
    let ride = desk.give_up(say(Reply::Back)).await;
    assert!(matches!(ride.stopped, Stopped::Paused { .. }), "{:?}", ride.stopped);
    let [Question::Confirm { step, text, .. }] = ride.questions()[..] else { panic!("{:?}", ride.questions()) };
    assert_eq!(step.0, "rehearse");
    assert_eq!(text[0], "This run is given up. What it changed is put back, last change first, about 75 s:");
    assert_eq!(text[1..4], ["namespace plant-rehearsal removed", "pix-worker back to 1", "pix-feed back to 2"]);
    assert_eq!(objects(&desk.fake.state()), left, "nothing was put back");

    let desk = desk.again();
    // elsewhere nothing is even asked
    desk.fake.state().cluster = "00000000-another".into();
    let ride = desk.give_up(say(Reply::Continue)).await;
    assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{:?}", ride.stopped);
    assert!(ride.questions().is_empty() && objects(&desk.fake.state()) == left);
    desk.fake.state().cluster = "86ea7bb5-0000-4000-8000-000000000001".into();

    let desk = desk.again();
    let ride = desk.give_up(say(Reply::Continue)).await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    is_as_before(&desk, "given up");
    let state = state_of(&desk);
    assert!(state.is_at_end() && state.rolled_back);
    let reasons: Vec<String> = desk
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.record {
            Record::RollBack { reason, .. } => Some(reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, ["the window is over"]);
}
