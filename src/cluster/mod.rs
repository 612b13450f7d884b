//! The Kubernetes adapter: connect, identity, objects, watch, logs, exec, transfer. Implements `ports` with kube; exec runs
//! on a message loop of our own, since success needs a status *and* a trailer.
//!
//! Called by `cli` (connects) and, through `ports`, by actions. Knows neither runs nor runbooks.

mod connect;
mod container_log;
mod ending;
mod error;
mod exec;
mod identity;
mod instance;
mod kinds;
mod log_lines;
mod logs;
mod no_cluster;
mod objects;
mod outgoing;
mod passed;
mod stream;
mod transfer;
mod watch;

pub use connect::{Cluster, ContextInfo, contexts};
pub use no_cluster::NoCluster;
