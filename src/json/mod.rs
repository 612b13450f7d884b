//! Events as JSON lines, one object a line with a `type`, for other programs.
//!
//! Called by `cli`. Answers come from a file; without one the first question ends the run.

use std::io::Write;

use crate::run::Event;

/// Writes one event as a line.
///
/// # Errors
/// When the output is closed.
pub fn write(out: &mut dyn Write, event: &Event) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, event)?;
    out.write_all(b"\n")?;
    out.flush()
}
