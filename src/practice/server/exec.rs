//! Commands in containers over the remote command protocol: one websocket, a channel byte before every message.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
};
use futures::{FutureExt, SinkExt, StreamExt, stream::SplitSink};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    Shared, Streams,
    logs::{container_of, status_of},
    query::Query,
    route::Place,
    status::{Answer, Refused},
    tail::{Kept, Tail},
    write::{key, text},
};
use crate::practice::{End, Fault, Io};

/// Chunks that may wait between a command and the wire.
const QUEUE: usize = 16;
/// Longest message that a client may send.
const LONGEST: usize = 4 << 20;
/// Bytes of one message to the client.
const FRAME: usize = 32 * 1024;
/// How often a silent wire is tried, so that a client that is gone is noticed.
const BEAT: Duration = Duration::from_secs(5);
/// Bytes a second of a slow link.
const SLOW: usize = 256 * 1024;
/// For so long a command may still take in what its client sent before it went.
const LEFT: Duration = Duration::from_millis(200);
/// Output after which the status of a command can be lost on its way.
const ENOUGH: usize = 64 * 1024;

/// Time that `bytes` take on the wire.
pub(super) async fn pace(shared: &Shared, bytes: usize) {
    if shared.faults.holds(Fault::SlowLink) {
        let micros = bytes as u64 * 1_000_000 / SLOW as u64;
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

/// Bytes of a message, smaller where the link is slow.
pub(super) fn frame(shared: &Shared) -> usize {
    if shared.faults.holds(Fault::SlowLink) { FRAME / 4 } else { FRAME }
}

pub(super) fn message(channel: u8, bytes: &[u8]) -> Message {
    let mut data = Vec::with_capacity(bytes.len() + 1);
    data.push(channel);
    data.extend_from_slice(bytes);
    Message::Binary(data.into())
}

/// The end of a stream that is meant. kubectl takes an end without a code for an accident.
pub(super) fn farewell() -> Message {
    Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: Utf8Bytes::default() }))
}

/// The socket for a stream, if the client speaks one of `protocols`.
pub(super) fn socket(
    upgrade: Option<WebSocketUpgrade>,
    protocols: &'static [&'static str],
) -> Result<WebSocketUpgrade, Refused> {
    let refused = |why: &str| {
        Refused::bad_request(format!(
            "unable to upgrade: {why}; the practice server speaks {}",
            protocols.join(" and ")
        ))
    };
    let upgrade = upgrade.ok_or_else(|| refused("the client asks for no websocket"))?;
    let upgrade = upgrade.protocols(protocols.iter().copied()).max_message_size(LONGEST).max_frame_size(LONGEST);
    if upgrade.selected_protocol().is_none() {
        return Err(refused("the client offers other protocols"));
    }
    Ok(upgrade)
}

/// One command to run.
struct Command {
    pod: Arc<Value>,
    container: String,
    words: Vec<String>,
    /// The nonce of drydock's outermost script, if the command is one.
    nonce: Option<String>,
    query: Query,
    v5: bool,
}

/// GET or POST of `exec`.
pub fn exec(shared: &Arc<Shared>, place: &Place, query: Query, upgrade: Option<WebSocketUpgrade>) -> Answer {
    let pod = shared.objects.get(&key(place)).ok_or_else(|| Refused::not_found(place.kind, &place.name))?;
    let container = container_of(&pod, &query)?;
    let words = query.all("command");
    if words.is_empty() {
        return Err(Refused::bad_request("you must specify at least 1 command for the container"));
    }
    if matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed") {
        let message = format!(
            "cannot exec into a container in a completed pod; current phase is {}",
            text(&pod, "/status/phase")
        );
        return Err(Refused::bad_request(message));
    }
    if status_of(&pod, &container).is_some_and(|status| status.pointer("/state/running").is_none()) {
        return Err(Refused::internal(&format!("unable to upgrade connection: container not found (\"{container}\")")));
    }
    let protocols: &[&str] = match shared.streams {
        Streams::V5 => &["v5.channel.k8s.io", "v4.channel.k8s.io"],
        Streams::V4 => &["v4.channel.k8s.io"],
    };
    let upgrade = socket(upgrade, protocols)?;
    let v5 = upgrade.selected_protocol().is_some_and(|name| name == "v5.channel.k8s.io");
    let nonce = match words.as_slice() {
        [_, _, _, name, nonce, ..] if name == "drydock-run" => Some(nonce.clone()),
        _ => None,
    };
    let command = Command { pod, container, words, nonce, query, v5 };
    let shared = Arc::clone(shared);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let stop = shared.stop.clone();
        tokio::select! {
            () = command.run(&shared, socket) => {}
            () = stop.cancelled() => {}
        }
    }))
}

type Sink = SplitSink<WebSocket, Message>;

/// What the client is told at the end.
enum Told {
    Status(Value),
    /// Nothing: the stream just ends.
    Nothing,
    /// Nothing, and nobody is there to be told.
    Gone,
}

impl Command {
    async fn run(self, shared: &Shared, socket: WebSocket) {
        let (mut sink, mut frames) = socket.split();
        let (stdin_to, stdin) = mpsc::channel(QUEUE);
        let (stdout, stdout_from) = mpsc::channel(QUEUE);
        let (stderr, stderr_from) = mpsc::channel(QUEUE);
        let acknowledge = stdin_to.downgrade();
        let io = Io { stdin, stdout, stderr };
        let work = shared.containers.exec(&self.pod, &self.container, &self.words, io).fuse();
        tokio::pin!(work);
        let told = tokio::select! {
            told = async {
                let pump = self.pump_out(shared, &mut sink, stdout_from, stderr_from, &acknowledge);
                tokio::pin!(pump);
                let mut ended = None;
                let pumped = loop {
                    tokio::select! {
                        end = &mut work, if ended.is_none() => ended = Some(end),
                        pumped = &mut pump => break pumped,
                    }
                };
                match pumped {
                    Told::Status(forced) => {
                        let end = match ended {
                            Some(end) => end,
                            None => work.as_mut().await,
                        };
                        Told::Status(if forced.is_null() { status(&end) } else { forced })
                    }
                    other => other,
                }
            } => told,
            () = self.pump_in(shared, &mut frames, stdin_to) => Told::Gone,
        };
        match told {
            // its input ends with what came
            Told::Gone => {
                let _ = tokio::time::timeout(LEFT, work).await;
                return;
            }
            Told::Status(status) => {
                let lost = self.nonce.is_some() && shared.faults.strikes(Fault::NoStatus);
                if !lost {
                    let _ = sink.send(message(3, status.to_string().as_bytes())).await;
                }
            }
            Told::Nothing => {}
        }
        // the client may have gone already
        let _ = sink.send(farewell()).await;
        let _ = tokio::time::timeout(BEAT, async { while let Some(Ok(_)) = frames.next().await {} }).await;
    }

    /// From the command to the client, until both its outputs end. A status that is not null stands in for the true one.
    async fn pump_out(
        &self,
        shared: &Shared,
        sink: &mut Sink,
        mut stdout: mpsc::Receiver<Bytes>,
        mut stderr: mpsc::Receiver<Bytes>,
        acknowledge: &mpsc::WeakSender<Bytes>,
    ) -> Told {
        let mut beat = tokio::time::interval(BEAT);
        let mut tail = self.tail(shared);
        let (mut sent, mut told) = (0, Value::Null);
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            let (channel, chunk) = tokio::select! {
                chunk = stdout.recv(), if out_open => {
                    out_open = chunk.is_some();
                    (1, chunk.unwrap_or_else(|| tail.as_mut().map(Tail::rest).unwrap_or_default()))
                },
                chunk = stderr.recv(), if err_open => {
                    err_open = chunk.is_some();
                    let Some(chunk) = chunk else { continue };
                    (2, chunk)
                },
                _ = beat.tick() => {
                    if sink.send(Message::Ping(Bytes::new())).await.is_err() {
                        return Told::Gone;
                    }
                    continue;
                }
            };
            let chunk = match &mut tail {
                Some(keeper) if channel == 1 && out_open => {
                    match keeper.take(&chunk, || shared.faults.strikes(Fault::TruncatedTail)) {
                        Kept::Pass(chunk) => chunk,
                        Kept::Dropped => {
                            shared.tail_dropped.store(true, Ordering::Relaxed);
                            tail = None;
                            told = json!({"metadata": {}, "status": "Success"});
                            // the client never saw the end of the output, so it will not acknowledge it
                            if let Some(stdin) = acknowledge.upgrade() {
                                let _ = stdin.send(Bytes::from_static(b"ok\n")).await;
                            }
                            continue;
                        }
                    }
                }
                _ => chunk,
            };
            if !self.wants(channel) || chunk.is_empty() || !told.is_null() && channel == 1 {
                continue;
            }
            for part in chunk.chunks(frame(shared)) {
                if sink.send(message(channel, part)).await.is_err() {
                    return Told::Gone;
                }
                pace(shared, part.len()).await;
            }
            if channel == 1 {
                sent += chunk.len();
                if self.nonce.is_some() && sent >= ENOUGH && shared.faults.strikes(Fault::NoStatus) {
                    return Told::Nothing;
                }
            }
        }
        Told::Status(told)
    }

    fn tail(&self, shared: &Shared) -> Option<Tail> {
        let awaited = shared.faults.holds(Fault::TruncatedTail) && !shared.tail_dropped.load(Ordering::Relaxed);
        self.nonce.as_ref().filter(|_| awaited).map(|nonce| Tail::new(nonce))
    }

    fn wants(&self, channel: u8) -> bool {
        match channel {
            1 => self.query.flag("stdout"),
            _ => self.query.flag("stderr"),
        }
    }

    /// From the client to the command, until the client is gone.
    async fn pump_in(
        &self,
        shared: &Shared,
        frames: &mut (impl StreamExt<Item = Result<Message, axum::Error>> + Unpin),
        stdin: mpsc::Sender<Bytes>,
    ) {
        let mut stdin = self.query.flag("stdin").then_some(stdin);
        while let Some(Ok(message)) = frames.next().await {
            let data = match message {
                Message::Binary(data) => data,
                Message::Close(_) => return,
                _ => continue,
            };
            match data.first() {
                Some(0) if data.len() > 1 => {
                    pace(shared, data.len()).await;
                    // a command that reads nothing any more is told nothing more
                    let closed = match &stdin {
                        Some(stdin) => stdin.send(data.slice(1..)).await.is_err(),
                        None => false,
                    };
                    if closed {
                        stdin = None;
                    }
                }
                Some(255) if self.v5 && data.get(1) == Some(&0) => stdin = None,
                _ => {}
            }
        }
    }
}

/// How a command ended, as the API says it.
fn status(end: &End) -> Value {
    match end {
        End::Exit(0) => json!({"metadata": {}, "status": "Success"}),
        End::Exit(code) => json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}}),
        End::NotStarted(words) => Refused::internal(&format!("error executing command in container: {words}")).status(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_says_its_code_where_kubectl_looks_for_it() {
        assert_eq!(status(&End::Exit(0))["status"], "Success");
        assert_eq!(status(&End::Exit(7)).pointer("/details/causes/0/message"), Some(&json!("7")));
        assert_eq!(status(&End::NotStarted("x".into()))["reason"], "InternalError");
    }
}
