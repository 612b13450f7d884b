//! Before anything is changed: looking asks only what reads, and what would stop the upgrade half way is found.

use std::path::Path;

use crate::{
    live::said,
    pixelcore::Plant,
    user::{NO_REMOVER, READER, User},
};

/// A request of the audit log: verb, resource with its subresource.
type Request = (String, String);

/// What the audit log says of a user's requests, or nothing where the cluster writes none.
fn audited(user: &str) -> Option<Vec<Request>> {
    let root = std::env::var("CLUSTER_ROOT")
        .unwrap_or_else(|_| format!("{}/.cache/test-cluster", std::env::var("HOME").unwrap_or_default()));
    let text = std::fs::read_to_string(Path::new(&root).join("log/audit.log")).ok()?;
    let events = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let own = events.filter(|event| event["user"]["username"] == user);
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let resource = |of: &serde_json::Value| match of["subresource"].as_str() {
        Some(part) => format!("{}/{part}", word(&of["resource"])),
        None => word(&of["resource"]),
    };
    Some(own.map(|event| (word(&event["verb"]), resource(&event["objectRef"]))).collect())
}

/// Whether a request only reads: a `get` of `pods/exec` runs a command, whatever its verb says.
fn only_reads((verb, resource): &Request) -> bool {
    let part = resource.split_once('/').map_or("", |(_, part)| part);
    let reads = ["get", "list", "watch"].contains(&verb.as_str()) && ["", "status", "scale", "log"].contains(&part);
    reads || (verb == "create" && ["selfsubjectaccessreviews", "selfsubjectrulesreviews"].contains(&resource.as_str()))
}

#[test]
fn a_command_in_a_pod_is_no_reading() {
    let reads = |verb: &str, resource: &str| only_reads(&(verb.to_owned(), resource.to_owned()));
    assert!(reads("get", "pods") && reads("list", "secrets") && reads("get", "pods/log"));
    assert!(reads("create", "selfsubjectaccessreviews"));
    for part in ["exec", "attach", "portforward", "proxy"] {
        assert!(!reads("get", &format!("pods/{part}")) && !reads("create", &format!("pods/{part}")), "{part}");
    }
    assert!(!reads("create", "pods") && !reads("patch", "deployments") && !reads("deletecollection", "pods"));
}

/// `check` and `plan` by a user who may only read.
fn looking(plant: &Plant, before: &str) {
    let chart = format!("chart={}", plant.chart());
    // a user who may only read: whatever check and plan sent beyond that, the server would have refused
    let reader = User::new(plant, "reader", READER);
    let look = |verb: &str| {
        said(
            plant
                .drydock(&[verb, "pixelcore", "-n", &plant.namespace, "--set", &chart])
                .env("KUBECONFIG", &reader.kubeconfig),
        )
    };
    look("plan").expect("plan by a reader", 0, &[
        "3.3 Delete the old deployment",
        "programs run here: helm",
        "secrets read: helm's record of the release, environment/dotenv, lns/token, workers/settings, PIX_DB_PASSWORD of",
        "hosts contacted: https://",
    ]);
    look("check").expect(
        "check by a reader",
        3,
        &[
            "pass  identity",
            "FAIL  rights",
            &format!("delete statefulsets in namespace {}", plant.namespace),
            "verbs: [\"delete\"]",
            &format!("create pods/exec in namespace {}", plant.namespace),
            "pass  storage",
            "not asked yet  images",
        ],
    );
    assert_eq!(plant.versions(), before, "looking changed something");
    match audited(&reader.name) {
        Some(requests) => {
            assert!(!requests.is_empty(), "the audit log has no request of {}", reader.name);
            for request in requests {
                assert!(only_reads(&request), "looking asked {request:?}");
            }
        }
        None => crate::required::not_run(
            "the cluster writes no audit log (AUDIT=1 cluster up): that looking only reads is proven by a user who may only read",
        ),
    }
}

/// A user who may do all but delete StatefulSets.
fn a_missing_right(plant: &Plant, before: &str) {
    let start = plant.start("pod");
    let args: Vec<&str> = start.iter().map(String::as_str).chain(["--plain"]).collect();
    // one verb is missing: the preflight names it before anything is removed
    let user = User::new(plant, "no-remover", NO_REMOVER);
    said(plant.drydock(&args).env("KUBECONFIG", &user.kubeconfig)).expect(
        "no right to delete statefulsets",
        3,
        &[
            "cause: rights: 1 of ",
            &format!("delete statefulsets in namespace {}", plant.namespace),
            "apiGroups: [\"apps\"]",
            "Still safe: everything",
        ],
    );
    assert_eq!(plant.versions(), before, "the preflight changed something");
    plant.give_up();
}

/// A chart whose image is nowhere.
fn a_missing_image(plant: &Plant, before: &str) {
    // the new version's image cannot be fetched
    let broken = plant.folder.path().join("chart");
    let copy = plant.command("cp").args(["-r", &plant.chart(), broken.to_str().unwrap()]).status().unwrap();
    assert!(copy.success());
    let values = broken.join("values.yaml");
    let text = std::fs::read_to_string(&values).unwrap().replace("localhost/postgres:1", "localhost/postgres:5.0.0");
    std::fs::remove_file(&values).unwrap();
    std::fs::write(&values, text).unwrap();
    let mut changed: Vec<String> = plant.start("pod");
    for arg in &mut changed {
        if arg.starts_with("chart=") {
            *arg = format!("chart={}", broken.display());
        }
    }
    let args: Vec<&str> = changed.iter().map(String::as_str).chain(["--plain"]).collect();
    said(plant.drydock(&args)).expect(
        "image not pullable",
        3,
        &["cause: images: localhost/postgres:5.0.0 cannot be fetched", "push the image", "Still safe: everything"],
    );
    assert_eq!(plant.versions(), before, "the preflight changed something, or left its pods");
    plant.give_up();
}

/// A release that helm calls failed, and the way out.
fn a_failed_release(plant: &Plant) {
    // a release whose last upgrade failed: its values are not those that run
    let broken = [
        "upgrade",
        "pixelcore",
        &plant.chart(),
        "-n",
        &plant.namespace,
        "--reuse-values",
        "--set",
        "core.resources.limits.cpu=abc",
    ];
    assert!(!plant.command("helm").args(broken).output().unwrap().status.success());
    let start = plant.start("pod");
    let args: Vec<&str> = start.iter().map(String::as_str).chain(["--plain"]).collect();
    said(plant.drydock(&args)).expect(
        "failed release",
        1,
        &["release pixelcore is failed", "helm rollback pixelcore 1", "Still safe: "],
    );
    assert!(
        plant.command("helm").args(["rollback", "pixelcore", "1", "-n", &plant.namespace]).status().unwrap().success()
    );
    plant.give_up();
}

/// A container in which nothing can be asked.
fn no_shell(plant: &Plant) {
    // a core container without a shell
    plant.kubectl(&["-n", &plant.namespace, "exec", "deploy/pix-core", "--", "rm", "-f", "/bin/sh"]);
    let before = plant.versions();
    let start = plant.start("pod");
    let args: Vec<&str> = start.iter().map(String::as_str).chain(["--plain"]).collect();
    said(plant.drydock(&args)).expect(
        "no sh in the core container",
        3,
        &["cause: pg-versions: ", "has no `sh`", "Still safe: everything"],
    );
    assert_eq!(plant.versions(), before, "the preflight changed something");
}

#[test]
fn looking_needs_no_right_to_change_and_what_would_stop_the_upgrade_is_named() {
    let Some(plant) = Plant::install("dd-rights", 500) else { return };
    let before = plant.versions();
    looking(&plant, &before);
    a_missing_right(&plant, &before);
    a_missing_image(&plant, &before);
    a_failed_release(&plant);
    no_shell(&plant);
}
