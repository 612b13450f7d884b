//! The gate of a removal: everything that must refuse, refuses first; then the right words open it.

use drydock::{
    plain::Say,
    run::{Command, Event, Gate, Question, Record, Reply, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    world::{Fake, Moment, State, key},
};

/// A run of the upgrade as it stands before its gate, and its answers.
async fn before_gate(environment: &str) -> (tempfile::TempDir, Value, Moment) {
    let (home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment(environment))).await;
    desk.fake.keep_moments(&desk.folder());
    let ride = desk
        .go_watched(Clerk::hooked(answers.clone(), |event| gate(event).map(|_| vec![Act::Leave])), usize::MAX)
        .await;
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{:?}", ride.stopped);
    (home, answers, desk.fake.moments().pop().unwrap())
}

pub fn gate(event: &Event) -> Option<&Gate> {
    match event {
        Event::Asking { question, .. } => match &**question {
            Question::Gate { gate, .. } => Some(gate),
            _ => None,
        },
        _ => None,
    }
}

/// Answers the gate with what `typed` makes of it, once; then goes away.
async fn try_gate(desk: &Desk, answers: &Value, typed: impl Fn(&Gate) -> Reply + Send + 'static) -> Ride {
    let mut first = true;
    let clerk = Clerk::hooked(answers.clone(), move |event| {
        let gate = gate(event)?;
        let act = if first { Act::Say(Say::Reply(typed(gate))) } else { Act::Leave };
        first = false;
        Some(vec![act])
    });
    desk.go(clerk).await
}

/// What is typed at a gate.
type Typed = fn(&Gate) -> Reply;

fn gates(ride: &Ride) -> Vec<&Gate> {
    ride.events.iter().filter_map(gate).collect()
}

fn right_words(gate: &Gate) -> Reply {
    Reply::Gate { namespace: gate.namespace.clone(), word: gate.word.clone() }
}

fn nothing_was_deleted(desk: &Desk, what: &str) {
    let deleted: Vec<String> = desk
        .fake
        .calls("delete ")
        .into_iter()
        .filter(|call| call.contains(" plant/") && !call.contains("/drydock-"))
        .collect();
    assert!(deleted.is_empty(), "{what}: {deleted:?}");
    assert!(!desk.entries().iter().any(|entry| matches!(entry.record, Record::GateOpened { .. })), "{what}");
}

#[tokio::test(start_paused = true)]
async fn other_words_do_not_open_it() {
    let (_home, answers, moment) = before_gate("test").await;
    let wrong: [(&str, Typed); 6] = [
        ("another word", |gate| Reply::Gate { namespace: gate.namespace.clone(), word: "nothing".into() }),
        ("another namespace", |gate| Reply::Gate { namespace: "plant2".into(), word: gate.word.clone() }),
        ("case", |gate| Reply::Gate { namespace: gate.namespace.clone(), word: gate.word.to_uppercase() }),
        ("nothing", |_| Reply::Gate { namespace: String::new(), word: String::new() }),
        ("a yes", |_| Reply::Continue),
        ("another reply", |_| Reply::Approve),
    ];
    for (what, typed) in wrong {
        let desk = Desk::after(&moment, None);
        let ride = try_gate(&desk, &answers, typed).await;
        assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{what}: {:?}", ride.stopped);
        let gates = gates(&ride);
        assert!(gates[0].is_open() && gates[0].refusal.is_empty(), "{what}: {:?}", gates[0]);
        assert!(!gates[1].refusal.is_empty(), "{what}: the next gate says why");
        nothing_was_deleted(&desk, what);
    }
}

#[tokio::test(start_paused = true)]
async fn a_phrase_opens_no_gate_in_prod_and_a_wrong_one_none_at_all() {
    let (_home, answers, moment) = before_gate("prod").await;
    let desk = Desk::after(&moment, None);
    let ride = try_gate(&desk, &answers, |gate| Reply::Phrase { phrase: gate.phrase() }).await;
    assert!(gates(&ride)[0].prod);
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{:?}", ride.stopped);
    nothing_was_deleted(&desk, "prod");

    let desk = Desk::after(&moment, None);
    let ride = desk.go(Clerk::new(answers)).await;
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{:?}", ride.stopped);
    nothing_was_deleted(&desk, "an answers file in prod");

    let (_home, answers, moment) = before_gate("test").await;
    for phrase in ["delete plant of 00000000", "delete plant", "", "practice"] {
        let desk = Desk::after(&moment, None);
        let ride = try_gate(&desk, &answers, move |_| Reply::Phrase { phrase: phrase.into() }).await;
        assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{phrase}: {:?}", ride.stopped);
        nothing_was_deleted(&desk, phrase);
    }
}

/// One thing that is not as it was, and the locks that it shuts.
type Meddling = (&'static str, Meddle, &'static [&'static str]);

/// Something that happens outside.
type Meddle = fn(&mut State);

const MEDDLINGS: [Meddling; 12] = [
    ("a row written", |state| state.database().tables.get_mut("objects").unwrap().push("9\tnew".into()), &["quiet"]),
    ("a row changed", |state| state.database().writes += 1, &["quiet"]),
    (
        "a row changed by a session that is counted late",
        |state| {
            state.database().writes += 1;
            state.database().counted = Some(tokio::time::Instant::now() + std::time::Duration::from_secs(10));
        },
        &["quiet"],
    ),
    ("another server", |state| state.database().identifier = "x".into(), &["quiet"]),
    (
        "a setting changed",
        |state| state.settings.get_mut("plant").unwrap()["geo"]["active"] = json!(false),
        &["unchanged"],
    ),
    (
        "a setting given one more member",
        |state| state.settings.get_mut("plant").unwrap()["geo"]["retries"] = json!(3),
        &["unchanged"],
    ),
    (
        "a setting added",
        |state| {
            let new = json!({"kind": "lns", "api_url": "https://x.example.net", "owner": "x", "token": "t"});
            state.settings.get_mut("plant").unwrap().insert("lns-new".into(), new);
        },
        &["unchanged"],
    ),
    (
        "a volume not kept",
        |state| {
            for object in state.objects.values_mut().filter(|object| object["kind"] == "PersistentVolume") {
                object["spec"]["persistentVolumeReclaimPolicy"] = json!("Delete");
            }
        },
        &["kept"],
    ),
    (
        "an application that is down",
        |state| state.objects.get_mut(&key("Deployment", "plant", "pix-core")).unwrap()["spec"]["replicas"] = json!(0),
        &["unchanged", "quiet"],
    ),
    ("a transaction that writes", |state| state.databases.get_mut("plant").unwrap().open_writer = true, &["quiet"]),
    (
        "a volume that came later",
        |state| {
            let late = json!({"kind": "PersistentVolume", "metadata": {"name": "late"},
                "spec": {"persistentVolumeReclaimPolicy": "Delete"}});
            state.put(late);
            let claim = key("PersistentVolumeClaim", "plant", "data-pix-db-0");
            state.objects.get_mut(&claim).unwrap()["spec"]["volumeName"] = json!("late");
        },
        &["kept"],
    ),
    (
        "a database that is down",
        |state| state.objects.get_mut(&key("StatefulSet", "plant", "pix-db")).unwrap()["spec"]["replicas"] = json!(0),
        &["quiet"],
    ),
];

#[tokio::test(start_paused = true)]
async fn the_right_words_do_not_open_a_shut_lock() {
    let (_home, answers, moment) = before_gate("test").await;
    for (what, meddle, shut) in MEDDLINGS {
        let desk = Desk::after(&moment, None);
        meddle(&mut desk.fake.state());
        desk.fake.state().reconcile();
        refused(&desk, &answers, what, shut).await;
    }
    let desk = Desk::after(&moment, None);
    let file = desk.folder().join("artifacts/db-data.sql-plant");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("pump", "pomp")).unwrap();
    refused(&desk, &answers, "a file changed", &["complete"]).await;
    std::fs::remove_file(&file).unwrap();
    refused(&desk.again(), &answers, "a file removed", &["complete"]).await;
    let desk = Desk::after(&moment, None);
    let file = desk.folder().join("answers.json");
    let mut all: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    all["lns"] = json!({"items": [], "none_reason": ""});
    std::fs::write(&file, all.to_string()).unwrap();
    refused(&desk, &answers, "a form that was lost", &["gathered", "unchanged"]).await;
}

async fn refused(desk: &Desk, answers: &Value, what: &str, shut: &[&str]) {
    for typed in [right_words, |gate: &Gate| Reply::Phrase { phrase: gate.phrase() }] {
        let ride = try_gate(desk, answers, typed).await;
        let gates = gates(&ride);
        let found: Vec<&str> = gates[0].locks.iter().filter(|lock| !lock.open).map(|lock| lock.name.as_str()).collect();
        assert_eq!(found, shut, "{what}: {:?}", gates[0].locks);
        assert!(gates[1].refusal.contains(shut[0]), "{what}: {}", gates[1].refusal);
        assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{what}: {:?}", ride.stopped);
        nothing_was_deleted(desk, what);
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_that_is_silent_while_nothing_went_yet_keeps_the_gate_shut() {
    let (_home, answers, moment) = before_gate("test").await;
    let desk = Desk::after(&moment, None);
    // the first deletion is written down and refused: all still runs
    desk.fake.fail("delete ", drydock::ports::PortErrorKind::Forbidden);
    let ride = try_gate(&desk, &answers, right_words).await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }), "{:?}", ride.stopped);
    let desk = desk.again();
    let core = key("Deployment", "plant", "pix-core");
    desk.fake.state().objects.get_mut(&core).unwrap()["spec"]["replicas"] = json!(0);
    desk.fake.state().reconcile();
    let ride = try_gate(&desk, &answers, right_words).await;
    let gates = gates(&ride);
    let shut: Vec<&str> = gates[0].locks.iter().filter(|lock| !lock.open).map(|lock| lock.name.as_str()).collect();
    assert_eq!(shut, ["unchanged", "quiet"], "{:?}", gates[0].locks);
    assert!(desk.fake.state().objects.contains_key(&core), "nothing went");
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_goes_with_its_owner_is_listed_and_kept_like_any_other() {
    let (_home, answers) = crate::crash::answers();
    let mut state = State::with_deployment("test");
    let owner = state.objects[&key("StatefulSet", "plant", "pix-db")]["metadata"]["uid"].clone();
    let claim = key("PersistentVolumeClaim", "plant", "data-pix-db-0");
    state.objects.get_mut(&claim).unwrap()["metadata"]["ownerReferences"] =
        json!([{"kind": "StatefulSet", "uid": owner}]);
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = try_gate(&desk, &answers, |_| Reply::Back).await;
    let gates = gates(&ride);
    assert!(gates[0].is_open(), "{:?}", gates[0].locks);
    assert!(format!("{:?}", gates[0]).contains("data-pix-db-0"), "{:?}", gates[0]);
    let volumes = desk.fake.state();
    let kept = volumes.objects.values().filter(|object| object["kind"] == "PersistentVolume");
    assert!(kept.into_iter().all(|volume| volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"));
}

#[tokio::test(start_paused = true)]
async fn transactions_of_others_cost_a_wait_that_hears_a_stop() {
    let (_home, answers, moment) = before_gate("test").await;
    let waits = |event: &Event| matches!(event, Event::Progress { progress } if progress.sentence.contains("may not be counted yet"));
    let desk = Desk::after(&moment, None);
    desk.fake.state().database().elsewhere += 7;
    let ride = try_gate(&desk, &answers, |_| Reply::Back).await;
    assert!(gates(&ride)[0].is_open(), "{:?}", gates(&ride)[0].locks);
    assert!(ride.events.iter().any(waits), "the wait is told");

    let desk = desk.again();
    let clerk = Clerk::hooked(answers.clone(), move |event| waits(event).then(|| vec![Act::Command(Command::Stop)]));
    let ride = desk.go(clerk).await;
    assert!(gates(&ride).is_empty() && ride.stopped != Stopped::Finished, "{:?}", ride.stopped);
    nothing_was_deleted(&desk, "stopped while it waits");

    // behind the words nothing is waited for twice; a transaction that ended meanwhile is
    for (meanwhile, times) in [(0, 1), (1, 2)] {
        let desk = Desk::after(&moment, None);
        desk.fake.state().database().elsewhere += 7;
        let fake = std::sync::Arc::clone(&desk.fake);
        let ride = try_gate(&desk, &answers, move |gate| {
            fake.state().database().elsewhere += meanwhile;
            right_words(gate)
        })
        .await;
        assert_eq!(ride.stopped, Stopped::Finished);
        assert_eq!(ride.events.iter().filter(|event| waits(event)).count(), times, "{meanwhile}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_taken_away_shuts_the_gate() {
    let (_home, answers, moment) = before_gate("test").await;
    let desk = Desk::after(&moment, None);
    desk.fake.forbid("delete services");
    let ride = try_gate(&desk, &answers, right_words).await;
    let lock = gates(&ride)[0].locks.iter().find(|lock| lock.name == "allowed").unwrap().clone();
    assert!(!lock.open && lock.sentence.contains("delete services in namespace plant"), "{lock:?}");
    assert!(lock.sentence.contains("resources: [\"services\"], verbs: [\"delete\"]"), "{lock:?}");
    nothing_was_deleted(&desk, "a missing right");
    // and while the words are typed
    let desk = Desk::after(&moment, None);
    let fake = std::sync::Arc::clone(&desk.fake);
    let ride = try_gate(&desk, &answers, move |gate| {
        fake.forbid("delete services");
        right_words(gate)
    })
    .await;
    assert!(gates(&ride)[0].is_open());
    assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{:?}", ride.stopped);
    nothing_was_deleted(&desk, "a right taken away behind the words");
}

#[tokio::test(start_paused = true)]
async fn a_list_or_place_that_changes_while_the_words_are_typed_is_refused() {
    let (_home, answers, moment) = before_gate("test").await;
    let meddlings: [(&str, Meddle); 2] = [
        ("the list", |state| {
            state.put(json!({"kind": "ConfigMap", "metadata": {"name": "late", "namespace": "plant",
                "annotations": {"meta.helm.sh/release-name": "pixelcore"}}}));
        }),
        ("the place", |state| state.cluster = "00000000-another".into()),
    ];
    // and whatever would have shut a lock before shuts it still, when the words are right
    let locks = MEDDLINGS.iter().map(|(what, meddle, _)| (*what, *meddle));
    for (what, meddle) in meddlings.into_iter().chain(locks) {
        let desk = Desk::after(&moment, None);
        let fake = std::sync::Arc::clone(&desk.fake);
        let ride = try_gate(&desk, &answers, move |gate| {
            meddle(&mut fake.state());
            fake.state().reconcile();
            right_words(gate)
        })
        .await;
        assert!(matches!(ride.stopped, Stopped::Refused { .. }), "{what}: {:?}", ride.stopped);
        nothing_was_deleted(&desk, what);
    }
}

#[tokio::test(start_paused = true)]
async fn going_back_deletes_nothing_and_the_right_words_exactly_the_list() {
    let (_home, answers, moment) = before_gate("prod").await;
    let desk = Desk::after(&moment, None);
    let ride = try_gate(&desk, &answers, |_| Reply::Back).await;
    assert!(matches!(ride.stopped, Stopped::Paused { .. }));
    nothing_was_deleted(&desk, "back");

    let desk = desk.again();
    let ride = try_gate(&desk, &answers, right_words).await;
    assert_eq!(ride.stopped, Stopped::Finished, "a person opens the gate of PROD");
    let listed: Vec<String> = gates(&ride)[0]
        .goes
        .iter()
        .map(|gone| format!("delete {} plant/{} {}", gone.kind, gone.name, gone.uid))
        .collect();
    let mut deleted = desk.fake.calls("delete ");
    deleted.retain(|call| call.contains(" plant/") && !call.contains("/drydock-"));
    assert_eq!(deleted, listed);
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_found_before_anything_is_touched() {
    let (_home, answers) = answers();
    // of a kind that every removal meets, of one that only this deployment has, of the chart, of the rehearsal
    for (right, place) in [
        ("delete secrets", "plant"),
        ("delete ingresses", "plant"),
        ("list ingresses", "plant"),
        ("patch deployments", "plant"),
        ("create deployments", "plant-rehearsal"),
        ("get pods/log", "plant-rehearsal"),
    ] {
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        desk.fake.state().put(json!({"kind": "Ingress", "metadata": {"name": "front", "namespace": "plant",
            "annotations": {"meta.helm.sh/release-name": "pixelcore"}}}));
        desk.fake.forbid(right);
        let ride = desk.go(Clerk::new(answers.clone())).await;
        let Stopped::Refused { problem } = &ride.stopped else { panic!("{right}: {:?}", ride.stopped) };
        let wanted = format!("{right} in namespace {place}");
        assert!(problem.causes.iter().any(|cause| cause.contains(&wanted)), "{wanted}: {problem:?}");
        let (verb, resource) = right.split_once(' ').unwrap();
        let rule = format!("resources: [\"{resource}\"], verbs: [\"{verb}\"]");
        assert!(problem.help.iter().any(|help| help.contains(&rule)), "{rule}: {problem:?}");
        let touched =
            |call: &&String| !call.starts_with("keep ") && *call != "open the vault" && !call.contains("/drydock-");
        let state = desk.fake.state().clone();
        assert_eq!(state.calls.iter().find(touched), None, "{right}: only the vault and throw-away pods");
    }
}
