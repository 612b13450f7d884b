//! One command on the acknowledged stream: the raw websocket, our own loop.
//!
//! The remote script ends its output with `NONCE:EXIT:BYTES` and waits for our line; only then does it exit. So nothing is
//! lost on a slow line, the true status always arrives, and a client that dies leaves nothing behind (the end of its stdin
//! stops the command). Success needs the trailer, its byte count, and the server's own status "Success".

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde_json::Value;
use tokio::time::Instant;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{Role, WebSocketConfig},
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    connect::Cluster,
    ending::End,
    error::chain,
    outgoing::{Outgoing, frames, taken},
};
use crate::{
    ports::{ExitStatus, OutputSink, PodRef, PortError, PortErrorKind, Stream, remote::Script},
    text::{hex, in_query},
};

/// Longest trailer: nonce, status, count, separators.
const TRAILER: usize = 64;
/// Bytes of a read from the connection.
const BUFFER: usize = 32 * 1024;
/// How often something crosses the wire.
const BEAT: Duration = Duration::from_secs(5);
/// Silence after which the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(15);
/// The same until the server has taken our whole input in: it answers no ping while the remote stdin is full.
const SILENCE_SENDING: Duration = Duration::from_secs(45);
/// Longest wait for the server's status after the acknowledgement.
const STATUS: Duration = Duration::from_secs(15);

/// What shows that all of the output came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The remote side counts it, through a pipe more.
    Count,
    /// The caller compares a hash: a count would cost a large file a tenth of its speed and show nothing more.
    Hash,
}

/// What of the trailer has been seen.
struct Tail {
    nonce: String,
    /// What could be the trailer, from its first byte on.
    held: Bytes,
    sent: u64,
    exit: Option<ExitStatus>,
}

impl Tail {
    fn new(nonce: String) -> Self {
        Self { nonce, held: Bytes::new(), sent: 0, exit: None }
    }

    /// Takes a chunk in and returns what may be passed on: never the trailer, nor what could be its beginning.
    fn take(&mut self, chunk: Bytes) -> Result<Bytes, String> {
        if self.exit.is_some() {
            return Err("bytes came after the trailer".to_owned());
        }
        let mut ready = chunk;
        if !self.held.is_empty() {
            let mut both = BytesMut::from(std::mem::take(&mut self.held));
            both.extend_from_slice(&ready);
            ready = both.freeze();
        }
        let nonce = self.nonce.as_bytes();
        let begins = (ready.len().saturating_sub(TRAILER)..ready.len()).find(|&at| {
            let rest = &ready[at..];
            rest.starts_with(nonce) || nonce.starts_with(rest)
        });
        if let Some(at) = begins {
            self.held = ready.split_off(at);
        }
        self.sent += ready.len() as u64;
        if self.held.starts_with(nonce) && self.held.ends_with(b"\n") {
            self.exit = Some(self.trailer()?);
            self.held.clear();
        }
        match self.exit {
            Some(exit) if exit.bytes != self.sent => Err(format!("{} of {} bytes arrived", self.sent, exit.bytes)),
            _ => Ok(ready),
        }
    }

    /// What the held line says. A dash stands for a count that was not asked for.
    fn trailer(&self) -> Result<ExitStatus, String> {
        let line = String::from_utf8_lossy(&self.held[self.nonce.len()..]).into_owned();
        let mut parts = line.trim_end().trim_start_matches(':').split(':');
        let code = parts.next().and_then(|n| n.parse().ok());
        let bytes = parts.next().and_then(|n| if n == "-" { Some(self.sent) } else { n.parse().ok() });
        match (code, bytes) {
            (Some(code), Some(bytes)) => Ok(ExitStatus { code, bytes }),
            _ => Err("the trailer is not understood".to_owned()),
        }
    }
}

impl Cluster {
    /// Runs `command` in a container; `input` is its standard input.
    pub(super) async fn acknowledged(
        &self,
        pod: &PodRef,
        (command, proof): (&[String], Proof),
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
        let output = match proof {
            Proof::Count => "count",
            Proof::Hash => "pass",
        };
        let mut args = vec![nonce.as_str(), &length, output];
        args.extend(command.iter().map(String::as_str));
        let words: String =
            Script::Run.command(&args).iter().map(|word| format!("&command={}", in_query(word))).collect();
        let url = format!(
            "/api/v1/namespaces/{}/pods/{}/exec?container={}&stdin=true&stdout=true&stderr=true{words}",
            pod.namespace, pod.pod, pod.container
        );
        let request = http::Request::get(url)
            .body(Vec::new())
            .map_err(|error| PortError::new(PortErrorKind::Invalid, what.clone(), error.to_string()))?;
        let connection = self.bounded(&what, self.client.connect(request)).await?;
        // a read clears the whole buffer first: one much larger than a record of TLS is written more often than the bytes
        let config = WebSocketConfig::default().read_buffer_size(BUFFER);
        let socket = connection.into_stream().into_inner();
        let (sink, mut answers) = WebSocketStream::from_raw_socket(socket, Role::Client, Some(config)).await.split();
        let outgoing = Outgoing::start(sink);
        converse(&what, nonce, &outgoing, &mut answers, input, out, cancel).await
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

/// Feeds the input, passes the output on, and says how it ended.
async fn converse(
    what: &str,
    nonce: String,
    outgoing: &Outgoing,
    answers: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
    input: &[u8],
    out: &mut dyn OutputSink,
    cancel: &CancellationToken,
) -> Result<ExitStatus, PortError> {
    let lost = |detail: String| PortError::new(PortErrorKind::ConnectionLost, what, detail);
    let mut tail = Tail::new(nonce);
    let mut end = End::default();
    let mut seen = Instant::now();
    let mut deadline: Option<Instant> = None;
    let mut beat = tokio::time::interval(BEAT);
    let feed = outgoing.feed(input);
    tokio::pin!(feed);
    let mut is_feeding = true;
    let (all, mut written, mut there) = (frames(input), 0, 0);
    loop {
        let over = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let answer = tokio::select! {
            answer = answers.next() => answer,
            () = &mut feed, if is_feeding => { is_feeding = false; continue }
            () = over => break,
            _ = beat.tick() => {
                // what we could write moved, too, though nothing came back yet
                let now = outgoing.written();
                if now > written {
                    (written, seen) = (now, Instant::now());
                }
                let limit = if there < all { SILENCE_SENDING } else { SILENCE };
                if seen.elapsed() > limit {
                    return Err(lost(format!("nothing came for {} s", limit.as_secs())));
                }
                outgoing.beat();
                continue;
            }
            // the dropped connection is the end of the remote stdin, which stops the command there
            () = cancel.cancelled() => return Err(PortError::new(PortErrorKind::Cancelled, what, "stopped by the operator")),
        };
        seen = Instant::now();
        let data = match answer {
            Some(Ok(Message::Binary(data))) => data,
            Some(Ok(Message::Pong(mark))) => {
                there = there.max(taken(&mark));
                continue;
            }
            Some(Ok(Message::Close(_))) | None => break,
            Some(Ok(_)) => continue,
            Some(Err(error)) => {
                if tail.exit.is_some() && end.status.is_some() {
                    break;
                }
                return Err(lost(chain(&error)));
            }
        };
        match data.first() {
            Some(1) => {
                let ready = tail
                    .take(data.slice(1..))
                    .map_err(|fault| PortError::new(PortErrorKind::Integrity, what, fault))?;
                if !ready.is_empty() {
                    out.take(Stream::Out, ready).await?;
                    seen = Instant::now();
                }
                if tail.exit.is_some() && deadline.is_none() {
                    outgoing.acknowledge();
                    deadline = Some(Instant::now() + STATUS);
                }
            }
            Some(2) if data.len() > 1 => {
                end.hear(&data[1..]);
                out.take(Stream::Err, data.slice(1..)).await?;
                seen = Instant::now();
            }
            Some(3) => {
                end.status = serde_json::from_slice::<Value>(&data[1..]).ok();
                // late output may still follow for a moment
                deadline = Some(Instant::now() + Duration::from_secs(1));
            }
            _ => {}
        }
    }
    end.verdict(what, tail.exit)
}

#[cfg(test)]
mod tests {
    use futures::SinkExt;
    use proptest::prelude::*;
    use tokio::io::DuplexStream;

    use super::*;

    fn tail() -> Tail {
        Tail::new("0123456789abcdef01234567".into())
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
                got.extend_from_slice(&tail.take(Bytes::copy_from_slice(&rest[..n])).unwrap());
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
        assert!(tail.take(line.into_bytes().into()).is_err());
    }

    /// Speaks to a server of the test's own over a pipe of so many bytes.
    async fn spoken<F: Future<Output = ()> + Send + 'static>(
        pipe: usize,
        input: &[u8],
        server: impl FnOnce(WebSocketStream<DuplexStream>) -> F,
    ) -> Result<ExitStatus, PortError> {
        let (here, there) = tokio::io::duplex(pipe);
        let ours = WebSocketStream::from_raw_socket(here, Role::Client, None).await;
        tokio::spawn(server(WebSocketStream::from_raw_socket(there, Role::Server, None).await));
        let (sink, mut answers) = ours.split();
        let mut out = crate::ports::Collect::new(100);
        let outgoing = Outgoing::start(sink);
        converse("x", tail().nonce, &outgoing, &mut answers, input, &mut out, &CancellationToken::new()).await
    }

    /// Takes one frame of input every 20 s, then ends as the remote script does.
    async fn slow(mut socket: WebSocketStream<DuplexStream>) {
        let mut left = INPUT;
        while left > 0 {
            if let Message::Binary(data) = socket.next().await.unwrap().unwrap() {
                left -= data.len() - 1;
                tokio::time::sleep(Duration::from_secs(20)).await;
            }
        }
        let trailer = format!("\u{1}{}:0:0\n", tail().nonce);
        socket.send(Message::Binary(trailer.into_bytes().into())).await.unwrap();
        while socket.next().await.unwrap().unwrap() != Message::Binary(Bytes::from_static(b"\0ok\n")) {}
        socket.send(Message::Binary(Bytes::from_static(b"\x03{\"status\":\"Success\"}"))).await.unwrap();
    }

    const INPUT: usize = 400_000;

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_is_not_a_dead_one() {
        // what waits of the input lies with us, and in the buffers on its way
        for pipe in [1 << 10, 1 << 20] {
            let began = Instant::now();
            let exit = spoken(pipe, &vec![7; INPUT], slow).await.unwrap();
            assert_eq!((exit.code, exit.bytes), (0, 0), "{pipe}");
            assert!(began.elapsed() > Duration::from_secs(200), "{pipe}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_on_which_nothing_moves_is_lost_in_time() {
        for (pipe, input, most) in [(1 << 10, INPUT, 50), (1 << 20, INPUT, 50), (1 << 20, 0, 20)] {
            let began = Instant::now();
            let silent = |socket| async move {
                let _kept = socket;
                std::future::pending::<()>().await;
            };
            let error = spoken(pipe, &vec![7; input], silent).await.unwrap_err();
            assert_eq!(error.kind, PortErrorKind::ConnectionLost, "{pipe}");
            let took = began.elapsed().as_secs();
            assert!((most - 5..=most + 5).contains(&took), "{pipe}: {took} s");
        }
    }
}
