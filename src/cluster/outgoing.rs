//! What goes out on a command's websocket: its input frame by frame, each followed by a ping that counts the frames before it.
//!
//! The pong says that the server has taken them in, however much lies in the buffers between. So a slow line is told from a
//! dead one, and the end of the writing from the end of the way. Called by `stream`, which reads the answers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::{Bytes, BytesMut};
use futures::{Sink, SinkExt};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::task::AbortOnDropHandle;

/// Bytes of input a frame.
const FRAME: usize = 32 * 1024;

/// How many frames an input takes.
pub fn frames(input: &[u8]) -> u64 {
    input.chunks(FRAME).len() as u64
}

/// How many frames of input the server had taken in when it answered with this pong.
pub fn taken(pong: &[u8]) -> u64 {
    pong.try_into().map_or(0, u64::from_be_bytes)
}

#[derive(Default)]
struct Shared {
    /// Frames of input that were written.
    written: AtomicU64,
    /// A ping is wanted. No queue: one that waits is enough.
    beat: Notify,
    /// The acknowledgement is wanted; nothing of the input is read any more then.
    end: Notify,
}

/// The writing half of a connection, written by a task of its own, so that a slow reader of the answers delays nothing.
pub struct Outgoing {
    input: mpsc::Sender<Bytes>,
    shared: Arc<Shared>,
    _writer: AbortOnDropHandle<()>,
}

impl Outgoing {
    /// Starts the task, which ends with this.
    pub fn start(sink: impl Sink<Message> + Unpin + Send + 'static) -> Self {
        let (input, frames) = mpsc::channel(1);
        let shared = Arc::new(Shared::default());
        let writer = tokio::spawn(write(sink, frames, Arc::clone(&shared)));
        Self { input, shared, _writer: AbortOnDropHandle::new(writer) }
    }

    /// Hands the whole input over, as fast as it is written.
    pub async fn feed(&self, input: &[u8]) {
        for part in input.chunks(FRAME) {
            let mut frame = BytesMut::with_capacity(part.len() + 1);
            frame.extend_from_slice(&[0]);
            frame.extend_from_slice(part);
            // a connection that ended says so where it is read
            if self.input.send(frame.freeze()).await.is_err() {
                return;
            }
        }
    }

    /// Frames of the input that this machine has written so far.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }

    /// Sends a ping before what waits of the input.
    pub fn beat(&self) {
        self.shared.beat.notify_one();
    }

    /// Sends the acknowledgement before what waits of the input.
    pub fn acknowledge(&self) {
        self.shared.end.notify_one();
    }
}

async fn write(
    mut sink: impl Sink<Message> + Unpin + Send + 'static,
    mut input: mpsc::Receiver<Bytes>,
    shared: Arc<Shared>,
) {
    let mut frames = 0u64;
    loop {
        let frame = tokio::select! {
            biased;
            () = shared.end.notified() => {
                let _ = sink.send(Message::Binary(Bytes::from_static(b"\0ok\n"))).await;
                continue;
            }
            () = shared.beat.notified() => None,
            frame = input.recv() => match frame {
                Some(frame) => Some(frame),
                None => return,
            },
        };
        let is_input = frame.is_some();
        if let Some(frame) = frame {
            if sink.feed(Message::Binary(frame)).await.is_err() {
                return;
            }
            frames += 1;
        }
        if sink.send(Message::Ping(Bytes::copy_from_slice(&frames.to_be_bytes()))).await.is_err() {
            return;
        }
        if is_input {
            shared.written.store(frames, Ordering::Relaxed);
        }
    }
}
