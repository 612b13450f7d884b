//! The acknowledged stream, jobs and transfers in a real pod whose first process is PostgreSQL.

use std::{
    process::Command,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use drydock::{
    cluster::Cluster,
    ports::{
        Collect, Exec, JobState, Objects, OutputSink, PodRef, PortError, PortErrorKind, Stream,
        remote::environment_command,
    },
};
use tokio_util::sync::CancellationToken;

use crate::line::{Fate, Line};

/// Counts bytes at a limited rate, so that the remote command ends before its reader has caught up.
struct Slow {
    bytes: u64,
    last: Vec<u8>,
}

#[async_trait]
impl OutputSink for Slow {
    async fn take(&mut self, stream: Stream, chunk: Bytes) -> Result<(), PortError> {
        if stream == Stream::Out {
            self.bytes += chunk.len() as u64;
            self.last = chunk.to_vec();
            // 4 MiB a second
            tokio::time::sleep(Duration::from_micros(chunk.len() as u64 / 4)).await;
        }
        Ok(())
    }
}

fn kubectl(kubeconfig: &str, args: &[&str]) -> String {
    let output = Command::new("kubectl").env("KUBECONFIG", kubeconfig).args(args).output().unwrap();
    assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A namespace of the test's own; removed with it.
struct Place {
    kubeconfig: String,
    namespace: String,
}

impl Place {
    fn kubectl(&self, args: &[&str]) -> String {
        kubectl(&self.kubeconfig, &[&["-n", &self.namespace], args].concat())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let args = ["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=false"];
        let _ = Command::new("kubectl").env("KUBECONFIG", &self.kubeconfig).args(args).status();
    }
}

/// A pod that sleeps, with these settings for its container.
fn sleeper(security: &str) -> Option<(Cluster, PodRef, Place)> {
    let kubeconfig = crate::setting("DRYDOCK_TEST_KUBECONFIG")?;
    let place = Place { kubeconfig, namespace: crate::own_namespace("dd-line") };
    place.kubectl(&["create", "namespace", &place.namespace]);
    let image = "localhost/postgres:1";
    let spec = format!(
        r#"{{"spec":{{"terminationGracePeriodSeconds":1,"containers":[{{"name":"box","image":"{image}","imagePullPolicy":"IfNotPresent","command":["sleep","600"],"securityContext":{security}}}]}}}}"#
    );
    place.kubectl(&["run", "box", &format!("--image={image}"), "--overrides", &spec]);
    place.kubectl(&["wait", "pod/box", "--for=condition=Ready", "--timeout=60s"]);
    let cluster = Cluster::from_text(&std::fs::read_to_string(&place.kubeconfig).unwrap()).unwrap();
    let pod =
        PodRef { namespace: place.namespace.clone(), pod: "box".into(), container: "box".into(), uid: String::new() };
    Some((cluster, pod, place))
}

/// The same cluster over a line of this fate.
fn over(cluster: &Cluster, place: &Place, fate: Fate) -> (Cluster, Line) {
    let server = cluster.server().trim_start_matches("https://").to_owned();
    let line = Line::to(server.parse().expect("the test cluster's address is one of this machine"), fate);
    let text = std::fs::read_to_string(&place.kubeconfig).unwrap().replace(&server, &line.address.to_string());
    (Cluster::from_text(&text).unwrap(), line)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_over_a_slow_line_takes_its_time() {
    let Some((cluster, pod, place)) = sleeper("{}") else { return };
    // most of it lies in the buffers of this machine at once, and takes more than a minute from there
    let (bytes, rate) = (6_000_000, 96 * 1024);
    let (slow, _line) = over(&cluster, &place, Fate::Slow(rate));
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("here");
    std::fs::write(&here, vec![7; bytes]).unwrap();
    let began = Instant::now();
    let up = slow.upload(&pod, &here, "/tmp/there", &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(up.bytes, bytes as u64);
    assert!(began.elapsed().as_secs() >= (bytes / rate) as u64, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_again_and_again_goes_on_where_it_was() {
    let Some((cluster, pod, place)) = sleeper("{}") else { return };
    let (cut, line) = over(&cluster, &place, Fate::Cut(1 << 20));
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("here");
    std::fs::write(&here, vec![7; 8_000_000]).unwrap();
    let up = cut.upload(&pod, &here, "/tmp/there", &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(up.bytes, 8_000_000);
    // more often than an upload is tried that brings nothing new
    assert!(line.cuts.load(Ordering::SeqCst) >= 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_may_write_nothing_says_so() {
    let Some((cluster, pod, _place)) = sleeper(r#"{"readOnlyRootFilesystem":true}"#) else { return };
    let error = cluster.probe(&pod, &["sh"], "/").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unsupported, "{error:?}");
    assert!(error.detail.contains("no writable folder") && error.detail.contains("Read-only"), "{error:?}");
}

fn pod() -> Option<(Cluster, PodRef, Place)> {
    let kubeconfig = crate::setting("DRYDOCK_TEST_KUBECONFIG")?;
    let place = Place { kubeconfig, namespace: crate::own_namespace("dd-exec") };
    place.kubectl(&["create", "namespace", &place.namespace]);
    let env = ["--env=POSTGRES_PASSWORD=x", "--env=POSTGRES_USER=pix", "--env=POSTGRES_DB=pix"];
    place.kubectl(
        &[&["run", "db", "--image=localhost/postgres:1", "--image-pull-policy=IfNotPresent"], &env[..]].concat(),
    );
    place.kubectl(&["wait", "pod/db", "--for=condition=Ready", "--timeout=60s"]);
    let cluster = Cluster::from_text(&std::fs::read_to_string(&place.kubeconfig).unwrap()).unwrap();
    let pod =
        PodRef { namespace: place.namespace.clone(), pod: "db".into(), container: "db".into(), uid: String::new() };
    Some((cluster, pod, place))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_pod_is_asked_and_never_disturbed() {
    let Some((cluster, pod, place)) = pod() else { return };
    let never = CancellationToken::new();
    let started = |cluster: Cluster, pod: PodRef| async move {
        let command = environment_command(
            &[("PGUSER".into(), "POSTGRES_USER".into())],
            &words(&["psql", "-XqAt", "-d", "pix", "-f", "-"]),
        );
        for _ in 0..60 {
            let mut out = Collect::new(4096);
            let exit = cluster
                .run(&pod, &command, b"SELECT pg_postmaster_start_time()", &mut out, &CancellationToken::new())
                .await
                .unwrap();
            if exit.code == 0 {
                return out.text();
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("the database did not come up");
    };
    tokio::time::sleep(Duration::from_secs(4)).await;
    let before = started(cluster.clone(), pod.clone()).await;

    // a command that ends long before its reader: every byte and the true status
    let mut slow = Slow { bytes: 0, last: Vec::new() };
    let exit = cluster.run(&pod, &words(&["sh", "-c", "seq 1 5000000; exit 7"]), &[], &mut slow, &never).await.unwrap();
    assert_eq!((exit.code, exit.bytes, slow.bytes), (7, 38_888_896, 38_888_896));
    assert!(slow.last.ends_with(b"5000000\n"));

    // a client that goes leaves nothing behind
    let cancel = CancellationToken::new();
    let later = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        later.cancel();
    });
    let mut out = Collect::new(1 << 20);
    assert!(
        cluster
            .run(&pod, &words(&["sh", "-c", "while :; do echo alive; sleep 1; done"]), &[], &mut out, &cancel)
            .await
            .is_err()
    );
    assert!(cluster.run(&pod, &words(&["sleep", "777"]), &[], &mut out, &cancel).await.is_err());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let left = place.kubectl(&["exec", "db", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]);
    assert!(!left.contains("echo alive") && !left.contains("sleep 777"), "{left}");

    // jobs: started, found again, stopped
    cluster.start(&pod, "/tmp", "short", &words(&["sh", "-c", "echo out; echo err >&2; exit 3"])).await.unwrap();
    cluster.start(&pod, "/tmp", "long", &words(&["sleep", "300"])).await.unwrap();
    cluster.start(&pod, "/tmp", "long", &words(&["sleep", "300"])).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(cluster.poll(&pod, "/tmp", "short").await.unwrap(), JobState::Ended { code: 3, out: 4, err: 4 });
    assert_eq!(cluster.poll(&pod, "/tmp", "long").await.unwrap(), JobState::Running { out: 0, err: 0, read: 0 });
    assert_eq!(cluster.poll(&pod, "/tmp", "none").await.unwrap(), JobState::Absent);
    cluster.stop(&pod, "/tmp", "long").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(cluster.poll(&pod, "/tmp", "long").await.unwrap(), JobState::Ended { code: 143, out: 0, err: 0 });

    // files, both ways, hashed on both sides
    let make = words(&["sh", "-c", "head -c 60000000 /dev/urandom >/tmp/big"]);
    assert_eq!(cluster.run(&pod, &make, &[], &mut out, &never).await.unwrap().code, 0);
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("big");
    let down = cluster.download(&pod, "/tmp/big", &here, &|_| {}, &never).await.unwrap();
    assert_eq!((down.bytes, here.metadata().unwrap().len()), (60_000_000, 60_000_000));
    let up = cluster.upload(&pod, &here, "/tmp/again", &|_| {}, &never).await.unwrap();
    assert_eq!(up, down);
    // an interrupted download goes on, and a wrong beginning is found by its hash
    std::fs::write(folder.path().join("other.part"), &std::fs::read(&here).unwrap()[..20_000_000]).unwrap();
    assert_eq!(cluster.download(&pod, "/tmp/big", &folder.path().join("other"), &|_| {}, &never).await.unwrap(), down);
    std::fs::write(folder.path().join("wrong.part"), vec![0; 1000]).unwrap();
    assert!(cluster.download(&pod, "/tmp/big", &folder.path().join("wrong"), &|_| {}, &never).await.is_err());
    assert!(!folder.path().join("wrong").exists());

    // the database never noticed
    assert_eq!(started(cluster.clone(), pod.clone()).await, before);
    let log = place.kubectl(&["logs", "db"]);
    assert!(!log.contains("terminating any other active server processes"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_kubeconfig_leads_to_the_pinned_place_only() {
    let Some(path) = crate::setting("DRYDOCK_TEST_KUBECONFIG") else { return };
    // of a kubeconfig with another cluster in it only the pinned context is handed on; what programs make of it: pinned.rs
    let text = std::fs::read_to_string(&path).unwrap();
    let name = kubectl(&path, &["config", "current-context"]).trim().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let decoy = folder.path().join("config");
    std::fs::write(&decoy, &text).unwrap();
    let decoy = decoy.to_str().unwrap();
    kubectl(decoy, &["config", "set-cluster", "decoy", "--server=https://127.0.0.1:1"]);
    kubectl(decoy, &["config", "set-context", "decoy", "--cluster=decoy"]);
    kubectl(decoy, &["config", "use-context", "decoy"]);
    let text =
        std::fs::read_to_string(decoy).unwrap().replace("current-context: decoy", &format!("current-context: {name}"));
    let cluster = Cluster::from_text(&text).unwrap();
    let identity = cluster.identity("default").await.unwrap();
    assert!(identity.cluster_uid.is_some() && identity.server_version.starts_with("v1."));
    let private = cluster.private_kubeconfig(&identity).await.unwrap();
    let private = String::from_utf8(private.expose_secret().to_vec()).unwrap();
    assert!(!private.contains("decoy"));
    let wrong = drydock::ports::Identity { namespace_uid: "another".into(), ..identity };
    assert!(cluster.private_kubeconfig(&wrong).await.is_err());
}
