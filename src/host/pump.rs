//! Carries both outputs of a child to the sink, one chunk at a time: while the sink is busy nothing is read, so the child
//! waits and no memory grows.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::ports::{OutputSink, PortError, PortErrorKind, Stream};

/// Largest chunk that a sink gets.
pub(super) const CHUNK: usize = 64 * 1024;
/// How long we wait, in all, for the end of outputs whose program has ended: a descendant may keep them open for ever.
/// Time that the sink takes does not count.
pub(super) const LINGER: Duration = Duration::from_secs(2);
/// The most that two pipes can hold at the moment their writer ends. Beyond it nothing can be the program's own.
const PIPES: u64 = 2 * 1024 * 1024;

/// Reads until both outputs end, or until `exited` and nothing more can be the program's. Says the bytes of standard
/// output that the sink took.
pub(super) async fn pump(
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    sink: &mut dyn OutputSink,
    exited: &CancellationToken,
) -> Result<u64, PortError> {
    let (mut out, mut err) = (Source::new(stdout), Source::new(stderr));
    let (mut bytes, mut afterwards) = (0u64, 0u64);
    let (mut patience, mut since) = (LINGER, None::<Instant>);
    while out.open() || err.open() {
        let began = Instant::now();
        let over = exited.is_cancelled();
        if over {
            since.get_or_insert(began);
        }
        let chattered = afterwards > PIPES && since.is_some_and(|exit| exit.elapsed() >= LINGER);
        if patience.is_zero() || chattered {
            break;
        }
        let given_up = async {
            exited.cancelled().await;
            sleep(patience).await;
        };
        let (stream, chunk) = tokio::select! {
            chunk = out.next(), if out.open() => (Stream::Out, chunk),
            chunk = err.next(), if err.open() => (Stream::Err, chunk),
            () = given_up => break,
        };
        let chunk = chunk.map_err(|error| {
            PortError::new(PortErrorKind::Io, "cannot read the output of a program", error.to_string())
        })?;
        if over {
            patience = patience.saturating_sub(began.elapsed());
            afterwards += chunk.len() as u64;
        }
        if chunk.is_empty() {
            continue;
        }
        let length = chunk.len() as u64;
        sink.take(stream, chunk).await?;
        if stream == Stream::Out {
            bytes += length;
        }
    }
    Ok(bytes)
}

/// One pipe with its own buffer; closed once it said end of file.
struct Source<R> {
    reader: Option<R>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Source<R> {
    fn new(reader: Option<R>) -> Self {
        Self { reader, buffer: vec![0; CHUNK] }
    }

    fn open(&self) -> bool {
        self.reader.is_some()
    }

    /// The next chunk; empty once, at the end. Dropping the future before it is ready loses nothing.
    async fn next(&mut self) -> io::Result<Bytes> {
        let Some(reader) = &mut self.reader else { return Ok(Bytes::new()) };
        let length = reader.read(&mut self.buffer).await?;
        if length == 0 {
            self.reader = None;
        }
        // Copied, so that a short line kept by a sink does not keep a whole buffer alive.
        Ok(Bytes::copy_from_slice(&self.buffer[..length]))
    }
}
