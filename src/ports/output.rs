//! Where the bytes of a running command go. Bulk bytes never travel in events: a sink writes them to a file and a
//! bounded ring, and its `await` is the only back pressure there is.

use async_trait::async_trait;
use bytes::Bytes;

use super::PortError;

/// Which of a command's two outputs a chunk came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Takes the output of a running command, chunk by chunk, in order.
#[async_trait]
pub trait OutputSink: Send {
    /// Takes one chunk. Not returning is the back pressure; an error stops the command.
    async fn take(&mut self, stream: Stream, chunk: Bytes) -> Result<(), PortError>;
}

/// Throws everything away.
#[derive(Debug, Default)]
pub struct Discard;

#[async_trait]
impl OutputSink for Discard {
    async fn take(&mut self, _: Stream, _: Bytes) -> Result<(), PortError> {
        Ok(())
    }
}

/// Keeps up to `limit` bytes of each stream in memory, for short answers; more is refused, never cut silently.
#[derive(Debug)]
pub struct Collect {
    /// Bytes of standard output.
    pub out: Vec<u8>,
    /// Bytes of standard error.
    pub err: Vec<u8>,
    limit: usize,
}

impl Collect {
    /// A collector for at most `limit` bytes a stream.
    pub fn new(limit: usize) -> Self {
        Self { out: Vec::new(), err: Vec::new(), limit }
    }

    /// Standard output as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Standard error as text; bytes that are not UTF-8 are replaced.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

#[async_trait]
impl OutputSink for Collect {
    async fn take(&mut self, stream: Stream, chunk: Bytes) -> Result<(), PortError> {
        let limit = self.limit;
        let buffer = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        if buffer.len() + chunk.len() > limit {
            return Err(PortError::new(
                super::PortErrorKind::Other,
                "cannot keep the answer",
                format!("it is longer than {limit} bytes"),
            ));
        }
        buffer.extend_from_slice(&chunk);
        Ok(())
    }
}
