//! Lines of a log as they arrive, of bounded length. Waiting for one may be given up at any time without loss.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::AsyncBufRead;

/// Longest line that is kept whole, in bytes.
const LONGEST: usize = 64 * 1024;
/// What stands where a longer one was cut.
const MARK: &str = " … cut by drydock";

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole line, without its end.
    Line(String),
    /// The log ended, with what stood there of a line that has no end.
    End(Option<String>),
    /// The connection broke.
    Broken,
}

/// A log that is read line by line.
pub struct LogLines<S> {
    stream: S,
    held: Vec<u8>,
    /// Whether the line that is held is longer than is kept.
    long: bool,
}

impl<S: AsyncBufRead + Unpin> LogLines<S> {
    /// The lines of `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream, held: Vec::new(), long: false }
    }

    fn take(&mut self) -> String {
        let mut text = String::from_utf8_lossy(&self.held).trim_end_matches('\r').to_owned();
        if std::mem::take(&mut self.long) {
            text.push_str(MARK);
        }
        self.held.clear();
        text
    }

    /// The next line. Dropped while it waits, nothing is lost: bytes are taken only as they are held.
    pub async fn next(&mut self) -> Next {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        loop {
            let Ok(block) = ready!(Pin::new(&mut self.stream).poll_fill_buf(cx)) else {
                return Poll::Ready(Next::Broken);
            };
            if block.is_empty() {
                let rest = (!self.held.is_empty()).then(|| self.take());
                return Poll::Ready(Next::End(rest));
            }
            let end = block.iter().position(|byte| *byte == b'\n');
            let part = &block[..end.unwrap_or(block.len())];
            let room = LONGEST - self.held.len();
            self.long |= part.len() > room;
            self.held.extend_from_slice(&part[..part.len().min(room)]);
            let taken = end.map_or(block.len(), |end| end + 1);
            Pin::new(&mut self.stream).consume(taken);
            if end.is_some() {
                return Poll::Ready(Next::Line(self.take()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{io::BufReader, stream::TryStreamExt};

    use super::*;

    fn lines(blocks: Vec<std::io::Result<Vec<u8>>>) -> LogLines<impl AsyncBufRead + Unpin> {
        LogLines::new(BufReader::new(futures::stream::iter(blocks).into_async_read()))
    }

    #[tokio::test]
    async fn lines_over_blocks_and_a_line_without_an_end() {
        let mut lines = lines(vec![Ok(b"a\nb".to_vec()), Ok(b"c\r\n\nrest".to_vec())]);
        for line in ["a", "bc", ""] {
            assert_eq!(lines.next().await, Next::Line(line.to_owned()));
        }
        assert_eq!(lines.next().await, Next::End(Some("rest".to_owned())));
    }

    #[tokio::test]
    async fn a_line_too_long_is_cut_with_a_mark_and_the_next_is_whole() {
        let long = vec![b'x'; 100_000];
        let mut lines = lines(vec![Ok(long), Ok(b"yy\nnext\n".to_vec()), Err(std::io::ErrorKind::BrokenPipe.into())]);
        let Next::Line(line) = lines.next().await else { panic!("no line") };
        assert!(line.ends_with("x … cut by drydock") && line.len() == LONGEST + MARK.len(), "{}", line.len());
        assert_eq!(lines.next().await, Next::Line("next".to_owned()));
        assert_eq!(lines.next().await, Next::Broken);
    }
}
