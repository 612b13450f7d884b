//! How much of what a program said stands in its step's log already: a job that outlived drydock is read again from its
//! beginning, and told on from where the log was left.

use std::io::BufRead;

use jiff::Timestamp;

use crate::{run::OutputLine, text::printable};

/// How many of these lines, source and text, the log has since `since`, in their order. Other lines may stand between them.
pub fn already(log: impl BufRead, since: Timestamp, said: &[(String, String)]) -> usize {
    let mut wanted = said.iter().map(|(source, text)| (printable(source), printable(text))).peekable();
    let mut found = 0;
    for line in log.lines().map_while(Result::ok) {
        let Some((source, text)) = wanted.peek() else { break };
        let is_it = |line: &OutputLine| {
            line.at.as_millisecond() >= since.as_millisecond() && line.source == *source && line.text == *text
        };
        if OutputLine::decode(&line).is_some_and(|line| is_it(&line)) {
            wanted.next();
            found += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Tag;

    #[test]
    fn only_lines_of_this_attempt_in_their_order_count() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let line = |seconds, source: &str, text: &str| {
            OutputLine { at: at(seconds), source: source.into(), tag: Tag::Plain, text: text.into() }.encode()
        };
        let log = [
            // of an attempt before, which failed
            line(0, "pg_dump", "reading schemas"),
            line(1, "pg_dump", "reading tables"),
            line(10, "pg_dump", "reading schemas"),
            line(11, "event", "reading tables"),
            line(12, "pg_dump", "dumping\tobjects"),
            "torn".to_owned(),
        ]
        .concat();
        let said =
            |texts: &[&str]| texts.iter().map(|text| ("pg_dump".to_owned(), (*text).to_owned())).collect::<Vec<_>>();
        let all = said(&["reading schemas", "dumping\tobjects", "dumping\thistory"]);
        assert_eq!(already(log.as_bytes(), at(10), &all), 2);
        assert_eq!(already(log.as_bytes(), at(0), &said(&["reading schemas", "reading tables"])), 2);
        assert_eq!(already(log.as_bytes(), at(10), &said(&["reading schemas", "reading tables"])), 1);
        assert_eq!(already(log.as_bytes(), at(13), &all), 0);
        assert_eq!(already(&b""[..], at(0), &all), 0);
    }
}
