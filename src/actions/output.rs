//! From bytes of a command to lines of a step's output: split, classified, made harmless.

use async_trait::async_trait;
use bytes::Bytes;

use super::context::StepCx;
use crate::{
    ports::{OutputSink, PortError, Stream},
    run::{OutputLine, Tag},
};

/// Longest line that is kept whole, in bytes; a longer one is cut into lines of this length.
const LONGEST: usize = 16 * 1024;

/// Longest error that is put together from several lines, in bytes.
const LONGEST_ERROR: usize = 1024;

/// Lines that every run of PostgreSQL's and Helm's programs may print without harm.
const KNOWN_HARMLESS: [&str; 6] = [
    "there are circular foreign-key constraints",
    "You might not be able to restore the dump without using --disable-triggers",
    "Consider using a full dump instead of a --data-only dump",
    "truncate cascades to table",
    "already exists, skipping",
    "Defaulted container",
];

/// A sink that writes each line to the step's output, keeps the last error lines, and up to 64 KiB of standard output.
pub struct LineSink<'a> {
    cx: &'a StepCx,
    source: String,
    partial: [Vec<u8>; 2],
    in_error: bool,
    /// The last lines that report an error, at most ten.
    pub errors: Vec<String>,
    /// The first 64 KiB of standard output.
    pub kept: Vec<u8>,
}

impl<'a> LineSink<'a> {
    /// A sink for the output of `source`.
    pub fn new(cx: &'a StepCx, source: &str) -> Self {
        Self {
            cx,
            source: source.to_owned(),
            partial: [Vec::new(), Vec::new()],
            in_error: false,
            errors: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Writes what is left without a line end.
    pub async fn finish(&mut self) {
        for index in 0..2 {
            let rest = std::mem::take(&mut self.partial[index]);
            if !rest.is_empty() {
                self.line(&rest).await;
            }
        }
    }

    /// The text of standard output that was kept.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }

    async fn line(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let tag = classify(text, &self.cx.expect);
        // helm and kubectl say what it was on indented lines below
        let more = self.in_error && text.starts_with([' ', '\t']);
        self.in_error = tag == Tag::Error || more;
        if more && let Some(last) = self.errors.last_mut().filter(|last| last.len() < LONGEST_ERROR) {
            last.push(' ');
            last.push_str(crate::text::printable(text).trim());
        }
        if tag == Tag::Error {
            if self.errors.len() == 10 {
                self.errors.remove(0);
            }
            self.errors.push(crate::text::printable(text));
        }
        let at = self.cx.world.clock.now();
        self.cx.driver.line(OutputLine { at, source: self.source.clone(), tag, text: text.to_owned() }).await;
    }
}

/// What a line is: known and harmless, an error, or neither.
pub fn classify(text: &str, expect: &[String]) -> Tag {
    if KNOWN_HARMLESS.iter().any(|known| text.contains(known))
        || expect.iter().any(|known| text.contains(known.as_str()))
    {
        return Tag::Expected;
    }
    let error =
        ["ERROR:", "FATAL:", "PANIC:", "Error:", "Error from server", "error: "].iter().any(|mark| text.contains(mark));
    if error { Tag::Error } else { Tag::Plain }
}

#[async_trait]
impl OutputSink for LineSink<'_> {
    async fn take(&mut self, stream: Stream, chunk: Bytes) -> Result<(), PortError> {
        let index = match stream {
            Stream::Out => {
                let room = (64 * 1024usize).saturating_sub(self.kept.len()).min(chunk.len());
                self.kept.extend_from_slice(&chunk[..room]);
                0
            }
            Stream::Err => 1,
        };
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.partial[index].extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial[index].len() >= LONGEST {
                let line = std::mem::take(&mut self.partial[index]);
                self.line(&line).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_classified() {
        assert_eq!(classify("psql: error: connection failed", &[]), Tag::Error);
        assert_eq!(
            classify("pg_dump: warning: there are circular foreign-key constraints on this table:", &[]),
            Tag::Expected
        );
        assert_eq!(classify("ERROR: benign by the runbook", &["benign".into()]), Tag::Expected);
        assert_eq!(classify("COPY 18402", &[]), Tag::Plain);
    }
}
