//! A kubeconfig whose current context leads to another cluster, which answers: whatever a run starts, scripts and helm,
//! meets the chosen one.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use drydock::practice::{ApiServer, Options, World};

use crate::{live::Live, pixelcore::Plant};

/// What a program writes down before it does its work: the context it was given, and the cluster behind it.
fn witness(name: &str, record: &Path) -> String {
    format!(
        "#!/bin/bash\n{{ echo \"{name} $(kubectl config current-context) $(kubectl get namespace kube-system -o \
         jsonpath={{.metadata.uid}}) $(kubectl config view -o jsonpath='{{.contexts[*].name}}')\"; }} >>{} 2>&1\n",
        record.display()
    )
}

fn program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Where the real one lies.
fn which(plant: &Plant, program: &str) -> String {
    let found = plant.command("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

/// A kubeconfig of both clusters whose current context is the decoy's; its path and the chosen context's name.
fn both(plant: &Plant, decoy: &Path) -> (PathBuf, String) {
    let chosen = plant.kubectl(&["config", "current-context"]).trim().to_owned();
    let joined = format!("{}:{}", plant.kubeconfig(), decoy.display());
    let view =
        plant.command("kubectl").env("KUBECONFIG", joined).args(["config", "view", "--flatten"]).output().unwrap();
    let path = plant.folder.path().join("both");
    std::fs::write(&path, view.stdout).unwrap();
    let context = |path: &Path| {
        let said =
            plant.command("kubectl").env("KUBECONFIG", path).args(["config", "current-context"]).output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    };
    let other = context(decoy);
    assert_ne!(other, chosen);
    let used =
        plant.command("kubectl").env("KUBECONFIG", &path).args(["config", "use-context", &other]).status().unwrap();
    assert!(used.success());
    assert_eq!(context(&path), other, "the current context is the decoy");
    (path, chosen)
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_and_helm_meet_the_chosen_cluster_whatever_the_current_context_is() {
    let Some(plant) = tokio::task::spawn_blocking(|| Plant::install("dd-pinned", 300)).await.unwrap() else { return };
    let world = World::begin(Options { faults: Vec::new(), saved: None, pace: 0.0, rows: 10 }).await.unwrap();
    let (objects, containers, faults) =
        (Arc::clone(&world.objects), Arc::clone(&world.containers), Arc::clone(&world.faults));
    let server = ApiServer::start(objects, containers, faults).await.unwrap();
    let decoy = plant.folder.path().join("decoy");
    std::fs::write(&decoy, server.kubectl_config().expose_secret()).unwrap();
    tokio::task::spawn_blocking(move || run(&plant, &decoy)).await.unwrap();
}

fn run(plant: &Plant, decoy: &Path) {
    let (config, chosen) = both(plant, decoy);
    let uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
    let real = plant.kubectl(&uid);
    let other = plant.command("kubectl").env("KUBECONFIG", &config).args(uid).output().unwrap();
    let other = String::from_utf8(other.stdout).unwrap();
    assert!(other.len() == 36 && other != real, "the decoy answers, as another cluster: {other:?}");
    // the same namespace is there too, so that nothing but the cluster tells them apart
    let made = plant.command("kubectl").env("KUBECONFIG", &config).args(["create", "namespace", &plant.namespace]);
    assert!(made.status().unwrap().success());

    let record = plant.folder.path().join("record");
    let (scripts, bin) = (plant.folder.path().join("scripts"), plant.folder.path().join("bin"));
    std::fs::create_dir(&scripts).unwrap();
    std::fs::create_dir(&bin).unwrap();
    std::fs::copy(plant.files().join("pix-restore-data.sh"), scripts.join("pix-restore-data.sh")).unwrap();
    let dump = plant.files().join("pix-dump-data.sh");
    program(
        &scripts.join("pix-dump-data.sh"),
        &format!("{}exec {} \"$@\"\n", witness("script", &record), dump.display()),
    );
    let helm = which(plant, "helm");
    program(&bin.join("helm"), &format!("{}exec {helm} \"$@\"\n", witness("helm", &record)));

    let mut start = plant.start("scripts");
    for arg in &mut start {
        if arg.starts_with("scripts=") {
            *arg = format!("scripts={}", scripts.display());
        }
    }
    start.extend(["--context".to_owned(), chosen.clone()]);
    let start: Vec<&str> = start.iter().map(String::as_str).collect();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut live = Live::start(plant.drydock(&start).env("KUBECONFIG", &config).env("PATH", path));
    // the script dumped, and what it dumped is whole
    live.until(&["\"type\":\"ended\"", "\"step\":\"files\"", "\"done\""]);
    live.kill();

    let record = std::fs::read_to_string(&record).unwrap();
    println!("{record}");
    for name in ["script ", "helm "] {
        assert!(record.lines().any(|line| line.starts_with(name)), "{name} was not started: {record}");
    }
    for line in record.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, context, cluster, all @ ..] = words.as_slice() else { panic!("{line}") };
        assert_eq!((*context, *cluster), (chosen.as_str(), real.as_str()), "{record}");
        assert_eq!(all, [chosen.as_str()], "it was given no other context: {record}");
    }
}
