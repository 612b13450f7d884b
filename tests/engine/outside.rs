//! An environment whose database lies outside of the namespace: the rehearsal must not reach the source through it.

use drydock::run::Stopped;

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore},
    world::{Fake, State},
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
