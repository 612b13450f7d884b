//! The containers of the practice world as the API server asks for them: exec, logs, ports.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tokio::io::DuplexStream;

use super::{
    containers::{Containers, End, Io, LogBook},
    pixelcore::{self, Program, Running},
    shell::{self, Input, Output, Place, Streams},
    state::Shared,
};

/// How often a command looks whether its container still runs.
const LOOK: Duration = Duration::from_millis(50);

/// The containers.
pub struct Runtime(pub Arc<Shared>);

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl Runtime {
    fn place(&self, pod: &Value) -> Option<Place> {
        let uid = text(pod, "/metadata/uid").to_owned();
        let env = self.0.look(|state| state.pods.get(&uid).filter(|pod| pod.runs).map(|pod| pod.env.clone()))?;
        let of = |pointer| text(pod, pointer).to_owned();
        Some(Place {
            shared: Arc::clone(&self.0),
            namespace: of("/metadata/namespace"),
            pod: of("/metadata/name"),
            uid,
            env,
        })
    }

    async fn until_stopped(&self, uid: &str) {
        while self.0.look(|state| state.pods.get(uid).is_some_and(|pod| pod.runs)) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[async_trait]
impl Containers for Runtime {
    async fn exec(&self, pod: &Value, container: &str, command: &[String], io: Io) -> End {
        let known = pod.pointer("/spec/containers/0/name").and_then(Value::as_str);
        let Some(place) = self.place(pod).filter(|_| container.is_empty() || known == Some(container)) else {
            return End::NotStarted(format!("container not found (\"{container}\")"));
        };
        let Some(program) = command.first() else {
            return End::NotStarted("you must specify at least one command for the container".to_owned());
        };
        if !shell::knows(program) {
            return End::NotStarted(format!(
                "failed to exec in container: failed to start exec \"{}\": OCI runtime exec failed: exec failed: unable to start container process: exec: \"{program}\": executable file not found in $PATH: unknown",
                super::short_hash(&place.uid, 32)
            ));
        }
        let uid = place.uid.clone();
        let streams = Streams {
            input: Input::Channel(io.stdin),
            out: Output::Channel(io.stdout),
            err: Output::Channel(io.stderr),
        };
        tokio::select! {
            status = shell::run(place, command.to_vec(), streams) => End::Exit(status),
            () = self.until_stopped(&uid) => End::Exit(137),
        }
    }

    fn logs(&self, pod: &Value, _: &str) -> Option<Arc<LogBook>> {
        let uid = text(pod, "/metadata/uid");
        self.0.look(|state| state.pods.get(uid)?.log.clone())
    }

    fn logs_before(&self, pod: &Value, _: &str) -> Option<Arc<LogBook>> {
        let uid = text(pod, "/metadata/uid");
        self.0.look(|state| state.pods.get(uid)?.log_before.clone())
    }

    async fn connect(&self, pod: &Value, port: u16, stream: DuplexStream) -> io::Result<()> {
        let refused = || {
            io::Error::new(
                io::ErrorKind::ConnectionRefused,
                format!("dial tcp4 127.0.0.1:{port}: connect: connection refused"),
            )
        };
        let place = self.place(pod).ok_or_else(refused)?;
        let container = pod.pointer("/spec/containers/0").cloned().unwrap_or_default();
        if port != 8080 || Program::of(&container) != Some(Program::Core) {
            return Err(refused());
        }
        let (uid, log) = (place.uid.clone(), self.0.log(&place.uid));
        tokio::select! {
            () = pixelcore::serve(Running { place, log, fresh: false }, stream) => Ok(()),
            () = self.until_stopped(&uid) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        }
    }
}
