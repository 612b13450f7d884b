//! From bytes of a command to lines of a step's output: split, classified, made harmless.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    actions::context::StepCx,
    ports::{OutputSink, PortError, Stream},
    postgres::messages::{Classifier, Message},
    run::{OutputLine, Tag},
};

/// Longest line that is kept whole, in bytes; a longer one is cut into lines of this length.
const LONGEST: usize = 16 * 1024;

/// Longest error that is put together from several lines, in bytes.
const LONGEST_ERROR: usize = 1024;

/// A sink that writes each line to the step's output, keeps the last error lines, and up to 64 KiB of standard output.
pub struct LineSink<'a> {
    cx: &'a StepCx,
    source: String,
    partial: [Vec<u8>; 2],
    classes: [Classifier; 2],
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
            partial: Default::default(),
            classes: [classifier(cx), classifier(cx)],
            errors: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Writes what is left without a line end.
    pub async fn finish(&mut self) {
        for index in 0..2 {
            let rest = std::mem::take(&mut self.partial[index]);
            if !rest.is_empty() {
                self.line(index, &rest).await;
            }
        }
    }

    /// The text of standard output that was kept.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }

    async fn line(&mut self, index: usize, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let tag = tag(&mut self.classes[index], text);
        // helm and kubectl say what it was on indented lines below
        let more = text.starts_with([' ', '\t']);
        let last = self.errors.last_mut().filter(|last| last.len() < LONGEST_ERROR);
        if tag == Tag::Error
            && more
            && let Some(last) = last
        {
            last.push(' ');
            last.push_str(crate::text::printable(text).trim());
        } else if tag == Tag::Error && !text.trim().is_empty() {
            if self.errors.len() == 10 {
                self.errors.remove(0);
            }
            self.errors.push(crate::text::printable(text));
        }
        let at = self.cx.world.clock.now();
        self.cx.driver.line(OutputLine { at, source: self.source.clone(), tag, text: text.to_owned() }).await;
    }
}

/// Classifies the lines of one stream, one after the other: details and hints belong to the line before them.
pub fn classifier(cx: &StepCx) -> Classifier {
    Classifier::new(cx.expect.iter().cloned())
}

/// What the next line is: known and harmless, an error, or neither.
pub fn tag(classes: &mut Classifier, text: &str) -> Tag {
    match classes.line(text) {
        Message::Expected => Tag::Expected,
        Message::Error => Tag::Error,
        Message::Other => Tag::Plain,
    }
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
                self.line(index, &line).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_classified_with_what_belongs_to_them() {
        let mut classes = Classifier::new(["benign".to_owned()]);
        for (text, expected) in [
            ("COPY 18402", Tag::Plain),
            ("psql: error: connection failed", Tag::Error),
            ("pg_dump: warning: there are circular foreign-key constraints on this table:", Tag::Expected),
            ("pg_dump: detail: objects", Tag::Expected),
            ("ERROR:  duplicate key", Tag::Error),
            ("DETAIL:  Key (id)=(1) already exists.", Tag::Error),
            ("ERROR: benign by the runbook", Tag::Expected),
            ("NOTICE:  extension \"x\" already exists, skipping", Tag::Expected),
            ("Defaulted container \"core\" out of: core, init", Tag::Expected),
        ] {
            assert_eq!(tag(&mut classes, text), expected, "{text}");
        }
    }
}
