//! The standard streams of a simulated program.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::super::{faults::Fault, state::Shared};

/// Standard input.
pub enum Input {
    /// Nothing, at once.
    Empty,
    /// These bytes.
    Held(Bytes),
    /// What comes.
    Channel(mpsc::Receiver<Bytes>),
}

impl Input {
    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Empty => None,
            Self::Held(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Some(bytes)
            }
            Self::Channel(channel) => channel.recv().await,
        }
    }

    /// Everything up to the end.
    pub async fn all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await {
            all.extend_from_slice(&bytes);
        }
        all
    }
}

/// Why a write did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Nobody reads any more.
    Pipe,
    /// `No space left on device`.
    Full,
}

/// A file of a pod.
#[derive(Clone)]
pub struct PodFile {
    /// The world.
    pub shared: Arc<Shared>,
    /// The pod's uid.
    pub uid: String,
    /// Absolute path.
    pub path: String,
}

/// Standard output or error.
#[derive(Clone)]
pub enum Output {
    /// Thrown away.
    Null,
    /// `/dev/full`.
    Full,
    /// To a reader.
    Channel(mpsc::Sender<Bytes>),
    /// Appended to a file.
    File(PodFile),
}

impl Output {
    /// Writes all of `bytes`.
    pub async fn write(&self, bytes: impl Into<Bytes>) -> Result<(), Broken> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Ok(());
        }
        match self {
            Self::Null => Ok(()),
            Self::Full => Err(Broken::Full),
            Self::Channel(channel) => channel.send(bytes).await.map_err(|_| Broken::Pipe),
            Self::File(file) => {
                let errors = Path::new(&file.path).extension().is_some_and(|ending| ending == "err");
                let client = file.path.starts_with(super::CLIENT);
                if client && !errors && file.shared.faults.strikes(Fault::DiskFull) {
                    return Err(Broken::Full);
                }
                file.shared.change(|state| match state.pods.get_mut(&file.uid) {
                    Some(pod) => {
                        pod.append(&file.path, &bytes);
                        Ok(())
                    }
                    None => Err(Broken::Pipe),
                })
            }
        }
    }

    /// Writes a line or more; a reader that is gone is no concern of the writer's words.
    pub async fn say(&self, text: impl Into<String>) {
        let _ = self.write(text.into()).await;
    }
}

/// All three.
pub struct Streams {
    /// Standard input.
    pub input: Input,
    /// Standard output.
    pub out: Output,
    /// Standard error.
    pub err: Output,
}
