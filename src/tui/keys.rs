//! Keys of the terminal, read on a thread of their own: a terminal that is gone makes its reader spin, and nothing of the run
//! may wait for it.

use std::thread::JoinHandle;

use crossterm::event::EventStream;
use futures::{
    StreamExt,
    channel::oneshot,
    future::{Either, select},
};
use tokio::sync::mpsc;

use super::input::{Input, translate};

/// Keys that may wait.
const WAITING: usize = 256;

/// The reader.
pub struct Keys {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Keys {
    /// Starts it; what it reads arrives at the receiver, which ends when the terminal does.
    pub fn start() -> (Self, mpsc::Receiver<Input>) {
        let (to, keys) = mpsc::channel(WAITING);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || futures::executor::block_on(read(to, stopped)));
        (Self { stop, thread }, keys)
    }

    /// Ends it, before the terminal is given to anybody else.
    pub fn end(self, keys: mpsc::Receiver<Input>) {
        // a reader that waits for room in the queue is let go first
        drop(keys);
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

async fn read(to: mpsc::Sender<Input>, mut stopped: oneshot::Receiver<()>) {
    let mut events = EventStream::new();
    while let Either::Right((Some(Ok(event)), _)) = select(&mut stopped, events.next()).await {
        if let Some(input) = translate(event)
            && to.send(input).await.is_err()
        {
            return;
        }
    }
}
