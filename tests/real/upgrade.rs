//! PixelCore 4.2.0 to 5.0.0, all six steps, and every row and setting again: both dump ways, and killed in the middle.

use drydock::run::{OutputLine, Tag};

use crate::{
    live::{flat, said},
    pixelcore::{CANARY, Plant, WORKER_CANARY},
};

fn args(plant: &Plant, way: &str) -> Vec<String> {
    let mut args = plant.start(way);
    args.push("--plain".to_owned());
    args
}

/// What is said of a job that works in the client pod.
pub const JOB_RUNS: &str = "It runs in a client pod of ours inside the cluster.";

/// Every row and setting again, and no secret in plain.
pub fn assert_upgraded(plant: &Plant, before: &str) {
    assert_eq!(plant.fingerprint(Some(before)), before, "the rows are not those of before");
    let main = plant.api("GET", "lns-main", "");
    assert!(main.contains(CANARY) && main.contains("https://lns.example.net:8443/api/v3"), "{main}");
    let guard = plant.api("GET", "valve-guard", "");
    assert!(guard.contains("valve-guard#v1.4") && guard.contains("0.75") && guard.contains(WORKER_CANARY), "{guard}");
    plant.assert_no_secret();
}

/// Lines that pods of the new core said, as step `ready` shows them; each with the pod it came from.
fn the_log_of_the_core(plant: &Plant) -> Vec<String> {
    let output = std::fs::read_to_string(plant.run_folder().join("output/ready.log")).unwrap();
    let lines = output.lines().map(|line| OutputLine::decode(line).unwrap_or_else(|| panic!("{line:?}")));
    let plain = lines.filter(|line| line.tag == Tag::Plain && line.source.starts_with("pix-core-"));
    plain.map(|line| line.text).collect()
}

/// Nothing that must never be repeated was: each object was sent its deletion once.
pub fn assert_deleted_once(plant: &Plant) {
    let shown = plant.finish(&["show", "--json"]);
    let mut deletions: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("\"type\":\"effect\"") && line.contains("\"effect\":\"delete "))
        .collect();
    for line in &mut deletions {
        *line = line.split("\"effect\":\"").nth(1).unwrap();
    }
    deletions.retain(|line| !line.contains("namespace"));
    let sent = deletions.len();
    deletions.sort_unstable();
    deletions.dedup();
    assert!(sent > 0 && deletions.len() == sent, "{sent} sent: {deletions:?}");
}

#[test]
fn natively_in_plain_mode() {
    let Some(plant) = Plant::install("dd-pod", 20_000) else { return };
    let before = plant.fingerprint(None);
    let args = args(&plant, "pod");
    let said = plant.finish(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("finished. 24 of 24 steps are done"), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains('\r'));
    let core = the_log_of_the_core(&plant);
    assert!(core.iter().any(|line| line.contains("PixelCore 5.0.0 starting")), "{core:?}");
    assert!(core.iter().any(|line| line.contains("ready, listening on :8080")), "{core:?}");
    assert_upgraded(&plant, &before);
    // later: the volume of before is given back, and only that one
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete", "data-pix-db-0 Released Retain"]);
    let release = plant.go_on("release-volumes");
    let release: Vec<&str> = release.iter().map(String::as_str).collect();
    said_no(&plant, &release);
    plant.answer(&format!("release: {{phrase: \"{}\"}}", plant.phrase()));
    let said = plant.finish(&["resume", "--answers", "answers.yaml", "--plain"]);
    assert!(said.contains("1 volume given back"), "{said}");
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete"]);
    assert_upgraded(&plant, &before);
}

/// Without the words nothing goes.
fn said_no(plant: &Plant, args: &[&str]) {
    said(plant.drydock(args)).expect("a gate that nobody opens", 5, &["needs an answer"]);
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete", "data-pix-db-0 Released Retain"]);
}

#[test]
fn by_the_admins_scripts() {
    let Some(plant) = Plant::install("dd-scripts", 20_000) else { return };
    let before = plant.fingerprint(None);
    let args = args(&plant, "scripts");
    plant.finish(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_upgraded(&plant, &before);
}

#[test]
fn killed_during_dump_removal_and_restore() {
    let Some(plant) = Plant::install("dd-kill", 60_000) else { return };
    let before = plant.fingerprint(None);
    let start = plant.start("pod");
    plant.kill_at(&start.iter().map(String::as_str).collect::<Vec<_>>(), JOB_RUNS, "dump");
    let resume = ["resume", "--answers", "answers.yaml"];
    plant.kill_at(&resume, "\"type\":\"effected\"", "remove");
    plant.kill_at(&resume, JOB_RUNS, "restore");
    let said = plant.finish(&["resume", "--answers", "answers.yaml", "--plain"]);
    assert!(said.contains("finished."), "{said}");
    assert_upgraded(&plant, &before);
    assert_deleted_once(&plant);
}

#[test]
fn a_row_changed_while_drydock_was_dead_is_not_lost() {
    let Some(plant) = Plant::install("dd-gap", 60_000) else { return };
    let start = plant.start("pod");
    plant.kill_at(&start.iter().map(String::as_str).collect::<Vec<_>>(), JOB_RUNS, "dump");
    // no count of rows tells of it
    let changed = "UPDATE object_properties_history SET value = value + 1 WHERE id = 17";
    assert_eq!(plant.sql(changed).trim(), "UPDATE 1");
    let resume = ["resume", "--answers", "answers.yaml", "--plain"];
    said(plant.drydock(&resume)).expect("a row changed in the gap", 1, &["was written to", "during the dump"]);
    let again =
        std::fs::read_to_string(plant.folder.path().join("answers.yaml")).unwrap() + "  dump: {choose: [retry]}\n";
    std::fs::write(plant.folder.path().join("answers.yaml"), again).unwrap();
    // a transaction that stays open is in no file and in no counter
    let held =
        "BEGIN; UPDATE object_properties_history SET value = value + 1 WHERE id = 18; SELECT pg_sleep(40); COMMIT";
    let open = std::thread::scope(|scope| {
        let open = scope.spawn(|| plant.sql(held));
        std::thread::sleep(std::time::Duration::from_secs(2));
        said(plant.drydock(&resume)).expect("an open transaction", 1, &["a transaction that writes is open", "psql"]);
        open.join().unwrap()
    });
    assert!(open.contains("COMMIT"), "{open}");
    let before = plant.fingerprint(None);
    plant.finish(&resume);
    assert_upgraded(&plant, &before);
}

#[test]
fn check_and_plan_change_nothing_and_a_wrong_file_is_refused() {
    let Some(plant) = Plant::install("dd-look", 1_000) else { return };
    let versions = |plant: &Plant| {
        plant.kubectl(&[
            "-n",
            &plant.namespace,
            "get",
            "all,secrets,configmaps,pvc",
            "-o",
            "jsonpath={.items[*].metadata.uid}",
        ])
    };
    let before = versions(&plant);
    let chart = format!("chart={}", plant.chart());
    let said = plant.finish(&["check", "pixelcore", "-n", &plant.namespace, "--set", &chart]);
    assert!(said.contains("pass  rights"), "{said}");
    let said = plant.finish(&["plan", "pixelcore", "-n", &plant.namespace, "--set", &chart]);
    assert!(said.contains("3.3 Delete the old deployment"), "{said}");
    assert_eq!(versions(&plant), before);
    // another deployment's environment is found at its field, before anything is changed
    let env = plant.folder.path().join(".env");
    let text = std::fs::read_to_string(&env).unwrap().replace("PIX_RETENTION_MONTHS=24", "PIX_RETENTION_MONTHS=36");
    std::fs::write(&env, text).unwrap();
    let args = args(&plant, "pod");
    let output = plant.drydock(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(flat(&said).contains("PIX_RETENTION_MONTHS differ"), "{said}");
    assert_eq!(versions(&plant), before);
}
