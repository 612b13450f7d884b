//! Pods of our own in a namespace that lets in only what is hardened and bounded: they are as the chart's own, so they are let in.

use std::process::Stdio;

use crate::{live::Live, pixelcore::Plant};

/// A template with one of its pods hardened.
fn hardened(text: &str, container: &str) -> String {
    let at = format!("      containers:\n        - name: {container}\n");
    assert!(text.contains(&at), "{text}");
    let pod = "      securityContext: {runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}\n";
    let own = "          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}\n";
    text.replacen(&at, &format!("{pod}{at}{own}"), 1)
}

#[test]
fn a_hardened_namespace_with_a_quota_lets_our_pods_in() {
    let Some(plant) = Plant::install("dd-hard", 500) else { return };
    let ns = plant.namespace.as_str();
    let chart = plant.folder.path().join("chart");
    let chart = chart.to_str().unwrap();
    assert!(plant.command("cp").args(["-r", &plant.chart(), chart]).status().unwrap().success());
    assert!(plant.command("chmod").args(["-R", "u+w", chart]).status().unwrap().success());
    let core = format!("{chart}/templates/core.yaml");
    let text = hardened(&std::fs::read_to_string(&core).unwrap(), "pix-core");
    // it keeps its settings in a folder that only root may make
    let (mount, volume) = ("volumeMounts: [{name: code", "volumes: [{name: code");
    let state = "volumeMounts: [{name: state, mountPath: /var/lib/pixelcore}, {name: code";
    let text = text.replacen(mount, state, 1).replacen(volume, "volumes: [{name: state, emptyDir: {}}, {name: code", 1);
    std::fs::write(&core, &text).unwrap();
    let bounds = "core.resources.limits.cpu=250m,core.resources.limits.memory=512Mi";
    let args = ["upgrade", "pixelcore", chart, "-n", ns, "--reuse-values", "--set", bounds];
    assert!(plant.command("helm").args(args).stdout(Stdio::null()).status().unwrap().success());
    plant.kubectl(&["-n", ns, "rollout", "status", "deployment/pix-core", "--timeout=120s"]);
    // a new core has its defaults, which are incomplete
    for name in ["lns-main", "lns-backup"] {
        let settings = r#"{"api_url": "https://lns.example.net/api", "owner": "plant-7", "token": "of-the-test-only"}"#;
        plant.api("PUT", name, settings);
    }
    // what runs stays; from now on nothing else is let in
    plant.kubectl(&["label", "namespace", ns, "pod-security.kubernetes.io/enforce=restricted"]);
    plant.kubectl(&["-n", ns, "create", "quota", "bounds", "--hard=limits.cpu=20,limits.memory=20Gi"]);
    let soft = ["-n", ns, "run", "soft", "--image=localhost/postgres:1", "--dry-run=server"];
    let refused = plant.command("kubectl").args(soft).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("restricted"), "the namespace lets any pod in: {said}");

    // the new version is to be let in whole: what of it is not hardened the preflight would refuse
    let (worker, limits) =
        ("        - name: pix-worker\n", "          resources: {limits: {cpu: 250m, memory: 256Mi}}\n");
    let next = hardened(&text, "pix-worker").replacen(worker, &format!("{worker}{limits}"), 1);
    std::fs::write(&core, next).unwrap();
    let ours = format!("chart={}", plant.chart());
    let start: Vec<String> =
        plant.start("pod").into_iter().map(|arg| if arg == ours { format!("chart={chart}") } else { arg }).collect();
    let mut live = Live::start(plant.drydock(&start.iter().map(String::as_str).collect::<Vec<_>>()));
    // behind the preflight's images and the dump in the client pod
    live.step("files");
    live.kill();
}
