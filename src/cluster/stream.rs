//! One command on the acknowledged stream: the raw websocket, our own loop.
//!
//! The remote script ends its output with `NONCE:EXIT:BYTES` and waits for our line; only then does it exit. So nothing is
//! lost on a slow line, the true status always arrives, and a client that dies leaves nothing behind (the end of its stdin
//! stops the command). Success needs the trailer, its byte count, and the server's own status "Success".

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::{connect::Cluster, error::chain, objects::query};
use crate::{
    ports::{ExitStatus, OutputSink, PodRef, PortError, PortErrorKind, Stream, remote::Script},
    text::hex,
};

/// Longest trailer: nonce, status, count, separators.
const TRAILER: usize = 64;
/// How often something crosses the wire.
const BEAT: Duration = Duration::from_secs(5);
/// Silence after which the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(15);
/// The same while we send: the server answers no ping while the remote stdin is full.
const SILENCE_SENDING: Duration = Duration::from_secs(45);
/// Longest wait for the server's status after the acknowledgement.
const STATUS: Duration = Duration::from_secs(15);
/// Bytes of input a frame.
const FRAME: usize = 32 * 1024;

/// What of the trailer has been seen.
struct Tail {
    nonce: String,
    held: BytesMut,
    sent: u64,
    exit: Option<ExitStatus>,
}

impl Tail {
    /// Takes a chunk in and returns what may be passed on: never the trailer, nor what could be its beginning.
    fn take(&mut self, chunk: &[u8]) -> Result<Bytes, String> {
        if self.exit.is_some() {
            return Err("bytes came after the trailer".to_owned());
        }
        self.held.extend_from_slice(chunk);
        let from = self.held.len().saturating_sub(TRAILER);
        let window = &self.held[from..];
        let found = window.windows(self.nonce.len()).position(|part| part == self.nonce.as_bytes()).map(|at| from + at);
        let ready = match found {
            Some(at) if self.held.ends_with(b"\n") => {
                let line = String::from_utf8_lossy(&self.held[at + self.nonce.len()..]).into_owned();
                let mut parts = line.trim_end().trim_start_matches(':').split(':');
                let (code, bytes) =
                    (parts.next().and_then(|n| n.parse().ok()), parts.next().and_then(|n| n.parse().ok()));
                let (Some(code), Some(bytes)) = (code, bytes) else {
                    return Err("the trailer is not understood".to_owned());
                };
                self.exit = Some(ExitStatus { code, bytes });
                let ready = self.held.split_to(at).freeze();
                self.held.clear();
                ready
            }
            Some(at) => self.held.split_to(at).freeze(),
            None => self.held.split_to(from).freeze(),
        };
        self.sent += ready.len() as u64;
        match self.exit {
            Some(exit) if exit.bytes != self.sent => Err(format!("{} of {} bytes arrived", self.sent, exit.bytes)),
            _ => Ok(ready),
        }
    }
}

impl Cluster {
    /// Runs `command` in a container; `input` is its standard input.
    pub(super) async fn acknowledged(
        &self,
        pod: &PodRef,
        command: &[String],
        input: &[u8],
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        let shown =
            command.iter().find(|part| part.starts_with("drydock-")).or(command.first()).cloned().unwrap_or_default();
        let what = format!("cannot run {shown} in pod {}", pod.pod);
        self.check_uid(&what, pod).await?;
        let mut random = [0u8; 12];
        getrandom::fill(&mut random)
            .map_err(|error| PortError::new(PortErrorKind::Other, what.clone(), error.to_string()))?;
        let nonce = hex(&random);
        let length = input.len().to_string();
        let mut args = vec![nonce.as_str(), &length];
        args.extend(command.iter().map(String::as_str));
        let words: String = Script::Run.command(&args).iter().map(|word| format!("&command={}", query(word))).collect();
        let url = format!(
            "/api/v1/namespaces/{}/pods/{}/exec?container={}&stdin=true&stdout=true&stderr=true{words}",
            pod.namespace, pod.pod, pod.container
        );
        let request = http::Request::get(url)
            .body(Vec::new())
            .map_err(|error| PortError::new(PortErrorKind::Invalid, what.clone(), error.to_string()))?;
        let connection = self.bounded(&what, self.client.connect(request)).await?;
        let (mut sink, mut frames) = connection.into_stream().split();
        let (send, mut outgoing) = mpsc::channel::<Message>(8);
        let writer = tokio::spawn(async move {
            while let Some(message) = outgoing.recv().await {
                if sink.send(message).await.is_err() {
                    return;
                }
            }
        });
        let stop = tokio_util::task::AbortOnDropHandle::new(writer);
        let result = self.converse(&what, nonce, &send, &mut frames, input, out, cancel).await;
        drop(stop);
        result
    }

    #[allow(clippy::too_many_arguments)]
    async fn converse(
        &self,
        what: &str,
        nonce: String,
        send: &mpsc::Sender<Message>,
        frames: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
        input: &[u8],
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        let lost = |detail: String| PortError::new(PortErrorKind::ConnectionLost, what, detail);
        let mut tail = Tail { nonce, held: BytesMut::new(), sent: 0, exit: None };
        let mut status: Option<Value> = None;
        let mut seen = Instant::now();
        let mut deadline: Option<tokio::time::Instant> = None;
        let mut beat = tokio::time::interval(BEAT);
        let feed = async {
            for part in input.chunks(FRAME) {
                let mut frame = BytesMut::with_capacity(part.len() + 1);
                frame.extend_from_slice(&[0]);
                frame.extend_from_slice(part);
                if send.send(Message::Binary(frame.freeze())).await.is_err() {
                    return;
                }
            }
        };
        tokio::pin!(feed);
        let mut feeding = !input.is_empty();
        loop {
            let end = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let frame = tokio::select! {
                frame = frames.next() => frame,
                () = &mut feed, if feeding => { feeding = false; continue }
                () = end => break,
                _ = beat.tick() => {
                    let limit = if feeding { SILENCE_SENDING } else { SILENCE };
                    if seen.elapsed() > limit {
                        return Err(lost(format!("nothing came for {} s", limit.as_secs())));
                    }
                    let _ = send.try_send(Message::Ping(Bytes::new()));
                    continue;
                }
                // the dropped connection is the end of the remote stdin, which stops the command there
                () = cancel.cancelled() => return Err(PortError::new(PortErrorKind::Cancelled, what, "stopped by the operator")),
            };
            seen = Instant::now();
            let data = match frame {
                Some(Ok(Message::Binary(data))) => data,
                Some(Ok(Message::Close(_))) | None => break,
                Some(Ok(_)) => continue,
                Some(Err(error)) => {
                    if tail.exit.is_some() && status.is_some() {
                        break;
                    }
                    return Err(lost(chain(&error)));
                }
            };
            match data.first() {
                Some(1) => {
                    let ready =
                        tail.take(&data[1..]).map_err(|fault| PortError::new(PortErrorKind::Integrity, what, fault))?;
                    if !ready.is_empty() {
                        out.take(Stream::Out, ready).await?;
                        seen = Instant::now();
                    }
                    if tail.exit.is_some() && deadline.is_none() {
                        let _ = send.send(Message::Binary(Bytes::from_static(b"\0ok\n"))).await;
                        deadline = Some(tokio::time::Instant::now() + STATUS);
                    }
                }
                Some(2) if data.len() > 1 => {
                    out.take(Stream::Err, data.slice(1..)).await?;
                    seen = Instant::now();
                }
                Some(3) => {
                    status = serde_json::from_slice(&data[1..]).ok();
                    // late output may still follow for a moment
                    deadline = Some(tokio::time::Instant::now() + Duration::from_secs(1));
                }
                _ => {}
            }
        }
        verdict(what, tail.exit, status.as_ref())
    }

    /// Refuses another pod under the same name.
    async fn check_uid(&self, what: &str, pod: &PodRef) -> Result<(), PortError> {
        if pod.uid.is_empty() {
            return Ok(());
        }
        let found =
            self.json(what, "GET", &format!("/api/v1/namespaces/{}/pods/{}", pod.namespace, pod.pod), None).await?;
        if found.pointer("/metadata/uid").and_then(Value::as_str) == Some(pod.uid.as_str()) {
            return Ok(());
        }
        Err(PortError::new(PortErrorKind::Conflict, what, "the pod was replaced by another of the same name"))
    }
}

/// What the end of a stream proves.
fn verdict(what: &str, exit: Option<ExitStatus>, status: Option<&Value>) -> Result<ExitStatus, PortError> {
    let success = status.and_then(|status| status["status"].as_str()) == Some("Success");
    let message = status.and_then(|status| status["message"].as_str()).map(crate::text::printable);
    match (exit, success, message) {
        (Some(exit), true, _) => Ok(exit),
        (None, true, _) => Err(PortError::new(
            PortErrorKind::Integrity,
            what,
            "the server says success, and the end of the output is missing",
        )),
        (_, false, Some(message)) => {
            if message.contains("executable file not found") || message.contains("no such file or directory") {
                let words = "the container has no `sh`, and nothing can be asked of it without one: \
                             use an image with a shell, or name another container in the runbook";
                return Err(PortError::new(PortErrorKind::Unsupported, what, words));
            }
            Err(PortError::new(PortErrorKind::ConnectionLost, what, message))
        }
        (Some(_), false, None) => Err(PortError::new(
            PortErrorKind::ConnectionLost,
            what,
            "the output is whole, and the server never said how the command ended",
        )),
        (None, false, None) => {
            Err(PortError::new(PortErrorKind::ConnectionLost, what, "the connection ended before the command did"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tail() -> Tail {
        Tail { nonce: "0123456789abcdef01234567".into(), held: BytesMut::new(), sent: 0, exit: None }
    }

    proptest! {
        #[test]
        fn the_trailer_is_found_however_it_is_cut(body in proptest::collection::vec(any::<u8>(), 0..300), cuts in proptest::collection::vec(1usize..40, 1..40)) {
            let mut tail = tail();
            let mut whole = body.clone();
            whole.extend_from_slice(format!("{}:7:{}\n", tail.nonce, body.len()).as_bytes());
            let (mut got, mut rest, mut cuts) = (Vec::new(), &whole[..], cuts.into_iter().cycle());
            while !rest.is_empty() {
                let n = cuts.next().unwrap().min(rest.len());
                got.extend_from_slice(&tail.take(&rest[..n]).unwrap());
                rest = &rest[n..];
            }
            prop_assert_eq!(got, body.clone());
            prop_assert_eq!(tail.exit, Some(ExitStatus { code: 7, bytes: body.len() as u64 }));
        }
    }

    #[test]
    fn a_missing_byte_is_an_error() {
        let mut tail = tail();
        let line = format!("abc{}:0:4\n", tail.nonce);
        assert!(tail.take(line.as_bytes()).is_err());
    }

    #[test]
    fn success_needs_both_words() {
        let exit = Some(ExitStatus { code: 0, bytes: 1 });
        let success = serde_json::json!({"status": "Success"});
        let failure = serde_json::json!({"status": "Failure", "message": "container not found"});
        assert!(verdict("x", exit, Some(&success)).is_ok());
        assert_eq!(verdict("x", exit, None).unwrap_err().kind, PortErrorKind::ConnectionLost);
        assert_eq!(verdict("x", None, Some(&success)).unwrap_err().kind, PortErrorKind::Integrity);
        assert!(verdict("x", None, Some(&failure)).unwrap_err().detail.contains("container not found"));
        assert!(verdict("x", None, None).is_err());
    }
}
