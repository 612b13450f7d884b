//! What psql, pg_dump and kubectl say on standard error, and what of it has to stop somebody.
//!
//! The words are those of English messages: the programs run with LANG=C.UTF-8, but a server with another `lc_messages`
//! speaks its own language. What is not known is therefore never harmless: it is [`Message::Other`] and is shown.

/// The class of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// Known and harmless here.
    Expected,
    /// Something failed, whatever the exit status says.
    Error,
    /// Not known: for a human to read.
    Other,
}

/// Harmless wherever a data-only dump with disabled triggers is made, tables are emptied together, or kubectl chooses the
/// container.
const HARMLESS: [&str; 4] = [
    "there are circular foreign-key constraints",
    "truncate cascades to table",
    "NOTICE:  table truncation cascades",
    "Defaulted container ",
];

const FAILURES: [&str; 5] = ["ERROR", "FATAL", "PANIC", "error", "Error"];
/// kubectl has no word for it.
const FAILED: [&str; 4] =
    ["Error from server", "command terminated with", "The connection to the server", "Unable to connect to the server"];
const NOTICES: [&str; 4] = ["NOTICE", "INFO", "LOG", "DEBUG"];
const WARNINGS: [&str; 2] = ["WARNING", "warning"];
const MORE: [&str; 7] = ["DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "detail", "hint"];

/// Classifies line after line; lines that go on (details, hints) share the class of what they belong to.
#[derive(Debug, Clone)]
pub struct Classifier {
    expected: Vec<String>,
    last: Message,
}

impl Classifier {
    /// `expected`: what a runbook declares harmless for this step, as parts of lines. It wins over everything.
    pub fn new(expected: impl IntoIterator<Item = String>) -> Self {
        // An empty part would be in every line.
        let expected = expected.into_iter().filter(|part| !part.trim().is_empty()).collect();
        Self { expected, last: Message::Other }
    }

    /// The class of the next line.
    pub fn line(&mut self, line: &str) -> Message {
        if !line.trim().is_empty() {
            self.last = self.class(line);
        }
        self.last
    }

    fn class(&self, line: &str) -> Message {
        let harmless = HARMLESS.iter().any(|part| line.contains(part));
        if harmless || self.expected.iter().any(|part| line.contains(part.as_str())) {
            return Message::Expected;
        }
        match severity(line) {
            Some(Severity::Failure) => Message::Error,
            Some(Severity::Notice) => Message::Expected,
            Some(Severity::More) => self.last,
            // Before version 14 details were only indented; psql marks a place in a statement.
            None if line.starts_with("pg_dump:   ") || line.starts_with("LINE ") || line.starts_with(' ') => self.last,
            Some(Severity::Warning) | None => Message::Other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Failure,
    Warning,
    Notice,
    More,
}

/// The first severity that a line names before a colon: `psql:file.sql:12: ERROR:  …`, `pg_dump: error: …`.
fn severity(line: &str) -> Option<Severity> {
    // The log of its library: `E1121 04:27:24.243646 …`.
    let klog = line.strip_prefix('E').and_then(|rest| rest.split_once(' '));
    let logged = klog.is_some_and(|(date, _)| date.len() == 4 && date.bytes().all(|byte| byte.is_ascii_digit()));
    if logged || FAILED.iter().any(|beginning| line.starts_with(beginning)) {
        return Some(Severity::Failure);
    }
    let mut parts: Vec<&str> = line.split(':').map(str::trim).collect();
    // What stands behind the last colon is the message.
    parts.pop();
    parts.into_iter().find_map(|part| {
        let is_in = |list: &[&str]| list.contains(&part);
        // A server's log has the time before it.
        let after_a_time = part.rsplit(' ').next().is_some_and(|word| ["ERROR", "FATAL", "PANIC"].contains(&word));
        if is_in(&FAILURES) || after_a_time {
            Some(Severity::Failure)
        } else if is_in(&WARNINGS) {
            Some(Severity::Warning)
        } else if is_in(&NOTICES) {
            Some(Severity::Notice)
        } else {
            is_in(&MORE).then_some(Severity::More)
        }
    })
}

/// Whether a line that stands where data should be is a program's message: the beginnings that were seen in dumps.
pub(super) fn is_from_a_program(line: &str) -> bool {
    const BEGINNINGS: [&str; 11] = [
        "pg_dump: ",
        "pg_dumpall: ",
        "psql: ",
        "psql:",
        "error: ",
        "Error from server",
        "ERROR: ",
        "FATAL: ",
        "Defaulted container ",
        "Unable to use a TTY",
        "command terminated with ",
    ];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// What psql says when it could not come to a server: the name had no answer, nobody listened, nobody answered in time, or the
/// server was starting. A refused password or database is an answer.
const UNREACHED: [&str; 4] =
    ["could not translate host name", "Connection refused", "timeout expired", "the database system is starting up"];

/// Whether psql, ended with `code`, never came to work: then no statement of its script was run, and it may be called again.
pub fn is_unreached(code: u8, said: &str) -> bool {
    code == 2 && said.lines().next().is_some_and(|first| UNREACHED.iter().any(|sign| first.contains(sign)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(expected: &[&str], lines: &[&str]) -> Vec<Message> {
        let mut classifier = Classifier::new(expected.iter().map(ToString::to_string));
        lines.iter().map(|line| classifier.line(line)).collect()
    }

    #[test]
    fn the_circular_warning_is_harmless_with_all_its_lines() {
        let lines = [
            "pg_dump: warning: there are circular foreign-key constraints on this table:",
            "pg_dump: detail: objects",
            "pg_dump: hint: You might not be able to restore the dump without using --disable-triggers or temporarily \
             dropping the constraints.",
            "pg_dump: hint: Consider using a full dump instead of a --data-only dump to avoid this problem.",
        ];
        assert_eq!(classes(&[], &lines), [Message::Expected; 4]);
        let older =
            ["pg_dump: warning: there are circular foreign-key constraints among these tables:", "pg_dump:   objects"];
        assert_eq!(classes(&[], &older), [Message::Expected; 2]);
        let then =
            ["pg_dump: warning: there are circular foreign-key constraints on this table:", "", "pg_dump: error: x"];
        assert_eq!(classes(&[], &then), [Message::Expected, Message::Expected, Message::Error]);
    }

    #[test]
    fn failures_are_found_wherever_they_stand() {
        for line in [
            "ERROR:  relation \"x\" does not exist",
            "psql:restore.sql:12: ERROR:  syntax error at end of input",
            "psql: error: connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  password",
            "pg_dump: error: query failed: ERROR:  canceling statement",
            "2026-11-20 10:00:00 UTC [1] FATAL:  terminating connection",
            "error: unable to upgrade connection: pod does not exist",
            "Error from server (NotFound): pods \"pix-core\" not found",
            "command terminated with exit code 137",
            "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
            "E1121 04:27:24.243646   22977 memcache.go:265] \"Unhandled Error\" err=\"couldn't get\"",
            "Error: Kubernetes cluster unreachable: Get \"http://localhost:8080/version\"",
        ] {
            assert_eq!(classes(&[], &[line]), [Message::Error], "{line}");
        }
        let lines = ["ERROR:  duplicate key", "DETAIL:  Key (id)=(1) already exists.", "CONTEXT:  COPY x, line 1"];
        assert_eq!(classes(&[], &lines), [Message::Error; 3]);
        let lines = ["psql:a.sql:1: ERROR:  syntax error at or near \"x\"", "LINE 1: x;", "        ^"];
        assert_eq!(classes(&[], &lines), [Message::Error; 3]);
    }

    #[test]
    fn who_never_came_to_a_server_may_be_sent_again() {
        let name =
            "psql: error: could not translate host name \"pix-db\" to address: Temporary failure in name resolution\n";
        let shut = "psql: error: connection to server at \"pix-db\" (10.0.0.7), port 5432 failed: Connection refused\n\tIs the \
                    server running on that host and accepting TCP/IP connections?\n";
        let cut = "server closed the connection unexpectedly\npsql: error: connection to server was lost\n";
        let refused = "psql: error: connection to server at \"pix-db\" (10.0.0.7), port 5432 failed: FATAL:  password \
                       authentication failed for user \"pix\"\n";
        assert!(is_unreached(2, name) && is_unreached(2, shut));
        assert!(!is_unreached(2, cut) && !is_unreached(2, refused) && !is_unreached(3, name) && !is_unreached(2, ""));
    }

    #[test]
    fn notices_are_harmless_and_other_words_are_not_judged() {
        for (line, class) in [
            ("NOTICE:  truncate cascades to table \"notes\"", Message::Expected),
            ("psql:a.sql:3: NOTICE:  the word ERROR: in a notice", Message::Expected),
            ("WARNING:  there is no transaction in progress", Message::Other),
            ("pg_dump: warning: something new", Message::Other),
            ("ERRORE:  la relazione non esiste", Message::Other),
            ("COPY 12", Message::Other),
            ("an error", Message::Other),
        ] {
            assert_eq!(classes(&[], &[line]), [class], "{line}");
        }
    }

    #[test]
    fn a_runbook_may_expect_more_and_never_everything() {
        let line = "pg_dump: warning: could not find where to insert IF EXISTS";
        assert_eq!(classes(&["where to insert IF EXISTS"], &[line]), [Message::Expected]);
        assert_eq!(classes(&["", "  "], &["ERROR:  x", "odd"]), [Message::Error, Message::Other]);
    }
}
