//! Out of a failure on a real cluster: before the removal what the run changed is put back; after it the commands of the way
//! back, typed as they are shown, bring the version before with all its rows.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{
    live::flat,
    others::{Others, stripped},
    pixelcore::Plant,
};

/// A copy of the chart of which `broken` replaces `whole` in the core's template.
fn chart(plant: &Plant, whole: &str, broken: &str) -> String {
    let to = plant.folder.path().join("chart");
    let copied = Command::new("cp").args(["-r", &plant.chart(), to.to_str().unwrap()]).status().unwrap();
    assert!(copied.success());
    let core = to.join("templates/core.yaml");
    let text = std::fs::read_to_string(&core).unwrap();
    assert!(text.contains(whole), "{text}");
    std::fs::write(&core, text.replacen(whole, broken, 1)).unwrap();
    to.display().to_string()
}

fn start(plant: &Plant, chart: &str, last: &str) -> Vec<String> {
    let ours = format!("chart={}", plant.chart());
    let args = plant.start("pod").into_iter().map(|arg| if arg == ours { format!("chart={chart}") } else { arg });
    args.chain([last.to_owned()]).collect()
}

fn deployments(plant: &Plant) -> String {
    let path = "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.spec.replicas}\n{end}";
    plant.kubectl(&["-n", &plant.namespace, "get", "deployments,statefulsets,pvc", "-o", path])
}

fn policies(plant: &Plant) -> Vec<String> {
    let path = format!(
        "jsonpath={{range .items[?(@.spec.claimRef.namespace==\"{}\")]}}{{.spec.persistentVolumeReclaimPolicy}}\n{{end}}",
        plant.namespace
    );
    plant.kubectl(&["get", "pv", "-o", &path]).lines().map(str::to_owned).collect()
}

#[test]
fn a_rehearsal_whose_image_is_missing_is_rolled_back() {
    let Some(plant) = Plant::install("dd-undo", 1_000) else { return };
    let (before, rows) = (deployments(&plant), plant.fingerprint(None));
    let image = "image: {{ .Values.image }}";
    let missing = "image: {{ if hasSuffix \"-rehearsal\" .Release.Namespace }}localhost/no-such:9{{ else }}{{ .Values.image }}{{ end }}";
    let chart = chart(&plant, image, missing);
    plant.answer("rehearse: {go_on: true, choose: [roll-back]}");
    let output =
        plant.drydock(&start(&plant, &chart, "--plain").iter().map(String::as_str).collect::<Vec<_>>()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("rolled back. what 2 steps changed is as before"), "{said}");
    assert!(said.contains("undone. pix-worker has 1 again"), "{said}");
    assert!(!said.contains("come back with"), "{said}");
    assert_eq!(deployments(&plant), before);
    assert_eq!(plant.fingerprint(None), rows);
    let rehearsal = format!("{}-rehearsal", plant.namespace);
    assert_eq!(plant.kubectl(&["get", "namespace", &rehearsal, "--ignore-not-found", "-o", "name"]), "");
    assert_eq!(policies(&plant), ["Delete"]);
    assert!(plant.finish(&["runs"]).contains("rolled back"));
    assert!(plant.finish(&["report"]).contains("The run is rolled back."));
    assert_eq!(plant.drydock(&["resume"]).output().unwrap().status.code(), Some(2), "it is at its end");
}

/// Every object of the deployment that a human made or that holds something, and its volume, as it is asked to be and by whom; what
/// controllers make of them, and what only counts changes, is left out.
fn production(plant: &Plant) -> Vec<Value> {
    let kinds =
        "deployments,statefulsets,services,configmaps,secrets,persistentvolumeclaims,networkpolicies,leases,jobs";
    let mut objects = stripped(plant, &plant.namespace, kinds);
    let volumes: Vec<Value> = stripped(plant, &plant.namespace, "persistentvolumes")
        .into_iter()
        .filter(|volume| volume["spec"]["claimRef"]["namespace"] == plant.namespace)
        .collect();
    assert_eq!(volumes.len(), 1);
    objects.extend(volumes);
    objects
}

/// Pods that run, by what they belong to, and everything else that may be left.
fn pods(plant: &Plant) -> Vec<String> {
    let path = "jsonpath={range .items[*]}{.metadata.labels.app}\n{end}";
    let pods =
        plant.kubectl(&["-n", &plant.namespace, "get", "pods", "--field-selector=status.phase=Running", "-o", path]);
    let mut pods: Vec<String> = pods.lines().map(str::to_owned).collect();
    pods.sort();
    pods
}

#[test]
fn an_abandoned_run_leaves_production_exactly_as_it_was() {
    let Some(plant) = Plant::install("dd-given-up", 1_000) else { return };
    let others = Others::around(&plant);
    let (before, rows, running) = (production(&plant), plant.fingerprint(None), pods(&plant));
    let (acting, resting) = (others.objects(), others.resting());
    let set = format!("chart={}", plant.chart());
    let told = plant.finish(&["check", "pixelcore", "-n", &plant.namespace, "--set", &set]);
    for named in [
        "5 others are paused before anything stops",
        "Argo CD application plant in",
        "Flux HelmRelease plant in",
        "Flux Kustomization apps in",
        "KEDA ScaledObject worker scales Deployment pix-worker",
        "CronJob tidy runs at",
        "HorizontalPodAutoscaler worker scales Deployment pix-worker, and leaves it alone at 0 replicas",
    ] {
        assert!(flat(&told).contains(named), "{named}: {told}");
    }
    // up to the gate: writers stopped, dumped, rehearsed, volumes set to keep
    let answers = plant.folder.path().join("answers.yaml");
    let text = std::fs::read_to_string(&answers).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("remove:")).collect();
    std::fs::write(&answers, kept.join("\n") + "\n").unwrap();
    let args = start(&plant, &plant.chart(), "--plain");
    let output = plant.drydock(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("drydock: the application stores nothing new, for "), "{said}");
    assert!(flat(&said).contains("pix-worker stopped; 5 others paused: "), "{said}");
    assert_eq!(others.resting(), "true true true true ");
    assert_eq!(policies(&plant), ["Retain"]);
    assert_ne!(production(&plant), before);

    let run = plant.runs().pop().unwrap();
    let id = run.file_name().unwrap().to_str().unwrap();
    let args = ["abandon", id, "--plain", "--reason", "the window is over"];
    let asked = plant.drydock(&args).output().unwrap();
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert_eq!(asked.status.code(), Some(5), "nobody agreed: {said}");
    assert_eq!(policies(&plant), ["Retain"], "so nothing was put back");

    std::fs::write(&answers, "format: 1\nsteps:\n  remove: {go_on: true}\n").unwrap();
    let args = [&args[..], &["--answers", answers.to_str().unwrap()]].concat();
    let given_up = plant.drydock(&args).output().unwrap();
    let said = String::from_utf8_lossy(&given_up.stdout).into_owned();
    assert_eq!(given_up.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&given_up.stderr));
    assert!(said.contains("pix-worker has 1 again") && said.contains(&format!("given up. {id}")), "{said}");
    assert!(!said.contains("left by this run"), "{said}");
    assert_eq!(policies(&plant), ["Delete"]);
    assert_eq!(production(&plant), before);
    assert_eq!((others.objects(), others.resting()), (acting, resting));
    assert_eq!(pods(&plant), running);
    assert_eq!(plant.fingerprint(None), rows);
    let all = plant.kubectl(&["get", "namespaces", "-o", "name"]);
    assert!(!all.contains(&format!("{}-rehearsal", plant.namespace)), "{all}");
    assert_eq!(plant.drydock(&args).output().unwrap().status.code(), Some(2), "it is at its end");
}

/// What helm has of the release: values with the environment file, and manifest.
fn release(plant: &Plant) -> String {
    let of = |what: &str| {
        let output = plant.command("helm").args(["get", what, "pixelcore", "-n", &plant.namespace]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    of("values") + &of("manifest")
}

/// The commands among the lines, without what is said about each.
fn commands(help: &[Value]) -> Vec<String> {
    let line = |line: &Value| {
        let line = line.as_str().unwrap().strip_prefix("$ ")?;
        Some(line.split("   (").next().unwrap().to_owned())
    };
    help.iter().filter_map(line).collect()
}

#[test]
fn the_way_back_as_it_is_shown_brings_the_version_before_with_its_rows() {
    let Some(plant) = Plant::install("dd-way", 1_000) else { return };
    let (rows, release) = (plant.fingerprint(None), release(&plant));
    // the new version starts in its rehearsal and nowhere else
    let command = "command: [python3, -u, /app/pix.py, core]";
    let ends = "command: {{ if and (eq .Values.version \"5.0.0\") (not (hasSuffix \"-rehearsal\" .Release.Namespace)) }}[\"false\"]{{ else }}[python3, -u, /app/pix.py, core]{{ end }}";
    let chart = chart(&plant, command, ends);
    plant.answer("ready: {choose: [way-back, stop]}");
    let output =
        plant.drydock(&start(&plant, &chart, "--json").iter().map(String::as_str).collect::<Vec<_>>()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let asked: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["type"] == "asking" && event["question"]["type"] == "choose")
        .collect();
    assert_eq!(asked.len(), 2, "{said}");
    let commands = commands(asked[1]["question"]["problem"]["help"].as_array().unwrap());
    assert!(commands.iter().any(|line| line.contains("delete pvc data-pix-db-0")), "{commands:?}");
    assert_eq!(policies(&plant).iter().filter(|policy| *policy == "Retain").count(), 1);
    // the admin has no chart any more, nor the files that it was installed with
    assert!(!commands.iter().any(|line| line.contains("/chart") || line.contains(".env")), "{commands:?}");
    std::fs::remove_dir_all(&chart).unwrap();
    std::fs::remove_file(plant.folder.path().join(".env")).unwrap();
    // as a human types them, with the program in the PATH and the passphrase from a file
    let bin = Path::new(env!("CARGO_BIN_EXE_drydock")).parent().unwrap().display();
    let script = format!(
        "set -eu; PATH={bin}:$PATH; drydock() {{ command drydock --passphrase-fd 3 \"$@\" 3<pass; }}\n{}\n",
        commands.join("\n")
    );
    let output = plant.command("sh").env("DRYDOCK_STATE_DIR", plant.state()).args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    plant.kubectl(&["-n", &plant.namespace, "rollout", "status", "statefulset/pix-db", "--timeout=120s"]);
    plant.kubectl(&["-n", &plant.namespace, "rollout", "status", "deployment/pix-core", "--timeout=180s"]);
    assert_eq!(plant.fingerprint(None), rows, "the rows of before, from the kept volume");
    assert_eq!(self::release(&plant), release, "the values, the environment and every object of before");
}
