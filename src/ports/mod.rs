//! The traits the core asks of the world, and the plain values they carry.
//!
//! Owns: what an action may ask for (objects of a cluster, commands in a container, logs, programs on this
//! machine, secrets, time). Does not own: any implementation but the system clock and who is logged in; the others live in
//! `cluster`, `host`, `vault` and `practice`.
//! Called by: `actions` and `engine`, through [`World`].

mod acting;
mod clock;
mod error;
mod exec;
mod host;
mod logs;
mod objects;
mod operator;
mod output;
pub mod remote;
mod secrets;
mod world;

pub use acting::Acting;
pub use clock::{Clock, SystemClock};
pub use error::{PortError, PortErrorKind};
pub use exec::{Exec, ExitStatus, JobState, PodRef, PodTools, Transferred};
pub use host::{Host, Program, SecretFile};
pub use logs::{LogLine, LogNote, Logs};
pub use objects::{Access, Deleted, Identity, Kind, ObjectRef, Objects, Right, kinds};
pub use operator::operator;
pub use output::{Collect, Discard, OutputSink, Stream};
pub use secrets::{EntryMeta, EntryName, Provenance, Sealed, Sealing, SecretBytes, Secrets, VaultState};
pub use world::World;
