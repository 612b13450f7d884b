//! Waits that explain themselves: of every pod that does not come or go the reason is shown, told, and part of the failure.

use drydock::run::{Event, Question, Stopped};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    world::{Fake, State, key},
};

async fn go(state: State) -> (Desk, Ride) {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let clerk = Clerk::hooked(answers, |event| {
        let Event::Asking { question, .. } = event else { return None };
        matches!(**question, Question::Choose { .. }).then(|| vec![Act::Leave])
    });
    let ride = desk.go(clerk).await;
    (desk, ride)
}

/// Whether a picture of the step showed these words.
fn shown(ride: &Ride, words: &str) -> bool {
    ride.events.iter().any(|event| match event {
        Event::Progress { progress } => progress.rows.iter().any(|row| row.detail.contains(words)),
        _ => false,
    })
}

fn causes(ride: &Ride) -> String {
    let asked = ride.questions().into_iter().find_map(|question| match question {
        Question::Choose { problem, .. } => Some(problem.causes.join("\n")),
        _ => None,
    });
    asked.unwrap_or_else(|| panic!("{:?}", ride.stopped))
}

fn event(of: &str, reason: &str, message: &str) -> Value {
    json!({"kind": "Event", "metadata": {"name": format!("{of}.1"), "namespace": "plant"}, "type": "Warning",
        "reason": reason, "message": message, "involvedObject": {"name": of}})
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_does_not_end_is_named_with_what_holds_it() {
    let mut state = State::with_deployment("test");
    state.put(json!({"kind": "Pod", "metadata": {"name": "pix-worker-old", "namespace": "plant",
        "labels": {"app": "pix-worker"}, "deletionTimestamp": "2026-11-20T10:00:00Z", "finalizers": ["example.com/hold"]}}));
    let (_, ride) = go(state).await;
    let why = "pix-worker-old held by the finalizer example.com/hold";
    assert!(shown(&ride, why));
    assert!(causes(&ride).contains(why), "{}", causes(&ride));
}

#[tokio::test(start_paused = true)]
async fn a_client_pod_that_is_not_let_start_is_explained_by_its_status_and_its_events() {
    let waits = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{"name": "client", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
    let mut state = State::with_deployment("test");
    state.client_status = Some(waits);
    let mount = "MountVolume.SetUp failed for volume \"env\"";
    // the pod's uid is the one that its event names
    let mut said = event("drydock-client-7f3a", "FailedMount", mount);
    said["involvedObject"]["uid"] = json!("client-uid");
    state.put(said);
    state.fixed_uids.insert("drydock-client-7f3a".into(), "client-uid".into());
    let (desk, ride) = go(state).await;
    assert!(shown(&ride, mount));
    assert!(causes(&ride).contains(mount), "{}", causes(&ride));
    // it is as bounded as the container it stands in for: a quota may ask for that
    let pod = desk.fake.state().objects[&key("Pod", "plant", "drydock-client-7f3a")].clone();
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["securityContext"], json!({"allowPrivilegeEscalation": false}), "{pod}");
    assert_eq!(container["resources"], json!({"requests": {"memory": "16Mi"}}), "{pod}");
    let log = std::fs::read_to_string(desk.folder().join("output/dump.log")).unwrap();
    assert!(log.contains("WARN FailedMount"), "{log}");

    let mut state = State::with_deployment("test");
    state.client_status = Some(json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "message": "0/3 nodes are available: 3 Insufficient memory"}]}));
    let (_, ride) = go(state).await;
    assert!(shown(&ride, "3 Insufficient memory"));
    assert!(causes(&ride).contains("3 Insufficient memory"), "{}", causes(&ride));
    assert!(!matches!(ride.stopped, Stopped::Finished));
}
