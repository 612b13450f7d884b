//! The fault matrix: at every change of the upgrade the connection is lost, once with the request and once with the answer.
//! The run pauses, is tried again or taken up by another process, and ends the same.

use drydock::run::{Event, Stopped};
use serde_json::{Value, json};

use crate::{
    crash::{answers, clerk, end, for_each, hold_promises, paused, whole},
    drive::{Clerk, Desk, pixelcore},
    world::{Fake, Lost, State},
};

/// Drives a whole run, with a new process after each stop; `retry` tries again on the spot first where that is no harm.
async fn to_the_end(mut desk: Desk, answers: &Value, retry: bool, what: &str) -> Desk {
    let mut answers = answers.clone();
    if retry {
        for step in ["version", "dump", "rehearse", "keep", "freeze", "remove", "deploy", "restore", "hold", "release"]
        {
            answers["steps"][step]["choose"] = json!(["retry"]);
        }
    }
    let mut stops = Vec::new();
    loop {
        let ride = desk.go(clerk(&desk, &answers)).await;
        if ride.stopped == Stopped::Finished {
            return desk;
        }
        assert!(!matches!(ride.stopped, Stopped::Fault { .. }), "{what}: {:?}", ride.stopped);
        stops.push(ride.stopped);
        assert!(stops.len() < 4, "{what}: {stops:?}");
        desk = desk.again();
    }
}

#[test]
fn a_connection_lost_at_any_change_does_no_harm() {
    let (_home, answers) = answers();
    let (desk, _) = paused().block_on(whole(&answers));
    let wanted = end(&desk.fake.state());
    let changes = desk.fake.state().calls.clone();
    let cases: Vec<(usize, Lost)> =
        (0..changes.len()).flat_map(|number| [(number, Lost::Request), (number, Lost::Answer)]).collect();
    for_each(&cases, async |(number, lost)| {
        let what = format!("lost {lost:?} of change {number}, {}", changes[*number]);
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        desk.fake.lose(*number, *lost);
        let desk = to_the_end(desk, &answers, number % 2 == 0, &what).await;
        hold_promises(&desk, &what);
        assert_eq!(end(&desk.fake.state()), wanted, "{what}");
    });
}

#[test]
fn a_read_that_reaches_nobody_does_no_harm() {
    let (_home, answers) = answers();
    let (desk, _) = paused().block_on(whole(&answers));
    let wanted = end(&desk.fake.state());
    let cases: Vec<usize> = (0..desk.fake.reads()).step_by(5).collect();
    assert!(cases.len() > 60, "{}", cases.len());
    for_each(&cases, async |number| {
        let what = format!("lost read {number}");
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        desk.fake.lose_read(*number);
        let desk = to_the_end(desk, &answers, number % 2 == 0, &what).await;
        hold_promises(&desk, &what);
        assert_eq!(end(&desk.fake.state()), wanted, "{what}");
    });
}

#[tokio::test(start_paused = true)]
async fn a_database_whose_name_has_no_answer_for_a_moment_is_asked_again() {
    let (_home, answers) = answers();
    for (unreached, ends_well) in [(4, true), (5, false)] {
        let mut state = State::with_deployment("test");
        state.database().unreached = unreached;
        let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
        let ride = desk.go(Clerk::new(answers.clone())).await;
        assert_eq!(desk.fake.state().database().unreached, 0);
        assert_eq!(ride.stopped == Stopped::Finished, ends_well, "{:?}", ride.stopped);
        let says = |event: &Event| format!("{event:?}").contains("could not translate host name");
        let (pictures, others): (Vec<&Event>, Vec<&Event>) =
            ride.events.iter().partition(|event| matches!(event, Event::Progress { .. }));
        assert!(pictures.into_iter().any(says), "the wait is told while it lasts");
        assert_eq!(others.into_iter().any(says), !ends_well, "what passed by itself is no failure");
    }
}
