//! What the wizard wants done. Plain data: tests compare it, the runtime performs it.

use crate::run::{Command, SecretHandle, StepId};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Say this to the run.
    Send(Command),
    /// Hand the secret of this handle over (it waits in `App::take_secret`), before the command that names it.
    Secret(SecretHandle),
    /// Find out whether the secret of this handle opens the vault; the answer is `Msg::Unlocked`.
    Unlock(SecretHandle),
    /// Follow the output file of this step.
    Follow(StepId),
    /// Write a text into a file of the run's folder.
    Save { name: String, text: String },
    /// Ring once.
    Bell,
    /// Paint everything again.
    Repaint,
    /// Put the program to sleep, as Ctrl-Z does.
    Suspend,
    /// Leave the screen. The run is told what `why` says first.
    Quit(Quit),
}

/// How the screen is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quit {
    /// The run is over, or stopped by itself.
    Ended,
    /// The step in hand is finished first, without a screen; then the run pauses.
    AfterThisStep,
    /// The step in hand is stopped where it may be.
    Now,
    /// Go on as line prompts.
    ToPlain,
}
