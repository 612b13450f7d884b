//! A line between drydock and a server, in the hand of the test: slow, or cut after so many bytes of a connection, with what was
//! under way then brought late. Only what goes to the server is held up.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Notify,
};

/// Bytes that the line takes in at once.
const BLOCK: usize = 16 * 1024;

/// Bytes that are under way when a line is cut: more than a frame.
const LATE: usize = 128 * 1024;

/// What the line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It carries so many bytes a second.
    Slow(usize),
    /// A connection is cut after so many bytes.
    Cut(usize),
    /// The same, once; more bytes are under way then, and arrive while the next command that writes begins.
    Late(usize),
}

/// The line; it ends with the test's runtime.
pub struct Line {
    pub address: SocketAddr,
    /// Connections that were cut.
    pub cuts: Arc<AtomicU32>,
}

impl Line {
    /// A line to `server`.
    pub fn to(server: SocketAddr, fate: Fate) -> Self {
        // what waits at the line is little, so that it is the line that is slow
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener: TcpListener = socket.listen(64).unwrap();
        let line = Self { address: listener.local_addr().unwrap(), cuts: Arc::default() };
        let (cuts, brought) = (Arc::clone(&line.cuts), Arc::new(Notify::new()));
        let next = Arc::new(Notify::new());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let connection = Connection {
                    fate,
                    cuts: Arc::clone(&cuts),
                    next: Arc::clone(&next),
                    brought: Arc::clone(&brought),
                };
                tokio::spawn(async move { connection.carry(client, TcpStream::connect(server).await.unwrap()).await });
            }
        });
        line
    }
}

struct Connection {
    fate: Fate,
    cuts: Arc<AtomicU32>,
    /// Told when a command that writes begins after the cut.
    next: Arc<Notify>,
    /// Told when what was under way has arrived.
    brought: Arc<Notify>,
}

impl Connection {
    async fn carry(self, client: TcpStream, server: TcpStream) {
        let (mut from, mut back) = client.into_split();
        let (mut answers, mut to) = server.into_split();
        let answers = tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
        let (mut block, mut carried) = (vec![0; BLOCK], 0);
        while let Ok(n @ 1..) = from.read(&mut block).await {
            let part = &block[..n];
            let is_cut = self.cuts.load(Ordering::SeqCst) > 0;
            match self.fate {
                Fate::Slow(rate) => {
                    let micros = n as u64 * 1_000_000 / rate as u64;
                    tokio::time::sleep(Duration::from_micros(micros)).await;
                }
                Fate::Cut(most) if carried + n > most => {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                    // both ways, at once
                    answers.abort();
                    return;
                }
                Fate::Late(most) if !is_cut && carried + n > most => {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                    let mut late = part.to_vec();
                    while late.len() < LATE {
                        let n = from.read(&mut block).await.unwrap();
                        late.extend_from_slice(&block[..n]);
                    }
                    answers.abort();
                    drop(from);
                    self.next.notified().await;
                    let _ = to.write_all(&late).await;
                    // the other side has to write it, too
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    self.brought.notify_one();
                    return;
                }
                Fate::Late(_) if is_cut && carried == 0 && part.windows(13).any(|word| word == b"drydock-write") => {
                    self.next.notify_one();
                    self.brought.notified().await;
                    // only once
                    self.brought.notify_one();
                }
                _ => {}
            }
            if to.write_all(part).await.is_err() {
                return;
            }
            carried += n;
        }
        drop(to);
        let _ = answers.await;
    }
}
