//! The structure of a plain dump, read once from end to end: trailer, every COPY block closed, rows counted.
//!
//! A cut dump loads without an error (psql takes the end of the file for the end of a COPY), so this is what finds it.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};

use super::FileFault;

/// Lines after which the completion comment may not come any more.
const TAIL: usize = 12;

/// Rows of one table in a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    /// The table as `regclass` would print it with the usual search path: `objects`, `"DeviceModel"`, `other.t`.
    pub name: String,
    /// Number of rows.
    pub rows: u64,
}

/// What a dump holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Its tables, in order.
    pub tables: Vec<TableRows>,
    /// Version of the server, from the head.
    pub server_version: String,
    /// Version of pg_dump, from the head.
    pub tool_version: String,
}

/// Reads a dump on another thread.
///
/// # Errors
/// The first fault, with its line.
pub async fn inspect(path: &Path) -> Result<Report, FileFault> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (path, shown) = (path.to_owned(), name.clone());
    let read = tokio::task::spawn_blocking(move || match std::fs::File::open(&path) {
        Ok(file) => read(&name, file),
        Err(error) => {
            Err(FileFault { file: name, line: 0, what: error.to_string(), proves: "the file cannot be read" })
        }
    });
    read.await.unwrap_or_else(|error| {
        Err(FileFault { file: shown, line: 0, what: error.to_string(), proves: "the file was not read" })
    })
}

/// Reads a dump from anywhere.
///
/// # Errors
/// The first fault, with its line.
pub fn read(file: &str, input: impl Read) -> Result<Report, FileFault> {
    let mut reader = Reader { file, line: 0, report: Report::default(), key: None, ended: None, tail: Vec::new() };
    let mut input = BufReader::with_capacity(1 << 20, input);
    let mut line = Vec::new();
    let mut copy: Option<(TableRows, usize)> = None;
    loop {
        line.clear();
        let n = input
            .read_until(b'\n', &mut line)
            .map_err(|error| reader.fault(error.to_string(), "the file was not read to its end"))?;
        if n == 0 {
            break;
        }
        reader.line += 1;
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            return Err(reader.fault("the last line has no end".to_owned(), "the file was cut"));
        }
        if line.last() == Some(&b'\r') {
            return Err(reader.fault(
                "the line ends in CR LF".to_owned(),
                "the dump went through a terminal, which changed its content",
            ));
        }
        copy = match copy.take() {
            None => reader.statement(&line)?,
            Some((table, _)) if line == b"\\." => {
                reader.report.tables.push(table);
                None
            }
            Some((mut table, columns)) => {
                let found = line.iter().filter(|byte| **byte == b'\t').count() + 1;
                if found != columns && columns > 0 {
                    let what = format!("a row of {} has {found} columns, not {columns}", table.name);
                    return Err(reader.fault(what, "text that is no row stands among the rows"));
                }
                table.rows += 1;
                Some((table, columns))
            }
        };
    }
    if let Some((table, _)) = copy {
        let what = format!("the file ends among the rows of {}, after {}", table.name, table.rows);
        return Err(reader.fault(what, "the dump was cut; psql would have loaded it without an error"));
    }
    reader.finish()
}

struct Reader<'a> {
    file: &'a str,
    line: u64,
    report: Report,
    key: Option<String>,
    ended: Option<u64>,
    tail: Vec<String>,
}

impl Reader<'_> {
    fn fault(&self, what: String, proves: &'static str) -> FileFault {
        FileFault { file: self.file.to_owned(), line: self.line, what, proves }
    }

    /// One line outside a COPY block; a COPY statement opens one.
    fn statement(&mut self, line: &[u8]) -> Result<Option<(TableRows, usize)>, FileFault> {
        let text = String::from_utf8_lossy(line);
        if self.tail.len() == TAIL {
            self.tail.remove(0);
        }
        self.tail.push(text.clone().into_owned());
        if let Some(key) = text.strip_prefix("\\restrict ") {
            self.key = Some(key.to_owned());
        } else if let Some(version) = text.strip_prefix("-- Dumped from database version ") {
            version.clone_into(&mut self.report.server_version);
        } else if let Some(version) = text.strip_prefix("-- Dumped by pg_dump version ") {
            version.clone_into(&mut self.report.tool_version);
        } else if text == "-- PostgreSQL database dump complete" {
            self.ended = Some(self.line);
        } else if let Some(rest) = text.strip_prefix("pg_dump: ") {
            return Err(self.fault(
                format!("a message of pg_dump stands in the dump: {rest}"),
                "two streams were mixed into one file",
            ));
        } else if let Some(rest) = text.strip_prefix("COPY ") {
            let Some((table, columns)) = rest.strip_suffix(" FROM stdin;").and_then(|rest| rest.split_once(" ("))
            else {
                return Ok(None);
            };
            let columns = split_columns(columns.trim_end_matches(')'));
            let name = table.strip_prefix("public.").unwrap_or(table).to_owned();
            return Ok(Some((TableRows { name, rows: 0 }, columns)));
        }
        Ok(None)
    }

    fn finish(self) -> Result<Report, FileFault> {
        if self.line == 0 {
            return Err(self.fault("the file is empty".to_owned(), "nothing was dumped"));
        }
        let Some(ended) = self.ended else {
            return Err(self.fault("the comment `dump complete` is missing".to_owned(), "the dump was cut"));
        };
        if self.line - ended > TAIL as u64 {
            return Err(FileFault {
                line: ended,
                ..self.fault("text follows after `dump complete`".to_owned(), "this is not one dump")
            });
        }
        if let Some(key) = &self.key
            && !self.tail.iter().any(|line| line.strip_prefix("\\unrestrict ") == Some(key))
        {
            return Err(self.fault(
                "the last line `\\unrestrict` with the key of the head is missing".to_owned(),
                "the dump was cut, or joined from two",
            ));
        }
        if self.report.tables.is_empty() {
            return Err(self.fault("there are no rows of any table".to_owned(), "nothing was dumped"));
        }
        Ok(self.report)
    }
}

/// Number of columns in a COPY's list; commas inside quoted names do not separate.
fn split_columns(list: &str) -> usize {
    let mut quoted = false;
    let commas = list.chars().filter(|c| {
        quoted ^= *c == '"';
        *c == ',' && !quoted
    });
    1 + commas.count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n-- Dumped from database version 15.18 (Debian)\n-- Dumped by pg_dump version 15.18 (Debian)\n\nSET x = 1;\nCOPY public.objects (id, name, \"order, by\") FROM stdin;\n1\ta\t\\N\n2\tb\\nc\t7\n\\.\n\n\nCOPY public.\"DeviceModel\" (id) FROM stdin;\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n";

    #[test]
    fn a_good_dump_is_counted() {
        let report = read("d", GOOD.as_bytes()).unwrap();
        assert_eq!(
            report.tables,
            [TableRows { name: "objects".into(), rows: 2 }, TableRows { name: "\"DeviceModel\"".into(), rows: 0 },]
        );
        assert!(report.server_version.starts_with("15.18"));
    }

    #[test]
    fn damage_of_every_kind_is_refused() {
        let damaged = [
            ("", "empty"),
            ("hello\n", "nothing but text"),
            (&GOOD.replace("dump complete", "dump"), "no trailer"),
            (&GOOD.replace("\\unrestrict abc", "\\unrestrict abd"), "another key"),
            (&GOOD.replace("\\unrestrict abc\n", ""), "no unrestrict"),
            (&GOOD.replace('\n', "\r\n"), "through a terminal"),
            (&GOOD.replace("2\tb\\nc\t7\n", "2\tb\n"), "a row with two columns"),
            (&GOOD.replace("2\tb\\nc\t7\n", "pg_dump: warning: x\n"), "stderr among rows"),
            (&GOOD.replace("SET x = 1;", "pg_dump: warning: x"), "stderr among statements"),
            (&GOOD.replacen("\\.\n", "", 1), "a block that is not closed"),
            (&format!("{GOOD}{}", GOOD.repeat(3)).replace("dump complete", "x"), "joined without an end"),
            (&format!("{GOOD}{}", "SELECT 1;\n".repeat(20)), "text after the end"),
        ];
        for (text, what) in damaged {
            assert!(read("d", text.as_bytes()).is_err(), "{what}");
        }
    }

    proptest! {
        #[test]
        fn a_dump_cut_anywhere_is_refused(cut in 0..GOOD.len() - 2) {
            prop_assert!(read("d", &GOOD.as_bytes()[..cut]).is_err());
        }
    }
}
