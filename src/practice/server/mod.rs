//! The API server of the practice world: HTTP and websocket on loopback, over the store and the containers.
//!
//! Owns: paths, forms, selectors, pages, watches, patches, defaults, refusals in a real server's words, streams, and the
//! faults of the wire. Does not own: what controllers and kubelets do with objects, nor what containers say. Called by
//! `cli` and tests; its clients are drydock's own adapter and a stock kubectl.

mod access;
mod cells;
mod defaults;
mod discovery;
mod exec;
mod forward;
mod handle;
mod kinds;
mod logs;
mod merge;
mod protobuf;
mod query;
mod read;
mod route;
mod status;
mod tables;
mod tail;
mod watch;
mod write;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::AtomicBool},
};

use axum::Router;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Containers, Faults, Objects};
use crate::{ports::SecretBytes, text::hex};

/// Which streams the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Streams {
    /// As a server of today: v5, where standard input can be closed, and v4.
    #[default]
    V5,
    /// As an old one: v4 only.
    V4,
}

/// How a server is to be started.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServerOptions {
    /// Its port; 0 takes a free one.
    pub port: u16,
    /// Its streams.
    pub streams: Streams,
    /// What the account may not do, as verb and resource: `("get", "pods/log")`.
    pub denied: &'static [(&'static str, &'static str)],
}

/// What every request needs.
struct Shared {
    objects: Arc<Objects>,
    containers: Arc<dyn Containers>,
    faults: Arc<Faults>,
    streams: Streams,
    denied: &'static [(&'static str, &'static str)],
    /// The bearer token of every request.
    token: String,
    /// First part of the path that stands for the token; kubectl sends no token without TLS.
    door: String,
    address: SocketAddr,
    /// Whether the tail of an output was dropped already.
    tail_dropped: AtomicBool,
    stop: CancellationToken,
}

/// A running server. Dropping it ends everything that it serves.
pub struct ApiServer {
    shared: Arc<Shared>,
    _stop: DropGuard,
}

/// Fills in what the server fills in, for those that write to the store without it.
pub fn fill(group: &str, plural: &str, name: &str, object: &mut Value) {
    if let Some(kind) = kinds::Served::find(group, "v1", plural) {
        defaults::fill(kind, name, object);
    }
}

fn secret() -> io::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(hex(&bytes))
}

impl ApiServer {
    /// Starts a server on a free port of the loopback address.
    ///
    /// # Errors
    /// Whatever the system says against listening.
    pub async fn start(
        objects: Arc<Objects>,
        containers: Arc<dyn Containers>,
        faults: Arc<Faults>,
    ) -> io::Result<Self> {
        Self::start_with(objects, containers, faults, ServerOptions::default()).await
    }

    /// The same with options.
    ///
    /// # Errors
    /// Whatever the system says against listening, such as a port in use.
    pub async fn start_with(
        objects: Arc<Objects>,
        containers: Arc<dyn Containers>,
        faults: Arc<Faults>,
        options: ServerOptions,
    ) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            objects,
            containers,
            faults,
            streams: options.streams,
            denied: options.denied,
            token: secret()?,
            door: secret()?,
            address: listener.local_addr()?,
            tail_dropped: AtomicBool::new(false),
            stop: stop.clone(),
        });
        let router = Router::new().fallback(handle::handle).with_state(Arc::clone(&shared));
        let ended = stop.clone();
        tokio::spawn(async move {
            let serve = axum::serve(listener, router).with_graceful_shutdown(ended.cancelled_owned());
            if let Err(error) = serve.await {
                tracing::warn!("the practice server ended: {error}");
            }
        });
        Ok(Self { shared, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    fn config(server: &str, user: &serde_json::Value) -> SecretBytes {
        // JSON is YAML
        let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "practice",
            "clusters": [{"name": "practice", "cluster": {"server": server}}],
            "users": [{"name": "practice", "user": user}],
            "contexts": [{"name": "practice", "context": {"cluster": "practice", "user": "practice", "namespace": "plant"}}]});
        SecretBytes::new(config.to_string().into_bytes())
    }

    /// A kubeconfig for drydock: context `practice`, namespace `plant`, a bearer token.
    pub fn kubeconfig(&self) -> SecretBytes {
        Self::config(&format!("http://{}", self.address()), &json!({"token": self.shared.token}))
    }

    /// A kubeconfig for kubectl, helm and other clients of client-go. They send no token over plain HTTP, so the address
    /// itself holds the secret.
    pub fn kubectl_config(&self) -> SecretBytes {
        Self::config(&format!("http://{}/{}", self.address(), self.shared.door), &json!({}))
    }
}
