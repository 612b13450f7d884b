//! Everything an action may ask for, in one handle.

use std::sync::Arc;

use super::{Clock, Exec, Host, Logs, Objects, Secrets};

/// The ports of one run. Cheap to clone.
#[derive(Clone)]
pub struct World {
    /// Objects of the target cluster.
    pub objects: Arc<dyn Objects>,
    /// Commands and files in its containers.
    pub exec: Arc<dyn Exec>,
    /// Its logs.
    pub logs: Arc<dyn Logs>,
    /// This machine.
    pub host: Arc<dyn Host>,
    /// The vault.
    pub secrets: Arc<dyn Secrets>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}
