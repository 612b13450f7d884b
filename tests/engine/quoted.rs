//! What foreign programs say is kept without the run's secrets: in output, errors, facts, questions and events, in the process
//! that captured them and in the one after it.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use drydock::run::{Event, Outcome, Question, Record, Stopped};
use serde_json::json;

use crate::{
    canary::{is_clean, world_is_clean},
    crash::answers,
    drive::{Clerk, Desk, Ride, pixelcore},
    world::{Fake, State},
};

/// Typed, found, found beyond the form, and from the environment file.
const QUOTED: [&str; 6] =
    ["tok-eu-4711", "tok-us-0815", "extra-us-99", "mail-of-geo-31", "hunter-of-rows", "door-opener-77"];

/// What a careless program says: an address with a password, and every secret in two forms.
fn said() -> String {
    let mut said = String::from("INFO: connecting to postgres://pix:hunter-of-rows@pix-db/pixelcore\n");
    for secret in QUOTED {
        writeln!(said, "ERROR: {secret} is refused, as is \"{}\"", STANDARD.encode(secret)).unwrap();
    }
    said
}

fn events_are_clean(ride: &Ride) {
    for event in &ride.events {
        is_clean(&format!("{event:?}\n{}", serde_json::to_string(event).unwrap()), "an event");
    }
    is_clean(&format!("{:?}", ride.stopped), "the end");
}

fn output(desk: &Desk) -> String {
    std::fs::read_to_string(desk.folder().join("output/announce.log")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_a_program_quotes_of_the_vault_is_hidden_wherever_it_is_told() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.state().says.insert("announce".into(), (1, said()));
    let ride = desk.go(Clerk::new(answers.clone())).await;
    let Stopped::Failed { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert_eq!(problem.causes.len(), QUOTED.len(), "{problem:?}");
    assert!(problem.causes.iter().all(|line| line == "ERROR: •••••••• is refused, as is \"••••••••\""), "{problem:?}");
    events_are_clean(&ride);
    world_is_clean(&desk);
    let first = output(&desk);
    assert_eq!(first.lines().count(), 1 + QUOTED.len(), "{first}");
    assert!(first.contains("connecting to postgres://pix:••••••••@pix-db/pixelcore\n"), "{first}");

    // a new process has read none of them when the program says them again
    let desk = desk.again();
    let mut again = answers.clone();
    again["steps"]["announce"] = json!({"choose": ["again"]});
    desk.fake.state().says.insert("announce".into(), (0, said()));
    let ride = desk.go(Clerk::new(again)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    events_are_clean(&ride);
    world_is_clean(&desk);
    assert_eq!(output(&desk).lines().count(), 2 * (1 + QUOTED.len()));
    let fact = desk.entries().into_iter().find_map(|entry| match entry.record {
        Record::Ended { step, outcome: Outcome::Done { facts, .. }, .. } if step.0 == "announce" => Some(facts),
        _ => None,
    });
    let fact = fact.unwrap()["output"].as_str().unwrap().to_owned();
    assert!(
        fact.starts_with("INFO: connecting to postgres://pix:••••••••@pix-db/pixelcore\nERROR: ••••••••"),
        "{fact}"
    );
}

/// A fact without its secret is no argument: the command would be another one.
#[tokio::test(start_paused = true)]
async fn a_command_with_a_hidden_fact_is_not_started() {
    let (_home, answers) = answers();
    let text = pixelcore().replacen(
        "          - id: announce\n",
        "          - id: ask\n            title: Ask\n            why: It tells.\n            do: {run: {on: here, command: \
         [ask], repeatable: true}}\n            estimate: 1 s\n          - id: announce\n",
        1,
    );
    let text = text.replacen("[announce, \"{{ target.namespace }}\"]", "[announce, \"{{ steps.ask.output }}\"]", 1);
    let desk = Desk::begin(&text, Fake::new(State::with_deployment("test"))).await;
    desk.fake.state().says.insert("ask".into(), (0, "door-opener-77".into()));
    let ride = desk.go(Clerk::new(answers)).await;
    let Stopped::Failed { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(problem.what.contains("names what an earlier program said of a secret"), "{problem:?}");
    assert!(desk.fake.calls("program announce").is_empty());
    let asked = |event: &Event| matches!(event, Event::Asking { question, .. } if matches!(**question, Question::Choose { .. }));
    assert!(ride.events.iter().any(asked));
    world_is_clean(&desk);
}
