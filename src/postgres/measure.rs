//! Size and SHA-256, computed in the same pass that checks a file's structure.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::text::hex;

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Measure {
    bytes: u64,
    hash: Sha256,
}

impl Measure {
    /// Counts a piece in.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.hash.update(piece);
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of all of it, in lower-case hex.
    pub(super) fn sha256(self) -> String {
        hex(&self.hash.finalize())
    }
}

/// Hands all of `reader` to `take`, piece by piece, in bounded memory.
pub(super) fn pieces<E: From<io::Error>>(
    mut reader: impl Read,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&buffer[..length])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
