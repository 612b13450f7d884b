//! The new version is deployed beside the old one, everything is led to it, and the old one is stopped, later removed.

use std::time::Duration;

use drydock::{
    engine::Plan,
    ports::{Kind, ObjectRef, Objects, kinds},
    practice::NAMESPACE,
    run::{Event, Record, Stopped},
    runbook::{EMBEDDED, load},
    runner::refuse_second,
    text::Typed,
};
use serde_json::{Value, json};

use crate::desk::Desk;

const NEXT: &str = "plant-next";

/// Whether a change of a step was just written down.
fn changes(event: &Event, of: &str) -> bool {
    matches!(event, Event::Recorded { record, .. } if matches!(&**record, Record::Effect { step, .. } if step.0 == of))
}

/// Whether a step just came to its end.
fn ends(event: &Event, of: &str) -> bool {
    matches!(event, Event::Recorded { record, .. } if matches!(&**record, Record::Ended { step, .. } if step.0 == of))
}

/// Answers of a human who has switched all over.
fn switched() -> Value {
    let done = json!({"go_on": true});
    json!({"devices": done, "names": done, "consumers": done})
}

fn reference(kind: Kind, namespace: Option<&str>, name: &str) -> ObjectRef {
    ObjectRef { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() }
}

impl Desk {
    async fn find(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Option<Value> {
        self.cluster.get(&reference(kind, namespace, name)).await.unwrap()
    }

    /// Replicas of the writers, of the core and of the database in a namespace.
    async fn replicas(&self, namespace: &str) -> [u64; 3] {
        let mut all = [0; 3];
        let parts =
            [(kinds::deployment(), "pix-worker"), (kinds::deployment(), "pix-core"), (kinds::stateful_set(), "pix-db")];
        for (at, (kind, name)) in parts.into_iter().enumerate() {
            all[at] = self.find(kind, Some(namespace), name).await.unwrap()["spec"]["replicas"].as_u64().unwrap();
        }
        all
    }

    async fn scale(&self, kind: Kind, namespace: &str, name: &str, replicas: u32) {
        let now = self.find(kind.clone(), Some(namespace), name).await.unwrap();
        let uid = now["metadata"]["uid"].as_str().unwrap();
        self.cluster.scale(&reference(kind, Some(namespace), name), uid, replicas).await.unwrap();
    }
}

/// A namespace goes a moment after it was told to.
async fn gone(desk: &Desk, name: &str) {
    let uid = desk.find(kinds::namespace(), None, name).await.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    desk.cluster.delete(&reference(kinds::namespace(), None, name), &uid).await.unwrap();
    while desk.find(kinds::namespace(), None, name).await.is_some() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn make(desk: &Desk, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    desk.cluster.create(&namespace).await.unwrap();
}

fn refused(stopped: Option<&Stopped>, words: &str) -> bool {
    matches!(stopped, Some(Stopped::Refused { problem }) if problem.lines().join(" ").contains(words))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_of_others_is_never_taken_for_the_new_one() {
    let desk = Desk::new(&[], 100).await;
    let before = desk.plant().await;
    make(&desk, NEXT).await;
    let ride = desk.begin("beside", "pod", &json!({}), |_| false).await;
    assert!(refused(ride.stopped.as_ref(), "exists and is not of this run"), "{:?} {}", ride.stopped, ride.said);
    gone(&desk, NEXT).await;
    desk.give_up(&json!({})).await;

    // it came after the preflight
    let cut = desk.begin("beside", "pod", &json!({}), |event| changes(event, "freeze")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    make(&desk, NEXT).await;
    let ride = desk.resume(&json!({}), |_| false).await;
    assert!(refused(ride.stopped.as_ref(), "exists and is not of this run"), "{:?} {}", ride.stopped, ride.said);
    gone(&desk, NEXT).await;

    // another one of that name in the place of the one that was made
    let cut = desk.resume(&json!({}), |event| changes(event, "deploy")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    gone(&desk, NEXT).await;
    make(&desk, NEXT).await;
    let ride = desk.resume(&json!({}), |_| false).await;
    assert!(refused(ride.stopped.as_ref(), "leads to another place"), "{:?} {}", ride.stopped, ride.said);
    assert_eq!(desk.find(kinds::stateful_set(), Some(NEXT), "pix-db").await, None);

    // and it is not taken back: it is not of this run
    let ride = desk.give_up(&json!({"deploy": {"go_on": true}})).await;
    assert_eq!(ride.stopped, Some(Stopped::RolledBack), "{}", ride.said);
    assert!(desk.find(kinds::namespace(), None, NEXT).await.is_some());
    assert_eq!((desk.plant().await, desk.replicas(NAMESPACE).await), (before, [1, 1, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_up_before_the_switch_the_new_namespace_goes_and_nothing_of_others() {
    let desk = Desk::new(&[], 100).await;
    let before = desk.plant().await;
    let cut = desk.begin("beside", "pod", &json!({}), |event| changes(event, "restore")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    let there = desk.cluster.identity(NEXT).await.unwrap();
    let second = refuse_second(&desk.runs(), &there, &[], &Typed::default()).unwrap_err();
    assert!(second.what.contains("is not at its end"), "{second:?}");
    let notes = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes", "namespace": NEXT}});
    let notes = desk.cluster.create(&notes).await.unwrap();
    let agreed = json!({"restore": {"go_on": true}});
    let ride = desk.give_up(&agreed).await;
    assert!(refused(ride.stopped.as_ref(), "did not make: ConfigMap notes"), "{:?} {}", ride.stopped, ride.said);
    assert_eq!(desk.replicas(NEXT).await[1..], [1, 1], "nothing of it went");

    let uid = notes["metadata"]["uid"].as_str().unwrap();
    desk.cluster.delete(&reference(kinds::config_map(), Some(NEXT), "notes"), uid).await.unwrap();
    let ride = desk.resume(&agreed, |event| changes(event, "place")).await;
    assert_eq!(ride.stopped, None, "{}", ride.said);
    let ride = desk.resume(&agreed, |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::RolledBack), "{}", ride.said);
    assert_eq!(desk.find(kinds::namespace(), None, NEXT).await, None);
    assert_eq!((desk.plant().await, desk.replicas(NAMESPACE).await), (before, [1, 1, 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_up_after_the_switch_the_old_one_is_back_and_the_new_one_stays() {
    let desk = Desk::new(&[], 100).await;
    let before = desk.plant().await;
    let cut = desk.begin("beside", "pod", &switched(), |event| ends(event, "stop_old")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    let mut answers = switched();
    answers["stop_old"] = json!({"go_on": true});
    assert_eq!(desk.replicas(NAMESPACE).await, [0, 0, 0]);
    let ride = desk.give_up(&answers).await;
    assert_eq!(ride.stopped, Some(Stopped::RolledBack), "{}", ride.said);
    assert!(
        ride.says("Undo of step 22 of 28: 6.2 Switch the devices over. undone. taken back by hand"),
        "{}",
        ride.said
    );
    // the settings went with the core that was stopped; the vault has them
    let mut now = desk.plant().await;
    assert_ne!(now.settings, before.settings);
    now.settings.clone_from(&before.settings);
    assert_eq!((now, desk.replicas(NAMESPACE).await), (before, [1, 1, 1]));
    assert_eq!(desk.replicas(NEXT).await, [0, 1, 1], "what came to it since is in no dump");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_version_is_deployed_beside_over_kills_and_the_old_one_removed_later() {
    let desk = Desk::new(&[], 300).await;
    let before = desk.plant().await;
    let cut = desk.begin("beside", "pod", &switched(), |event| changes(event, "place")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    for step in ["deploy", "restore"] {
        let cut = desk.resume(&switched(), |event| changes(event, step)).await;
        assert_eq!(cut.stopped, None, "{}", cut.said);
    }
    assert_eq!(desk.plant().await, before, "the old one is as it was");
    let ride = desk.resume(&switched(), |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    assert!(
        ride.says("The way back stays open: what was stopped in plant is there, with its volumes"),
        "{}",
        ride.said
    );
    let way_back = ride.records().find_map(|record| match record {
        Record::Finished { way_back, .. } => Some(way_back[1..4].to_vec()),
        _ => None,
    });
    let started = ["statefulset/pix-db", "deployment/pix-core", "deployment/pix-worker"]
        .map(|part| format!("$ kubectl --context practice -n plant scale {part} --replicas=1"));
    assert_eq!(way_back.unwrap(), started);
    assert_eq!(desk.plant_in(NEXT).await.seen_as(&before), before);
    assert_eq!((desk.replicas(NAMESPACE).await, desk.replicas(NEXT).await), ([0, 0, 0], [1, 1, 1]));
    let made = desk.find(kinds::namespace(), None, NEXT).await.unwrap();
    let short = desk.run().id.as_str().rsplit('-').next().unwrap().to_owned();
    assert_eq!(made["metadata"]["labels"]["drydock.place"], json!(short), "{made}");

    // the gate is shut while the new one does not answer
    let gate = json!({"keep": {"go_on": true}, "remove": {"phrase": "practice"}});
    let cut = desk.go_on("remove-old", &gate, |event| changes(event, "keep")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    desk.scale(kinds::deployment(), NEXT, "pix-core", 0).await;
    let shut = desk.resume(&gate, |_| false).await;
    assert!(shut.says("the gate is shut, nothing is deleted. serves: in plant-next: no ready pod"), "{}", shut.said);
    assert_eq!(desk.replicas(NAMESPACE).await, [0, 0, 0]);
    desk.scale(kinds::deployment(), NEXT, "pix-core", 1).await;
    while desk.find(kinds::deployment(), Some(NEXT), "pix-core").await.unwrap()["status"]["readyReplicas"] != json!(1) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let cut = desk.resume(&gate, |event| changes(event, "remove")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    let ride = desk.resume(&gate, |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    assert_eq!(desk.find(kinds::stateful_set(), Some(NAMESPACE), "pix-db").await, None);
    assert_eq!(desk.released().await["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    assert_eq!(desk.replicas(NEXT).await, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ran_again_since_it_was_stopped_is_not_removed() {
    let desk = Desk::new(&[], 100).await;
    let ride = desk.begin("beside", "pod", &switched(), |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    for replicas in [1, 0] {
        desk.scale(kinds::stateful_set(), NAMESPACE, "pix-db", replicas).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let gate = json!({"keep": {"go_on": true}, "remove": {"phrase": "practice"}});
    let shut = desk.go_on("remove-old", &gate, |_| false).await;
    assert!(
        shut.says("the gate is shut, nothing is deleted. stopped: StatefulSet/pix-db was changed"),
        "{}",
        shut.said
    );
    assert!(desk.find(kinds::stateful_set(), Some(NAMESPACE), "pix-db").await.is_some());
}

/// Whoever may not install in the new namespace is told before anything begins.
#[tokio::test]
async fn rights_are_asked_for_where_they_are_needed() {
    let (id, text) = EMBEDDED.iter().find(|(id, _)| *id == "pixelcore").unwrap();
    let loaded = load(id, text).unwrap();
    let intent = loaded.runbook.intents.iter().find(|intent| intent.id == "beside").unwrap();
    let place = json!({"namespace": NAMESPACE, "context": "practice", "environment": "PRACTICE"});
    let chosen = |more: &[(&str, &str)]| {
        let all = [("chart", "/chart")].iter().chain(more).map(|(id, value)| ((*id).to_owned(), (*value).to_owned()));
        loaded.runbook.inputs(intent, &all.collect(), &place)
    };
    let both = chosen(&[("rehearsal", "lab"), ("beside", "lab")]).unwrap_err();
    assert_eq!(both, "inputs rehearsal and beside are both lab: each needs a namespace of its own");
    let known = json!({"inputs": chosen(&[]).unwrap(), "target": place});
    let target = Desk::new(&[], 10).await.cluster.identity(NAMESPACE).await.unwrap();
    let plan = Plan::new(&loaded.runbook, intent, &target, &known);
    assert_eq!(plan.needs.beside.as_deref(), Some(NEXT));
    let asked = |verb: &str, resource: &str, part: &str, namespace: &str| {
        let mut all = plan.needs.rights.iter().filter(|right| right.verb == verb && right.resource == resource);
        all.any(|right| right.subresource == part && right.namespace.as_deref() == Some(namespace))
    };
    assert!(asked("create", "deployments", "", NEXT) && asked("patch", "deployments", "scale", NEXT));
    assert!(asked("create", "pods", "exec", NEXT) && asked("create", "pods", "portforward", NEXT));
    assert!(asked("patch", "statefulsets", "scale", NAMESPACE) && !asked("create", "deployments", "", NAMESPACE));
    assert!(plan.needs.rights.iter().any(|right| right.verb == "create" && right.resource == "namespaces"));
}
