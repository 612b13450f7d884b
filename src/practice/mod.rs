//! The practice world: an in-process Kubernetes API, simulated programs, a simulated host.
