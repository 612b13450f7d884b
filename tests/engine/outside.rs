//! What lies outside: a database that is the source's own, and a connection that leads elsewhere in the middle of a step.

use std::sync::Arc;

use drydock::{
    plain::Say,
    run::{Event, Outcome, Question, Record, Reply, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    world::{Fake, Key, State, key},
};

#[tokio::test(start_paused = true)]
async fn a_rehearsal_whose_database_is_the_source_empties_nothing() {
    let (_home, answers) = answers();
    let state = State { outside: true, ..State::with_deployment("test") };
    let before = state.databases["plant"].tables.clone();
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = desk.go(Clerk::new(answers)).await;
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(problem.what.contains("is the one that was dumped"), "{problem:?}");
    assert_eq!(desk.fake.calls("sql plant-rehearsal TRUNCATE"), Vec::<String>::new());
    assert_eq!(desk.fake.state().databases["plant"].tables, before);
}

/// The connection leads to another cluster from now on.
fn elsewhere(fake: &Fake) {
    fake.state().cluster = "00000000-another".into();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_changes_in_the_middle_of_a_restore_empties_nothing() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let hold = desk.fake.hold("upload plant /");
    let (ride, ()) = tokio::join!(desk.go(Clerk::new(answers)), async {
        hold.reached.acquire().await.unwrap().forget();
        elsewhere(&desk.fake);
        hold.go.add_permits(1);
    });
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(problem.what.contains("another place"), "{problem:?}");
    assert_eq!(desk.fake.calls("sql plant TRUNCATE"), Vec::<String>::new());
    assert!(!desk.fake.calls("sql plant-rehearsal TRUNCATE").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_setting_is_not_written_again_into_another_place() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let fake = Arc::clone(&desk.fake);
    let hook = move |event: &Event| {
        let Event::Asking { question, .. } = event else { return None };
        let Question::Reapply { .. } = &**question else { return None };
        elsewhere(&fake);
        Some(vec![Act::Say(Say::Reply(Reply::Write { item: "lns-eu".into() }))])
    };
    let ride = desk.go(Clerk::hooked(answers, hook)).await;
    assert!(
        matches!(&ride.stopped, Stopped::Refused { problem } if problem.what.contains("another place")),
        "{:?}",
        ride.stopped
    );
    assert_eq!(desk.fake.calls("PUT plant /api/applications/lns-eu").len(), 1, "the one before the question");
}

#[tokio::test(start_paused = true)]
async fn a_writer_of_the_copy_has_no_pod_at_any_moment() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.keep_moments(&desk.folder());
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
    let moments = desk.fake.moments();
    let worker = key("Deployment", "plant-rehearsal", "pix-worker");
    let there: Vec<&State> =
        moments.iter().map(|moment| &moment.state).filter(|state| state.objects.contains_key(&worker)).collect();
    assert!(!there.is_empty());
    for state in there {
        assert_eq!(state.objects[&worker]["spec"]["replicas"], 0, "it would act on the world");
    }
    let pods = moments.iter().flat_map(|moment| moment.state.objects.keys());
    let of_writer =
        |(kind, ns, name): &&Key| kind == "Pod" && ns == "plant-rehearsal" && name.starts_with("pix-worker");
    assert_eq!(pods.clone().filter(of_writer).count(), 0);
    let ways_in = |(kind, ns, _): &&Key| kind == "Ingress" && ns == "plant-rehearsal";
    assert_eq!(pods.filter(ways_in).count(), 0, "what takes traffic is left out");
}

#[tokio::test(start_paused = true)]
async fn nothing_leaves_the_scratch_namespace_before_anything_is_in_it() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
    let made: Vec<String> =
        desk.fake.calls("create ").into_iter().filter(|call| call.contains("plant-rehearsal")).collect();
    let kinds: Vec<&str> = made.iter().filter_map(|call| call.split(' ').nth(1)).collect();
    // the probe comes before what runs; the last pod is the one that restores
    let wanted = ["Namespace", "NetworkPolicy", "Service", "Pod", "Deployment", "Deployment", "StatefulSet", "Pod"];
    assert_eq!(kinds, wanted, "{made:?}");
}

/// A run in a network that keeps no policy, with these answers to the step, and what it told.
async fn leaky(rehearse: Value) -> (Desk, Ride) {
    let (_home, mut answers) = answers();
    answers["steps"]["rehearse"] = rehearse;
    let state = State { ignores_policies: true, ..State::with_deployment("test") };
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = desk.go(Clerk::new(answers)).await;
    (desk, ride)
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_not_held_does_not_run_before_somebody_agreed() {
    let (desk, ride) = leaky(json!({})).await;
    assert!(matches!(&ride.stopped, Stopped::NeedsAnswer { step, .. } if step == "2.5"), "{:?}", ride.stopped);
    for kind in ["Deployment", "StatefulSet"] {
        assert_eq!(desk.fake.calls(&format!("create {kind} plant-rehearsal")), Vec::<String>::new());
    }
    let state = desk.fake.state();
    assert!(!state.objects.contains_key(&key("Namespace", "", "plant-rehearsal")), "there is nothing to look at");
    let asked = ride.questions().into_iter().rev().find_map(|question| match question {
        Question::Confirm { step, text, .. } if step.0 == "rehearse" => Some(text.join("\n")),
        _ => None,
    });
    let asked = asked.unwrap();
    for words in [
        "ignores policies: the cluster's API was reached",
        "Nothing of the copy runs yet. pix-worker will not run there at all",
        "Captured settings name git.example.net, lns-eu.example.net, lns-us.example.net",
    ] {
        assert!(asked.contains(words), "{words}: {asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_not_held_runs_once_somebody_agreed_which_is_written_down() {
    let (desk, ride) = leaky(json!({"go_on": true})).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let entries = desk.entries();
    let confirmed = entries.iter().any(|entry| {
        matches!(&entry.record, Record::Confirmed { step, item, by, reason }
            if step.0 == "rehearse" && item == "the network" && by == "ann" && reason.contains("ignores policies"))
    });
    assert!(confirmed);
    let told = entries.iter().any(|entry| {
        matches!(&entry.record, Record::Evidence { sentence, facts, .. }
            if sentence.contains("ignores policies") && facts["network"] == "ignores")
    });
    assert!(told);
    let done = entries.iter().any(|entry| {
        matches!(&entry.record, Record::Ended { step, outcome: Outcome::Done { summary, .. }, .. }
            if step.0 == "rehearse" && summary.ends_with(", its network not held"))
    });
    assert!(done);
}

#[tokio::test(start_paused = true)]
async fn going_back_from_a_copy_that_is_not_held_leaves_nothing_of_it() {
    let (_home, answers) = answers();
    let state = State { ignores_policies: true, ..State::with_deployment("test") };
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let mut gone_back = false;
    let hook = move |event: &Event| {
        let Event::Asking { question, .. } = event else { return None };
        let Question::Confirm { step, .. } = &**question else { return None };
        if step.0 != "rehearse" {
            return None;
        }
        let first = !std::mem::replace(&mut gone_back, true);
        Some(vec![if first { Act::Say(Say::Reply(Reply::Back)) } else { Act::Leave }])
    };
    desk.go(Clerk::hooked(answers, hook)).await;
    let state = desk.fake.state();
    assert!(!state.objects.keys().any(|(_, ns, name)| ns == "plant-rehearsal" || name == "plant-rehearsal"));
    drop(state);
    assert_eq!(desk.fake.calls("create Deployment plant-rehearsal"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_that_failed_names_what_it_leaves() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.fail("sql plant-rehearsal TRUNCATE", drydock::ports::PortErrorKind::Unreachable);
    let ride = desk.go(Clerk::new(answers)).await;
    let Stopped::Failed { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    let says = |lines: &[String], words: &str| lines.iter().any(|line| line.contains(words));
    assert!(says(&problem.safe, "scratch namespace plant-rehearsal"), "{problem:?}");
    assert!(says(&problem.help, "kubectl delete namespace plant-rehearsal"), "{problem:?}");
    assert!(says(&problem.help, "the next try removes plant-rehearsal"), "{problem:?}");
}
