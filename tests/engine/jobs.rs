//! A job in a client pod and an operator who stops: the job is stopped there, wherever drydock was at that moment.

use std::time::Duration;

use drydock::{
    ports::PortErrorKind,
    run::{Command, Event, Outcome, Record, Stopped},
};

use crate::{
    crash::{answers, whole},
    drive::{Act, Clerk, Desk},
    world::{Endless, Moment},
};

const JOB: &str = "job plant dump-1";
const STOP: &str = "stop plant dump-1";

/// The last moment before a dump begins, and the answers.
async fn before() -> (tempfile::TempDir, serde_json::Value, Moment) {
    let (home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let before = moments.into_iter().rfind(|moment| !moment.state.calls.iter().any(|call| call == JOB)).unwrap();
    (home, answers, before)
}

/// Stops one second after the job was seen first; the reason that was given and written down.
async fn stopped(desk: &Desk, answers: serde_json::Value) -> String {
    let mut is_sent = false;
    let clerk = Clerk::hooked(answers, move |event| {
        let runs =
            matches!(event, Event::Progress { progress } if progress.sentence.contains("in a client pod of ours"));
        (runs && !std::mem::replace(&mut is_sent, true))
            .then(|| vec![Act::Later(Duration::from_secs(1), Command::Stop)])
    });
    let ride = desk.go(clerk).await;
    let Stopped::Paused { reason } = ride.stopped else { panic!("{:?}", ride.stopped) };
    let last = desk.entries().pop().unwrap().record;
    assert!(
        matches!(&last, Record::Ended { outcome: Outcome::Stopped { reason: told }, .. } if *told == reason),
        "{last:?}"
    );
    assert_eq!(desk.fake.calls(JOB).len(), 1);
    reason
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_job_whatever_is_done_at_that_moment() {
    let (_home, answers, moment) = before().await;
    for how in [Endless::Speaks, Endless::Unheard] {
        let desk = Desk::after(&moment, None);
        desk.fake.keep_jobs(how);
        // its first try is lost, too
        desk.fake.fail(STOP, PortErrorKind::Unreachable);
        let reason = stopped(&desk, answers.clone()).await;
        assert!(reason.contains(" was stopped by the operator"), "{how:?}: {reason}");
        assert_eq!(desk.fake.calls(STOP).len(), 1, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_cannot_be_reached_is_named_and_not_waited_for_without_end() {
    let (_home, answers, moment) = before().await;
    let desk = Desk::after(&moment, None);
    desk.fake.keep_jobs(Endless::Unheard);
    (0..100).for_each(|_| desk.fake.fail(STOP, PortErrorKind::Unreachable));
    let reason = stopped(&desk, answers).await;
    assert!(reason.contains("may go on in pod ") && reason.contains("does not answer"), "{reason}");
}
