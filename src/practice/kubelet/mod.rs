//! The kubelet and scheduler: one task a pod that plays its life, from its volumes to its end.
//!
//! Owns: pod status, the programs of containers, restarts, the words of the real kubelet. Does not own: which pods there are
//! (`controllers`). Called by `controllers`, which starts a task for each pod it sees.

mod environment;
mod status;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    containers::LogBook,
    controllers::events,
    faults::Fault,
    objects::Key,
    pixelcore::{Program, Running, render::IMAGE},
    shell::{self, Input, Output, Place, Streams},
    state::Shared,
};
use status::{Stand, write};

/// The one node.
pub const NODE: &str = "practice-node";

/// How often a task looks at its pod.
const LOOK: Duration = Duration::from_millis(40);

/// One pod.
#[derive(Clone)]
pub struct Pod {
    /// The world.
    pub shared: Arc<Shared>,
    /// Where its object is.
    pub key: Key,
    /// Its uid.
    pub uid: String,
}

impl Pod {
    /// The object, as long as it is this pod.
    pub fn object(&self) -> Option<Arc<Value>> {
        let found = self.shared.objects.get(&self.key)?;
        (text(&found, "/metadata/uid") == self.uid).then_some(found)
    }

    fn namespace(&self) -> &str {
        self.key.namespace.as_deref().unwrap_or_default()
    }

    fn event(&self, warning: bool, reason: &str, message: &str) {
        if let Some(object) = self.object() {
            events::tell(&self.shared, &object, warning, reason, message, "kubelet");
        }
    }

    async fn until_deleted(&self) {
        loop {
            match self.object() {
                Some(object) if object.pointer("/metadata/deletionTimestamp").is_none() => {}
                _ => return,
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Plays the pod's life, then takes it away.
pub async fn live(pod: Pod) {
    let life = async {
        life(&pod).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = life => {}
        () = pod.until_deleted() => {}
    }
    end(&pod).await;
}

async fn end(pod: &Pod) {
    if let Some(object) = pod.object() {
        let ran = pod.shared.look(|state| state.pods.get(&pod.uid).is_some_and(|state| state.runs));
        if ran {
            let name = text(&object, "/spec/containers/0/name").to_owned();
            pod.event(false, "Killing", &format!("Stopping container {name}"));
            let log = pod.shared.log(&pod.uid);
            let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3f");
            log.write(format!("{now}Z INFO  [main] stopping"));
            pod.shared.change(|state| {
                let state = state.pod(&pod.uid);
                state.serves = false;
                state.runs = false;
            });
            let grace = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_f64).unwrap_or(1.0);
            pod.shared.pause(grace.min(0.8)).await;
        }
        if pod.object().is_some() {
            pod.shared.objects.remove(&pod.key);
        }
    }
    pod.shared.change(|state| state.pods.remove(&pod.uid));
}

async fn life(pod: &Pod) {
    let Some(object) = pod.object() else { return };
    let phase = text(&object, "/status/phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return;
    }
    let taken_up = phase == "Running" && pod.shared.look(|state| state.pods.get(&pod.uid).is_some_and(|pod| pod.runs));
    if !taken_up {
        schedule(pod).await;
        pull(pod).await;
    }
    let mut fresh = !taken_up;
    loop {
        let Some(object) = pod.object() else { return };
        let place = start(pod, &object, fresh).await;
        let code = run(pod, &object, place, fresh).await;
        fresh = true;
        let policy = text(&object, "/spec/restartPolicy").to_owned();
        if policy == "Never" || (policy == "OnFailure" && code == 0) {
            write(pod, &Stand::Ended { code, for_good: true });
            return;
        }
        back_off(pod, &object, code).await;
    }
}

async fn schedule(pod: &Pod) {
    let mut told = false;
    loop {
        let Some(object) = pod.object() else { return };
        let claims = object.pointer("/spec/volumes").and_then(Value::as_array).into_iter().flatten();
        let bound =
            claims.filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str()).all(|claim| {
                let claim =
                    pod.shared.objects.get(&Key::new("", "persistentvolumeclaims", Some(pod.namespace()), claim));
                claim.is_some_and(|claim| text(&claim, "/status/phase") == "Bound")
            });
        if bound {
            break;
        }
        if !told {
            let why = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found";
            events::tell(&pod.shared, &object, true, "FailedScheduling", why, "default-scheduler");
            write(pod, &Stand::Unscheduled(why.to_owned()));
            told = true;
        }
        tokio::time::sleep(LOOK).await;
    }
    pod.shared.pause(0.1).await;
    let bound = pod.shared.objects.update(&pod.key, |object| {
        object["spec"]["nodeName"] = json!(NODE);
        Ok(())
    });
    if let Ok(object) = bound {
        let message = format!("Successfully assigned {}/{} to {NODE}", pod.namespace(), pod.key.name);
        events::tell(&pod.shared, &object, false, "Scheduled", &message, "default-scheduler");
    }
    write(pod, &Stand::Waiting { reason: "ContainerCreating", message: String::new() });
}

async fn pull(pod: &Pod) {
    let Some(object) = pod.object() else { return };
    let image = text(&object, "/spec/containers/0/image").to_owned();
    while let Err(problem) = fetch(pod, &image) {
        pod.event(false, "Pulling", &format!("Pulling image \"{image}\""));
        pod.event(true, "Failed", &format!("Failed to pull image \"{image}\": {problem}"));
        pod.event(true, "Failed", "Error: ErrImagePull");
        write(pod, &Stand::Waiting { reason: "ErrImagePull", message: problem.clone() });
        pod.shared.pause(4.0).await;
        tokio::time::sleep(LOOK).await;
        pod.event(false, "BackOff", &format!("Back-off pulling image \"{image}\""));
        pod.event(true, "Failed", "Error: ImagePullBackOff");
        let message = format!("Back-off pulling image \"{image}\": ErrImagePull: {problem}");
        write(pod, &Stand::Waiting { reason: "ImagePullBackOff", message });
        pod.shared.pause(12.0).await;
        tokio::time::sleep(LOOK).await;
    }
    pod.shared.pause(0.15).await;
    pod.event(
        false,
        "Pulled",
        &format!("Container image \"{image}\" already present on machine and can be accessed by the pod"),
    );
}

/// Whether the registry has the image.
fn fetch(pod: &Pod, image: &str) -> Result<(), String> {
    let tag = image.strip_prefix(IMAGE).and_then(|rest| rest.strip_prefix(':'));
    let held_back = pod.shared.faults.holds(Fault::ImagePull) && tag == Some("5.0.0");
    if matches!(tag, Some("4.2.0" | "5.0.0")) && !held_back {
        return Ok(());
    }
    Err(format!(
        "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
    ))
}

/// Makes the container: its environment, its state, its log.
async fn start(pod: &Pod, object: &Value, fresh: bool) -> Place {
    let mut told = false;
    let env = loop {
        if !fresh {
            break pod.shared.look(|state| state.pods.get(&pod.uid).map(|pod| pod.env.clone()).unwrap_or_default());
        }
        match environment::of(&pod.shared, pod.namespace(), object) {
            Ok(env) => break env,
            Err(problem) => {
                if !told {
                    pod.event(true, "Failed", &format!("Error: {problem}"));
                    write(pod, &Stand::Waiting { reason: "CreateContainerConfigError", message: problem });
                    told = true;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    };
    pod.shared.change(|state| {
        let state = state.pod(&pod.uid);
        state.env.clone_from(&env);
        if fresh {
            // a new container has a new file system; only the pod's own disk stays
            state.files.retain(|path, _| path.starts_with(shell::CLIENT));
            state.applications = None;
            state.serves = false;
            state.log_before = state.log.replace(Arc::new(LogBook::default()));
        }
        state.runs = true;
    });
    if fresh {
        pod.event(false, "Created", "Container created");
        pod.event(false, "Started", "Container started");
    }
    Place {
        shared: Arc::clone(&pod.shared),
        namespace: pod.namespace().to_owned(),
        pod: pod.key.name.clone(),
        uid: pod.uid.clone(),
        env,
    }
}

/// Runs the container's program and keeps the status until it ends.
async fn run(pod: &Pod, object: &Value, place: Place, fresh: bool) -> u8 {
    let container = object.pointer("/spec/containers/0").cloned().unwrap_or_default();
    let log = pod.shared.log(&pod.uid);
    let program = Program::of(&container);
    let me = Running { place: place.clone(), log: Arc::clone(&log), fresh };
    let work = async {
        if let Some(program) = program {
            return program.run(&me).await;
        }
        me.serves(true);
        plain(&container, place, &log).await
    };
    let keep = async {
        let mut told = false;
        loop {
            let ready = pod.shared.look(|state| state.pods.get(&pod.uid).is_some_and(|pod| pod.serves));
            if !ready && !told && program == Some(Program::Core) {
                told = true;
                pod.event(true, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503");
            }
            write(pod, &Stand::Running { ready });
            tokio::time::sleep(LOOK).await;
        }
    };
    let code = tokio::select! {
        code = work => code,
        () = keep => 0,
    };
    pod.shared.change(|state| {
        let state = state.pod(&pod.uid);
        state.runs = false;
        state.serves = false;
        state.jobs.clear();
    });
    code
}

/// A command that is no part of PixelCore.
async fn plain(container: &Value, place: Place, log: &LogBook) -> u8 {
    let words = |key: &str| container.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let argv: Vec<String> =
        [words("command"), words("args")].concat().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    // a loop that only keeps the container alive, as drydock's client pod has it
    let idles =
        argv.len() > 2 && argv[2].contains("sleep") && (argv[2].contains("while ") || argv[2].contains("infinity"));
    if idles || argv.first().is_some_and(|word| word == "sleep" && argv.get(1).is_some_and(|time| time == "infinity")) {
        std::future::pending::<()>().await;
    }
    let Some(first) = argv.first() else { return 0 };
    if !shell::knows(first) {
        log.write(format!("exec: \"{first}\": executable file not found in $PATH"));
        return 128;
    }
    let (send, mut receive) = tokio::sync::mpsc::channel(16);
    let streams = Streams { input: Input::Empty, out: Output::Channel(send.clone()), err: Output::Channel(send) };
    let lines = async {
        let mut held = Vec::new();
        while let Some(bytes) = receive.recv().await {
            held.extend_from_slice(&bytes);
        }
        for line in String::from_utf8_lossy(&held).lines() {
            log.write(line);
        }
    };
    futures::future::join(shell::run(place, argv, streams), lines).await.0
}

async fn back_off(pod: &Pod, object: &Value, code: u8) {
    let restarts = pod.shared.look(|state| state.pods.get(&pod.uid).map_or(0, |pod| pod.restarts)) + 1;
    write(pod, &Stand::Ended { code, for_good: false });
    pod.shared.pause(0.5).await;
    let name = text(object, "/spec/containers/0/name");
    let wait = f64::from(1u32 << restarts.min(5));
    let about = format!("failed container {name} in pod {}_{}({})", pod.key.name, pod.namespace(), pod.uid);
    if restarts > 1 {
        pod.event(true, "BackOff", &format!("Back-off restarting {about}"));
        let message = format!("back-off {}s restarting {about}", 10 * (1u32 << (restarts - 1).min(5)));
        write(pod, &Stand::CrashLoop { code, message });
        pod.shared.pause(wait).await;
    }
    tokio::time::sleep(LOOK).await;
    // the number counts starts that were made, not those that are waited for
    pod.shared.change(|state| state.pod(&pod.uid).restarts = restarts);
}
