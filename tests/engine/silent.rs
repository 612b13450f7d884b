//! An API that is away for a moment while something is waited for: the wait says so and goes on. One that stays away ends it.

use std::time::Duration;

use drydock::{
    plain::Say,
    run::{Event, Question, Reply, Stopped},
};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    world::{Fake, State},
};

/// Each wait: the change before it, and what it reads.
const WAITS: [(&str, &str); 9] = [
    ("scale Deployment plant/pix-feed to 0", ""),
    ("create Pod plant/drydock-client", "get Pod plant/drydock-client"),
    ("delete Pod plant/drydock-client", "get Pod plant/drydock-client"),
    ("create Pod plant-rehearsal/drydock-probe", "get Pod plant-rehearsal/drydock-probe"),
    ("create StatefulSet plant-rehearsal/pix-db", "list events"),
    ("delete Namespace /plant-rehearsal", "get Namespace"),
    ("delete StatefulSet plant/pix-db", "list pods"),
    ("program helm upgrade --install pixelcore", "get StatefulSet"),
    ("scale Deployment plant/pix-feed to 2", "list pods"),
];

/// Drives a run in which `reads` reach nobody for so long after the change.
async fn go(after: &str, reads: &str, seconds: u64) -> Ride {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.silence(after, reads, Duration::from_secs(seconds));
    let clerk = Clerk::hooked(answers, |event| match event {
        Event::Asking { question, .. } if matches!(**question, Question::Choose { .. }) => {
            Some(vec![Act::Say(Say::Reply(Reply::Choose { choice: "stop".into() }))])
        }
        _ => None,
    });
    desk.go(clerk).await
}

fn is_told(ride: &Ride) -> bool {
    let told =
        |event: &Event| matches!(event, Event::Progress { progress } if progress.sentence.contains("asked again"));
    ride.events.iter().any(told)
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_two_minutes_ends_no_wait() {
    for (after, reads) in WAITS {
        let ride = go(after, reads, 120).await;
        assert_eq!(ride.stopped, Stopped::Finished, "{after}: {reads}");
        assert!(is_told(&ride), "{after}: {reads}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_end_fails_the_step_with_how_long_it_was_asked() {
    for (after, reads) in WAITS {
        let ride = go(after, reads, 1_000_000).await;
        let Stopped::Failed { problem } = &ride.stopped else { panic!("{after}: {reads}: {:?}", ride.stopped) };
        assert!(problem.causes.iter().any(|cause| cause.contains("asked again for 3 min")), "{after}: {problem:?}");
        assert!(!problem.help.is_empty() && !problem.safe.is_empty(), "{after}: {problem:?}");
        assert!(is_told(&ride), "{after}: {reads}");
    }
}
