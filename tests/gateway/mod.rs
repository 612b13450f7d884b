//! A proxy in the hand of the test, on loopback: HTTP's CONNECT and SOCKS 5 on one port. Whatever name it is asked for, it leads
//! to one server, so that a name which nobody can resolve shows that the proxy was used. It ends with the test's runtime.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Longest head that is read.
const LONGEST: usize = 16 * 1024;

/// What came by.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// What each connection asked the proxy for: the head of a CONNECT, or `SOCKS HOST:PORT`.
    pub asked: Vec<String>,
    /// What each connection then sent to the server, as far as it can be read.
    pub sent: Vec<String>,
}

/// The proxy.
pub struct Gateway {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Gateway {
    /// Leads to `server`; with `login`, only who sends it as basic authentication is let through.
    pub async fn to(server: SocketAddr, login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = Arc::clone(&gateway.seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, login, Arc::clone(&seen)));
            }
        });
        gateway
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, login: Option<&str>, seen: Arc<Mutex<Seen>>) {
    let mut first = [0u8; 1];
    if client.peek(&mut first).await.is_err() {
        return;
    }
    let asked = if first == [5] { socks(&mut client).await } else { connect(&mut client).await };
    let Some(asked) = asked else { return };
    let refused = login.is_some_and(|login| !asked.contains(&format!("proxy-authorization: basic {login}")));
    let place = {
        let mut seen = seen.lock().unwrap();
        seen.asked.push(asked);
        seen.sent.push(String::new());
        seen.sent.len() - 1
    };
    if refused {
        let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").await;
        return;
    }
    let Ok(there) = TcpStream::connect(server).await else { return };
    let answer: &[u8] =
        if first == [5] { &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0] } else { b"HTTP/1.1 200 Connection established\r\n\r\n" };
    if client.write_all(answer).await.is_err() {
        return;
    }
    let (mut from, mut back) = client.into_split();
    let (mut answers, mut to) = there.into_split();
    let up = async {
        let mut block = vec![0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut block).await {
            seen.lock().unwrap().sent[place].push_str(&String::from_utf8_lossy(&block[..n]));
            if to.write_all(&block[..n]).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    let down = async {
        let _ = tokio::io::copy(&mut answers, &mut back).await;
        let _ = back.shutdown().await;
    };
    tokio::join!(up, down);
}

/// Reads the head of a CONNECT; its scheme of login in small letters.
async fn connect(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST {
        head.push(client.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let lines = head.lines().map(|line| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {}", name.to_lowercase(), value.replacen("Basic", "basic", 1)),
        None => line.to_owned(),
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// Reads what a client of SOCKS 5 says up to the name that it wants.
async fn socks(client: &mut TcpStream) -> Option<String> {
    let _version = client.read_u8().await.ok()?;
    let methods = client.read_u8().await.ok()?;
    client.read_exact(&mut vec![0; usize::from(methods)]).await.ok()?;
    client.write_all(&[5, 0]).await.ok()?;
    let mut request = [0; 4];
    client.read_exact(&mut request).await.ok()?;
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            client.read_exact(&mut address).await.ok()?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        3 => {
            let mut name = vec![0; usize::from(client.read_u8().await.ok()?)];
            client.read_exact(&mut name).await.ok()?;
            String::from_utf8(name).ok()?
        }
        _ => return None,
    };
    Some(format!("SOCKS {host}:{}", client.read_u16().await.ok()?))
}
