//! drydock's own adapter against the practice server: every call, and every fault of the wire by the error it must lead to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod tiny;

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use drydock::{
    cluster::Cluster,
    ports::{Collect, Deleted, Exec, JobState, Kind, ObjectRef, Objects, PodRef, PortErrorKind, Right, kinds},
    practice::{Fault, ServerOptions, Streams},
};
use futures::StreamExt;
use serde_json::{Value, json};
use tiny::{World, config_map};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

async fn begin(faults: &[Fault]) -> (World, Cluster) {
    begin_with(faults, ServerOptions::default()).await
}

async fn begin_with(faults: &[Fault], options: ServerOptions) -> (World, Cluster) {
    let world = World::begin(faults, options).await;
    let cluster = Cluster::from_text(&world.kubeconfig()).unwrap();
    (world, cluster)
}

fn object(kind: Kind, name: &str) -> ObjectRef {
    let namespace = kind.namespaced.then(|| "plant".to_owned());
    ObjectRef { kind, namespace, name: name.to_owned() }
}

fn pod() -> PodRef {
    PodRef { namespace: "plant".into(), pod: "box".into(), container: "main".into(), uid: String::new() }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn uid(object: &Value) -> &str {
    object.pointer("/metadata/uid").and_then(Value::as_str).unwrap()
}

async fn run(cluster: &Cluster, command: &[&str], input: &[u8]) -> Result<(u8, Vec<u8>), drydock::ports::PortError> {
    let mut out = Collect::new(32 << 20);
    let exit = cluster.run(&pod(), &words(command), input, &mut out, &CancellationToken::new()).await?;
    Ok((exit.code, out.text().into_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_and_who_asks() {
    let (world, cluster) = begin(&[]).await;
    let identity = cluster.identity("plant").await.unwrap();
    assert_eq!(identity.server_version, "v1.36.0+practice");
    assert!(identity.cluster_uid.is_some() && identity.labels.contains(&"env=practice".to_owned()));
    assert_eq!((cluster.context.as_str(), world.server.address().ip().is_loopback()), ("practice", true));
    let private = cluster.private_kubeconfig(&identity).await.unwrap();
    assert!(Cluster::from_text(std::str::from_utf8(private.expose_secret()).unwrap()).is_ok());
    let other = drydock::ports::Identity { namespace_uid: "other".into(), ..identity };
    assert_eq!(cluster.private_kubeconfig(&other).await.unwrap_err().kind, PortErrorKind::Conflict);

    // without the token nothing is said, not even to who knows an address of another server
    let text = world.kubeconfig();
    let token = serde_json::from_str::<Value>(&text).unwrap()["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    let stranger = Cluster::from_text(&text.replace(&token, &"0".repeat(token.len()))).unwrap();
    assert_eq!(stranger.identity("plant").await.unwrap_err().kind, PortErrorKind::Unauthorized);
    let kubectl = Cluster::from_text(&world.kubectl_config()).unwrap();
    assert!(kubectl.identity("plant").await.is_ok());

    let address = world.server.address();
    drop(world);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "a dropped server listens no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_changed_and_ended() {
    let (world, cluster) = begin(&[]).await;
    let found = cluster.kinds().await.unwrap();
    for kind in [kinds::pod(), kinds::stateful_set(), kinds::volume(), kinds::job(), kinds::storage_class()] {
        assert!(found.contains(&kind), "{kind:?}");
    }
    let made = cluster.create(&config_map("plant", "a", &json!({"x": "1"}))).await.unwrap();
    let again = cluster.create(&config_map("plant", "a", &json!({}))).await.unwrap_err();
    assert_eq!((again.kind, again.detail.contains("already exists")), (PortErrorKind::Conflict, true));
    let missing = cluster.create(&config_map("nowhere", "a", &json!({}))).await.unwrap_err();
    assert_eq!(missing.kind, PortErrorKind::NotFound);
    let wrong = cluster.create(&config_map("plant", "A_b", &json!({}))).await.unwrap_err();
    assert_eq!((wrong.kind, wrong.detail.contains("RFC 1123 subdomain")), (PortErrorKind::Invalid, true));

    let a = object(kinds::config_map(), "a");
    // as kubectl applies, also what is not there yet: drydock itself changes only what is
    let tried = apply(&world, "a", &config_map("plant", "a", &json!({"y": "2"})), "&dryRun=All", "200 OK").await;
    assert!(tried.contains(r#""x":"1""#) && tried.contains(r#""y":"2""#), "{tried}");
    assert_eq!(cluster.get(&a).await.unwrap().unwrap()["data"], json!({"x": "1"}));
    let applied = apply(&world, "a", &config_map("plant", "a", &json!({"y": "2"})), "", "200 OK").await;
    assert!(applied.contains(uid(&made)), "{applied}");
    apply(&world, "b", &config_map("plant", "b", &json!({"z": "3"})), "", "201 Created").await;
    let made_by_apply = cluster.get(&object(kinds::config_map(), "b")).await.unwrap().unwrap();
    assert_eq!(made_by_apply["data"]["z"], "3");
    let mut strange = config_map("plant", "none", &json!({}));
    strange["metadata"]["uid"] = json!("gone");
    apply(&world, "none", &strange, "", "409 Conflict").await;

    let taken = cluster.apply(&a, uid(&made), &json!({"data": {"x": "3"}})).await.unwrap();
    assert_eq!(taken["data"], json!({"x": "3", "y": "2"}));
    assert_eq!(cluster.apply(&a, "other", &json!({"data": {}})).await.unwrap_err().kind, PortErrorKind::Conflict);
    let absent = object(kinds::config_map(), "absent");
    assert_eq!(cluster.apply(&absent, "gone", &json!({})).await.unwrap_err().kind, PortErrorKind::Conflict);

    let db = object(kinds::stateful_set(), "db");
    let its = cluster.get(&db).await.unwrap().unwrap();
    assert_eq!(cluster.scale(&db, "other", 0).await.unwrap_err().kind, PortErrorKind::Conflict);
    assert_eq!(cluster.get(&db).await.unwrap().unwrap()["spec"]["replicas"], 1);
    cluster.scale(&db, uid(&its), 0).await.unwrap();
    assert_eq!(cluster.get(&db).await.unwrap().unwrap()["spec"]["replicas"], 0);
    cluster.scale(&db, uid(&its), 3).await.unwrap();
    let changed = cluster.get(&db).await.unwrap().unwrap();
    assert_eq!((changed["spec"]["replicas"].as_u64(), changed["status"]["readyReplicas"].as_u64()), (Some(3), Some(1)));

    assert_eq!(cluster.delete(&a, "other").await.unwrap_err().kind, PortErrorKind::Conflict);
    assert_eq!(cluster.delete(&a, uid(&made)).await.unwrap(), Deleted::Accepted);
    assert_eq!(cluster.delete(&a, uid(&made)).await.unwrap(), Deleted::Absent);
    assert!(cluster.get(&a).await.unwrap().is_none());

    // an ending namespace takes nothing new
    let place = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "scratch"}});
    let scratch = cluster.create(&place).await.unwrap();
    assert_eq!(scratch["metadata"]["labels"]["kubernetes.io/metadata.name"], "scratch");
    let scratch = cluster.delete(&object(kinds::namespace(), "scratch"), uid(&scratch)).await.unwrap();
    assert_eq!(scratch, Deleted::Accepted);
    let late = cluster.create(&config_map("scratch", "a", &json!({}))).await.unwrap_err();
    assert_eq!((late.kind, late.detail.contains("is being terminated")), (PortErrorKind::Forbidden, true));
    drop(world);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_through_selectors() {
    let (world, cluster) = begin(&[]).await;
    for n in 0..1100 {
        let mut one = config_map("plant", &format!("c{n}"), &json!({}));
        one["metadata"]["labels"] = json!({"third": (n % 3).to_string()});
        world
            .objects
            .create(&drydock::practice::Key::new("", "configmaps", Some("plant"), &format!("c{n}")), one)
            .unwrap();
    }
    let names = |list: &[Value]| {
        let mut names: Vec<String> = list.iter().map(|one| one["metadata"]["name"].to_string()).collect();
        names.sort();
        names.dedup();
        names.len()
    };
    let all = cluster.list(&kinds::config_map(), Some("plant"), "").await.unwrap();
    assert_eq!((all.len(), names(&all)), (1101, 1101), "each once over three pages");
    let third = cluster.list(&kinds::config_map(), None, "third in (0, 1),third!=1").await.unwrap();
    assert_eq!((third.len(), names(&third)), (367, 367));
    assert_eq!(cluster.list(&kinds::config_map(), None, "a b").await.unwrap_err().kind, PortErrorKind::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_survives_what_it_missed() {
    let (world, cluster) = begin(&[]).await;
    let mut lists = cluster.watch(&kinds::config_map(), Some("plant"), "watched=yes").await.unwrap();
    assert!(lists.next().await.unwrap().unwrap().is_empty());
    let key = |name: &str| drydock::practice::Key::new("", "configmaps", Some("plant"), name);
    let mut one = config_map("plant", "w", &json!({}));
    one["metadata"]["labels"] = json!({"watched": "yes"});
    world.objects.create(&key("w"), one).unwrap();
    assert_eq!(lists.next().await.unwrap().unwrap().len(), 1);
    // more changes elsewhere than are kept, and than a slow watcher may be behind
    for n in 0..6000 {
        world.objects.create(&key(&format!("n{n}")), config_map("plant", "n", &json!({}))).unwrap();
    }
    let unwatch = |object: &mut Value| {
        object["metadata"]["labels"] = json!({"watched": "no"});
        Ok(())
    };
    world.objects.update(&key("w"), unwatch).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let list =
            tokio::time::timeout(deadline - Instant::now(), lists.next()).await.expect("the label's loss is told");
        // an error in between says that the list may be old
        if list.unwrap().is_ok_and(|list| list.is_empty()) {
            break;
        }
    }
}

/// The first lines of an answer, read off the socket.
async fn raw(world: &World, path: &str, wanted: &str) -> String {
    request(world, &format!("GET {path}"), "", wanted).await
}

/// A server-side apply of a ConfigMap; its answer has this status.
async fn apply(world: &World, name: &str, object: &Value, more: &str, status: &str) -> String {
    let path = format!("PATCH /api/v1/namespaces/plant/configmaps/{name}?fieldManager=kubectl&force=true{more}");
    let answer =
        request(world, &path, &object.to_string(), if status.starts_with('2') { "}}" } else { "\"code\":" }).await;
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    answer
}

async fn request(world: &World, what: &str, body: &str, wanted: &str) -> String {
    let token = serde_json::from_str::<Value>(&world.kubeconfig()).unwrap()["users"][0]["user"]["token"].clone();
    let mut socket = tokio::net::TcpStream::connect(world.server.address()).await.unwrap();
    let head = format!(
        "{what} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/apply-patch+yaml\r\n\
         content-length: {}\r\n\r\n{body}",
        token.as_str().unwrap(),
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(wanted) {
        let mut block = [0; 4096];
        let n =
            tokio::time::timeout(Duration::from_secs(5), socket.read(&mut block)).await.expect("an answer").unwrap();
        assert!(n > 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&block[..n]);
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_says_where_it_begins_and_what_it_cannot_know() {
    let (world, _cluster) = begin(&[]).await;
    let path = "/api/v1/namespaces/plant/pods?watch=1";
    let begun =
        raw(&world, &format!("{path}&sendInitialEvents=true&allowWatchBookmarks=true"), "initial-events-end").await;
    assert!(begun.find("ADDED").unwrap() < begun.find("BOOKMARK").unwrap(), "{begun}");
    for n in 0..3000 {
        let key = drydock::practice::Key::new("", "configmaps", Some("plant"), &format!("n{n}"));
        world.objects.create(&key, config_map("plant", "n", &json!({}))).unwrap();
    }
    let late = raw(&world, &format!("{path}&resourceVersion=2"), "too old resource version: 2").await;
    assert!(late.contains("200 OK") && late.contains(r#""type":"ERROR""#) && late.contains(r#""code":410"#), "{late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_jobs_and_files_go_through() {
    let (world, cluster) = begin(&[]).await;
    assert_eq!(run(&cluster, &["echo", "hi"], &[]).await.unwrap(), (0, b"hi\n".to_vec()));
    assert_eq!(run(&cluster, &["sh", "-c", "exit 9"], &[]).await.unwrap().0, 9);
    let long = vec![b'x'; 300_000];
    assert_eq!(run(&cluster, &["cat"], &long).await.unwrap(), (0, long));
    let elsewhere = PodRef { uid: "other".into(), ..pod() };
    let mut out = Collect::new(100);
    let never = CancellationToken::new();
    let replaced = cluster.run(&elsewhere, &words(&["true"]), &[], &mut out, &never).await.unwrap_err();
    assert_eq!(replaced.kind, PortErrorKind::Conflict);
    let nobody = PodRef { pod: "none".into(), ..pod() };
    let absent = cluster.run(&nobody, &words(&["true"]), &[], &mut out, &never).await.unwrap_err();
    assert_eq!(absent.kind, PortErrorKind::NotFound);

    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let tools = cluster.probe(&pod(), &["sh", "no-such-program"], place).await.unwrap();
    assert_eq!(tools.programs, ["sh"]);
    cluster.start(&pod(), place, "job", &words(&["sh", "-c", "echo out; exit 3"])).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !matches!(cluster.poll(&pod(), place, "job").await.unwrap(), JobState::Ended { code: 3, out: 4, err: 0 }) {
        assert!(Instant::now() < deadline, "the job does not end");
    }
    cluster.start(&pod(), place, "long", &words(&["sleep", "100"])).await.unwrap();
    cluster.stop(&pod(), place, "long").await.unwrap();
    assert_eq!(cluster.poll(&pod(), place, "none").await.unwrap(), JobState::Absent);

    let (here, back) = (folder.path().join("here"), folder.path().join("back"));
    std::fs::write(&here, vec![7; 3_000_000]).unwrap();
    let there = format!("{place}/there");
    let up = cluster.upload(&pod(), &here, &there, &|_| {}, &never).await.unwrap();
    assert_eq!(cluster.digest(&pod(), &there).await.unwrap(), Some(up.clone()));
    assert_eq!(cluster.download(&pod(), &there, &back, &|_| {}, &never).await.unwrap(), up);
    assert_eq!(std::fs::read(&here).unwrap(), std::fs::read(&back).unwrap());

    // a client that goes ends its command
    let cancel = CancellationToken::new();
    let later = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        later.cancel();
    });
    let stopped = cluster.run(&pod(), &words(&["sleep", "100"]), &[], &mut out, &cancel).await.unwrap_err();
    assert_eq!(stopped.kind, PortErrorKind::Cancelled);
    let deadline = Instant::now() + Duration::from_secs(5);
    while world.tiny.dropped.load(Ordering::SeqCst) != 1 {
        assert!(Instant::now() < deadline, "its future lives on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_without_v5_is_enough() {
    let (_world, cluster) = begin_with(&[], ServerOptions { streams: Streams::V4, ..ServerOptions::default() }).await;
    assert_eq!(run(&cluster, &["cat"], b"whole").await.unwrap(), (0, b"whole".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_answers_and_a_closed_one_does_not() {
    let (_world, cluster) = begin(&[]).await;
    let ask = || http::Request::get("/api/version").header("host", "core").body(Vec::new()).unwrap();
    let (status, body) = cluster.http(&pod(), 8080, ask()).await.unwrap();
    assert_eq!((status, body), (200, b"GET /api/version HTTP/1.1".to_vec()));
    assert_eq!(cluster.http(&pod(), 9, ask()).await.unwrap_err().kind, PortErrorKind::ConnectionLost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_status_is_never_success() {
    // at the end of a short output, and in the middle of a long one; once
    for bytes in ["10", "1000000"] {
        let (_world, cluster) = begin(&[Fault::NoStatus]).await;
        let error = run(&cluster, &["head", "-c", bytes, "/dev/zero"], &[]).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::ConnectionLost, "{error:?}");
        assert_eq!(run(&cluster, &["head", "-c", bytes, "/dev/zero"], &[]).await.unwrap().0, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_tail_is_found_though_the_server_says_success() {
    let (_world, cluster) = begin(&[Fault::TruncatedTail]).await;
    assert_eq!(run(&cluster, &["echo", "short"], &[]).await.unwrap().0, 0);
    let error = run(&cluster, &["head", "-c", "1000000", "/dev/zero"], &[]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Integrity, "{error:?}");
    assert_eq!(run(&cluster, &["head", "-c", "1000000", "/dev/zero"], &[]).await.unwrap().1.len(), 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_link_is_slow_and_whole() {
    let (_world, cluster) = begin(&[Fault::SlowLink]).await;
    let begun = Instant::now();
    assert_eq!(run(&cluster, &["head", "-c", "262144", "/dev/zero"], &[]).await.unwrap().1.len(), 262_144);
    let took = begun.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_is_said_before_and_when_it_is_tried() {
    let right = |resource: &str| Right {
        verb: "delete".into(),
        group: "apps".into(),
        resource: resource.into(),
        subresource: String::new(),
        namespace: Some("plant".into()),
    };
    let rights = [right("statefulsets"), right("deployments")];
    for (faults, allowed) in [(&[][..], [true, true]), (&[Fault::Forbidden], [false, true])] {
        let (_world, cluster) = begin(faults).await;
        let access = cluster.access(&rights).await.unwrap();
        assert_eq!(access.iter().map(|one| one.allowed).collect::<Vec<_>>(), allowed);
        let db = object(kinds::stateful_set(), "db");
        let found = cluster.get(&db).await.unwrap().unwrap();
        match cluster.delete(&db, uid(&found)).await {
            Ok(deleted) => assert!(allowed[0] && deleted == Deleted::Accepted),
            Err(error) => assert!(!allowed[0] && error.kind == PortErrorKind::Forbidden, "{error:?}"),
        }
    }
}
