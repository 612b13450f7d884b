//! Programs on this machine or in a pod, tied to the target, and what they say as lines of a step's output.

pub mod host;
pub mod output;
pub mod run_program;
