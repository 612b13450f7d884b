//! Rights that are less than all: a namespace that was given for the rehearsal instead of a new one, and volumes that cannot be
//! kept. First everything that must refuse; then that nothing is touched but what the run made, and what a yes costs.

use std::{path::PathBuf, sync::Arc};

use drydock::{
    plain::Say,
    ports::PortErrorKind,
    run::{CheckResult, Event, Gate, Question, Reply, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    gate::gate,
    roll_back::choosing,
    world::{Fake, State, key},
};

const LAB: &str = "plant-rehearsal";

/// A cluster in which no namespace may be made or removed, with one that is there.
fn given() -> Arc<Fake> {
    let mut state = State::with_deployment("test");
    state.put(json!({"kind": "Namespace", "metadata": {"name": LAB}}));
    state.put(json!({"kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": LAB}}));
    let fake = Fake::new(state);
    for right in ["get namespaces", "create namespaces", "delete namespaces"] {
        fake.forbid(right);
    }
    fake
}

fn inside(fake: &Fake) -> Vec<String> {
    let state = fake.state();
    state.objects.keys().filter(|(_, ns, _)| ns == LAB).map(|(kind, _, name)| format!("{kind} {name}")).collect()
}

fn is_untouched(fake: &Fake, what: &str) {
    let touched: Vec<String> =
        fake.state().calls.iter().filter(|call| call.contains(&format!(" {LAB}/"))).cloned().collect();
    assert!(touched.is_empty(), "{what}: {touched:?}");
    assert_eq!(fake.calls("delete Namespace"), Vec::<String>::new(), "{what}");
}

fn failed(ride: &Ride) -> Vec<String> {
    let checks = ride.questions().into_iter().filter_map(|question| match question {
        Question::Checks { checks, .. } => Some(checks),
        _ => None,
    });
    let failed = checks.flatten().filter(|check| check.result == CheckResult::Fail);
    failed.map(|check| format!("{}: {} {}", check.name, check.sentence, check.help.join(" "))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_namespace_with_anything_in_it_is_refused_and_named() {
    let (_home, answers) = answers();
    for (kind, name) in [("ConfigMap", "notes"), ("Deployment", "shop"), ("NetworkPolicy", "closed")] {
        let fake = given();
        fake.state().put(json!({"kind": kind, "metadata": {"name": name, "namespace": LAB}, "spec": {"replicas": 0}}));
        let desk = Desk::begin(&pixelcore(), fake).await;
        let ride = desk.go(Clerk::new(answers.clone())).await;
        assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{name}: {:?}", ride.stopped);
        let said = failed(&ride).join("\n");
        assert!(said.contains(&format!("not empty: {kind} {name}")), "{said}");
        is_untouched(&desk.fake, name);
    }
    // it came after the preflight
    let desk = Desk::begin(&pixelcore(), given()).await;
    let fake = Arc::clone(&desk.fake);
    let clerk = Clerk::hooked(answers, move |event| {
        if matches!(event, Event::Asking { question, .. } if matches!(&**question, Question::Confirm { step, .. } if step.0 == "freeze"))
        {
            fake.state().put(json!({"kind": "ConfigMap", "metadata": {"name": "late", "namespace": LAB}}));
        }
        None
    });
    let ride = desk.go(clerk).await;
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(problem.what.contains("not empty: ConfigMap late"), "{problem:?}");
    is_untouched(&desk.fake, "late");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_of_another_run_or_one_that_ends_is_refused() {
    let (_home, answers) = answers();
    for (metadata, why) in [
        (json!({"labels": {"drydock.run": "0815"}}), "is left of run 0815"),
        (json!({"deletionTimestamp": "2026-11-20T20:00:00Z"}), "is being removed"),
    ] {
        let fake = given();
        let mut place = json!({"kind": "Namespace", "metadata": metadata});
        place["metadata"]["name"] = json!(LAB);
        fake.state().put(place);
        let desk = Desk::begin(&pixelcore(), fake).await;
        let ride = desk.go(Clerk::new(answers.clone())).await;
        assert!(failed(&ride).join("\n").contains(why), "{why}: {:?}", failed(&ride));
        is_untouched(&desk.fake, why);
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_namespace_the_ways_to_one_are_told() {
    let (_home, answers) = answers();
    let fake = Fake::new(State::with_deployment("test"));
    fake.forbid("create namespaces");
    let desk = Desk::begin(&pixelcore(), fake).await;
    let ride = desk.go(Clerk::new(answers)).await;
    assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{:?}", ride.stopped);
    let said = failed(&ride);
    assert_eq!(said.len(), 1, "{said:?}");
    for part in ["rehearsal-room: no namespace may be made here", "resources: [\"namespaces\"]", "--set rehearsal=NAME"]
    {
        assert!(said[0].contains(part), "{part}: {said:?}");
    }
    is_untouched(&desk.fake, "no namespace");
}

#[tokio::test(start_paused = true)]
async fn rights_are_asked_for_in_the_namespace_that_was_given() {
    let (_home, answers) = answers();
    for right in ["list ingresses", "delete persistentvolumeclaims", "create networkpolicies", "delete services"] {
        let fake = given();
        fake.forbid_in(right, LAB);
        let desk = Desk::begin(&pixelcore(), fake).await;
        let ride = desk.go(Clerk::new(answers.clone())).await;
        let said = failed(&ride).join("\n");
        assert!(said.contains(&format!("{right} in namespace {LAB}")), "{right}: {said}");
        is_untouched(&desk.fake, right);
    }
}

/// What a run may leave in the namespace that it was given.
fn is_empty_again(desk: &Desk, uid: &Value, what: &str) {
    assert_eq!(inside(&desk.fake), ["ConfigMap kube-root-ca.crt"], "{what}");
    let place = key("Namespace", "", LAB);
    assert_eq!(desk.fake.state().objects[&place]["metadata"]["uid"], *uid, "{what}: the namespace stays");
    assert_eq!(desk.fake.calls("delete Namespace"), Vec::<String>::new(), "{what}");
    assert_eq!(desk.fake.calls("create Namespace"), Vec::<String>::new(), "{what}");
}

fn uid_of(fake: &Fake) -> Value {
    fake.state().objects[&key("Namespace", "", LAB)]["metadata"]["uid"].clone()
}

#[tokio::test(start_paused = true)]
async fn an_empty_namespace_is_used_and_is_empty_again() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), given()).await;
    let uid = uid_of(&desk.fake);
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    is_empty_again(&desk, &uid, "a whole run");
    let taken = format!("use the empty namespace {LAB} for the rehearsal");
    let text = std::fs::read_to_string(desk.folder().join("journal.jsonl")).unwrap();
    assert!(text.contains(&taken) && text.contains(uid.as_str().unwrap()), "its identity is written down");
    assert!(!desk.fake.calls(&format!("delete PersistentVolumeClaim {LAB}/data-pix-db-0")).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_others_put_there_meanwhile_stays() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), given()).await;
    let hold = desk.fake.hold(&format!("create Deployment {LAB}/pix-core"));
    let meanwhile = async {
        hold.reached.acquire().await.unwrap().forget();
        // the mark of this run alone is no proof that this run made it
        let labels = json!({"drydock.run": "7f3a"});
        let other = json!({"kind": "ConfigMap", "metadata": {"name": "of-others", "namespace": LAB, "labels": labels}});
        desk.fake.state().put(other);
        hold.go.add_permits(1);
    };
    let (ride, ()) = tokio::join!(desk.go(Clerk::new(answers)), meanwhile);
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(inside(&desk.fake), ["ConfigMap kube-root-ca.crt", "ConfigMap of-others"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_try_left_is_removed_by_the_next_one_and_by_a_roll_back() {
    let (_home, answers) = answers();
    for (said, ended) in [(&["retry"][..], Stopped::Finished), (&["roll-back"], Stopped::RolledBack)] {
        let desk = Desk::begin(&pixelcore(), given()).await;
        let uid = uid_of(&desk.fake);
        desk.fake.fail(&format!("create Deployment {LAB}/pix-core"), PortErrorKind::Other);
        let ride = desk.go(choosing(answers.clone(), said)).await;
        let told = ride.questions().into_iter().find_map(|question| match question {
            Question::Choose { problem, .. } => Some(problem.help.join("\n")),
            _ => None,
        });
        let told = told.unwrap();
        assert!(told.contains(&format!("kubectl -n {LAB} delete ")) && told.contains("-l drydock.run=7f3a"), "{told}");
        assert_eq!(ride.stopped, ended);
        is_empty_again(&desk, &uid, said[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_ended_in_the_middle_leaves_nothing_there_either() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), given()).await;
    let uid = uid_of(&desk.fake);
    desk.fake.keep_moments(&desk.folder());
    let first = desk.go_watched(Clerk::new(answers.clone()), usize::MAX).await;
    assert_eq!(first.stopped, Stopped::Finished);
    let moments = desk.fake.moments();
    let half = moments.iter().filter(|moment| {
        let of_lab = moment.state.objects.keys().filter(|(_, ns, _)| ns == LAB).count();
        of_lab > 1 && moment.state.objects.contains_key(&key("Deployment", "plant", "pix-core"))
    });
    let half: Vec<_> = half.collect();
    assert!(half.len() > 20, "{}", half.len());
    for moment in half.iter().step_by(5) {
        let desk = Desk::after(moment, None);
        for right in ["get namespaces", "create namespaces", "delete namespaces"] {
            desk.fake.forbid(right);
        }
        let ride = desk.go(choosing(answers.clone(), &["retry", "retry"])).await;
        assert_eq!(ride.stopped, Stopped::Finished);
        is_empty_again(&desk, &uid, "taken up again");
    }
}

/// A cluster whose volumes may be read and not changed.
fn no_volumes() -> Arc<Fake> {
    let fake = Fake::new(State::with_deployment("test"));
    fake.forbid("patch persistentvolumes");
    fake
}

/// The usual answers, with these two where they are given.
fn agreed(answers: &Value, seen: &[&str], keep: Option<Value>) -> Value {
    let mut answers = answers.clone();
    answers["steps"]["preflight"] = json!({ "seen": seen });
    if let Some(keep) = keep {
        answers["steps"]["keep"] = keep;
    }
    answers
}

fn volumes_are_as_before(fake: &Fake, what: &str) {
    assert_eq!(fake.calls("apply PersistentVolume"), Vec::<String>::new(), "{what}");
    assert!(fake.state().objects.contains_key(&key("PersistentVolumeClaim", "plant", "data-pix-db-0")), "{what}");
    assert!(fake.state().objects.contains_key(&key("StatefulSet", "plant", "pix-db")), "{what}");
}

#[tokio::test(start_paused = true)]
async fn volumes_that_cannot_be_kept_are_told_and_nothing_goes_without_a_yes() {
    let (_home, answers) = answers();
    // the warning of the preflight was not seen
    let desk = Desk::begin(&pixelcore(), no_volumes()).await;
    let ride = desk.go(Clerk::new(answers.clone())).await;
    let Stopped::NeedsAnswer { .. } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    let warned = ride.questions().into_iter().find_map(|question| match question {
        Question::Checks { checks, .. } => checks.iter().find(|check| check.result == CheckResult::Warn).cloned(),
        _ => None,
    });
    let warned = warned.unwrap();
    assert!(warned.sentence.contains("volumes cannot be kept: patch persistentvolumes in the cluster"), "{warned:?}");
    assert!(warned.help[0].contains("resources: [\"persistentvolumes\"], verbs: [\"patch\"]"), "{warned:?}");
    volumes_are_as_before(&desk.fake, "not seen");

    // nobody said yes where they would be kept
    let desk = Desk::begin(&pixelcore(), no_volumes()).await;
    let ride = desk.go(Clerk::new(agreed(&answers, &["rights"], None))).await;
    let Stopped::NeedsAnswer { .. } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    let Some(Question::Confirm { text, .. }) = ride.questions().pop() else { panic!("{:?}", ride.stopped) };
    let text = text.join("\n");
    for part in ["volumes of data-pix-db-0 cannot be kept", "gone for good", "the proven dump, rehearsed in", "5.0.0"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    volumes_are_as_before(&desk.fake, "no yes");
    assert!(ride.events.iter().all(|event| gate(event).is_none()), "no gate stands open before that");
}

fn right_words(gate: &Gate) -> Reply {
    Reply::Gate { namespace: gate.namespace.clone(), word: gate.word.clone() }
}

/// The gate of a run that was agreed to keep no volume, and what `typed` makes of it.
async fn at_gate(desk: &Desk, answers: Value, once: impl FnOnce(&Desk) + Send) -> (Gate, Stopped) {
    once(desk);
    let mut first = true;
    let clerk = Clerk::hooked(answers, move |event| {
        let gate = gate(event)?;
        let act = if first { Act::Say(Say::Reply(right_words(gate))) } else { Act::Leave };
        first = false;
        Some(vec![act])
    });
    let ride = desk.go(clerk).await;
    let gate = ride.events.iter().find_map(gate).unwrap().clone();
    (gate, ride.stopped)
}

/// A run that stands at its gate, having agreed that no volume is kept.
async fn before_gate(answers: &Value) -> Desk {
    let desk = Desk::begin(&pixelcore(), no_volumes()).await;
    let clerk = Clerk::hooked(answers.clone(), |event| gate(event).map(|_| vec![Act::Leave]));
    assert!(matches!(desk.go(clerk).await.stopped, Stopped::NeedsAnswer { .. }));
    desk
}

fn dump(desk: &Desk) -> PathBuf {
    desk.folder().join("artifacts/db-data.sql-plant")
}

#[tokio::test(start_paused = true)]
async fn the_gate_of_volumes_that_are_not_kept_opens_for_a_proven_dump_only() {
    let (_home, answers) = answers();
    let answers = agreed(&answers, &["rights"], Some(json!({"go_on": true})));
    let desk = before_gate(&answers).await;
    let text = std::fs::read_to_string(dump(&desk)).unwrap();
    std::fs::write(dump(&desk), text.replace("pump", "pomp")).unwrap();
    let (shut, stopped) = at_gate(&desk, answers.clone(), |_| {}).await;
    assert!(!shut.is_open() && !matches!(stopped, Stopped::Finished), "{:?}", shut.locks);
    volumes_are_as_before(&desk.fake, "a damaged dump");

    // once they can be kept they must be
    let desk = before_gate(&answers).await.again();
    let (shut, stopped) = at_gate(&desk, answers.clone(), |_| {}).await;
    let lock = shut.locks.iter().find(|lock| lock.name == "kept").unwrap();
    assert!(!lock.open && lock.sentence.contains("now they can be kept") && lock.again == ["keep"], "{lock:?}");
    assert!(!matches!(stopped, Stopped::Finished));
    volumes_are_as_before(&desk.fake, "rights that came");
}

#[tokio::test(start_paused = true)]
async fn who_says_yes_sees_that_the_data_go_and_what_leads_back() {
    let (_home, answers) = answers();
    let answers = agreed(&answers, &["rights"], Some(json!({"go_on": true})));
    let desk = before_gate(&answers).await.again();
    let (seen, stopped) = at_gate(&desk, answers, |desk| desk.fake.forbid("patch persistentvolumes")).await;
    assert_eq!(stopped, Stopped::Finished);
    assert!(seen.goes.iter().any(|gone| gone.name == "data-pix-db-0 with its data"), "{:?}", seen.goes);
    assert!(seen.stays.contains(&"no volume: the data of data-pix-db-0 go".to_owned()), "{:?}", seen.stays);
    assert!(seen.way_back.contains("with the proven dump, rehearsed in "), "{}", seen.way_back);
    assert!(!format!("{seen:?}").contains("kept volumes"), "{seen:?}");
    assert!(desk.fake.state().kept.is_empty() && desk.fake.calls("apply PersistentVolume").is_empty());
    let text = std::fs::read_to_string(desk.folder().join("journal.jsonl")).unwrap();
    assert!(text.contains("no volume is kept") && text.contains("pix-restore-data.sh"), "{text}");
    assert!(!text.contains("undo-remove"), "what volumes would be needed for is not offered");
}

#[tokio::test(start_paused = true)]
async fn volumes_that_are_kept_anyhow_need_no_right_to_change_them() {
    let (_home, answers) = answers();
    let fake = no_volumes();
    for object in fake.state().objects.values_mut().filter(|object| object["kind"] == "PersistentVolume") {
        object["spec"]["persistentVolumeReclaimPolicy"] = json!("Retain");
    }
    let desk = Desk::begin(&pixelcore(), fake).await;
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let shown = ride.events.iter().find_map(gate).unwrap();
    assert!(shown.way_back.contains("kept volumes"), "{}", shown.way_back);
    assert_eq!(desk.fake.state().kept.len(), 1);
}
