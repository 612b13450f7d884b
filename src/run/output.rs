//! One line of a step's output, as `output/<step>.log` holds it: four fields, tab-separated, one line.

use jiff::Timestamp;

use crate::text::printable;

/// How a line begins that tells an event of the cluster, not what a program said.
pub const EVENT: &str = "event · ";

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// A line as it came.
    Plain,
    /// A known harmless line.
    Expected,
    /// A line that reports an error.
    Error,
    /// A notice of drydock's own about the stream.
    Note,
}

impl Tag {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Plain, "plain"), (Self::Expected, "expected"), (Self::Error, "error"), (Self::Note, "note")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(tag, _)| *tag == self).map_or("plain", |(_, word)| word)
    }
}

/// One line of output, made harmless for terminals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    /// When it was read.
    pub at: Timestamp,
    /// The program or pod that said it.
    pub source: String,
    /// What it is.
    pub tag: Tag,
    /// The text.
    pub text: String,
}

impl OutputLine {
    /// The line for the file, with its line end.
    pub fn encode(&self) -> String {
        format!("{:.3}\t{}\t{}\t{}\n", self.at, printable(&self.source), self.tag.word(), printable(&self.text))
    }

    /// Reads a line of the file; `None` if it is not whole.
    pub fn decode(line: &str) -> Option<Self> {
        let mut parts = line.splitn(4, '\t');
        let at = parts.next()?.parse().ok()?;
        let source = parts.next()?.to_owned();
        let word = parts.next()?;
        let tag = Tag::ALL.iter().find(|(_, name)| *name == word)?.0;
        Some(Self { at, source, tag, text: parts.next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_survives_the_file() {
        let line = OutputLine {
            at: "2026-11-20T21:23:27.123Z".parse().unwrap(),
            source: "psql".into(),
            tag: Tag::Expected,
            text: "COPY\t18402 \u{1b}[31m".into(),
        };
        let text = line.encode();
        assert_eq!(text.matches('\n').count(), 1);
        let back = OutputLine::decode(text.trim_end()).unwrap();
        assert_eq!(back, OutputLine { text: "COPY 18402 ␛[31m".into(), ..line });
        assert_eq!(OutputLine::decode("2026-11-20T21:23:27Z\tpsql"), None);
    }
}
