//! What the API server asks of whoever plays the containers: commands, logs, ports.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    io::DuplexStream,
    sync::{mpsc, watch},
};

/// Lines that are kept of one container.
const KEPT: usize = 20_000;

/// The streams of a command in a container. Bounded: whoever reads slowly slows the command.
pub struct Io {
    /// Its standard input; ends with the client's.
    pub stdin: mpsc::Receiver<Bytes>,
    /// Its standard output.
    pub stdout: mpsc::Sender<Bytes>,
    /// Its standard error.
    pub stderr: mpsc::Sender<Bytes>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It ran and ended with this status.
    Exit(u8),
    /// It could not be started, in the words of the container runtime (`… executable file not found in $PATH`).
    NotStarted(String),
}

/// One container's output, kept so that it can be read again, and followed.
pub struct LogBook {
    lines: Mutex<(u64, VecDeque<(Timestamp, String)>)>,
    written: watch::Sender<u64>,
}

impl Default for LogBook {
    fn default() -> Self {
        Self { lines: Mutex::default(), written: watch::channel(0).0 }
    }
}

impl LogBook {
    fn lock(&self) -> MutexGuard<'_, (u64, VecDeque<(Timestamp, String)>)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line.
    pub fn write(&self, line: impl Into<String>) {
        self.write_at(Timestamp::now(), line);
    }

    /// Writes a line with this stamp: those of stdout and stderr are not in order, and a node's clock may go back.
    pub fn write_at(&self, at: Timestamp, line: impl Into<String>) {
        let mut lines = self.lock();
        lines.0 += 1;
        lines.1.push_back((at, line.into()));
        if lines.1.len() > KEPT {
            lines.1.pop_front();
        }
        self.written.send_replace(lines.0);
    }

    /// The kept lines from number `from` (0 is the first ever written), and the number after the last.
    pub fn read(&self, from: u64) -> (Vec<(Timestamp, String)>, u64) {
        let lines = self.lock();
        let oldest = lines.0 - lines.1.len() as u64;
        let skip = usize::try_from(from.saturating_sub(oldest)).unwrap_or(usize::MAX);
        (lines.1.iter().skip(skip).cloned().collect(), lines.0)
    }

    /// Changes with every line; ends when the container does.
    pub fn written(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }
}

/// The containers of the simulated cluster.
#[async_trait]
pub trait Containers: Send + Sync {
    /// Runs `command` in a container of `pod` (its JSON) to its end. Dropping the future ends the command.
    async fn exec(&self, pod: &Value, container: &str, command: &[String], io: Io) -> End;

    /// The output of a container, if it was ever started.
    fn logs(&self, pod: &Value, container: &str) -> Option<std::sync::Arc<LogBook>>;

    /// The output of the start before the last one, if there was one and it is kept.
    fn logs_before(&self, pod: &Value, container: &str) -> Option<std::sync::Arc<LogBook>>;

    /// Serves one connection to a port of the pod; refused when nothing listens there.
    async fn connect(&self, pod: &Value, port: u16, stream: DuplexStream) -> std::io::Result<()>;
}
