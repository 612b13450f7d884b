//! Rights that are less than all: a namespace that was given for the rehearsal instead of a new one. First everything that must
//! refuse; then that nothing is touched but what the run made.

use std::sync::Arc;

use drydock::{
    ports::PortErrorKind,
    run::{CheckResult, Event, Question, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Clerk, Desk, Ride, pixelcore},
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
    for right in ["list ingresses", "delete persistentvolumeclaims", "create networkpolicies"] {
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
