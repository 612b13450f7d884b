//! Pods that go while they are read, and settings that change behind the run: on a namespace that nobody marked, so PROD.

use crate::{
    live::{Live, said},
    pixelcore::Plant,
};

const RESUME: [&str; 3] = ["resume", "--answers", "answers.yaml"];

#[test]
fn restarts_and_edits_shut_the_gate_and_nothing_opens_it_unattended() {
    let Some(plant) = Plant::install("dd-restarts", 3_000) else { return };
    let ns = plant.namespace.as_str();
    plant.kubectl(&["label", "namespace", ns, "env-"]);
    let plain = [&RESUME[..], &["--plain"]].concat();
    let start = plant.start("pod");
    let start: Vec<&str> = start.iter().map(String::as_str).collect();

    // the database goes after the writers were stopped and before it is dumped
    let mut live = Live::start(plant.drydock(&start));
    live.until(&["\"type\":\"effected\"", "create pod drydock-client"]);
    plant.kubectl(&["-n", ns, "delete", "pod", "pix-db-0", "--force", "--grace-period=0"]);
    live.end().expect("the database's pod goes during the dump", 1, &["proves", "production"]);
    plant.kubectl(&["-n", ns, "wait", "pod/pix-db-0", "--for=condition=Ready", "--timeout=60s"]);

    // the core goes: the dump itself runs in a pod of its own, and is not believed without the core's answer
    let mut live = Live::start(plant.drydock(&RESUME));
    live.step("dump");
    plant.kubectl(&["-n", ns, "delete", "pod", "-l", "app=pix-core", "--force", "--grace-period=0"]);
    live.end().expect("the core's pod goes during the dump", 1, &["no ready pod answers to app=pix-core"]);
    plant.kubectl(&["-n", ns, "rollout", "status", "deployment/pix-core", "--timeout=60s"]);

    // the run goes on, and finds before the removal that the restart has lost the settings
    said(plant.drydock(&plain)).expect(
        "a restarted core has lost its settings",
        3,
        &["dump", "settings: ", "was changed since it was captured", "Still safe: everything", "You can: "],
    );
    plant.api("PUT", "lns-main", r#"{"token": "canary-5d1e-token", "api_url": "https://lns.example.net:8443/api/v3"}"#);
    println!("{}", plant.api("GET", "lns-main", ""));
}
