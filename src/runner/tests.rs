//! Going on from another run: only from the last one that changed the target, and only while it is as it was.

use jiff::Timestamp;
use serde_json::json;

use super::{claim::supersede, source::source, take_in};
use crate::{
    ports::Identity,
    run::{Environment, Outcome, PlannedStep, Purpose, Record, Risk, RunState, RunbookRef, StepId, Taken},
    runbook::Continues,
    store::{FileLock, Journal, RunFolder, Runs, Wait},
};

fn target(namespace: &str) -> Identity {
    Identity {
        cluster_uid: Some("c".into()),
        ca_sha256: "a".into(),
        namespace_uid: namespace.into(),
        root_uid: String::new(),
        namespace: namespace.into(),
        server_version: String::new(),
        labels: Vec::new(),
    }
}

fn step(id: &str, kind: &str) -> PlannedStep {
    PlannedStep {
        id: StepId(id.into()),
        number: "1.1".into(),
        phase: 0,
        title: id.into(),
        why: String::new(),
        kind: kind.into(),
        risk: Risk::None,
        changes: String::new(),
        undo: String::new(),
        service: None,
        estimate_s: 0,
        commands: Vec::new(),
        unknown: Vec::new(),
    }
}

fn effect(of: &str) -> Record {
    Record::Effect { step: StepId(of.into()), effect: "x".into() }
}

fn done(of: &str) -> Record {
    let outcome = Outcome::Done { summary: String::new(), facts: json!({}) };
    Record::Ended { step: StepId(of.into()), attempt: 1, outcome }
}

fn finished() -> Record {
    Record::Finished { summary: String::new(), way_back: Vec::new() }
}

fn imported() -> Record {
    Record::Imported { by: String::new(), from: String::new() }
}

/// An upgrade in `namespace` that wrote these records at that second, after its plan.
fn lay(runs: &Runs, namespace: &str, second: i64, more: &[Record]) -> RunFolder {
    lay_by(runs, (namespace, second), more, |started| started)
}

/// The same with another first record.
fn lay_by(
    runs: &Runs,
    (namespace, second): (&str, i64),
    more: &[Record],
    change: impl FnOnce(Record) -> Record,
) -> RunFolder {
    let folder = runs.create(jiff::civil::date(2026, 11, 20), "pixelcore").unwrap();
    let runbook = ["pixelcore", "t", "1", "d", "upgrade"].map(str::to_owned);
    let [id, title, version, digest, intent] = runbook;
    let started = Record::Started {
        format: 1,
        run: folder.id.to_string(),
        runbook: RunbookRef { id, title, version, digest, intent },
        tool: String::new(),
        target: Box::new(target(namespace)),
        context: String::new(),
        acting: crate::ports::Acting::default(),
        environment: Environment::Test,
        operator: String::new(),
        host: String::new(),
        practice: false,
        inputs: json!({}),
    };
    let planned = Record::Planned {
        phases: Vec::new(),
        steps: vec![step("keep", "patch"), step("remove", "delete"), step("freeze", "scale")],
    };
    let mut journal = Journal::create(&folder.journal()).unwrap();
    for record in [change(started), planned].iter().chain(more) {
        journal.append(Timestamp::from_second(second).unwrap(), record).unwrap();
    }
    folder
}

fn append(folder: &RunFolder, record: &Record) {
    Journal::<Record>::open(&folder.journal()).unwrap().0.append(Timestamp::from_second(500).unwrap(), record).unwrap();
}

fn state(folder: &RunFolder) -> RunState {
    let entries = super::records(folder).unwrap();
    RunState::of(entries.iter().map(|entry| (entry.at, &entry.record)))
}

fn continues(purpose: Purpose) -> Continues {
    Continues { intent: "upgrade".into(), purpose, steps: vec!["keep".into()] }
}

fn refused(runs: &Runs, purpose: Purpose, named: Option<&str>) -> String {
    let refused = source(runs, "pixelcore", &continues(purpose), &target("plant"), named).err().unwrap();
    refused.lines().join("\n")
}

#[test]
fn only_the_last_run_that_changed_the_target_is_gone_on_from_and_only_for_what_it_is_fit_for() {
    let home = tempfile::tempdir().unwrap();
    let runs = Runs::new(home.path().join("runs"));
    assert!(refused(&runs, Purpose::WayBack, None).contains("there is no run here"));
    let removed = [effect("keep"), done("keep"), effect("remove")];
    let first = lay(&runs, "plant", 100, &removed);
    assert!(refused(&runs, Purpose::ClearUp, None).contains("it is not finished"));
    let found = source(&runs, "pixelcore", &continues(Purpose::WayBack), &target("plant"), None).unwrap();
    assert_eq!(found.folder, first);
    append(&first, &finished());
    let clear_up = continues(Purpose::ClearUp);
    assert!(source(&runs, "pixelcore", &clear_up, &target("plant"), Some(first.id.ending())).is_ok());

    // another place, a backup, or one that only looked, comes not between; one that changed something does
    lay(&runs, "other", 200, &removed);
    lay(&runs, "plant", 300, &[done("keep")]);
    lay(&runs, "plant", 350, &[effect("freeze"), done("freeze"), finished()]);
    lay(&runs, "plant", 360, &[effect("keep"), done("keep"), imported()]);
    assert!(source(&runs, "pixelcore", &clear_up, &target("plant"), None).is_ok());
    std::thread::sleep(std::time::Duration::from_millis(20));
    let last = lay(&runs, "plant", 400, &[effect("keep"), done("keep"), finished()]);
    assert!(refused(&runs, Purpose::WayBack, None).contains("it removed nothing"));
    let named = refused(&runs, Purpose::WayBack, Some(first.id.ending()));
    assert!(named.contains("is not the last one that changed plant") && named.contains(last.id.as_str()), "{named}");
    // what cannot be read may be the one that changed it last
    std::fs::write(last.journal(), "{}\n").unwrap();
    assert!(source(&runs, "pixelcore", &clear_up, &target("plant"), None).is_err());
}

#[test]
fn a_run_is_superseded_once_and_not_where_it_went_on_or_is_at_work_or_another_came_after_it() {
    let home = tempfile::tempdir().unwrap();
    let runs = Runs::new(home.path().join("runs"));
    let other = lay(&runs, "plant", 100, &[effect("keep"), done("keep"), effect("remove")]);
    let taken = |records| Taken { run: other.id.to_string(), purpose: Purpose::WayBack, records, steps: Vec::new() };
    let fault = |records| supersede(&runs, &taken(records), "own").unwrap_err().what;
    let held = FileLock::acquire(&other.lock(), Wait::No).unwrap();
    assert!(fault(5).contains("in other hands"));
    drop(held);
    assert!(fault(4).contains("went on since"));
    assert!(!state(&other).is_at_end(), "refused, it stays as it is");
    let later = lay(&runs, "plant", 200, &[effect("keep")]);
    assert!(fault(5).contains(&format!("run {} changed the target", later.id)));
    assert!(!state(&other).is_at_end());
    std::fs::remove_dir_all(&later.path).unwrap();
    lay(&runs, "other", 200, &[effect("keep")]);
    lay(&runs, "plant", 300, &[effect("freeze")]);
    lay(&runs, "plant", 300, &[effect("keep"), imported()]);
    supersede(&runs, &taken(5), "own").unwrap();
    assert!(state(&other).abandoned);
    // killed just after that and taken up again
    supersede(&runs, &taken(5), "own").unwrap();
    assert_eq!(state(&other).records, 6);
}

#[test]
fn a_run_is_taken_in_whole_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let (there, here) = (Runs::new(home.path().join("there")), Runs::new(home.path().join("here")));
    let sealed = lay(&there, "plant", 100, &[effect("freeze"), done("freeze")]);
    let id = sealed.id.as_str();
    let text = crate::runbook::EMBEDDED[0].1;
    let papers = |to: &std::path::Path| {
        std::fs::copy(sealed.journal(), to.join("journal.jsonl")).unwrap();
        std::fs::write(to.join("runbook.yaml"), text).unwrap();
        Ok(())
    };
    let names = || -> Vec<_> {
        let all = std::fs::read_dir(home.path().join("here")).unwrap();
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    // what a killed import left is gone with the next
    std::fs::create_dir_all(home.path().join("here/2026-01-01-pixelcore-aaaa.part")).unwrap();
    std::fs::set_permissions(home.path().join("here"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let cut = take_in(&here, id, "set".into(), |to| {
        papers(to)?;
        Err(crate::text::Diagnostic::new("the disk is full"))
    });
    assert_eq!(cut.unwrap_err().what, "the disk is full");
    assert_eq!(names(), [""; 0]);
    let other = take_in(&here, "2026-11-20-pixelcore-0000", "set".into(), papers).unwrap_err();
    assert!(other.what.contains("papers are not those of run"), "{}", other.what);
    let simulated = lay_by(&there, ("plant", 100), &[], |mut started| {
        if let Record::Started { practice, .. } = &mut started {
            *practice = true;
        }
        started
    });
    let copied = |to: &std::path::Path| {
        std::fs::copy(simulated.journal(), to.join("journal.jsonl")).unwrap();
        Ok(())
    };
    let practised = take_in(&here, simulated.id.as_str(), "set".into(), copied).unwrap_err();
    assert!(practised.what.contains("is of the practice world"), "{}", practised.what);
    let run = take_in(&here, id, "set".into(), papers).unwrap();
    assert!(state(&run).imported && state(&run).is_at_end());
    assert_eq!(names(), [id]);
    let again = take_in(&here, id, "set".into(), papers).unwrap_err();
    assert!(again.what.contains("is here already"), "{}", again.what);
}

#[test]
fn the_newest_backup_of_this_very_place_is_restored_and_another_one_only_by_name() {
    let home = tempfile::tempdir().unwrap();
    let runs = Runs::new(home.path().join("runs"));
    let restore = Continues { intent: "upgrade".into(), purpose: Purpose::Restore, steps: vec!["keep".into()] };
    let of = |to: &Identity, named: Option<&str>| {
        source(&runs, "pixelcore", &restore, to, named)
            .map(|found| found.folder.id)
            .map_err(|refused| refused.lines().join(" "))
    };
    let here = target("plant");
    assert!(of(&here, None).unwrap_err().contains("there is no backup here of this very place"));
    let older = lay(&runs, "plant", 100, &[done("keep"), finished()]);
    let newer = lay(&runs, "plant", 200, &[done("keep"), finished()]);
    // what happened here since does not matter, nor does one that is not done, or of another place
    lay(&runs, "plant", 300, &[effect("remove"), finished()]);
    let other = lay(&runs, "other", 400, &[done("keep"), finished()]);
    // taken in last, of long ago
    let carried = lay(&runs, "plant", 50, &[done("keep"), imported()]);
    assert_eq!(of(&here, None).unwrap(), newer.id);
    assert_eq!(of(&here, Some(older.id.ending())).unwrap(), older.id);
    assert_eq!(of(&here, Some(carried.id.ending())).unwrap(), carried.id);
    assert!(of(&here, Some(other.id.ending())).unwrap_err().contains("it is of namespace other"));
    // a namespace of the same name in another cluster
    let there = Identity {
        cluster_uid: Some("another".into()),
        ca_sha256: "b".into(),
        namespace_uid: "u".into(),
        root_uid: String::new(),
        ..target("plant")
    };
    assert!(of(&there, None).unwrap_err().contains("named with --of RUN"));
    assert_eq!(of(&there, Some(newer.id.ending())).unwrap(), newer.id);
    let undone = lay(&runs, "plant", 500, &[]);
    assert!(of(&here, Some(undone.id.ending())).unwrap_err().contains("is not done"));
}
