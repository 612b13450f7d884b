//! The crash matrix: a whole upgrade, killed at every moment between two changes and inside every line of its journal, ends
//! the same, deletes nothing twice, and breaks no chain.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use drydock::run::{Outcome, Record, Stopped};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    drive::{Clerk, Desk, pixelcore, upgrade},
    world::{DOTENV, Database, Fake, Moment, State},
};

/// The answers, and the environment file they name.
pub fn answers() -> (TempDir, Value) {
    let home = tempfile::tempdir().unwrap();
    let dotenv = home.path().join("plant.env");
    std::fs::write(&dotenv, DOTENV).unwrap();
    let answers = upgrade(&dotenv);
    (home, answers)
}

/// What counts of an end: everything but uids, names that hold them, and how often helm wrote itself down.
#[derive(Debug, PartialEq)]
pub struct End {
    objects: BTreeSet<String>,
    running: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    kept: Vec<BTreeMap<String, Vec<String>>>,
    settings: BTreeMap<String, serde_json::Map<String, Value>>,
    vault: BTreeMap<String, Vec<u8>>,
}

pub fn end(state: &State) -> End {
    let named = |(kind, ns, name): &(String, String, String), object: &Value| {
        let name = name.split(".v").next().unwrap().split("uid-").next().unwrap();
        let spec = &object["spec"];
        format!("{kind} {ns}/{name} {} {} {}", spec["replicas"], spec["version"], spec["persistentVolumeReclaimPolicy"])
    };
    let rows = |database: &Database| database.tables.clone();
    End {
        objects: state.objects.iter().map(|(at, object)| named(at, object)).collect(),
        running: state.databases.iter().map(|(ns, database)| (ns.clone(), rows(database))).collect(),
        kept: state.kept.values().map(rows).collect(),
        settings: state.settings.clone(),
        vault: state.vault.iter().map(|((_, name), (_, value))| (name.clone(), value.clone())).collect(),
    }
}

/// What must hold of every run that reached its end, however often it was killed.
pub fn hold_promises(desk: &Desk, what: &str) {
    let entries = desk.entries();
    assert!(matches!(entries.last().unwrap().record, Record::Finished { .. }), "{what}");
    let mut done = BTreeSet::new();
    for entry in &entries {
        match &entry.record {
            Record::Intent { step, .. } => assert!(!done.contains(&step.0), "{what}: {step} was done and begun again"),
            Record::Ended { step, outcome: Outcome::Done { .. }, .. } => {
                assert!(done.insert(step.0.clone()), "{what}: {step} ended twice");
            }
            _ => {}
        }
    }
    let calls = desk.fake.state().calls.clone();
    let count = |begin: &str| calls.iter().filter(|call| call.starts_with(begin)).count();
    assert_eq!(count("program announce"), 1, "{what}: a step that must never be repeated");
    let deployed = calls.iter().position(|call| call.contains("--install") && call.contains("-n plant ")).unwrap();
    let mut gone = BTreeSet::new();
    for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.starts_with("delete ")) {
        assert!(gone.insert(call), "{what}: sent twice: {call}");
        let ours = call.contains("/drydock-");
        assert!(at < deployed || ours, "{what}: the new deployment was touched: {call}");
        assert!(!call.contains("notes"), "{what}: a neighbour was touched: {call}");
    }
}

/// Who takes the run up again. In doubt about the announcement the operator looks whether it was made.
pub fn clerk(desk: &Desk, answers: &Value) -> Clerk {
    let mut answers = answers.clone();
    let made = !desk.fake.calls("program announce").is_empty();
    answers["steps"]["announce"] = json!({"choose": [if made { "done" } else { "again" }]});
    Clerk::new(answers)
}

/// Takes a run up again in a new process, to its end.
async fn resume(desk: &Desk, answers: &Value, what: &str) {
    let ride = desk.go(clerk(desk, answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished, "{what}");
    hold_promises(desk, what);
}

/// The whole upgrade, and all its moments.
pub async fn whole(answers: &Value) -> (Desk, Vec<Moment>) {
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.keep_moments(&desk.folder());
    let ride = desk.go_watched(Clerk::new(answers.clone()), usize::MAX).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let moments = desk.fake.moments();
    (desk, moments)
}

fn journal(moment: &Moment) -> &[u8] {
    &moment.files[Path::new("journal.jsonl")]
}

fn finished(moment: &Moment) -> bool {
    let text = std::str::from_utf8(journal(moment)).unwrap();
    text.lines().last().is_some_and(|line| line.contains("\"type\":\"finished\""))
}

/// Runs `one` for every case, on as many threads as there are cores, each with a paused clock of its own.
pub fn for_each<T: Sync>(cases: &[T], one: impl AsyncFn(&T) + Sync) {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    // the next case is tried as well: one fault shows itself in many
                    let tried = std::panic::catch_unwind(AssertUnwindSafe(|| paused().block_on(one(case))));
                    failed.fetch_add(usize::from(tried.is_err()), Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(failed.into_inner(), 0, "of {} cases", cases.len());
}

pub fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Moments at which the run was not at its end yet, numbered.
fn open_moments(moments: Vec<Moment>) -> Vec<(usize, Moment)> {
    moments.into_iter().enumerate().filter(|(_, moment)| !finished(moment)).collect()
}

#[test]
fn killed_at_every_moment_it_ends_the_same() {
    let (_home, answers) = answers();
    let (desk, moments) = paused().block_on(whole(&answers));
    hold_promises(&desk, "not killed");
    let wanted = end(&desk.fake.state());
    let moments = open_moments(moments);
    assert!(moments.len() > 150, "{} moments", moments.len());
    for_each(&moments, async |(number, moment)| {
        let desk = Desk::after(moment, None);
        let what = format!("moment {number}, after {:?}", moment.state.calls.last());
        resume(&desk, &answers, &what).await;
        assert_eq!(end(&desk.fake.state()), wanted, "{what}");
    });
}

#[test]
fn killed_inside_any_line_of_the_journal_it_ends_the_same() {
    let (_home, answers) = answers();
    let (desk, moments) = paused().block_on(whole(&answers));
    let wanted = end(&desk.fake.state());
    let mut torn: Vec<(Moment, Vec<u8>)> = Vec::new();
    for pair in moments.windows(2) {
        let (before, after) = (journal(&pair[0]), journal(&pair[1]));
        if before.len() < after.len() {
            // a different place of each line, and once in three the line without its end
            let line = after.len() - before.len();
            let cut = if torn.len().is_multiple_of(3) { line - 1 } else { 1 + torn.len() * 37 % (line - 1) };
            torn.push((pair[0].clone(), after[..before.len() + cut].to_vec()));
        }
    }
    assert!(torn.len() + 2 == desk.entries().len(), "{} of {} lines", torn.len(), desk.entries().len());
    for_each(&torn, async |(moment, bytes)| {
        let desk = Desk::after(moment, Some(bytes));
        let what = format!("torn after byte {}, after {:?}", bytes.len(), moment.state.calls.last());
        resume(&desk, &answers, &what).await;
        assert_eq!(end(&desk.fake.state()), wanted, "{what}");
    });
}

/// Moments after the first kill among which the second one falls.
const SECOND_KILLS: usize = 19;

#[test]
fn killed_twice_it_ends_the_same() {
    let (_home, answers) = answers();
    let (desk, moments) = paused().block_on(whole(&answers));
    let wanted = end(&desk.fake.state());
    let pairs = AtomicUsize::new(0);
    for_each(&open_moments(moments), async |(number, moment)| {
        let first = Desk::after(moment, None);
        first.fake.keep_moments(&first.folder());
        // each write is a moment at least: the ledger fails once there are enough of them
        first.go_watched(clerk(&first, &answers), SECOND_KILLS).await;
        // soon after the first, where what the resume does meets what was left
        let later = open_moments(first.fake.moments());
        let scaled = moment.state.calls.last().is_some_and(|call| call.starts_with("scale Deployment plant/"));
        // a number that is read and then changed needs both kills close together: there every pair is tried
        let seconds = if scaled { (0..14).collect() } else { vec![number * 5 % SECOND_KILLS] };
        for at in seconds {
            let Some((_, moment)) = later.get(at) else { continue };
            pairs.fetch_add(1, Ordering::SeqCst);
            let desk = Desk::after(moment, None);
            let what = format!("moment {number}, then {at}, after {:?}", moment.state.calls.last());
            resume(&desk, &answers, &what).await;
            assert_eq!(end(&desk.fake.state()), wanted, "{what}");
        }
    });
    let pairs = pairs.into_inner();
    assert!(pairs > 500, "{pairs} pairs");
}
