//! The fault "truncated tail": the last bytes of an output are held back, and lost once the output is whole.

use axum::body::Bytes;

/// Bytes that are lost.
const LOST: usize = 64 * 1024;

/// Holds back the end of an output of drydock's outermost script.
pub struct Tail {
    /// How the last line begins.
    mark: String,
    held: Vec<u8>,
    seen: usize,
}

/// What becomes of a chunk.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// These bytes go on.
    Pass(Bytes),
    /// The output is whole, and what was held is gone.
    Dropped,
}

impl Tail {
    /// For the output that ends with the line of this nonce.
    pub fn new(nonce: &str) -> Self {
        Self { mark: format!("{nonce}:"), held: Vec::new(), seen: 0 }
    }

    fn is_whole(&self) -> bool {
        let from = self.held.len().saturating_sub(2 * self.mark.len() + 64);
        let end = &self.held[from..];
        end.ends_with(b"\n") && end.windows(self.mark.len()).any(|part| part == self.mark.as_bytes())
    }

    /// Takes a chunk. At the end of an output that is long enough, `strikes` decides.
    pub fn take(&mut self, chunk: &[u8], strikes: impl FnOnce() -> bool) -> Kept {
        self.seen += chunk.len();
        self.held.extend_from_slice(chunk);
        if self.is_whole() {
            let lost = self.seen >= LOST && strikes();
            if !lost {
                return Kept::Pass(self.rest());
            }
            self.held.clear();
            return Kept::Dropped;
        }
        let ready = self.held.len().saturating_sub(LOST);
        Kept::Pass(self.held.drain(..ready).collect::<Vec<u8>>().into())
    }

    /// What is held, for an output that ended without its last line.
    pub fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_whole_output_loses_its_end() {
        let mut tail = Tail::new("abc");
        assert_eq!(tail.take(b"short\n", || true), Kept::Pass(Bytes::new()));
        assert_eq!(tail.take(b"abc:0:6\n", || true), Kept::Pass(Bytes::from_static(b"short\nabc:0:6\n")));
        let mut tail = Tail::new("abc");
        let Kept::Pass(ready) = tail.take(&vec![b'x'; 100_000], || true) else { panic!("dropped too early") };
        assert_eq!(ready.len(), 100_000 - LOST);
        assert_eq!(tail.take(b"abc:0:100000\n", || true), Kept::Dropped);
    }
}
