//! What a new process offers where a run was cut off: to put back what it changed while nothing was removed, and to show the
//! way back from then on.

use drydock::{
    plain::Say,
    run::{Event, Question, Record, Reply, Stopped},
};

use crate::{
    crash::{answers, whole},
    drive::{Act, Clerk, Desk, Ride},
    world::{Moment, key},
};

/// The moment right after the first change that begins with `call`.
fn after(moments: &[Moment], call: &str) -> Desk {
    let found = moments.iter().find(|moment| moment.state.calls.last().is_some_and(|last| last.starts_with(call)));
    Desk::after(found.unwrap_or_else(|| panic!("no {call}")), None)
}

/// Answers the vault from the script, and what is chosen with these, one after the other.
async fn ride(desk: &Desk, choices: &'static [&'static str]) -> Ride {
    let (_home, answers) = answers();
    let mut choices = choices.iter();
    let clerk = Clerk::hooked(answers, move |event| {
        offered(event)?;
        let choice = choices.next().map(|choice| {
            let chosen = || Reply::Choose { choice: (*choice).to_owned() };
            Act::Say(Say::Reply(if *choice == "<Esc>" { Reply::Back } else { chosen() }))
        });
        Some(vec![choice.unwrap_or(Act::Leave)])
    });
    desk.go(clerk).await
}

/// The choices that are put, and which of them is first chosen.
fn offered(event: &Event) -> Option<(Vec<&str>, &str)> {
    let Event::Asking { question, .. } = event else { return None };
    match &**question {
        Question::Resume { choices, recommended, .. } | Question::Choose { choices, recommended, .. } => {
            Some((choices.iter().map(|choice| choice.id.as_str()).collect(), choices[*recommended].id.as_str()))
        }
        _ => None,
    }
}

fn asked(ride: &Ride) -> Vec<(Vec<&str>, &str)> {
    ride.events.iter().filter_map(offered).collect()
}

#[tokio::test(start_paused = true)]
async fn before_the_removal_it_can_be_put_back_at_once() {
    let (_home, given) = answers();
    let (_whole, moments) = whole(&given).await;
    let desk = after(&moments, "create Namespace /plant-rehearsal");
    // neither an unknown choice nor one of a later moment is an answer
    let ride = ride(&desk, &["way-back", "stop", "roll-back"]).await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    assert_eq!(asked(&ride), vec![(vec!["go-on", "roll-back", "look"], "go-on"); 3]);
    let state = desk.fake.state();
    assert!(!state.objects.contains_key(&key("Namespace", "", "plant-rehearsal")));
    assert_eq!(state.objects[&key("Deployment", "plant", "pix-worker")]["spec"]["replicas"], 1);
}

#[tokio::test(start_paused = true)]
async fn once_a_deletion_was_sent_the_way_back_is_shown_and_nothing_is_done() {
    let (_home, given) = answers();
    let (_whole, moments) = whole(&given).await;
    let desk = after(&moments, "delete StatefulSet plant/pix-db");
    let before = desk.fake.state().objects.clone();
    let ride = ride(&desk, &["way-back", "way-back", "look"]).await;
    assert!(matches!(ride.stopped, Stopped::Paused { .. }), "{:?}", ride.stopped);
    assert_eq!(asked(&ride), vec![(vec!["go-on", "way-back", "look"], "look"); 3]);
    let shown = ride.questions().into_iter().find_map(|question| match question {
        Question::Choose { problem, .. } => Some(problem.help.join("\n")),
        _ => None,
    });
    let shown = shown.expect("no commands were told");
    assert!(shown.contains("$ helm --kube-context c rollback pixelcore 1 -n plant"), "{shown}");
    assert!(desk.fake.state().objects == before, "nothing was changed");
    assert!(!desk.entries().iter().any(|entry| matches!(entry.record, Record::RollBack { .. })));
}

#[tokio::test(start_paused = true)]
async fn esc_at_the_way_back_leaves_the_run_paused() {
    let (_home, given) = answers();
    let (_whole, moments) = whole(&given).await;
    let desk = after(&moments, "delete StatefulSet plant/pix-db");
    let ride = ride(&desk, &["way-back", "<Esc>"]).await;
    assert!(matches!(ride.stopped, Stopped::Paused { .. }), "{:?}", ride.stopped);
    assert_eq!(asked(&ride).len(), 2);
}
