//! What is sent, and where: no object is changed before it was read once more that the connection leads to the run's own place,
//! and no object of somebody else's is taken.

use drydock::run::{CheckResult, Event, Question, Stopped};
use serde_json::json;

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore},
    world::{Fake, State, key},
};

/// Whether a call changes an object of the cluster.
fn is_change(call: &str) -> bool {
    ["create ", "apply ", "scale ", "delete "].iter().any(|word| call.starts_with(word))
}

#[tokio::test(start_paused = true)]
async fn the_place_is_read_again_before_every_change() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
    let (mut asked, mut changes) = (false, 0);
    for call in desk.fake.reached() {
        if is_change(&call) {
            assert!(asked, "the place was not read again before {call}");
            (asked, changes) = (false, changes + 1);
        }
        asked |= call == "identity plant";
    }
    assert!(changes > 20, "{changes}");
}

#[tokio::test(start_paused = true)]
async fn a_removal_ends_at_the_deletion_after_which_the_connection_leads_elsewhere() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let hold = desk.fake.hold("delete Deployment plant/");
    let elsewhere = async {
        hold.reached.acquire().await.unwrap().forget();
        desk.fake.state().cluster = "00000000-another".into();
        hold.go.add_permits(1);
    };
    let (ride, ()) = tokio::join!(desk.go(Clerk::new(answers)), elsewhere);
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(problem.what.contains("another place"), "{problem:?}");
    let deleted: Vec<String> =
        desk.fake.calls("delete ").into_iter().filter(|call| call.contains(" plant/pix-")).collect();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
}

#[tokio::test(start_paused = true)]
async fn an_object_of_a_release_of_the_same_name_elsewhere_stays() {
    let (_home, answers) = answers();
    let mut state = State::with_deployment("test");
    for (name, of) in [("of-another", "elsewhere"), ("of-this", "plant")] {
        let mark = json!({"meta.helm.sh/release-name": "pixelcore", "meta.helm.sh/release-namespace": of});
        state.put(json!({"kind": "ConfigMap", "metadata": {"name": name, "namespace": "plant", "annotations": mark}}));
    }
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let state = desk.fake.state();
    let is_there = |name: &str| state.objects.contains_key(&key("ConfigMap", "plant", name));
    assert!(is_there("of-another") && !is_there("of-this"));
    let shown = ride.questions().into_iter().find_map(|question| match question {
        Question::Gate { gate, .. } => Some(gate.clone()),
        _ => None,
    });
    assert!(shown.unwrap().stays.contains(&"ConfigMap of-another".to_owned()));
}

/// What a cluster puts into every namespace it puts there again at once: nobody could take it out.
#[tokio::test(start_paused = true)]
async fn what_every_namespace_has_is_neither_listed_nor_left() {
    let (_home, answers) = answers();
    let mut state = State::with_deployment("test");
    state.put(json!({"kind": "ConfigMap", "metadata": {"name": "istio-ca-root-cert", "namespace": "plant"}}));
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let gates = ride.questions().into_iter().filter_map(|question| match question {
        Question::Gate { gate, .. } => Some(format!("{gate:?}")),
        _ => None,
    });
    let gates: Vec<String> = gates.collect();
    assert!(!gates.is_empty() && gates.iter().all(|gate| !gate.contains("istio")), "{gates:?}");
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_ends_already_is_not_listed() {
    let (_home, answers) = answers();
    let mut state = State::with_deployment("test");
    for (name, ending) in [("helper-left", None), ("helper-ending", Some("2026-11-20T21:00:00Z"))] {
        let mut mark =
            json!({"name": name, "namespace": "plant", "labels": {"app.kubernetes.io/managed-by": "drydock"}});
        if let Some(since) = ending {
            mark["deletionTimestamp"] = json!(since);
        }
        state.put(json!({"kind": "ConfigMap", "metadata": mark}));
    }
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
    assert_eq!(desk.fake.calls("delete ConfigMap plant/helper-left").len(), 1);
    // its end is somebody's already; on the list, it would be gone while the words are typed
    assert!(desk.fake.calls("delete ConfigMap plant/helper-ending").is_empty());
}

#[tokio::test(start_paused = true)]
async fn room_for_the_dump_is_measured_by_the_database() {
    let (_home, answers) = answers();
    for (room, size, enough) in [(3 << 30, 4_u64 << 30, false), (3 << 30, 2 << 30, true), (1 << 29, 1000, false)] {
        let mut state = State::with_deployment("test");
        state.room = Some(room);
        state.database().size = size;
        let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
        let ride = desk.go(Clerk::new(answers.clone())).await;
        assert_eq!(ride.stopped == Stopped::Finished, enough, "{room} {size}: {:?}", ride.stopped);
        let sentence = ride.events.iter().find_map(|event| match event {
            Event::Asking { question, .. } => match &**question {
                Question::Checks { checks, .. } => {
                    checks.iter().find(|check| check.name == "disk-local" && check.result == CheckResult::Fail)
                }
                _ => None,
            },
            _ => None,
        });
        assert_eq!(sentence.is_none(), enough);
        if size > room {
            let said = &sentence.unwrap().sentence;
            for number in ["3.00 GiB free", "database of 4.00 GiB", "4.00 GiB needed"] {
                assert!(said.contains(number), "{number} in {said}");
            }
        }
    }
}
