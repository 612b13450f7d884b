//! Who else acts on the deployment: first who cannot be paused; then that they rest before the writers stop, and are exactly as
//! before once they act again, whatever came between.

use std::{collections::BTreeMap, sync::Arc};

use drydock::{
    ports::PortErrorKind,
    run::{Event, Question, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore},
    roll_back::{choose, objects},
    world::{Fake, Key, Lost, PLANT, State, key},
};

/// A world with a schedule, an autoscaler and two that deploy, of which one manages the other.
fn world() -> Arc<Fake> {
    let mut state = State::with_deployment("test");
    let meta = |name: &str, namespace: &str| json!({"name": name, "namespace": namespace, "resourceVersion": "7"});
    state.put(json!({"kind": "CronJob", "metadata": meta("tidy", PLANT), "spec": {"schedule": "7 3 * * *"}}));
    state.put(json!({"kind": "ScaledObject", "metadata": meta("feed", PLANT),
        "spec": {"scaleTargetRef": {"name": "pix-worker"}}}));
    state.put(json!({"kind": "HorizontalPodAutoscaler", "metadata": meta("worker", PLANT),
        "spec": {"minReplicas": 1, "scaleTargetRef": {"kind": "Deployment", "name": "pix-worker"}}}));
    let mut release = meta("plant", "flux");
    release["labels"] =
        json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux"});
    state.put(json!({"kind": "HelmRelease", "metadata": release, "spec": {"interval": "10m"}}));
    state.put(json!({"kind": "Kustomization", "metadata": meta("apps", "flux"), "spec": {"suspend": false}}));
    let core = state.objects.get_mut(&key("Deployment", PLANT, "pix-core")).unwrap();
    core["metadata"]["labels"] =
        json!({"helm.toolkit.fluxcd.io/name": "plant", "helm.toolkit.fluxcd.io/namespace": "flux"});
    Fake::new(state)
}

const ALL: [(&str, &str, &str, &str); 4] = [
    ("CronJob", PLANT, "tidy", "/spec/suspend"),
    ("ScaledObject", PLANT, "feed", "/metadata/annotations/autoscaling.keda.sh~1paused"),
    ("HelmRelease", "flux", "plant", "/spec/suspend"),
    ("Kustomization", "flux", "apps", "/spec/suspend"),
];

/// The field of each by which it rests; null where it is not there.
fn fields(state: &State) -> [Value; 4] {
    ALL.map(|(kind, ns, name, path)| state.objects[&key(kind, ns, name)].pointer(path).cloned().unwrap_or_default())
}

fn resting() -> [Value; 4] {
    [json!(true), json!("true"), json!(true), json!(true)]
}

fn of_others(state: &State) -> BTreeMap<Key, Value> {
    let is_one = |at: &&Key| ALL.iter().any(|(kind, ns, name, _)| **at == key(kind, ns, name));
    state.objects.iter().filter(|(at, _)| is_one(at)).map(|(at, object)| (at.clone(), object.clone())).collect()
}

fn refused(stopped: &Stopped) -> String {
    let Stopped::Refused { problem } = stopped else { panic!("{stopped:?}") };
    [problem.causes.clone(), problem.help.clone()].concat().join("\n")
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_paused_is_refused_before_anything_is_changed() {
    let (_home, answers) = answers();
    let fake = world();
    let owner = json!([{"kind": "Plant", "name": "north", "uid": "x", "controller": true}]);
    fake.state().objects.get_mut(&key("Deployment", PLANT, "pix-core")).unwrap()["metadata"]["ownerReferences"] = owner;
    let autoscaler = key("HorizontalPodAutoscaler", PLANT, "worker");
    fake.state().objects.get_mut(&autoscaler).unwrap()["spec"]["minReplicas"] = json!(0);
    fake.forbid("patch cronjobs");
    let desk = Desk::begin(&pixelcore(), fake).await;
    let ride = desk.go(Clerk::new(answers)).await;
    let said = refused(&ride.stopped);
    for told in [
        "Plant north owns Deployment pix-core: its operator makes it again",
        "HorizontalPodAutoscaler worker scales Deployment pix-worker, from 0 replicas on",
        "CronJob tidy runs at \"7 3 * * *\" and may write, and may not be paused from here",
        "apiGroups: [\"batch\"], resources: [\"cronjobs\"], verbs: [\"patch\"]",
        "kubectl -n plant patch cronjobs.batch tidy --type merge -p '{\"spec\":{\"suspend\":true}}'",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(desk.fake.calls("merge").is_empty() && desk.fake.calls("scale").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_a_tool_that_is_not_here_has_to_be_seen() {
    let (_home, answers) = answers();
    let fake = Fake::new(State::with_deployment("test"));
    let mark = json!({"meta.helm.sh/release-name": "pixelcore", "argocd.argoproj.io/tracking-id": "gone:/Service:plant/pix-core"});
    fake.state().objects.get_mut(&key("Service", PLANT, "pix-core")).unwrap()["metadata"]["annotations"] = mark;
    fake.state().put(
        json!({"kind": "Application", "metadata": {"name": "north", "namespace": "argo", "resourceVersion": "7"},
        "spec": {"syncPolicy": {"automated": {"selfHeal": true}}},
        "status": {"resources": [{"group": "apps", "kind": "StatefulSet", "namespace": PLANT, "name": "pix-db"}]}}),
    );
    let job = json!({"kind": "CronJob", "metadata": {"name": "tidy", "namespace": PLANT, "resourceVersion": "7"},
        "spec": {"schedule": "@daily", "suspend": true}, "status": {"active": [{"name": "tidy-1"}]}});
    fake.state().put(job);
    let desk = Desk::begin(&pixelcore(), fake).await;
    let ride = desk.go(Clerk::new(answers)).await;
    let Stopped::NeedsAnswer { what, .. } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    let checks = ride.questions().into_iter().find_map(|question| match question {
        Question::Checks { checks, .. } => Some(checks.clone()),
        _ => None,
    });
    let others = checks.unwrap().into_iter().find(|check| check.name == "others").unwrap();
    for told in [
        "Job tidy-1 of CronJob tidy runs now",
        "CronJob tidy in plant rests already",
        "1 other is paused before anything stops, and put back as before: Argo CD application north in argo",
    ] {
        assert!(others.sentence.contains(told), "{told}: {} {what}", others.sentence);
    }
    assert!(desk.fake.calls("merge").is_empty());
}

#[tokio::test(start_paused = true)]
async fn they_rest_before_the_writers_stop_and_act_again_with_them() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), world()).await;
    let before = of_others(&desk.fake.state());
    let ride = desk.go(Clerk::new(answers.clone())).await;
    // the new version runs: whoever deploys must not have the old one in mind
    assert!(matches!(&ride.stopped, Stopped::NeedsAnswer { step, .. } if step == "5.4"), "{:?}", ride.stopped);
    let Some(Question::Confirm { text, .. }) = ride.questions().pop() else { panic!("{:?}", ride.questions()) };
    assert!(
        text[0].contains("HelmRelease plant in flux") && text[0].contains("Kustomization apps in flux"),
        "{text:?}"
    );
    assert!(!text[0].contains("CronJob"), "{text:?}");
    assert_eq!(fields(&desk.fake.state()), resting());
    let calls = desk.fake.state().calls.clone();
    let first = |begin: &str| calls.iter().position(|call| call.starts_with(begin)).unwrap();
    let merges = calls.iter().filter(|call| call.starts_with("merge")).count();
    assert!(merges == 4 && first("merge") + 4 == first("scale"), "{calls:?}");

    let mut answers = answers;
    answers["steps"]["release"] = json!({"go_on": true});
    let desk = desk.again();
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let mut now = of_others(&desk.fake.state());
    // a server drops an empty map
    now.get_mut(&key("ScaledObject", PLANT, "feed")).unwrap()["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    assert_eq!(now, before);
}

#[tokio::test(start_paused = true)]
async fn a_roll_back_puts_them_back_though_an_answer_was_lost_and_not_over_what_somebody_has_changed() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), world()).await;
    desk.fake.fail("create StatefulSet plant-rehearsal/", PortErrorKind::Other);
    let mut before = objects(&desk.fake.state());
    let fake = Arc::clone(&desk.fake);
    let mut lost = false;
    let mut said = ["retry", "roll-back"].iter();
    let clerk = Clerk::hooked(answers, move |event| {
        let Event::Asking { question, .. } = event else { return None };
        match &**question {
            Question::Confirm { step, .. } if step.0 == "freeze" && !lost => {
                lost = true;
                // the first change behind this answer is a pause, and so is the next
                let next = fake.state().calls.len();
                fake.lose(next + 1, Lost::Answer);
                None
            }
            Question::Choose { .. } => {
                let choice = said.next().copied().unwrap();
                if choice == "roll-back" {
                    assert_eq!(fields(&fake.state()), resting());
                    let at = key("Kustomization", "flux", "apps");
                    // somebody has another opinion by now
                    fake.state().objects.get_mut(&at).unwrap()["spec"]["suspend"] = json!("by hand");
                }
                Some(choose(choice))
            }
            _ => None,
        }
    });
    let ride = desk.go(clerk).await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    before.get_mut(&key("Kustomization", "flux", "apps")).unwrap()["spec"]["suspend"] = json!("by hand");
    let mut now = objects(&desk.fake.state());
    now.get_mut(&key("ScaledObject", PLANT, "feed")).unwrap()["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    assert_eq!(now, before);
    let said = std::fs::read_to_string(desk.folder().join("output/freeze.log")).unwrap();
    assert!(said.contains("Kustomization apps in flux says \"by hand\" by now"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn the_way_back_by_hand_names_who_still_rests() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), world()).await;
    desk.fake.fail("program helm upgrade --install pixelcore /chart -n plant ", PortErrorKind::Other);
    let mut said = ["way-back", "stop"].iter();
    let clerk = Clerk::hooked(answers, move |event| match event {
        Event::Asking { question, .. } if matches!(**question, Question::Choose { .. }) => {
            Some(choose(said.next().unwrap()))
        }
        _ => None,
    });
    let ride = desk.go(clerk).await;
    let Some(Question::Choose { problem, .. }) = ride.questions().pop() else { panic!("{:?}", ride.questions()) };
    let lines = problem.help.join("\n");
    let (_, tidy) = lines.split_once(" -n plant patch cronjobs.batch tidy --type merge -p ").unwrap();
    assert!(tidy.starts_with(r#"'{"spec":{"suspend":null}}'"#), "{lines}");
    assert!(lines.contains(r#"-n flux patch kustomizations.kustomize.toolkit.fluxcd.io apps --type merge -p '{"spec":{"suspend":false}}'"#), "{lines}");
    assert_eq!(fields(&desk.fake.state()), resting());
}

/// A procedure that lets nobody rest must not promise it.
#[tokio::test(start_paused = true)]
async fn where_no_step_pauses_them_they_are_refused() {
    let (_home, answers) = answers();
    let fake = world();
    let before = of_others(&fake.state());
    let desk = Desk::begin(&pixelcore().replace(", others: true", ""), fake).await;
    let ride = desk.go(Clerk::new(answers)).await;
    let said = refused(&ride.stopped);
    assert!(
        said.contains("this procedure pauses nobody") && said.contains("have it paused until all is over"),
        "{said}"
    );
    assert_eq!(of_others(&desk.fake.state()), before);
    assert!(desk.fake.calls("scale ").is_empty());
}
