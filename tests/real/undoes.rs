//! Undoing a removal on a real cluster: after the upgrade came to its end and was used, the version before comes back on the
//! volumes that were kept, with its rows and settings, and what was written since stays on volumes of its own.

use crate::pixelcore::{CANARY, Plant};

fn manifest(plant: &Plant) -> String {
    let output = plant.command("helm").args(["get", "manifest", "pixelcore", "-n", &plant.namespace]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
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
    let (code, said) = run(&plant, &plant.go_on("undo-remove"));
    assert_eq!(code, Some(3), "there is nothing to go on from: {said}");
    assert!(said.contains("there is no run here that this can go on from"), "{said}");

    let mut upgrade = plant.start("pod");
    upgrade.push("--plain".to_owned());
    let (code, said) = run(&plant, &upgrade);
    assert_eq!(code, Some(0), "{said}");
    plant.api("PUT", "lns-main", "{\"owner\": \"somebody-since\"}");
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Delete", "data-pix-db-0 Released Retain"]);

    let mut refused = plant.go_on("undo-remove");
    refused.extend(["--set".to_owned(), "release=other".to_owned()]);
    let (code, said) = run(&plant, &refused);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("it is that of run"), "{said}");

    plant.answer("keep_new: {go_on: true}");
    let (code, said) = run(&plant, &plant.go_on("undo-remove"));
    assert_eq!(code, Some(5), "no phrase for this gate: {said}");
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Retain", "data-pix-db-0 Released Retain"]);
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
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Retain", "data-pix-db-0 Released Retain"]);
    let settings = plant.api("GET", "lns-main", "");
    assert!(settings.contains(CANARY) && !settings.contains("somebody-since"), "{settings}");
    let report = plant.finish(&["report"]);
    assert!(report.contains("goes on from run") && report.contains("(upgrade)"), "{report}");
    for secret in crate::pixelcore::ALL_SECRET {
        assert!(!report.contains(secret) && !said.contains(secret), "{secret} is told");
    }
    // the volume of before is in use again, and what came last is no upgrade: nothing goes on from that one any more
    let upgrade = plant.runs().into_iter().min_by_key(|run| run.metadata().unwrap().created().unwrap()).unwrap();
    let upgrade = upgrade.to_str().unwrap().rsplit('-').next().unwrap().to_owned();
    for intent in ["release-volumes", "undo-remove"] {
        let (code, said) = run(&plant, &plant.go_on(intent));
        assert!(code == Some(3) && said.contains("it is of pixelcore (undo-remove)"), "{intent}: {said}");
        let mut named = plant.go_on(intent);
        named.extend(["--of".to_owned(), upgrade.clone()]);
        let (code, said) = run(&plant, &named);
        assert!(code == Some(3) && said.contains("is not the last one that changed"), "{intent}: {said}");
    }
    assert_eq!(plant.volumes(), ["data-pix-db-0 Bound Retain", "data-pix-db-0 Released Retain"]);
}
