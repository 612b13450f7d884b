//! A stock helm against the practice server: it reads the releases that the simulated one keeps.

use std::{path::Path, process::Stdio, sync::Arc};

use drydock::practice::{ApiServer, NAMESPACE, Options, RELEASE, World};
use tokio::process::Command;

async fn helm(folder: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("helm");
    command.env("KUBECONFIG", folder.join("config")).env("HOME", folder).args(["-n", NAMESPACE]).args(args);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.ok()?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "helm {args:?}: {out}{err}");
    Some(out.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_the_release_of_the_plant() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::begin(Options { faults: Vec::new(), saved: None, pace: 0.0, rows: 10 }).await.unwrap();
    let (objects, containers, faults) =
        (Arc::clone(&world.objects), Arc::clone(&world.containers), Arc::clone(&world.faults));
    let server = ApiServer::start(objects, containers, faults).await.unwrap();
    std::fs::write(folder.path().join("config"), server.kubectl_config().expose_secret()).unwrap();
    let Some(listed) = helm(folder.path(), &["list", "-o", "json"]).await else {
        return crate::required::not_run("there is no helm in the PATH");
    };
    assert!(listed.contains("\"status\":\"deployed\",\"chart\":\"pixelcore-1.0.0\""), "{listed}");
    for (args, expected) in [
        (&["status", RELEASE][..], "STATUS: deployed"),
        (&["get", "values", RELEASE], "version: 4.2.0"),
        (&["get", "manifest", RELEASE], "kind: StatefulSet"),
        (&["history", RELEASE], "Install complete"),
        (&["uninstall", RELEASE], "uninstalled"),
    ] {
        let said = helm(folder.path(), args).await.unwrap();
        assert!(said.contains(expected), "helm {args:?}: {said}");
    }
    let left = world.objects.list("apps", "deployments", Some(NAMESPACE)).1;
    assert!(left.is_empty(), "a stock helm takes away what the simulated one made: {left:?}");
}
