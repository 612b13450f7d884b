//! The test copy of a rehearsal on a real cluster: what of a chart with ways into the world goes into it, whether the network
//! holds it, and that nothing of it is left.

use std::path::Path;

use crate::{
    live::{Live, said},
    pixelcore::Plant,
};

/// Objects that act on the world, rendered for the rehearsal only.
const OUTWARD: &str = r#"{{- if hasSuffix "-rehearsal" .Release.Namespace }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: way-in}
spec: {defaultBackend: {service: {name: pix-core, port: {number: 8080}}}}
---
apiVersion: v1
kind: Service
metadata: {name: way-in, annotations: {external-dns.alpha.kubernetes.io/hostname: plant.example.net}}
spec: {type: NodePort, selector: {app: pix-core}, ports: [{port: 8080}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: {{ .Release.Namespace }}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tidy}
spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: told, annotations: {helm.sh/hook: post-install}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: uplink}
data: {UPLINK_URL: "mqtts://robot:hunter-of-rows@uplink.example.net:8883/t"}
{{- end }}
"#;

/// The plant's chart with more in it.
fn chart(plant: &Plant) -> String {
    let chart = plant.folder.path().join("outward").display().to_string();
    assert!(plant.command("cp").args(["-r", &plant.chart(), &chart]).status().unwrap().success());
    assert!(plant.command("chmod").args(["-R", "u+w", &chart]).status().unwrap().success());
    std::fs::write(Path::new(&chart).join("templates/outward.yaml"), OUTWARD).unwrap();
    chart
}

#[test]
fn a_copy_on_a_real_cluster_does_not_act_on_the_world() {
    let Some(plant) = Plant::install("dd-copy", 500) else { return };
    let rehearsal = format!("{}-rehearsal", plant.namespace);
    let (ours, chart) = (format!("chart={}", plant.chart()), format!("chart={}", chart(&plant)));
    let start: Vec<String> =
        plant.start("pod").into_iter().map(|arg| if arg == ours { chart.clone() } else { arg }).collect();
    let left = || plant.kubectl(&["get", "namespace", &rehearsal, "--ignore-not-found", "-o", "name"]);

    // nobody has said that it may run where nothing holds it
    let unsaid: Vec<&str> = start.iter().map(|arg| if arg == "answers.yaml" { "unsaid.yaml" } else { arg }).collect();
    plant.answers_without("unsaid.yaml", &["rehearse", "remove"]);
    let ended = said(plant.drydock(&unsaid).arg("--json"));
    let ignores = ended.text.contains("the network of this cluster ignores policies");
    println!("\n== the network of this cluster {} policies", if ignores { "ignores" } else { "keeps" });
    if ignores {
        let words = [
            "the cluster's API and the database of ",
            "Nothing of the copy runs yet. pix-worker will not run there at all",
            "uplink.example.net:8883",
            "needs an answer: step 2.5",
        ];
        let ended = ended.expect("nobody agreed", 5, &words);
        assert!(
            !ended.text.contains("hunter-of-rows") && !ended.text.contains("StatefulSet pix-db in"),
            "{}",
            ended.text
        );
        assert_eq!(left(), "", "nothing of the copy has run, so there is nothing to look at");
    } else {
        ended.expect("the network holds it", 5, &["neither the cluster's API nor the database of "]);
    }
    plant.give_up();

    let start: Vec<&str> = start.iter().map(String::as_str).collect();
    let mut live = Live::start(plant.drydock(&start));
    live.until(&["\"type\":\"effected\"", "create pod drydock-client-", &rehearsal]);
    let get = |kinds: &str, path: &str| plant.kubectl(&["-n", &rehearsal, "get", kinds, "-o", path]);
    assert_eq!(
        get("ingress,cronjob,job,networkpolicy", "name").trim(),
        "networkpolicy.networking.k8s.io/drydock-stay-inside"
    );
    assert_eq!(get("service", "jsonpath={.items[*].spec.type}"), "ClusterIP ClusterIP ClusterIP");
    assert_eq!(get("service/way-in", "jsonpath={.metadata.annotations}"), "");
    assert_eq!(
        get("deploy/pix-worker", "jsonpath={.spec.replicas} {.metadata.generation}"),
        "0 1",
        "never another number"
    );
    assert_eq!(plant.kubectl(&["get", "clusterrole", &rehearsal, "--ignore-not-found", "-o", "name"]), "");
    live.kill();

    // given up after the kill, nothing of it is left
    let run = plant.run_folder().file_name().unwrap().to_str().unwrap().to_owned();
    let args = ["abandon", &run, "--reason", "the window is over", "--answers", "answers.yaml", "--plain"];
    said(plant.drydock(&args)).expect("given up", 0, &["scratch namespace", "is gone"]);
    assert_eq!(left(), "");
    let log = std::fs::read_to_string(plant.run_folder().join("output/rehearse.log")).unwrap();
    for line in [
        "Ingress way-in is left out: it would take production's traffic",
        "Service way-in: inside the cluster only, instead of NodePort",
        "CronJob tidy is left out: it acts by itself",
        "Job told is left out: a hook of helm",
        "is left out: it belongs to the whole cluster",
        "Deployment pix-worker writes: it has 0 replicas",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    plant.assert_no_secret();
}
