//! Rolling back: first everything that must refuse; then what the run changed is as before, and nothing else is.

use std::collections::BTreeMap;

use drydock::{
    actions::leftover,
    plain::Say,
    ports::PortErrorKind,
    run::{Choice, Event, Outcome, Question, Record, Reply, RunState, Stopped, report},
    text::Typed,
};
use serde_json::{Value, json};

use crate::{
    crash::{answers, for_each, paused},
    drive::{Act, Clerk, Desk, Ride, pixelcore, pixelcore_with_all},
    world::{Fake, Key, Moment, State, key},
};

pub fn choose(id: &str) -> Vec<Act> {
    vec![Act::Say(Say::Reply(Reply::Choose { choice: id.into() }))]
}

fn choices(event: &Event) -> Option<&[Choice]> {
    match event {
        Event::Asking { question, .. } => match &**question {
            Question::Choose { choices, .. } => Some(choices),
            _ => None,
        },
        _ => None,
    }
}

fn ids(choices: &[Choice]) -> Vec<&str> {
    choices.iter().map(|choice| choice.id.as_str()).collect()
}

/// Answers each failure with the next of these, and all else from the script.
pub fn choosing(answers: Value, said: &'static [&'static str]) -> Clerk {
    let mut said = said.iter();
    Clerk::hooked(answers, move |event| choices(event).map(|_| said.next().map_or(vec![Act::Leave], |id| choose(id))))
}

/// A world whose new version cannot be installed for the rehearsal.
pub fn broken() -> std::sync::Arc<Fake> {
    let fake = Fake::new(State::with_deployment("test"));
    fake.fail("create StatefulSet plant-rehearsal/", PortErrorKind::Other);
    fake
}

fn replicas(state: &State, name: &str) -> u64 {
    state.objects[&key("Deployment", "plant", name)]["spec"]["replicas"].as_u64().unwrap()
}

fn policies(state: &State) -> Vec<String> {
    let volumes = state.objects.values().filter(|object| object["kind"] == "PersistentVolume");
    volumes.map(|volume| volume["spec"]["persistentVolumeReclaimPolicy"].as_str().unwrap().to_owned()).collect()
}

/// Every object; pods that a controller makes anew have another uid.
pub fn objects(state: &State) -> BTreeMap<Key, Value> {
    let mut all = state.objects.clone();
    for pod in all.values_mut().filter(|object| object["metadata"].get("ownerReferences").is_some()) {
        pod["metadata"].as_object_mut().unwrap().remove("uid");
    }
    all
}

/// Whether the cluster is as it was before the run, with nothing more in it and nothing less.
pub fn is_as_before(desk: &Desk, what: &str) {
    let state = desk.fake.state();
    assert_eq!(objects(&state), objects(&State::with_deployment("test")), "{what}");
}

pub fn state_of(desk: &Desk) -> RunState {
    let mut state = RunState::default();
    for entry in desk.entries() {
        state.apply(entry.at, &entry.record);
    }
    state
}

fn offered(ride: &Ride) -> Vec<Vec<&str>> {
    ride.events.iter().filter_map(choices).map(ids).collect()
}

#[tokio::test(start_paused = true)]
async fn another_cluster_is_never_put_back_into() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), broken()).await;
    let fake = std::sync::Arc::clone(&desk.fake);
    let mut said = ["roll-back", "retry", "stop"].iter();
    let clerk = Clerk::hooked(answers.clone(), move |event| {
        choices(event)?;
        // between the question and the answer the address leads elsewhere
        fake.state().cluster = "00000000-another".into();
        Some(choose(said.next().unwrap()))
    });
    let before = desk.fake.state().calls.len();
    let ride = desk.go(clerk).await;
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(problem.what.contains("another place"), "{problem:?}");
    assert_eq!(offered(&ride)[1], ["retry", "stop"], "a roll back that was begun is not left for anything else");
    let calls = desk.fake.state().calls[before..].to_vec();
    assert!(!calls.iter().any(|call| call.starts_with("scale") && !call.ends_with("to 0")), "{calls:?}");
    assert!(!calls.iter().any(|call| call.starts_with("delete Namespace")), "{calls:?}");
    // where the failure itself is that it is another place, nothing is offered; where it is the place, the roll back goes on
    desk.fake.state().cluster = "86ea7bb5-0000-4000-8000-000000000001".into();
    let desk = desk.again();
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    assert!(ride.questions().is_empty(), "neither the vault nor a step is asked for: {:?}", ride.questions());
    is_as_before(&desk, "on its own cluster");

    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    // the last change of the dump: all that follows there is read
    let hold = desk.fake.hold("delete Pod plant/drydock-client");
    let clerk = Clerk::hooked(answers, move |event| choices(event).map(|_| choose("stop")));
    let elsewhere = async {
        hold.reached.acquire().await.unwrap().forget();
        desk.fake.state().cluster = "00000000-another".into();
        hold.go.add_permits(1);
    };
    let (ride, ()) = tokio::join!(desk.go(clerk), elsewhere);
    assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{:?}", ride.stopped);
    assert_eq!(offered(&ride), [["retry", "stop"]]);
}

#[tokio::test(start_paused = true)]
async fn once_the_removal_was_begun_the_way_back_is_shown_and_nothing_is_undone() {
    let (_home, answers) = answers();
    let mut desk = Desk::begin(&pixelcore_with_all(), Fake::new(State::with_deployment("test"))).await;
    desk.typed = Typed::with(Some(std::path::Path::new("/srv/dd")));
    desk.fake.fail("program helm upgrade --install pixelcore /chart -n plant ", PortErrorKind::Other);
    let mut said = ["roll-back", "way-back", "way-back", "stop"].iter();
    let clerk = Clerk::hooked(answers.clone(), move |event| choices(event).map(|_| choose(said.next().unwrap())));
    let ride = desk.go(clerk).await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }), "{:?}", ride.stopped);
    assert_eq!(offered(&ride), vec![vec!["retry", "way-back", "stop"]; 4], "what is not offered is no answer");
    assert!(!desk.entries().iter().any(|entry| matches!(entry.record, Record::RollBack { .. })));
    assert_eq!(policies(&desk.fake.state()), ["Retain"]);
    let questions = ride.questions();
    let helps: Vec<&Vec<String>> = questions
        .iter()
        .filter_map(|question| match question {
            Question::Choose { problem, .. } => Some(&problem.help),
            _ => None,
        })
        .collect();
    assert_eq!(helps[0], helps[1]);
    assert_eq!(helps[2], helps[3], "asked twice, told once each time");
    let volume = desk.fake.state().objects.keys().find(|at| at.0 == "PersistentVolume").unwrap().2.clone();
    let text = helps[2].join("\n");
    for wanted in [
        "$ helm --kube-context c uninstall pixelcore -n plant".to_owned(),
        format!("kubectl --context c patch pv {volume} --type merge -p '{{\"spec\":{{\"claimRef\":{{\"uid\":null,"),
        "$ drydock vault show --reveal 7f3a/version/release --state-dir /srv/dd | kubectl --context c -n plant create -f -   ".to_owned(),
        "$ helm --kube-context c rollback pixelcore 1 -n plant   ".to_owned(),
        "drydock start pixelcore --intent undo-remove --of 7f3a --context c -n plant --state-dir /srv/dd"
            .to_owned(),
        "put the settings back from the vault: drydock vault list --state-dir /srv/dd".to_owned(),
    ] {
        assert!(text.contains(&wanted), "{wanted} in {text}");
    }
    let tied = |line: &&String| {
        ["kubectl", "helm"].iter().all(|tool| {
            line.match_indices(&format!("{tool} "))
                .all(|(at, _)| !line[..at].ends_with(['$', ' ']) || line[at..].contains("context c "))
        })
    };
    let commands: Vec<&String> = helps[2].iter().filter(|line| line.starts_with("$ ")).collect();
    assert!(commands.len() > 2 && commands.iter().all(tied), "each leads to the run's own context: {text}");
    assert!(!text.contains("/chart") && !text.contains("environment"), "no file of before is needed: {text}");
    let (_, record) =
        desk.fake.state().vault[&("2026-11-20-test-7f3a".to_owned(), "version/release".to_owned())].clone();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["metadata"]["name"], "sh.helm.release.v1.pixelcore.v1");
    assert_eq!(record["metadata"]["labels"]["owner"], "helm");
    assert!(record["metadata"].get("uid").is_none() && record["data"]["release"].as_str().unwrap().len() > 10);
    assert!(!text.contains("release-volumes"), "what ends the way back is no way back: {text}");
    assert!(!text.contains("delete pvc"), "no claim stands in the way yet: {text}");
    // the run is not ended by it
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
}

#[tokio::test(start_paused = true)]
async fn what_the_run_changed_is_put_back_last_change_first() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), broken()).await;
    let ride = desk.go(choosing(answers.clone(), &["roll-back"])).await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    assert_eq!(offered(&ride), [["retry", "roll-back", "stop"]]);
    let all: Vec<&[Choice]> = ride.events.iter().filter_map(choices).collect();
    assert_eq!(
        all[0][1].cost,
        "namespace plant-rehearsal removed, pix-worker back to 1, pix-feed back to 2; about 75 s"
    );
    let recommended = ride.questions().into_iter().find_map(|question| match question {
        Question::Choose { recommended, .. } => Some(*recommended),
        _ => None,
    });
    assert_eq!(recommended, Some(0), "never the roll back");
    is_as_before(&desk, "a rehearsal that failed");
    let entries = desk.entries();
    let undone: Vec<&str> = entries
        .iter()
        .filter_map(|entry| match &entry.record {
            Record::Ended { step, outcome: Outcome::Undone { .. }, .. } => Some(step.0.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(undone, ["rehearse", "freeze"]);
    let state = state_of(&desk);
    let records: Vec<_> = entries.into_iter().map(|entry| (entry.at, entry.record)).collect();
    assert!(state.is_at_end() && state.rolled_back && !state.finished);
    let told = report::markdown(&state, &records);
    assert!(told.contains("The run is rolled back.") && told.contains("pix-feed has 2 again"), "{told}");
}

/// A run that stands before its gate, with the volumes set to keep, and a setting that somebody changed meanwhile.
async fn at_a_shut_gate(desk: &Desk, answers: Value, said: &'static [&'static str], then: fn(&mut State)) -> Ride {
    let fake = std::sync::Arc::clone(&desk.fake);
    let mut said = said.iter();
    let clerk = Clerk::hooked(answers, move |event| {
        if let Event::Asking { question, .. } = event
            && let Question::Gate { gate, .. } = &**question
        {
            if gate.is_open() {
                fake.state().settings.get_mut("plant").unwrap()["geo"]["active"] = json!(false);
                return Some(vec![Act::Say(Say::Reply(Reply::Again))]);
            }
            then(&mut fake.state());
            return Some(vec![Act::Say(Say::Reply(Reply::Back))]);
        }
        choices(event).map(|_| said.next().map_or(vec![Act::Leave], |id| choose(id)))
    });
    desk.go(clerk).await
}

#[tokio::test(start_paused = true)]
async fn volumes_say_again_what_they_said_unless_their_claim_goes() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let ride = at_a_shut_gate(&desk, answers.clone(), &["roll-back"], |_| ()).await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    is_as_before(&desk, "a gate that was shut");

    // another policy would take a volume away whose claim goes: it stays kept
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let ride = at_a_shut_gate(&desk, answers.clone(), &["roll-back"], |state| {
        let claim = state.objects.get_mut(&key("PersistentVolumeClaim", "plant", "data-pix-db-0")).unwrap();
        claim["metadata"]["deletionTimestamp"] = json!("2026-11-20T10:00:00Z");
    })
    .await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    assert_eq!(policies(&desk.fake.state()), ["Retain"]);

    // what somebody else has set since is theirs
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let ride = at_a_shut_gate(&desk, answers, &["roll-back"], |state| {
        state.objects.get_mut(&key("Deployment", "plant", "pix-feed")).unwrap()["spec"]["replicas"] = json!(5);
        state.reconcile();
    })
    .await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    let state = desk.fake.state();
    assert_eq!((replicas(&state, "pix-worker"), replicas(&state, "pix-feed")), (1, 5));
}

#[tokio::test(start_paused = true)]
async fn a_dump_that_fails_leaves_no_client_pod_behind_a_roll_back() {
    let (_home, answers) = answers();
    for broken in
        ["create Pod plant/drydock-client", "job plant dump-1", "download /drydock/dump-1.out", "job plant csv-1"]
    {
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        desk.fake.fail(broken, PortErrorKind::Other);
        let ride = desk.go(choosing(answers.clone(), &["roll-back"])).await;
        assert_eq!(ride.stopped, Stopped::RolledBack, "{broken}");
        is_as_before(&desk, broken);
        let cost = ride.events.iter().find_map(choices).unwrap()[1].cost.clone();
        let is_made = !broken.starts_with("create");
        assert_eq!(cost.contains("pod drydock-client-7f3a removed"), is_made, "{broken}: {cost}");
        let told = ride.questions().into_iter().find_map(|question| match question {
            Question::Choose { problem, .. } => Some(problem.clone()),
            _ => None,
        });
        let told = format!("{:?}", told.unwrap());
        assert_eq!(told.contains("kubectl -n plant delete pod drydock-client-7f3a"), is_made, "{broken}: {told}");
        let left: Vec<String> = leftover(&state_of(&desk)).into_iter().map(|thing| thing.what).collect();
        let unseen = "pod drydock-client-7f3a in plant, of which it was not seen whether it was made".to_owned();
        assert_eq!(left, if is_made { Vec::new() } else { vec![unseen] }, "{broken}");
    }
    // who gives such a run up is told what it leaves
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.fail("job plant dump-1", PortErrorKind::Other);
    desk.go(choosing(answers.clone(), &["stop"])).await;
    let left = leftover(&state_of(&desk));
    let told: Vec<(&str, &str)> = left.iter().map(|thing| (thing.what.as_str(), thing.command.as_str())).collect();
    let command = "kubectl --context c -n plant delete pod drydock-client-7f3a";
    assert_eq!(told, [("pod drydock-client-7f3a in plant", command)]);
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.fail("upload plant-rehearsal", PortErrorKind::Other);
    desk.go(choosing(answers.clone(), &["stop"])).await;
    let left = leftover(&state_of(&desk));
    assert_eq!(
        left.iter().map(|thing| thing.what.as_str()).collect::<Vec<_>>(),
        ["namespace plant-rehearsal with all that is in it"]
    );
    // a pod of that name that another run or person has made since is theirs
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.fail("job plant dump-1", PortErrorKind::Other);
    let fake = std::sync::Arc::clone(&desk.fake);
    let clerk = Clerk::hooked(answers, move |event| {
        choices(event)?;
        let mut state = fake.state();
        let at = key("Pod", "plant", "drydock-client-7f3a");
        state.take(&at);
        state.put(json!({"kind": "Pod", "metadata": {"name": at.2, "namespace": at.1}}));
        Some(choose("roll-back"))
    });
    assert_eq!(desk.go(clerk).await.stopped, Stopped::RolledBack);
    assert!(desk.fake.calls("delete Pod plant/drydock-client").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_is_tried_again_and_nothing_is_offered_where_nothing_was_changed() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), broken()).await;
    desk.fake.fail("scale Deployment plant/pix-worker to 1", PortErrorKind::Unreachable);
    let ride = desk.go(choosing(answers.clone(), &["roll-back", "retry"])).await;
    assert_eq!(ride.stopped, Stopped::RolledBack);
    is_as_before(&desk, "tried again");

    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.forbid("delete secrets");
    let ride = desk.go(choosing(answers, &["stop"])).await;
    assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{:?}", ride.stopped);
    assert!(!offered(&ride)[0].contains(&"roll-back"), "{:?}", offered(&ride));
}

#[test]
fn a_roll_back_killed_at_every_moment_goes_on_as_one() {
    let (_home, answers) = answers();
    let moments: Vec<(usize, Moment)> = paused().block_on(async {
        let desk = Desk::begin(&pixelcore(), broken()).await;
        desk.fake.keep_moments(&desk.folder());
        let ride = desk.go_watched(choosing(answers.clone(), &["roll-back"]), usize::MAX).await;
        assert_eq!(ride.stopped, Stopped::RolledBack);
        let begun = |moment: &Moment| {
            let text = String::from_utf8(moment.files[std::path::Path::new("journal.jsonl")].clone()).unwrap();
            text.contains("\"roll_back\"") && !text.contains("\"rolled_back\"")
        };
        desk.fake.moments().into_iter().enumerate().filter(|(_, moment)| begun(moment)).collect()
    });
    assert!(moments.len() > 10, "{}", moments.len());
    for_each(&moments, async |(number, moment)| {
        let what = format!("moment {number}, after {:?}", moment.state.calls.last());
        let desk = Desk::after(moment, None);
        let ride = desk.go(Clerk::new(answers.clone())).await;
        assert_eq!(ride.stopped, Stopped::RolledBack, "{what}");
        is_as_before(&desk, &what);
        assert_eq!(desk.fake.calls("delete Namespace").len(), 1, "{what}");
    });
}
