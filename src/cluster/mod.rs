//! The Kubernetes adapter: connect, identity, objects, watch, logs, exec, transfer.
