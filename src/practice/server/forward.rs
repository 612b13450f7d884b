//! Ports of pods over a websocket: two channels a port, data and error, each opened with the port's number.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
};
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, WriteHalf},
    sync::mpsc,
    task::JoinSet,
};

use super::{
    Shared,
    exec::{farewell, frame, message, pace, socket},
    query::Query,
    route::Place,
    status::{Answer, Refused},
    write::{key, text},
};

/// Bytes between a connection and the wire.
const BUFFER: usize = 64 * 1024;
/// Messages that may wait for the wire.
const QUEUE: usize = 16;

/// GET or POST of `portforward`.
pub fn forward(shared: &Arc<Shared>, place: &Place, query: &Query, upgrade: Option<WebSocketUpgrade>) -> Answer {
    let pod = shared.objects.get(&key(place)).ok_or_else(|| Refused::not_found(place.kind, &place.name))?;
    if text(&pod, "/status/phase") != "Running" {
        let message = format!(
            "unable to forward port because pod is not running. Current status={}",
            text(&pod, "/status/phase")
        );
        return Err(Refused::bad_request(message));
    }
    let upgrade = socket(upgrade, &["v4.channel.k8s.io", "portforward.k8s.io"])?;
    let named = query.all("ports");
    let parse = |port: &str| port.parse::<u16>().ok().filter(|port| *port > 0);
    let ports: Option<Vec<u16>> = named.iter().flat_map(|list| list.split(',')).map(parse).collect();
    // a channel is one byte
    let ports = ports.filter(|ports| !ports.is_empty() && ports.len() <= 100);
    let ports = ports.ok_or_else(|| Refused::bad_request("query parameter \"ports\" must be numbers of ports"))?;
    let shared = Arc::clone(shared);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let stop = shared.stop.clone();
        tokio::select! {
            () = serve(&shared, &pod, &ports, socket) => {}
            () = stop.cancelled() => {}
        }
    }))
}

/// One connection to a port, from its beginning to its end.
async fn connect(
    shared: Arc<Shared>,
    pod: Arc<Value>,
    port: u16,
    channel: u8,
    far: DuplexStream,
    to: mpsc::Sender<Message>,
) {
    if let Err(error) = shared.containers.connect(&pod, port, far).await {
        let words = format!(
            "error forwarding port {port} to pod {}, uid : failed to connect to localhost:{port} inside namespace: {error}",
            text(&pod, "/metadata/name")
        );
        // the client may be gone
        let _ = to.send(message(channel + 1, words.as_bytes())).await;
    }
}

/// From a connection to the client.
async fn read(
    shared: Arc<Shared>,
    mut near: tokio::io::ReadHalf<DuplexStream>,
    channel: u8,
    to: mpsc::Sender<Message>,
) {
    let mut block = vec![0; frame(&shared)];
    while let Ok(n @ 1..) = near.read(&mut block).await {
        if to.send(message(channel, &block[..n])).await.is_err() {
            return;
        }
        pace(&shared, n).await;
    }
}

async fn serve(shared: &Arc<Shared>, pod: &Arc<Value>, ports: &[u16], socket: WebSocket) {
    let (mut sink, mut frames) = socket.split();
    let (to, mut messages) = mpsc::channel(QUEUE);
    let mut tasks = JoinSet::new();
    let mut writers: Vec<WriteHalf<DuplexStream>> = Vec::new();
    for (channel, port) in (0u8..).step_by(2).zip(ports) {
        for opened in [channel, channel + 1] {
            if sink.send(message(opened, &port.to_le_bytes())).await.is_err() {
                return;
            }
        }
        let (near, far) = tokio::io::duplex(BUFFER);
        let (reader, writer) = tokio::io::split(near);
        writers.push(writer);
        tasks.spawn(connect(Arc::clone(shared), Arc::clone(pod), *port, channel, far, to.clone()));
        tasks.spawn(read(Arc::clone(shared), reader, channel, to.clone()));
    }
    drop(to);
    let outgoing = async {
        // ends when every connection has ended and all it said was sent
        while let Some(message) = messages.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
        let _ = sink.send(farewell()).await;
    };
    let incoming = async {
        while let Some(Ok(message)) = frames.next().await {
            let data: Bytes = match message {
                Message::Binary(data) => data,
                Message::Close(_) => return,
                _ => continue,
            };
            let Some(channel) = data.first().filter(|channel| **channel % 2 == 0) else { continue };
            let Some(writer) = writers.get_mut(usize::from(*channel / 2)) else { continue };
            pace(shared, data.len()).await;
            // a connection that ended takes nothing more; its end reaches the client on its own
            let _ = writer.write_all(&data[1..]).await;
        }
    };
    tokio::select! {
        () = outgoing => {}
        () = incoming => {}
    }
}
