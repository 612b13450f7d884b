//! Values of a row: COPY text and CSV, as PostgreSQL writes and reads them.

use std::fmt::Write as _;

/// A value as COPY text writes it.
pub fn escape(value: Option<&str>) -> String {
    let Some(value) = value else { return "\\N".to_owned() };
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text
}

/// A field of COPY text read back; `None` is NULL.
pub fn unescape(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    let mut text = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            c => text.push(c),
        }
    }
    Some(text)
}

/// A row from values.
pub fn row(values: &[Option<String>]) -> String {
    values.iter().map(|value| escape(value.as_deref())).collect::<Vec<_>>().join("\t")
}

/// A row's line in a CSV file.
pub fn csv_line(row: &str) -> String {
    let mut line = String::with_capacity(row.len() + 8);
    for (at, field) in row.split('\t').enumerate() {
        if at > 0 {
            line.push(',');
        }
        match unescape(field) {
            None => {}
            Some(value) if value.is_empty() || value == "\\." || value.contains([',', '"', '\n', '\r']) => {
                let _ = write!(line, "\"{}\"", value.replace('"', "\"\""));
            }
            Some(value) => line.push_str(&value),
        }
    }
    line.push('\n');
    line
}

/// A row that comes in, with the line it begins at.
pub type Record = (u64, Vec<Option<String>>);

/// The records of a CSV text, each with the line it begins at; `None` is an unquoted empty value. The error is the line
/// where a quoted value never ends.
pub fn csv_records(text: &str) -> Result<Vec<Record>, u64> {
    let (mut records, mut fields, mut value) = (Vec::new(), Vec::new(), String::new());
    let (mut inside, mut was_quoted, mut line, mut begun) = (false, false, 1u64, 1u64);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                value.push('"');
            }
            '"' => {
                inside = !inside;
                was_quoted = true;
            }
            ',' | '\n' if !inside => {
                let taken = std::mem::take(&mut value);
                fields.push((was_quoted || !taken.is_empty()).then_some(taken));
                was_quoted = false;
                if c == '\n' {
                    line += 1;
                    records.push((begun, std::mem::take(&mut fields)));
                    begun = line;
                }
            }
            '\r' if !inside && chars.peek() == Some(&'\n') => {}
            c => {
                line += u64::from(c == '\n');
                value.push(c);
            }
        }
    }
    if inside {
        return Err(begun);
    }
    if !fields.is_empty() || !value.is_empty() {
        fields.push((was_quoted || !value.is_empty()).then_some(value));
        records.push((begun, fields));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_both_forms() {
        let values: Vec<Option<String>> =
            [None, Some(""), Some("a\tb\\N\nc\r"), Some("\\."), Some("x,\"y\""), Some("plain é")]
                .map(|value| value.map(str::to_owned))
                .to_vec();
        let line = row(&values);
        assert_eq!(line.split('\t').map(unescape).collect::<Vec<_>>(), values);
        let records = csv_records(&csv_line(&line)).unwrap();
        assert_eq!(records, [(1, values)]);
        assert!(csv_records("a,\"b\n").is_err());
        assert_eq!(csv_records("a,b\n1,\"x\ny\"\n2,\n").unwrap()[2], (4, vec![Some("2".to_owned()), None]));
    }
}
