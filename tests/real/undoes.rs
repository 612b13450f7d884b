//! Undoing a removal on a real cluster: after the upgrade came to its end and was used, the version before comes back on the
//! volumes that were kept, with its rows and settings, and what was written since stays on volumes of its own.

use serde_json::Value;

use crate::pixelcore::{CANARY, Plant};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Volumes that are or were bound to claims of the namespace: claim, phase, policy.
fn volumes(plant: &Plant) -> Vec<String> {
    let all = json(&plant.kubectl(&["get", "pv", "-o", "json"]));
    let of = |volume: &Value| {
        let at = |path: &str| volume.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        (at("/spec/claimRef/namespace") == plant.namespace).then(|| {
            format!(
                "{} {} {}",
                at("/spec/claimRef/name"),
                at("/status/phase"),
                at("/spec/persistentVolumeReclaimPolicy")
            )
        })
    };
    let mut found: Vec<String> = all["items"].as_array().unwrap().iter().filter_map(of).collect();
    found.sort();
    found
}

fn manifest(plant: &Plant) -> String {
    let output = plant.command("helm").args(["get", "manifest", "pixelcore", "-n", &plant.namespace]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn undo(plant: &Plant) -> Vec<String> {
    let mut args = plant.start("pod");
    // the inputs are those of the run that it goes on from
    while let Some(at) = args.iter().position(|arg| arg == "--set") {
        args.drain(at..at + 2);
    }
    args.extend(["--intent".to_owned(), "undo-remove".to_owned(), "--plain".to_owned()]);
    args
}

fn run(plant: &Plant, args: &[String]) -> (Option<i32>, String) {
    let output = plant.drydock(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

#[test]
fn an_upgrade_that_was_used_is_undone_over_two_kills() {
    let Some(plant) = Plant::install("dd-undone", 2_000) else { return };
    let (rows, objects) = (plant.fingerprint(None), manifest(&plant));
    let (code, said) = run(&plant, &undo(&plant));
    assert_eq!(code, Some(3), "there is nothing to go on from: {said}");
    assert!(said.contains("there is no run here that this can go on from"), "{said}");

    let mut upgrade = plant.start("pod");
    upgrade.push("--plain".to_owned());
    let (code, said) = run(&plant, &upgrade);
    assert_eq!(code, Some(0), "{said}");
    plant.api("PUT", "lns-main", "{\"owner\": \"somebody-since\"}");
    assert_eq!(volumes(&plant), ["data-pix-db-0 Bound Delete", "data-pix-db-0 Released Retain"]);

    let mut refused = undo(&plant);
    refused.extend(["--set".to_owned(), "release=other".to_owned()]);
    let (code, said) = run(&plant, &refused);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("it is that of run"), "{said}");

    plant.answer("keep_new: {go_on: true}");
    let (code, said) = run(&plant, &undo(&plant));
    assert_eq!(code, Some(5), "no phrase for this gate: {said}");
    assert_eq!(volumes(&plant), ["data-pix-db-0 Bound Retain", "data-pix-db-0 Released Retain"]);
    plant.answer(&format!("clear: {{phrase: \"{}\"}}", plant.phrase()));
    let resume = ["resume", "--answers", "answers.yaml"];
    plant.kill_at(&resume, "\"type\":\"effected\"", "clear");
    plant.kill_at(&resume, "helm rollback", "rollback");
    let (code, said) = run(&plant, &["resume", "--answers", "answers.yaml", "--plain"].map(str::to_owned));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("release pixelcore is what it was at revision 1"), "{said}");

    assert_eq!(plant.fingerprint(None), rows, "the rows of before, from the kept volume");
    assert_eq!(manifest(&plant), objects);
    // what was written since the upgrade is kept beside it
    assert_eq!(volumes(&plant), ["data-pix-db-0 Bound Retain", "data-pix-db-0 Released Retain"]);
    let settings = plant.api("GET", "lns-main", "");
    assert!(settings.contains(CANARY) && !settings.contains("somebody-since"), "{settings}");
    let report = plant.finish(&["report"]);
    assert!(report.contains("goes on from run") && report.contains("(upgrade)"), "{report}");
    for secret in crate::pixelcore::ALL_SECRET {
        assert!(!report.contains(secret) && !said.contains(secret), "{secret} is told");
    }
}
