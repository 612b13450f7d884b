//! What a run asks and tells in these tests, in the shapes that its actions make.

use std::collections::BTreeMap;

pub use crate::lengthy::*;

use drydock::{
    ports::Provenance,
    run::{
        Check, CheckResult, Choice, FieldValue, Form, Gate, Item, Lock, Progress, Question, ReapplyItem, ReapplyState,
        Removal, Row, Sign, StepId,
    },
    runbook::load,
    text::Diagnostic,
};

/// Name of a step.
pub fn step(id: &str) -> StepId {
    StepId(id.to_owned())
}

/// The form of a step, as the runbook has it.
fn form(id: &str) -> Form {
    let loaded = load("pixelcore", include_str!("../../assets/runbooks/pixelcore.yaml")).unwrap();
    let step = loaded.runbook.intents[0].phases.iter().flat_map(|phase| &phase.steps).find(|step| step.id.0 == id);
    match step.map(|step| &step.action) {
        Some(drydock::actions::ActionSpec::Ask(spec)) => spec.form.clone(),
        other => panic!("{id} asks no form: {other:?}"),
    }
}

pub fn text(value: &str, place: &str) -> FieldValue {
    let provenance = Provenance::Found { place: place.to_owned() };
    FieldValue::Text { value: value.to_owned(), provenance }
}

pub fn typed(value: &str) -> FieldValue {
    FieldValue::Text { value: value.to_owned(), provenance: Provenance::Typed { by: "ann".into() } }
}

pub fn secret(length: usize, check: &str, provenance: Provenance) -> FieldValue {
    FieldValue::Secret { length, check: check.to_owned(), provenance, members: String::new() }
}

/// An item with values.
pub fn item(id: &str, values: &[(&str, FieldValue)]) -> Item {
    let values: BTreeMap<String, FieldValue> =
        values.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
    Item { id: id.to_owned(), values, ..Item::default() }
}

fn asks(id: &str, title: &str, items: Vec<Item>) -> Question {
    let (none_reason, fault) = (String::new(), String::new());
    Question::Form { step: step(id), title: title.to_owned(), form: form(id), items, none_reason, fault }
}

/// The path of the environment file.
pub fn environment() -> Question {
    asks("environment", "Save the environment file", vec![item("1", &[])])
}

/// No connection was found.
pub fn lns_empty() -> Question {
    asks("lns", "LNS connections", Vec::new())
}

/// Three connections: confirmed, faulty, incomplete.
pub fn lns() -> Vec<Item> {
    let place = "Pixel Admin, /api/applications/lns-eu";
    let found = || Provenance::Found { place: place.into() };
    let mut first = item(
        "lns-eu",
        &[
            ("api_url", text("https://lns-eu.example.net/api", place)),
            ("owner", text("tenant-eu", place)),
            ("token", secret(40, "5d1e", found())),
        ],
    );
    first.confirmed = true;
    let mut second = item(
        "lns-apac",
        &[
            ("api_url", text("https://lns-apac.example.net/api", place)),
            ("owner", typed("tenant apac")),
            ("token", secret(40, "90aa", Provenance::Typed { by: "ann".into() })),
        ],
    );
    second.faults.insert("owner".into(), "a space is not allowed here. Example: tenant-eu".into());
    let third = item("lns-lab", &[("api_url", text("https://10.20.4.11:8080", place)), ("owner", text("lab", place))]);
    vec![first, second, third]
}

/// The form of the connections.
pub fn lns_form(items: Vec<Item>) -> Question {
    asks("lns", "LNS connections", items)
}

/// Three workers with long values.
pub fn workers() -> Question {
    let place = "Pixel Admin, /api/applications";
    let worker = |id: &str, active: &str, source: &str, settings: &str| {
        let mut item = item(id, &[("active", text(active, place)), ("source", text(source, place))]);
        if !settings.is_empty() {
            let (check, provenance) = ("c41d".to_owned(), Provenance::Found { place: place.to_owned() });
            let secret = FieldValue::Secret { length: 48, check, provenance, members: settings.to_owned() };
            item.values.insert("settings".into(), secret);
        }
        item
    };
    let mut first = worker("decoder-elsys", "true", "git+https://git.example.net/decoder-elsys#v1.4.2", "port");
    first.confirmed = true;
    let second = worker("geo-resolver", "false", "git+https://git.example.net/geo-resolver#v0.9.1", "");
    let mut third = worker("export-nightly", "true", "", "interval_s, to");
    third.values.remove("source");
    third.extra = "cron, keep_days".into();
    asks("workers", "Custom workers", vec![first, second, third])
}

/// The form that is most often empty.
pub fn other() -> Question {
    asks("other", "Other changed settings", Vec::new())
}

fn check(name: &str, result: CheckResult, sentence: &str, help: &[&str]) -> Check {
    let help = help.iter().map(|line| (*line).to_owned()).collect();
    Check { name: name.into(), result, sentence: sentence.into(), help, seen: false }
}

/// Results of the preflight.
pub fn checks() -> Question {
    use CheckResult::{Fail, Pass, Warn};
    let checks = vec![
        check("identity", Pass, "three ids unchanged since the start", &[]),
        check("rights", Pass, "all 37 calls of the plan are allowed", &[]),
        check("programs", Pass, "helm 4.0.1, kubectl 1.36.3", &[]),
        check("disk-local", Warn, "17 GiB free; 14 needed, 30 with a second copy", &["free 13 GiB for a second copy"]),
        check("pg-versions", Pass, "dump tool 15.18, server 15.18", &[]),
        check("chart", Pass, "renders 14 objects with version 5.0.0", &[]),
        check(
            "images",
            Fail,
            "the kubelet cannot fetch registry.example.net/pix/worker:5.0.0: not found",
            &["push the image or change the tag, then check again"],
        ),
        check("storage", Pass, "fast-ssd exists, can keep volumes", &[]),
        check("rehearsal-room", Pass, "pixelcore-prod-rehearsal does not exist yet and may be created", &[]),
    ];
    Question::Checks { step: step("preflight"), checks }
}

/// How a dump stands.
pub fn dumping() -> Progress {
    let row = |sign, word: &str, name: &str, detail: &str| Row {
        sign,
        word: word.into(),
        name: name.into(),
        detail: detail.into(),
    };
    Progress {
        step: step("dump"),
        sentence: "It runs in a client pod inside the cluster, beside the database.".into(),
        rows: vec![
            row(Sign::Done, "written", "db-data.sql-pixelcore-prod", "2.31 GiB in 1 min 03 s, 37.5 MiB/s"),
            row(Sign::Running, "", "object_properties_history.csv-pixelcore-prod", "2.52 GiB of 4.08, 38.1 MiB/s"),
        ],
        bar: Some((62, 100)),
        left_s: Some(42),
    }
}

fn lock(name: &str, open: bool, sentence: &str, step: &str) -> Lock {
    Lock { name: name.into(), open, sentence: sentence.into(), step: step.into(), again: Vec::new() }
}

/// The gate; `shut` names the locks that are not open.
pub fn gate(shut: &[&str]) -> Gate {
    let locks = [
        ("gathered", "8 items, confirmed", "1.3", "1.3 LNS connections is not complete"),
        ("unchanged", "8 settings read again, the same", "3.1", "lns-eu: owner was edited since"),
        ("complete", "2 files, hashed again: as dumped", "2.3", "db-data.sql has other bytes than were dumped"),
        (
            "proven",
            "48 of 48 tables had the dump's rows",
            "2.5",
            "rung 4 failed: device_groups has 1,204 rows, the copy 1,203",
        ),
        (
            "quiet",
            "nothing was written since the dump",
            "2.3",
            "alarms and device_events were written since the dump at 21:24:10",
        ),
        ("kept", "1 of 1 volumes is set to keep", "3.2", "pvc-5d1e is set to be deleted"),
        ("same place", "three ids as at the start, read now", "", "another cluster answers"),
    ];
    let locks = locks
        .iter()
        .map(|(name, good, step, bad)| {
            let open = !shut.contains(name);
            lock(name, open, if open { good } else { bad }, step)
        })
        .collect();
    let goes = [
        ("Deployment", "pix-core"),
        ("Deployment", "pix-worker"),
        ("StatefulSet", "pix-db"),
        ("Service", "pix-core"),
        ("Service", "pix-db"),
        ("ConfigMap", "pix-core"),
        ("ConfigMap", "pix-admin-lns"),
        ("Secret", "pix-env"),
        ("Secret", "sh.helm.release.v1.pixelcore.v1"),
        ("PersistentVolumeClaim", "data-pix-db-0"),
    ];
    let uid = |n: usize| format!("b3a8f1d0-0000-41de-8f21-0000000000{n:02}");
    Gate {
        namespace: "pixelcore-prod".into(),
        cluster8: "7c41e09b".into(),
        word: "heron".into(),
        prod: true,
        locks,
        goes: goes
            .iter()
            .enumerate()
            .map(|(n, (kind, name))| Removal { kind: (*kind).into(), name: (*name).into(), uid: uid(n) })
            .collect(),
        stays: vec![
            "volume of data-pix-db-0 118Gi, kept (pvc-5d1e0b7c-93a4-4d1e-8f21-0c9b6f3a2e11)".into(),
            "the namespace itself".into(),
            "the dump, proven".into(),
            "what is in the vault".into(),
        ],
        way_back: "the version before, from the kept volumes, estimated about 5 min".into(),
        refusal: String::new(),
    }
}

/// The gate as a question.
pub fn gate_question(shut: &[&str]) -> Question {
    Question::Gate { step: step("remove"), gate: Box::new(gate(shut)) }
}

/// A step that a human does.
pub fn confirm() -> Question {
    Question::Confirm {
        step: step("release"),
        text: vec![
            "The core answers and its tables are compared.".into(),
            "Look at Pixel Admin › Devices: the newest reading is from before the freeze.".into(),
        ],
        button: "Start the writers".into(),
        person: false,
    }
}

fn choice(id: &str, label: &str, cost: &str) -> Choice {
    Choice { id: id.into(), label: label.into(), cost: cost.into() }
}

/// What stopped the restore.
pub fn problem() -> Diagnostic {
    Diagnostic::new("the database pod was stopped by its node (out of memory) while table 29 of 48, alarms, was loaded")
        .cause("psql: server closed the connection unexpectedly")
        .proves("the new database is incomplete: 28 tables are full, 1 partly, 19 empty")
        .safe("the dump here, hashed again 22:23:50")
        .safe("the volumes of the old version")
        .safe("what is in the vault")
        .help("give pix-db more memory, then try again: the target is emptied first")
}

/// A failure with its options.
pub fn failed() -> Question {
    Question::Choose {
        step: step("restore"),
        problem: problem(),
        choices: vec![
            choice("retry", "Try this step again", "what is done is not done again"),
            choice("stop", "Leave it paused, look first", "changes nothing"),
        ],
        recommended: 0,
    }
}

/// A step that must not be done twice, in doubt.
pub fn doubt() -> Question {
    let problem = Diagnostic::new("step 6.1 must not be done twice, and it was begun before")
        .cause("its end was not written")
        .proves("it may have been done, whole or in part; the target does not tell")
        .safe("everything: nothing was sent since")
        .help("look whether it was done, then choose");
    Question::Choose {
        step: step("put_lns"),
        problem,
        choices: vec![
            choice("done", "It was done: go on with the next step", "does nothing"),
            choice("again", "Do it again", "what was done is done twice"),
            choice("stop", "Leave it paused, look first", "changes nothing"),
        ],
        recommended: 2,
    }
}

/// Settings to put back, in every state.
pub fn reapply() -> Question {
    let item = |id: &str, state, sentence: &str| ReapplyItem {
        id: id.into(),
        title: format!("connection {id}"),
        state,
        sentence: sentence.into(),
        again: None,
        fields: vec![
            ("API url".into(), format!("https://{id}.example.net/api")),
            ("Owner".into(), "lab".into()),
            ("Token".into(), "40 characters · check 90aa".into()),
        ],
        secrets: vec!["Token".into()],
    };
    let items = vec![
        item("lns-eu", ReapplyState::Same, "written by drydock, read back 22:36:02"),
        item("lns-apac", ReapplyState::Differs, "owner reads \"lab \", saved is \"lab\""),
        item("lns-old", ReapplyState::Waived, "4.1 has it built in"),
        item("lns-lab", ReapplyState::ByHand, "no API reads it back; look at it in Pixel Admin"),
        item("lns-new", ReapplyState::NotYet, ""),
        ReapplyItem {
            again: Some("2026-11-20T21:37:10Z".parse().unwrap()),
            ..item(
                "lns-us",
                ReapplyState::Refused,
                "PUT /api/applications/lns-us was answered with status 400: owner: unknown",
            )
        },
    ];
    Question::Reapply { step: step("put_lns"), items }
}

/// After a crash in the middle of a removal.
pub fn resume() -> Question {
    let row = |sign, name: &str, says: &str, so: &str| (sign, name.to_owned(), says.to_owned(), so.to_owned());
    let done = |name: &str, says: &str| row(Sign::Done, name, says, "done");
    Question::Resume {
        rows: vec![
            done("1.1 Record what is deployed", "PixelCore 4.8.2, release pixelcore"),
            done("1.2 Save the environment file", "1 environment file, confirmed"),
            done("1.3 LNS connections", "3 connections, confirmed"),
            done("1.4 Custom workers", "3 workers, confirmed"),
            done("1.5 Other changed settings", "none: checked every tab"),
            done("2.1 Preflight", "all 9 checks pass"),
            done("2.2 Stop the writers", "pix-worker stopped"),
            done("2.3 Dump the database", "2 files, 6.39 GiB"),
            done("2.4 Check the files", "whole"),
            done("2.5 Rehearse the restore", "48 of 48 tables have the dump's rows"),
            done("3.1 Read the settings again", "4 pass"),
            done("3.2 Set the volumes to keep", "1 volume set to keep"),
            row(Sign::Uncertain, "3.3 Delete the old deployment", "9 of 14 are gone", "part"),
        ],
        uncertain: vec![
            "3.3 Delete the old deployment was begun and its end was not written: 9 of 14 objects are gone".into(),
        ],
        choices: vec![
            choice("go-on", "Go on", "asks for the typed words again"),
            choice("look", "Only look, leave it paused", ""),
        ],
        recommended: 1,
    }
}
