//! A dump that an administrator made by hand, with the procedure's own script, is put in the place of what was lost since.

use crate::pixelcore::{CANARY, Plant};

#[test]
fn a_dump_made_by_hand_is_restored_over_a_kill() {
    let Some(plant) = Plant::install("dd-adopt", 2_000) else { return };
    let rows = plant.fingerprint(None);
    let pod = plant.kubectl(&["-n", &plant.namespace, "get", "pod", "-l", "app=pix-core", "-o", "name"]);
    let script = plant.files().join("pix-dump-data.sh").display().to_string();
    let made = plant.command(&script).args(["-k", pod.trim().trim_start_matches("pod/"), &plant.namespace]).output();
    assert!(made.unwrap().status.success());
    let file = |name: &str| plant.folder.path().join(format!("{name}-{}", plant.namespace)).display().to_string();
    let (dump, csv) = (file("db-data.sql"), file("object_properties_history.csv"));

    // lost since
    plant.sql("delete from object_properties_history where id > 500");
    plant.answer("adopt: {go_on: true}");
    plant.answer("rehearse: {go_on: true}");
    let start = ["start", "pixelcore", "-n", &plant.namespace, "--answers", "answers.yaml", "--adopt", &dump, &csv];
    // one file alone is half a dump
    let half = plant.drydock(&start[..start.len() - 1]).output().unwrap();
    let said = String::from_utf8_lossy(&half.stderr);
    assert!(half.status.code() == Some(2) && said.contains("--adopt takes 2 files"), "{said}");
    plant.kill_at(&start, "load the dump", "restore");
    let said = plant.finish(&["resume", "--answers", "answers.yaml", "--plain"]);
    assert!(said.contains("as many rows as the dump"), "{said}");
    assert_eq!(plant.fingerprint(Some(&rows)), rows);
    assert!(plant.api("GET", "lns-main", "").contains(CANARY));
    plant.assert_no_secret();
    let ours = ["-l", "app.kubernetes.io/managed-by=drydock", "-o", "name"];
    let kinds = ["-n", &plant.namespace, "get", "all,configmaps,secrets,pvc,networkpolicies,leases"];
    assert_eq!(plant.kubectl(&[&kinds[..], &ours].concat()), "", "nothing of ours is left");
    // what was there in between is on the volume that was kept
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete", "data-pix-db-0 Released Retain"]);
    let leftover = plant.kubectl(&["get", "namespaces", "-o", "name"]);
    assert!(!leftover.contains(&format!("{}-rehearsal", plant.namespace)), "{leftover}");
}
