//! The envelope of a record, as one line of text.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line. An unknown field is refused: a reader that skips what it does not know cannot say what happened.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<R> {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) prev: String,
    pub(super) record: R,
}

impl<R: Serialize> Line<R> {
    /// The line with its end. JSON text escapes line ends, so there is exactly one.
    pub(super) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
