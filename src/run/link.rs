//! A front end's side of a run that goes on in the same process.

use secrecy::SecretString;
use tokio::sync::mpsc;

use super::{Command, Event, SecretHandle};

/// What is heard and said. Dropping it tells the run that nobody is there any more.
pub struct Link {
    /// What the run tells.
    pub events: mpsc::Receiver<Event>,
    /// What it is asked.
    pub commands: mpsc::Sender<Command>,
    /// Secrets that commands name; each travels here before its command.
    pub secrets: mpsc::Sender<(SecretHandle, SecretString)>,
    /// Secrets that are kept and that a command wanted to see, for a person only. Who closes it gets none.
    pub shown: mpsc::Receiver<(SecretHandle, SecretString)>,
}
