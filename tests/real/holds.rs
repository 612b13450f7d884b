//! What stands still after the removal has begun: a finalizer that holds an object, a helm that was killed, one that failed.

use std::{path::PathBuf, process::Stdio, time::Instant};

use crate::{
    live::{Live, said},
    pixelcore::Plant,
};

const RESUME: [&str; 3] = ["resume", "--answers", "answers.yaml"];

/// The chart with a hook before the installation: it sleeps when the namespace holds a ConfigMap `sleep`, fails when it
/// holds `fail`. Helm waits for it, and so can be caught in the middle.
fn chart(plant: &Plant) -> PathBuf {
    let chart = plant.folder.path().join("chart");
    assert!(plant.command("cp").args(["-r", &plant.chart(), chart.to_str().unwrap()]).status().unwrap().success());
    assert!(plant.command("chmod").args(["-R", "u+w", chart.to_str().unwrap()]).status().unwrap().success());
    let hook = r#"{{- $sleep := lookup "v1" "ConfigMap" .Release.Namespace "sleep" }}
{{- $fail := lookup "v1" "ConfigMap" .Release.Namespace "fail" }}
{{- if or $sleep $fail }}
apiVersion: v1
kind: Pod
metadata:
  name: hook
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
    - {name: hook, image: {{ .Values.image }}, imagePullPolicy: IfNotPresent, command: [sh, -c, "{{ if $fail }}exit 1{{ else }}sleep 20{{ end }}"]}
{{- end }}
"#;
    std::fs::write(chart.join("templates/hook.yaml"), hook).unwrap();
    chart
}

/// Ends the helm that works on this namespace, as the kernel does when memory is short.
fn kill_helm(namespace: &str) {
    let started = Instant::now();
    while started.elapsed().as_secs() < 20 {
        for entry in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let Ok(words) = std::fs::read(entry.path().join("cmdline")) else { continue };
            let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
            let program = words.first().is_some_and(|word| word.ends_with(b"helm"));
            if program && words.contains(&&b"upgrade"[..]) && words.contains(&namespace.as_bytes()) {
                // the hook is waited for by now: the record says pending
                std::thread::sleep(std::time::Duration::from_secs(2));
                let pid = entry.file_name().into_string().unwrap();
                assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
                return;
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no helm works on {namespace}");
}

/// What helm says of the release.
fn status(plant: &Plant) -> String {
    let args = ["list", "--all", "-n", &plant.namespace, "-o", "json"];
    let listed = plant.command("helm").args(args).output().unwrap().stdout;
    let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
    listed[0]["status"].as_str().unwrap_or("absent").to_owned()
}

#[test]
fn what_holds_is_explained_and_led_out_of() {
    let Some(plant) = Plant::install("dd-holds", 2_000) else { return };
    let ns = plant.namespace.as_str();
    let before = plant.fingerprint(None);
    let chart = chart(&plant);
    let mut start = plant.start("pod");
    for arg in &mut start {
        if arg.starts_with("chart=") {
            *arg = format!("chart={}", chart.display());
        }
    }
    let start: Vec<&str> = start.iter().map(String::as_str).collect();
    plant.kubectl(&["-n", ns, "create", "configmap", "sleep"]);
    let hold = r#"{"metadata": {"finalizers": ["example.com/hold"]}}"#;
    plant.kubectl(&["-n", ns, "patch", "configmap", "pix-env", "--type=merge", "-p", hold]);

    // the release itself stands in the middle of another upgrade that was killed
    let args = ["upgrade", "pixelcore", chart.to_str().unwrap(), "-n", ns, "--reuse-values"];
    let mut helm = plant.command("helm").args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    kill_helm(ns);
    helm.wait().unwrap();
    plant.kubectl(&["-n", ns, "delete", "pod", "hook", "--ignore-not-found", "--grace-period=0", "--force"]);
    assert_eq!(status(&plant), "pending-upgrade");
    Live::start(plant.drydock(&start)).end().expect(
        "a release in the middle of an upgrade",
        1,
        &[
            "release pixelcore is pending-upgrade",
            &format!("`helm rollback pixelcore 1 -n {ns}`"),
            "everything: this was only read",
        ],
    );
    assert!(
        plant.command("helm").args(["rollback", "pixelcore", "1", "-n", ns, "--no-hooks"]).status().unwrap().success()
    );
    plant.kubectl(&["-n", ns, "rollout", "status", "deployment/pix-core", "--timeout=60s"]);

    // one run on a target at a time: the first is given up before the second begins
    said(plant.drydock(&start)).expect("a second run", 3, &["is not at its end", "drydock abandon"]);
    plant.give_up();

    // the finalizer is named at once, and is not drydock's to take off
    let mut live = Live::start(plant.drydock(&start));
    live.step("gone");
    let begun = Instant::now();
    live.until(&["\"type\":\"progress\"", "ConfigMap pix-env", "held by the finalizer example.com/hold"]);
    assert!(begun.elapsed().as_secs() < 5, "explained after {:?}", begun.elapsed());
    std::thread::sleep(std::time::Duration::from_secs(4));
    let held = ["-n", ns, "get", "configmap", "pix-env", "-o", "jsonpath={.metadata.finalizers}"];
    assert!(plant.kubectl(&held).contains("example.com/hold"), "the finalizer was taken off");
    plant.kubectl(&[
        "-n",
        ns,
        "patch",
        "configmap",
        "pix-env",
        "--type=merge",
        "-p",
        r#"{"metadata": {"finalizers": null}}"#,
    ]);

    // once it is off the step goes on by itself, to a helm that is killed in the middle
    live.step("deploy");
    kill_helm(ns);
    live.end().expect(
        "helm killed in the middle",
        1,
        &["helm upgrade --install pixelcore ended with status 137", "\"safe\":[\"", "\"help\":[\""],
    );
    assert_eq!(status(&plant), "pending-install");

    // its record is taken away; this time the hook fails, and so does the release
    plant.kubectl(&["-n", ns, "delete", "configmap", "sleep"]);
    plant.kubectl(&["-n", ns, "create", "configmap", "fail"]);
    Live::start(plant.drydock(&RESUME)).end().expect(
        "a helm that fails",
        1,
        &[
            "remove helm's record sh.helm.release.v1.pixelcore.v1 of an attempt that was cut (pending-install)",
            "ended with status 1",
        ],
    );
    assert_eq!(status(&plant), "failed");

    // another admin's release in its place is not upgraded over
    plant.kubectl(&["-n", ns, "delete", "configmap", "fail"]);
    let helm = |args: &[&str]| assert!(plant.command("helm").args(args).args(["-n", ns]).status().unwrap().success());
    helm(&["uninstall", "pixelcore", "--wait"]);
    helm(&["install", "pixelcore", chart.to_str().unwrap(), "--set-file", "dotenv=.env", "--set", "worker.replicas=0"]);
    Live::start(plant.drydock(&RESUME)).end().expect(
        "a release of somebody else",
        3,
        &["release pixelcore in ", "was not installed by this run", "Install complete", "nothing was sent"],
    );
    assert_eq!(status(&plant), "deployed");
    helm(&["uninstall", "pixelcore", "--wait"]);
    plant.kubectl(&["-n", ns, "delete", "pvc", "--all"]);

    // and once the cause is gone the same run comes to its end, from its own copy of the chart
    std::fs::remove_dir_all(&chart).unwrap();
    Live::start(plant.drydock(&RESUME)).end().expect("the cause is gone", 0, &["\"type\":\"finished\""]);
    assert_eq!(plant.fingerprint(Some(&before)), before, "the rows are not those of before");
}
