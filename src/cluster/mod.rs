//! The Kubernetes adapter: connect, credentials, identity, objects, watch, logs, exec, transfer. Implements `ports` with kube; exec runs
//! on a message loop of our own, since success needs a status *and* a trailer.
//!
//! Called by `cli` (connects) and, through `ports`, by actions. Knows neither runs nor runbooks.

mod authorized;
mod connect;
mod container_log;
mod ending;
mod error;
mod exec;
mod identity;
mod instance;
mod kinds;
mod kubeconfig;
mod log_lines;
mod logs;
mod no_cluster;
mod objects;
mod outgoing;
mod passed;
mod plugin;
mod proxy;
mod stream;
mod transfer;
mod watch;
mod who;

pub use connect::Cluster;
pub use kubeconfig::{ContextInfo, Route, contexts};
pub use no_cluster::NoCluster;
pub use who::{Known, Lasting};
