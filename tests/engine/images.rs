//! Whether an image can be fetched: the throw-away pod is as the chart's own, slow is not missing, and the pod goes.

use std::{sync::Arc, time::Duration};

use drydock::run::{Command, Event, Record, Stopped};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    world::{Fake, PLANT, State, key},
};

const PREPARING: &str = r#"{"phase": "Pending", "containerStatuses": [{"name": "image", "imageID": "",
    "state": {"waiting": {"reason": "ContainerCreating"}}}]}"#;

/// The throw-away pod.
fn pod(state: &State) -> Option<Value> {
    let found = state.objects.iter().find(|((kind, _, name), _)| kind == "Pod" && name.starts_with("drydock-image-"));
    found.map(|(_, pod)| pod.clone())
}

/// Drives a run whose throw-away pod stands as `status` says; `made` acts once it is there.
async fn go(status: &str, made: impl Fn(&Arc<Fake>) -> Option<Act> + Send + 'static) -> (Desk, Ride) {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.state().image_status = Some(serde_json::from_str(status).unwrap());
    let fake = Arc::clone(&desk.fake);
    let hook = move |event: &Event| {
        let Event::Recorded { record, .. } = event else { return None };
        let Record::Effected { effect, .. } = &**record else { return None };
        effect.starts_with("create throw-away pod").then(|| made(&fake).map(|act| vec![act])).flatten()
    };
    let ride = desk.go(Clerk::hooked(answers, hook)).await;
    (desk, ride)
}

fn refusal(ride: &Ride) -> String {
    match &ride.stopped {
        Stopped::Refused { problem } => problem.causes.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_takes_minutes_is_waited_for() {
    let (desk, ride) = go(PREPARING, |fake| {
        let pod = pod(&fake.state()).unwrap();
        assert_eq!(pod["spec"]["imagePullSecrets"], json!([{"name": "registry"}]), "{pod}");
        assert_eq!(pod["spec"]["nodeSelector"], json!({"disk": "fast"}), "{pod}");
        // an admission or a quota that lets the chart's own pods in must let this one in
        assert_eq!(pod["spec"]["securityContext"], json!({"runAsNonRoot": true}), "{pod}");
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["securityContext"], json!({"allowPrivilegeEscalation": false}), "{pod}");
        assert_eq!(container["resources"], json!({"limits": {"cpu": 2}, "requests": {"cpu": "10m"}}), "{pod}");
        fake.state().put(json!({"kind": "Event", "metadata": {"name": "pulls", "namespace": PLANT},
            "reason": "Pulling", "involvedObject": {"uid": pod["metadata"]["uid"]}}));
        let fake = Arc::clone(fake);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(250)).await;
            fake.state().image_status = None;
            fake.state().reconcile();
        });
        None
    })
    .await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let said = std::fs::read_to_string(desk.folder().join("output/preflight.log")).unwrap();
    assert!(said.contains("reg/pix-core:5.0.0 is being fetched, 2"), "{said}");
    assert!(pod(&desk.fake.state()).is_none());
    let deleted = |record: &Record| matches!(record, Record::Effected { effect, .. } if effect.starts_with("delete throw-away pod"));
    assert!(desk.entries().iter().any(|entry| deleted(&entry.record)), "written down");
}

#[tokio::test(start_paused = true)]
async fn a_verdict_that_never_came_is_none() {
    let (desk, ride) = go(PREPARING, |_| None).await;
    let said = refusal(&ride);
    assert!(said.contains("no verdict on reg/pix-core:5.0.0: the kubelet has not begun to fetch it"), "{said}");
    assert!(pod(&desk.fake.state()).is_none());

    let nowhere = r#"{"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "message": "0/3 nodes are available: no disk is fast"}]}"#;
    let (desk, ride) = go(nowhere, |_| None).await;
    let said = refusal(&ride);
    assert!(said.contains("no verdict") && said.contains("0/3 nodes are available: no disk is fast"), "{said}");
    assert!(!said.contains("cannot be fetched") && pod(&desk.fake.state()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_heard_and_the_pod_goes() {
    let (desk, ride) = go(PREPARING, |_| Some(Act::Command(Command::Stop))).await;
    assert!(matches!(ride.stopped, Stopped::Paused { .. }), "{:?}", ride.stopped);
    assert!(pod(&desk.fake.state()).is_none());
    assert!(desk.fake.state().objects.contains_key(&key("Deployment", PLANT, "pix-core")));
}
