//! The practice world: an in-process Kubernetes API, simulated programs and a simulated host, for learning and for tests.
//!
//! Owns: the objects and their store, the API server on loopback, small controllers, one faithful PixelCore, the faults.
//! Does not own: anything of drydock's own work; drydock meets this world through `cluster` (HTTP and websocket) and the
//! `Host` port, as it meets a real one. Called by `cli` and by tests. Never touches a kubeconfig, the real vault, or any
//! network beyond loopback.

mod containers;
mod controllers;
mod database;
mod faults;
mod kubelet;
mod machine;
mod network;
mod objects;
mod pixelcore;
mod runtime;
mod server;
mod shell;
mod state;
mod world;

use controllers::short_hash;

pub use containers::{Containers, End, Io, LogBook};
pub use faults::{Fault, Faults};
pub use objects::{Change, ChangeKind, Key, Objects, Refusal};
pub use server::{ApiServer, ServerOptions, Streams};
pub use world::{NAMESPACE, Options, REHEARSAL, RELEASE, World};
