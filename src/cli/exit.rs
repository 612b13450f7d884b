//! How a command ended, for scripts. `main` turns it into the process' exit code.

use std::process::ExitCode;

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done.
    Done,
    /// A step failed; the run is paused.
    StepFailed,
    /// Wrong usage, or a faulty runbook.
    Usage,
    /// A gate or check refused.
    Refused,
    /// Cluster, host or vault cannot be reached or is not unlocked.
    Environment,
    /// Stopped by the operator, or an answer is needed; can be resumed.
    Stopped,
    /// A fault of our own.
    Internal,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::StepFailed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Environment => 4,
            Self::Stopped => 5,
            Self::Internal => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
