//! What lies outside: a database that is the source's own, and a connection that leads elsewhere in the middle of a step.

use std::sync::Arc;

use drydock::{
    plain::Say,
    run::{Event, Question, Reply, Stopped},
};

use crate::{
    crash::{answers, whole},
    drive::{Act, Clerk, Desk, pixelcore},
    world::{Fake, Lost, State, key},
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
async fn writers_of_a_copy_that_is_half_installed_are_held_too() {
    let (_home, answers) = answers();
    let (whole, _) = whole(&answers).await;
    let installs = |call: &String| call.starts_with("program helm upgrade") && call.contains("-n plant-rehearsal");
    let number = whole.fake.state().calls.iter().position(installs).unwrap();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.lose(number, Lost::Answer);
    let ride = desk.go(Clerk::new(answers)).await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }), "{:?}", ride.stopped);
    let state = desk.fake.state();
    let worker = &state.objects[&key("Deployment", "plant-rehearsal", "pix-worker")];
    assert_eq!(worker["spec"]["replicas"], 0, "it would act on the world");
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
