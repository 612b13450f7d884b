//! The smallest world behind the practice server: one pod whose commands are real processes of this machine, a port that
//! answers, a log book, and a kubelet that only takes away what ends.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    collections::BTreeMap,
    io,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use drydock::practice::{
    ApiServer, ChangeKind, Containers, End, Fault, Faults, Io, Key, LogBook, Objects, ServerOptions,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream},
    process::Command,
    sync::mpsc,
};

/// Containers of the test's own.
#[derive(Default)]
pub struct Tiny {
    books: Mutex<BTreeMap<String, Arc<LogBook>>>,
    before: Mutex<BTreeMap<String, Arc<LogBook>>>,
    /// Commands whose future was dropped before its end.
    pub dropped: AtomicU32,
    /// There is no folder for temporary files.
    pub has_no_temporary: AtomicBool,
}

/// Counts a command that is dropped.
struct Running<'a>(&'a Tiny, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn name(pod: &Value) -> String {
    pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn pump(mut from: impl AsyncRead + Unpin, to: mpsc::Sender<Bytes>) {
    let mut block = vec![0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut block).await {
        if to.send(Bytes::copy_from_slice(&block[..n])).await.is_err() {
            return;
        }
    }
}

impl Tiny {
    pub fn book(&self, pod: &str) -> Arc<LogBook> {
        Arc::clone(self.books.lock().unwrap().entry(pod.to_owned()).or_default())
    }

    /// The container begins again: what it wrote is the log of the start before.
    pub fn next_start(&self, pod: &str) {
        if let Some(book) = self.books.lock().unwrap().insert(pod.to_owned(), Arc::default()) {
            self.before.lock().unwrap().insert(pod.to_owned(), book);
        }
    }

    /// The node has no log of the start before any more.
    pub fn forget_before(&self, pod: &str) {
        self.before.lock().unwrap().remove(pod);
    }

    /// Whoever follows is cut off; what was written stays.
    pub fn cut_log(&self, pod: &str) {
        let copy = LogBook::default();
        for (at, line) in self.book(pod).read(0).0 {
            copy.write_at(at, line);
        }
        self.books.lock().unwrap().insert(pod.to_owned(), Arc::new(copy));
    }

    /// The node began a new file: what was written is gone, and whoever follows is cut off.
    pub fn end_log(&self, pod: &str) {
        self.books.lock().unwrap().remove(pod);
    }
}

#[async_trait]
impl Containers for Tiny {
    async fn exec(&self, _: &Value, _: &str, command: &[String], io: Io) -> End {
        let Io { mut stdin, stdout, stderr } = io;
        // the end of its input ends drydock's own script, which must be left to reap what it started
        let own = command.get(3).is_some_and(|word| word == "drydock-run");
        let mut program = Command::new(&command[0]);
        if self.has_no_temporary.load(Ordering::SeqCst) {
            program.env("TMPDIR", "/no/such/folder");
        }
        let spawned = program
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(!own)
            .spawn();
        let Ok(mut child) = spawned else {
            return End::NotStarted(format!("exec: \"{}\": executable file not found in $PATH: unknown", command[0]));
        };
        let mut running = Running(self, false);
        let mut input = child.stdin.take().unwrap();
        let feed = async move {
            while let Some(chunk) = stdin.recv().await {
                if input.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            drop(input);
            std::future::pending::<()>().await;
        };
        let out = pump(child.stdout.take().unwrap(), stdout);
        let err = pump(child.stderr.take().unwrap(), stderr);
        let status = tokio::select! {
            () = feed => unreachable!(),
            (status, (), ()) = async { tokio::join!(child.wait(), out, err) } => status.unwrap(),
        };
        running.1 = true;
        End::Exit(u8::try_from(status.code().unwrap_or(137)).unwrap())
    }

    fn logs(&self, pod: &Value, _: &str) -> Option<Arc<LogBook>> {
        self.books.lock().unwrap().get(&name(pod)).cloned()
    }

    fn logs_before(&self, pod: &Value, _: &str) -> Option<Arc<LogBook>> {
        self.before.lock().unwrap().get(&name(pod)).cloned()
    }

    async fn connect(&self, _: &Value, port: u16, mut stream: DuplexStream) -> io::Result<()> {
        if port != 8080 {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (mut head, mut block) = (Vec::new(), [0; 1024]);
        while !head.windows(4).any(|part| part == b"\r\n\r\n") {
            let n = stream.read(&mut block).await?;
            if n == 0 {
                return Ok(());
            }
            head.extend_from_slice(&block[..n]);
        }
        let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{line}", line.len());
        stream.write_all(answer.as_bytes()).await
    }
}

/// A running server over a seeded store.
pub struct World {
    pub objects: Arc<Objects>,
    pub tiny: Arc<Tiny>,
    pub server: ApiServer,
}

pub fn config_map(namespace: &str, name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data})
}

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "plant", "labels": {"app": name}},
    "spec": {"nodeName": "node1", "containers": [{"name": "main", "image": "localhost/box:1"}]},
    "status": {"phase": "Running", "podIP": "10.0.0.7", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "main", "ready": true, "restartCount": 0, "image": "localhost/box:1", "imageID": "",
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}})
}

fn workload(plural: &str, kind: &str, name: &str) -> Value {
    let labels = json!({"app": name});
    let status = json!({"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1,
        "currentReplicas": 1, "currentRevision": "r1", "updateRevision": "r1",
        "conditions": [{"type": "Available", "status": "True"}]});
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "plant", "labels": {"of": plural}},
    "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "localhost/box:1"}]}}}, "status": status})
}

fn seed(objects: &Objects) {
    let put = |group: &str, plural: &str, namespace: Option<&str>, name: &str, object: Value| {
        objects.create(&Key::new(group, plural, namespace, name), object).unwrap();
    };
    for name in ["default", "kube-system", "plant"] {
        let labels = json!({"kubernetes.io/metadata.name": name, "env": "practice"});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": labels},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
        put("", "namespaces", None, name, namespace);
    }
    let ca = json!({"ca.crt": "-----BEGIN CERTIFICATE-----\npractice\n-----END CERTIFICATE-----\n"});
    put("", "configmaps", Some("plant"), "kube-root-ca.crt", config_map("plant", "kube-root-ca.crt", &ca));
    put("", "pods", Some("plant"), "box", pod("box"));
    let found = objects.get(&Key::new("", "pods", Some("plant"), "box")).unwrap();
    put("apps", "deployments", Some("plant"), "core", workload("deployments", "Deployment", "core"));
    put("apps", "statefulsets", Some("plant"), "db", workload("statefulsets", "StatefulSet", "db"));
    let event = json!({"apiVersion": "v1", "kind": "Event", "type": "Normal", "reason": "Started", "message": "Started container main",
        "count": 1, "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "source": {"component": "kubelet"},
        "involvedObject": {"kind": "Pod", "namespace": "plant", "name": "box", "apiVersion": "v1", "uid": found["metadata"]["uid"]}});
    put("", "events", Some("plant"), "box.1", event);
}

/// Takes away pods and namespaces that end, as their controllers would.
fn reap(objects: &Arc<Objects>) {
    let objects = Arc::clone(objects);
    tokio::spawn(async move {
        let (_, mut changes) = objects.changes(objects.revision()).unwrap();
        while let Ok(change) = changes.recv().await {
            let ending = change.object.pointer("/metadata/deletionTimestamp").is_some();
            if ending
                && change.kind == ChangeKind::Modified
                && matches!(change.key.plural.as_str(), "pods" | "namespaces")
            {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                for key in objects.keys(&change.key.name) {
                    objects.remove(&key);
                }
                objects.remove(&change.key);
            }
        }
    });
}

impl World {
    pub async fn begin(faults: &[Fault], options: ServerOptions) -> Self {
        let (objects, tiny) = (Arc::new(Objects::default()), Arc::new(Tiny::default()));
        seed(&objects);
        reap(&objects);
        let faults = Arc::new(Faults::new(faults.iter().copied()));
        let containers: Arc<dyn Containers> = Arc::clone(&tiny) as _;
        let server = ApiServer::start_with(Arc::clone(&objects), containers, faults, options).await.unwrap();
        Self { objects, tiny, server }
    }

    /// Text of drydock's kubeconfig.
    pub fn kubeconfig(&self) -> String {
        String::from_utf8(self.server.kubeconfig().expose_secret().to_vec()).unwrap()
    }

    /// Text of kubectl's.
    pub fn kubectl_config(&self) -> String {
        String::from_utf8(self.server.kubectl_config().expose_secret().to_vec()).unwrap()
    }
}
