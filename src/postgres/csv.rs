//! The structure of a CSV file as COPY writes it: records, not lines, since values hold line feeds.

use std::{io::Read, path::Path};

use super::FileFault;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Columns of the header.
    pub columns: Vec<String>,
    /// Records after the header.
    pub rows: u64,
}

/// Reads a file on another thread.
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

/// Reads from anywhere. A cut exactly at the end of a record cannot be seen here: the number of rows finds it.
///
/// # Errors
/// The first fault, with its line.
pub fn read(file: &str, mut input: impl Read) -> Result<Report, FileFault> {
    let fault = |line: u64, what: String, proves| FileFault { file: file.to_owned(), line, what, proves };
    let (mut report, mut line, mut fields, mut quoted, mut last) = (Report::default(), 1u64, 1usize, false, b'\n');
    let mut header: Option<Vec<u8>> = Some(Vec::new());
    let mut block = vec![0u8; 1 << 20];
    let mut total = 0u64;
    loop {
        let n = input
            .read(&mut block)
            .map_err(|error| fault(line, error.to_string(), "the file was not read to its end"))?;
        if n == 0 {
            break;
        }
        total += n as u64;
        for &byte in &block[..n] {
            match byte {
                b'"' => quoted = !quoted,
                b',' if !quoted => fields += 1,
                b'\n' => {
                    line += 1;
                    if !quoted {
                        if last == b'\r' {
                            return Err(fault(
                                line - 1,
                                "the record ends in CR LF".to_owned(),
                                "the file went through a terminal, which changed its content",
                            ));
                        }
                        if let Some(text) = header.take() {
                            report.columns = columns(&text);
                        } else if fields == report.columns.len() {
                            report.rows += 1;
                        } else {
                            let what = format!("a record has {fields} fields, the header {}", report.columns.len());
                            return Err(fault(
                                line - 1,
                                what,
                                "text that is no record stands in the file, or it was cut and joined",
                            ));
                        }
                        fields = 1;
                    }
                }
                _ => {}
            }
            if let Some(text) = &mut header {
                text.push(byte);
            }
            last = byte;
        }
    }
    match (total, quoted, last) {
        (0, ..) => Err(fault(0, "the file is empty".to_owned(), "nothing was dumped")),
        (_, true, _) => Err(fault(line, "the file ends inside a quoted value".to_owned(), "it was cut")),
        (_, false, b'\n') => Ok(report),
        _ => Err(fault(line, "the last record has no end".to_owned(), "it was cut")),
    }
}

/// Columns of a header line.
fn columns(text: &[u8]) -> Vec<String> {
    let (mut columns, mut current, mut quoted) = (Vec::new(), String::new(), false);
    let text = String::from_utf8_lossy(text);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                current.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => columns.push(std::mem::take(&mut current)),
            c => current.push(c),
        }
    }
    columns.push(current);
    columns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "id,\"a \"\"b\"\"\",raw\n1,x,\"a,\"\"b\"\"\nc\"\n2,,\"\"\n3,NaN,\"é\r\n\"\n";

    #[test]
    fn records_are_counted_not_lines() {
        let report = read("h", GOOD.as_bytes()).unwrap();
        assert_eq!(report.rows, 3);
        assert_eq!(report.columns, ["id", "a \"b\"", "raw"]);
    }

    #[test]
    fn damage_is_refused() {
        for bad in ["", "id,a", "id,a\n1\n", "id,a\n1,2,3\n", "id,a\n1,\"x\n", "id\r\n1\r\n"] {
            assert!(read("h", bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cut_is_refused_or_seen_by_the_number_of_rows(cut in 0..GOOD.len()) {
            let cut = (0..=cut).rev().find(|at| GOOD.is_char_boundary(*at)).unwrap_or(0);
            if let Ok(report) = read("h", &GOOD.as_bytes()[..cut]) {
                prop_assert!(report.rows < 3);
            }
        }
    }
}
