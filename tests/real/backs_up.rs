//! A backup on a real cluster is sealed, carried to another state folder, and restored there over what was lost since.

use std::process::Command;

use crate::pixelcore::{CANARY, Plant};

/// With the passphrase on descriptor 3; how it ended, and what it said.
fn with_passphrase(plant: &Plant, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new("sh");
    command.args(["-c", "exec 3<pass; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_drydock")]).args(args);
    command.args(["--passphrase-fd", "3"]).current_dir(plant.folder.path());
    let output = command.env("KUBECONFIG", plant.kubeconfig()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_backup_is_restored_from_another_state_folder_over_a_kill() {
    let Some(plant) = Plant::install("dd-backup", 2_000) else { return };
    let (rows, objects) = (plant.fingerprint(None), plant.versions());
    let sets = plant.folder.path().join("sets");
    std::fs::create_dir(&sets).unwrap();
    let chosen = format!("sets={}", sets.display());
    let mut backup = plant.go_on("backup");
    backup.extend(["--set".to_owned(), chosen]);
    let said = plant.finish(&backup.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("version 4.2.0 answers") && said.contains("sealed in"), "{said}");
    plant.assert_no_secret();
    assert_eq!(plant.versions().lines().count(), objects.lines().count(), "a backup leaves no object behind");
    let leftover = plant.kubectl(&["get", "namespaces", "-o", "name"]);
    assert!(!leftover.contains(&format!("{}-rehearsal", plant.namespace)), "{leftover}");

    // lost since: rows, and a setting
    plant.sql("delete from object_properties_history where id > 500");
    plant.api("PUT", "lns-main", "{\"owner\": \"somebody-since\"}");
    let set = std::fs::read_dir(&sets).unwrap().next().unwrap().unwrap().path();
    let other = plant.folder.path().join("other").display().to_string();
    let import = ["backup", "import", set.to_str().unwrap(), "--state-dir", &other];
    let (code, said) = with_passphrase(&plant, &import);
    assert!(code == Some(0) && said.contains("rung 3"), "{code:?} {said}");
    let ending = set.to_str().unwrap().rsplit('-').next().unwrap().to_owned();

    plant.answer("keep_now: {go_on: true}");
    plant.answer(&format!("clear: {{phrase: \"{}\"}}", plant.phrase()));
    let mut restore = plant.go_on("restore");
    restore.extend(["--of".to_owned(), ending, "--state-dir".to_owned(), other.clone()]);
    let mut live = crate::live::Live::start(
        plant.drydock(&restore.iter().filter(|word| *word != "--plain").map(String::as_str).collect::<Vec<_>>()),
    );
    live.until(&["load the dump", "\"step\":\"restore\""]);
    live.kill();
    let said = plant.finish(&["resume", "--answers", "answers.yaml", "--plain", "--state-dir", &other]);
    assert!(said.contains("as many rows as the dump"), "{said}");
    assert_eq!(plant.fingerprint(Some(&rows)), rows);
    let settings = plant.api("GET", "lns-main", "");
    assert!(settings.contains(CANARY) && !settings.contains("somebody-since"), "{settings}");
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete", "data-pix-db-0 Released Retain"]);
}
