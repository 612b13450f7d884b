//! Pods that go while they are read, and settings that change behind the run: on a namespace that nobody marked, so PROD.

use crate::{
    live::{Live, said},
    pixelcore::Plant,
    upgrade::JOB_RUNS,
};

const RESUME: [&str; 3] = ["resume", "--answers", "answers.yaml"];

#[test]
fn restarts_and_edits_shut_the_gate_and_nothing_opens_it_unattended() {
    let Some(plant) = Plant::install("dd-restarts", 60_000) else { return };
    let ns = plant.namespace.as_str();
    plant.kubectl(&["label", "namespace", ns, "env-"]);
    let plain = [&RESUME[..], &["--plain"]].concat();
    let start = plant.start("pod");
    let start: Vec<&str> = start.iter().map(String::as_str).collect();

    let names = ["lns-main", "lns-backup", "geo-fence", "valve-guard", "meter-import"];
    let settings = names.map(|name| (name, plant.api("GET", name, "")));

    // the database goes while it is dumped, and is back before anybody can ask for it
    let mut live = Live::start(plant.drydock(&start));
    live.until(&[JOB_RUNS, "\"step\":\"dump\""]);
    plant.kubectl(&["-n", ns, "delete", "pod", "pix-db-0", "--force", "--grace-period=0"]);
    live.end().expect("the database's pod goes during the dump", 1, &["proves", "production"]);
    let up = "for i in $(seq 120); do pg_isready -q -h pix-db && exit 0; sleep 0.5; done; exit 1";
    plant.kubectl(&["-n", ns, "exec", "deploy/pix-core", "--", "sh", "-c", up]);

    // the core goes: the dump itself runs in a pod of its own, and is not believed without the core's answer
    let mut live = Live::start(plant.drydock(&RESUME));
    live.until(&["\"type\":\"effected\"", "create pod drydock-client"]);
    plant.kubectl(&["-n", ns, "delete", "pod", "-l", "app=pix-core", "--force", "--grace-period=0"]);
    live.end().expect("the core's pod goes during the dump", 1, &["no ready pod answers to app=pix-core"]);
    plant.kubectl(&["-n", ns, "rollout", "status", "deployment/pix-core", "--timeout=60s"]);

    // the run goes on, and finds before the removal that the restart has lost the settings
    said(plant.drydock(&plain)).expect(
        "a restarted core has lost its settings",
        3,
        &[
            "done. restored in ",
            "cause: settings: ",
            "the core container started again",
            "Still safe: everything",
            "You can: ",
        ],
    );
    for (name, body) in &settings {
        plant.api("PUT", name, body);
    }

    // a row is written behind the run: the dump is old, and only a new one leads on
    let write = "UPDATE objects SET name = name WHERE id = (SELECT min(id) FROM objects)";
    let psql = ["-n", ns, "exec", "pix-db-0", "--", "psql", "-U", "pix", "-d", "pixelcore", "-c", write];
    plant.kubectl(&psql);
    let old = said(plant.drydock(&plain)).expect("written to since the dump", 3, &["quiet: written to since the dump"]);
    assert!(!old.text.contains("cause: settings"), "{}", old.text);
    let path = plant.folder.path().join("answers.yaml");
    let answers = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{answers}\n  settings: {{choose: [\"again:dump\"]}}\n")).unwrap();

    // every lock is open now, the phrase is right, and a namespace that nobody marked counts as PROD
    said(plant.drydock(&plain)).expect(
        "the gate of PROD and an answers file",
        5,
        &["2.3 Dump the database (try ", "2.5 Rehearse the restore (try 2)", "PROD is opened by a person only"],
    );

    // an edit between the last reading and the gate shuts it, and it says which
    plant.api("PUT", "lns-backup", r#"{"owner": "somebody else"}"#);
    said(plant.drydock(&plain)).expect(
        "an edit before the gate",
        5,
        &["the gate is shut, nothing is deleted", "unchanged: lns-backup was changed since it was captured: owner"],
    );
    let kept = [
        "StatefulSet pix-db",
        "Deployment pix-core",
        "Deployment pix-worker",
        "PersistentVolumeClaim",
        "Secret pix-secrets",
    ];
    let left = plant.versions();
    assert!(kept.iter().all(|object| left.contains(object)), "{left}");
    plant.assert_no_secret();
}
