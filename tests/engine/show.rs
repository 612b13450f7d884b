//! A kept secret on request: it travels beside the events and nowhere else, from an open vault, and only one of this run's forms.

use std::collections::BTreeMap;

use drydock::{
    plain::Say,
    run::{Command, Event, Question, Record, SecretHandle, SecretName, StepId, Stopped},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    canary::{is_clean, world_is_clean},
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    world::{Fake, PASSPHRASE, State},
};

fn show(handle: u64, (step, item, field): (&str, &str, &str)) -> Act {
    let secret = SecretName { step: StepId(step.into()), item: item.into(), field: field.into() };
    Act::Command(Command::Show { handle: SecretHandle(handle), secret })
}

const TOKEN: (&str, &str, &str) = ("lns", "lns-eu", "token");

/// What is asked for when a step begins.
const ASKED: [(&str, u64, (&str, &str, &str)); 8] = [
    ("workers", 1, TOKEN),
    ("other", 2, ("workers", "geo", "settings")),
    // a file, no secret, no item, no form, no field
    ("version", 10, TOKEN),
    ("preflight", 11, ("environment", "1", "dotenv")),
    ("freeze", 12, ("lns", "lns-eu", "owner")),
    ("dump", 13, ("lns", "nobody", "token")),
    ("rehearse", 14, ("version", "lns-eu", "token")),
    // by the step that puts it back
    ("put_lns", 3, ("put_lns", "lns-us", "token")),
];

fn told(ride: &Ride) -> BTreeMap<u64, String> {
    let told = |event: &Event| match event {
        Event::NotShown { handle, reason } => Some((handle.0, reason.clone())),
        _ => None,
    };
    ride.events.iter().filter_map(told).collect()
}

fn begun(event: &Event) -> &str {
    match event {
        Event::Recorded { record, .. } => match &**record {
            Record::Intent { step, .. } => &step.0,
            _ => "",
        },
        _ => "",
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_shown_beside_the_events_and_no_other_is() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let clerk = Clerk::hooked(answers, |event| {
        let asked = ASKED.iter().filter(|(step, ..)| *step == begun(event));
        let acts: Vec<Act> = asked.map(|(_, handle, name)| show(*handle, *name)).collect();
        (!acts.is_empty()).then_some(acts)
    });
    let ride = desk.go(clerk).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let shown: Vec<(u64, &str)> = ride.shown.iter().map(|(handle, value)| (handle.0, value.expose_secret())).collect();
    assert_eq!(shown.len(), 3, "{:?}", told(&ride));
    assert_eq!((shown[0], shown[2]), ((1, "tok-eu-4711"), (3, "tok-us-0815")));
    assert!(shown[1].0 == 2 && shown[1].1.contains("mail-of-geo-31"));
    let told = told(&ride);
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), [10, 11, 12, 13, 14], "{told:?}");
    for event in &ride.events {
        is_clean(&format!("{event:?}\n{}", serde_json::to_string(event).unwrap()), "events");
    }
    is_clean(&format!("{:?}", ride.shown), "the frame's own Debug");
    world_is_clean(&desk);
}

#[tokio::test(start_paused = true)]
async fn a_locked_vault_and_one_who_may_not_look_show_nothing() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let leaves = |event: &Event| (begun(event) == "other").then(|| vec![Act::Leave]);
    assert!(desk.go(Clerk::hooked(answers.clone(), leaves)).await.shown.is_empty());
    // the same run again: it is locked until the passphrase came
    let desk = desk.again();
    let hook = |event: &Event| match event {
        Event::Asking { question, .. } if matches!(**question, Question::Vault { .. }) => Some(vec![show(1, TOKEN)]),
        Event::NotShown { .. } => Some(vec![Act::Say(Say::Passphrase(SecretString::from(PASSPHRASE)))]),
        event => match begun(event) {
            "" => None,
            "freeze" => Some(vec![Act::Leave]),
            _ => Some(vec![show(2, TOKEN)]),
        },
    };
    let ride = desk.go(Clerk::hooked(answers.clone(), hook)).await;
    assert_eq!(told(&ride), [(1, "the vault is locked".to_owned())].into(), "{:?}", ride.stopped);
    assert!(!ride.shown.is_empty() && ride.shown.iter().all(|(handle, _)| handle.0 == 2), "{:?}", ride.stopped);
    // event lines go to programs and files
    let desk = desk.again();
    let hook = |event: &Event| (!begun(event).is_empty()).then(|| vec![show(3, TOKEN)]);
    let ride = desk.go(Clerk { looks: false, ..Clerk::hooked(answers, hook) }).await;
    assert_eq!(told(&ride), [(3, "secrets are shown on the full screen only".to_owned())].into());
    assert!(ride.shown.is_empty() && ride.stopped == Stopped::Finished, "{:?}", ride.stopped);
}
