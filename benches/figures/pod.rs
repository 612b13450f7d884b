//! Files out of and into a pod of a real cluster, beside kubectl: each transfer is a process of its own, so that its memory can
//! be read, and ours and kubectl's go in turn.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use drydock::{
    cluster::{Cluster, Route},
    ports::{Exec, PodRef},
};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    start::{kubeconfig, program},
    table::{Row, mib, speed},
    terminal::Process,
};

/// The argument with which this program is the one that carries a file.
pub const CHILD: &str = "carry-a-file";
const RUNS: usize = 3;
const SMALL: u64 = 64 << 20;
const LARGE: u64 = 1 << 30;
/// Most memory of a transfer of any size.
const MEMORY: u64 = 32 << 20;
/// Image of the pod; it needs sh and coreutils.
const IMAGE: &str = "localhost/postgres:1";

/// Carries one file, as a step of a run does: `down` or `up`, namespace, path there, path here.
pub fn child(words: &[&str]) -> ExitCode {
    let [way, namespace, there, here] = words else { return ExitCode::from(2) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cluster = Cluster::connect(&Route::default()).unwrap();
        let pod = PodRef {
            namespace: (*namespace).to_owned(),
            pod: "box".into(),
            container: "box".into(),
            uid: String::new(),
        };
        let (here, never) = (Path::new(here), CancellationToken::new());
        let carried = match *way {
            "down" => cluster.download(&pod, there, here, &|_| {}, &never).await.unwrap(),
            _ => cluster.upload(&pod, here, there, &|_| {}, &never).await.unwrap(),
        };
        println!("{}", carried.sha256);
    });
    ExitCode::SUCCESS
}

/// A pod with files in memory, in a namespace of its own.
struct Place {
    config: String,
    namespace: String,
    folder: tempfile::TempDir,
}

impl Place {
    fn new(config: String) -> Self {
        let namespace = format!("dd-figures-{}", std::process::id());
        // a disk is no part of what is measured, where there is memory for it
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap();
        let place = Self { config, namespace, folder };
        place.kubectl(&["create", "namespace", &place.namespace]);
        let spec = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"box"}},"spec":{{"terminationGracePeriodSeconds":0,
            "containers":[{{"name":"box","image":"{IMAGE}","imagePullPolicy":"IfNotPresent","command":["sh","-c","sleep 7200 & wait"],
            "volumeMounts":[{{"name":"data","mountPath":"/data"}}]}}],
            "volumes":[{{"name":"data","emptyDir":{{"medium":"Memory","sizeLimit":"4Gi"}}}}]}}}}"#
        );
        let mut apply =
            place.command(&["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        apply.stdin.take().unwrap().write_all(spec.as_bytes()).unwrap();
        assert!(apply.wait().unwrap().success());
        place.kubectl(&["wait", "pod/box", "--for=condition=Ready", "--timeout=90s"]);
        place
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", &self.config).args(["-n", &self.namespace]).args(args);
        command
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn make(&self, name: &str, bytes: u64) {
        self.kubectl(&["exec", "box", "--", "sh", "-c", &format!("head -c {bytes} /dev/urandom >/data/{name}")]);
    }

    fn here(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same work by hand: hashed in the pod, and here on its way into the file.
    fn hashed_by_hand(&self, there: &str, here: &Path) -> Command {
        let mut command = Command::new("sh");
        let script = r#"kubectl -n "$1" exec box -- sha256sum "$2" & kubectl -n "$1" exec box -- cat "$2" | tee "$3" | sha256sum; wait"#;
        command.args(["-c", script, "sh", &self.namespace, there]).arg(here);
        command.env("KUBECONFIG", &self.config).stdout(Stdio::null());
        command
    }

    /// Our transfer.
    fn ours(&self, way: &str, there: &str, here: &str) -> Carried {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env("KUBECONFIG", &self.config).args([CHILD, way, &self.namespace, there]).arg(self.here(here));
        watched(command.stdout(Stdio::null()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.command(&["delete", "namespace", &self.namespace, "--wait=false"]).stdout(Stdio::null()).status();
    }
}

/// One transfer.
#[derive(Clone, Copy)]
struct Carried {
    time: Duration,
    /// The most that was resident.
    memory: u64,
    cpu: f64,
}

/// Runs a command to its end, and looks at it on the way.
fn watched(command: &mut Command) -> Carried {
    let begun = Instant::now();
    let mut child: Child = command.spawn().unwrap();
    let process = Process(child.id());
    let (mut memory, mut ticks) = (0, 0);
    loop {
        memory = memory.max(process.memory("VmHWM"));
        ticks = ticks.max(process.ticks());
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{command:?} ended with {status}");
            #[allow(clippy::cast_precision_loss, reason = "seconds of processors")]
            return Carried { time: begun.elapsed(), memory, cpu: ticks as f64 / 100.0 };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn sha256(path: &Path) -> String {
    let (mut file, mut hash, mut block) = (File::open(path).unwrap(), Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut block).unwrap() {
            0 => return drydock::text::hex(&hash.finalize()),
            n => hash.update(&block[..n]),
        }
    }
}

/// The one in the middle by its time.
fn middle(mut runs: Vec<Carried>) -> Carried {
    runs.sort_by_key(|run| run.time);
    let memory = runs.iter().map(|run| run.memory).max().unwrap_or(0);
    Carried { memory, ..runs[runs.len() / 2] }
}

pub fn rows() -> Vec<Row> {
    let (Some(config), true) = (kubeconfig(), program("kubectl").is_some()) else {
        let why = "DRYDOCK_TEST_KUBECONFIG is not set, or kubectl is not in the PATH";
        return ["1 GiB out of a pod", "memory of a download", "64 MiB into a pod"]
            .map(|figure| Row::not_run(figure, why))
            .into();
    };
    let place = Place::new(config);
    place.make("small", SMALL);
    place.make("large", LARGE);
    let mut rows = out_of(&place);
    rows.push(into(&place));
    rows
}

fn out_of(place: &Place) -> Vec<Row> {
    let there = place.kubectl(&["exec", "box", "--", "sha256sum", "/data/large"]);
    let there = there.split_whitespace().next().unwrap().to_owned();
    let (mut ours, mut theirs, mut hashed, mut short) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        let path = place.here("theirs");
        let file = File::create(&path).unwrap();
        theirs.push(watched(place.command(&["exec", "box", "--", "cat", "/data/large"]).stdout(file)));
        short += usize::from(std::fs::metadata(&path).unwrap().len() != LARGE);
        std::fs::remove_file(&path).unwrap();
        hashed.push(watched(&mut place.hashed_by_hand("/data/large", &path)));
        std::fs::remove_file(&path).unwrap();
        ours.push(place.ours("down", "/data/large", "ours"));
        assert_eq!(sha256(&place.here("ours")), there, "what came is not what was there");
        std::fs::remove_file(place.here("ours")).unwrap();
    }
    let small = place.ours("down", "/data/small", "small");
    let times = |peers: &[Carried]| -> String {
        let ratio = |(ours, peer): (&Carried, &Carried)| peer.time.as_secs_f64() / ours.time.as_secs_f64();
        ours.iter().zip(peers).map(|pair| format!("{:.2}", ratio(pair))).collect::<Vec<_>>().join(", ")
    };
    let (beside_plain, beside_hashed) = (times(&theirs), times(&hashed));
    let (ours, theirs, hashed) = (middle(ours), middle(theirs), middle(hashed));
    let ratio = hashed.time.as_secs_f64() / ours.time.as_secs_f64();
    let measured =
        format!("{:.0} MiB/s, {ratio:.2} x ({beside_hashed}), {:.1} s CPU", speed(LARGE, ours.time), ours.cpu);
    let beside = format!(
        "kubectl exec cat, hashed on both sides: {:.0} MiB/s; without any hash: {:.0} MiB/s (ours is {beside_plain} x that), \
         {:.1} s CPU, {short} of {RUNS} cut",
        speed(LARGE, hashed.time),
        speed(LARGE, theirs.time),
        theirs.cpu
    );
    let memory = format!("{} for 1 GiB, {} for 64 MiB", mib(ours.memory), mib(small.memory));
    vec![
        Row::new("1 GiB out of a pod, hashed on both sides", measured, beside)
            .within(">= 1.0 x kubectl exec cat, both hashed", ratio >= 1.0),
        Row::new("memory of a download, at most", memory, format!("kubectl: {}", mib(theirs.memory)))
            .within("<= 32 MiB for any size", ours.memory <= MEMORY && small.memory <= MEMORY),
    ]
}

fn into(place: &Place) -> Row {
    let path = place.here("up");
    let mut file = File::create(&path).unwrap();
    let status = Command::new("head")
        .args(["-c", &SMALL.to_string(), "/dev/urandom"])
        .stdout(file.try_clone().unwrap())
        .status();
    assert!(status.unwrap().success());
    file.flush().unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..RUNS {
        let here = path.display().to_string();
        theirs
            .push(watched(place.command(&["cp", &here, &format!("box:/data/theirs-{number}")]).stdout(Stdio::null())));
        ours.push(place.ours("up", &format!("/data/ours-{number}"), "up"));
    }
    let (ours, theirs) = (middle(ours), middle(theirs));
    let measured = format!("{:.0} MiB/s, {} at most", speed(SMALL, ours.time), mib(ours.memory));
    let beside = format!("kubectl cp, no hash: {:.0} MiB/s, {}", speed(SMALL, theirs.time), mib(theirs.memory));
    Row::new("64 MiB into a pod, hashed on both sides", measured, beside)
}
