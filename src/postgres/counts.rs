//! Rows of every table and the last value of every sequence, and two of these compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a database holds, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Rows by table, named as `regclass` prints it.
    pub tables: BTreeMap<String, u64>,
    /// Last value by sequence; none if it was never called.
    pub sequences: BTreeMap<String, Option<i64>>,
    /// Number of large objects.
    pub large_objects: u64,
}

/// A table with another number of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Rows before.
    pub before: u64,
    /// Rows after.
    pub after: u64,
}

/// Two counts side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Tables with the same number of rows.
    pub equal: Vec<(String, u64)>,
    /// Tables with another.
    pub differs: Vec<Difference>,
    /// Tables that are not there any more.
    pub missing: Vec<String>,
    /// Tables that are new.
    pub added: Vec<String>,
    /// Sequences that are behind, or gone.
    pub sequences: Vec<String>,
}

impl Comparison {
    /// Whether everything from before is there. New tables do not count against.
    pub fn is_equal(&self) -> bool {
        self.differs.is_empty() && self.missing.is_empty() && self.sequences.is_empty()
    }
}

impl Counts {
    /// Reads the answer of assets/sql/counts.sql.
    ///
    /// # Errors
    /// The first line that is not one of its answers; an answer without its last line is cut.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut counts = Self::default();
        let mut ended = false;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let value: Value = serde_json::from_str(line).map_err(|error| format!("{error} in {line:?}"))?;
            let name = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
            if let (Some(table), Some(rows)) = (name("table"), value.get("rows").and_then(Value::as_u64)) {
                counts.tables.insert(table, rows);
            } else if let Some(sequence) = name("sequence") {
                counts.sequences.insert(sequence, value.get("last").and_then(Value::as_i64));
            } else if let Some(number) = value.get("large_objects").and_then(Value::as_u64) {
                counts.large_objects = number;
                ended = true;
            } else {
                return Err(format!("{line:?} is no count"));
            }
        }
        if ended { Ok(counts) } else { Err("the answer is cut before its last line".to_owned()) }
    }

    /// Compares with a later count; tables of `skip` (without schema) are left out.
    pub fn compare(&self, later: &Self, skip: &[String]) -> Comparison {
        let skipped =
            |table: &str| skip.iter().any(|name| name == table || table.strip_prefix("public.") == Some(name));
        let mut found = Comparison::default();
        for (table, before) in self.tables.iter().filter(|(table, _)| !skipped(table)) {
            match later.tables.get(table) {
                Some(after) if after == before => found.equal.push((table.clone(), *before)),
                Some(after) => found.differs.push(Difference { table: table.clone(), before: *before, after: *after }),
                None => found.missing.push(table.clone()),
            }
        }
        found.added = later.tables.keys().filter(|table| !self.tables.contains_key(*table)).cloned().collect();
        found.sequences = self
            .sequences
            .iter()
            .filter(|(name, last)| later.sequences.get(*name).is_none_or(|now| now < last))
            .map(|(name, _)| name.clone())
            .collect();
        if self.large_objects != later.large_objects {
            found.differs.push(Difference {
                table: "large objects".to_owned(),
                before: self.large_objects,
                after: later.large_objects,
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str =
        "{\"table\" : \"objects\", \"rows\" : 5}\n{\"sequence\" : \"s\", \"last\" : null}\n{\"large_objects\" : 0}\n";

    #[test]
    fn an_answer_is_read_and_a_cut_one_is_refused() {
        let counts = Counts::parse(ANSWER).unwrap();
        assert_eq!(counts.tables["objects"], 5);
        assert_eq!(counts.sequences["s"], None);
        for cut in 0..ANSWER.len() - 2 {
            assert!(Counts::parse(&ANSWER[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_lost_row_a_lost_table_and_a_sequence_behind_are_found() {
        let before = Counts::parse(ANSWER).unwrap();
        let mut after = before.clone();
        after.tables.insert("edge_nodes".into(), 0);
        assert!(before.compare(&after, &[]).is_equal());
        after.tables.insert("objects".into(), 4);
        assert_eq!(before.compare(&after, &[]).differs.len(), 1);
        assert!(before.compare(&after, &["objects".into()]).is_equal());
        after.tables.remove("objects");
        assert_eq!(before.compare(&after, &[]).missing, ["objects"]);
        let moved = Counts { sequences: [("s".to_owned(), Some(7))].into(), ..before.clone() };
        assert_eq!(moved.compare(&before, &[]).sequences, ["s"]);
    }
}
