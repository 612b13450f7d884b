//! How many rows a database holds, and how two such answers compare.

mod compare;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::QualifiedName;
use super::dump::DumpReport;

pub use compare::{Comparison, RowsDiffer, SequenceBehind, compare};

/// The query; one object a line. A psql variable `snapshot` makes it count in an exported snapshot.
pub const SQL: &str = include_str!("../../../assets/sql/counts.sql");

/// Row counts of one moment. Names as [`QualifiedName`] displays them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of each table; partitions count for their parent.
    pub tables: BTreeMap<String, u64>,
    /// Last value of each sequence; `None`: no number was handed out yet.
    pub sequences: BTreeMap<String, Option<i64>>,
    /// Large objects.
    pub large_objects: u64,
}

/// An answer that is not what the query gives. `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountsError {
    /// A line of another form.
    #[error("cannot read line {line} of the row counts")]
    Line { line: usize },
    /// A table or sequence came twice.
    #[error("cannot use the row counts: line {line} repeats a name")]
    Repeated { line: usize },
    /// The last line is missing.
    #[error("cannot use the row counts: they end before the number of large objects, so they were cut")]
    Cut,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Table { table: String, rows: u64 },
    Sequence { sequence: String, last: Option<i64> },
    LargeObjects { large_objects: u64 },
}

impl Counts {
    /// Reads the answer of [`SQL`].
    pub fn parse(text: &str) -> Result<Self, CountsError> {
        let mut counts = Self::default();
        let mut whole = false;
        for (line, content) in (1..).zip(text.lines()) {
            let read: Line = serde_json::from_str(content).map_err(|_| CountsError::Line { line })?;
            // A name without a schema is one of `public`.
            let name = |text: &str| {
                let name = QualifiedName::parse_in("public", text).ok_or(CountsError::Line { line })?;
                Ok::<String, CountsError>(name.to_string())
            };
            let known = match read {
                // Nothing comes after the last line.
                _ if whole => return Err(CountsError::Line { line }),
                Line::Table { table, rows } => counts.tables.insert(name(&table)?, rows).is_some(),
                Line::Sequence { sequence, last } => counts.sequences.insert(name(&sequence)?, last).is_some(),
                Line::LargeObjects { large_objects } => {
                    counts.large_objects = large_objects;
                    whole = true;
                    false
                }
            };
            if known {
                return Err(CountsError::Repeated { line });
            }
        }
        if whole { Ok(counts) } else { Err(CountsError::Cut) }
    }
}

/// What a dump holds, in the same terms. Its tables are as it names them: partitions one by one.
impl From<&DumpReport> for Counts {
    fn from(dump: &DumpReport) -> Self {
        let sequence = |set: &super::dump::SequenceValue| (set.sequence.to_string(), set.called.then_some(set.value));
        Self {
            tables: dump.tables.iter().map(|table| (table.table.to_string(), table.rows)).collect(),
            sequences: dump.sequences.iter().map(sequence).collect(),
            large_objects: dump.large_objects,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"table":"public.\"DeviceModel\"","rows":40}
{"table" : "public.\"order\"", "rows" : 0}
{"sequence":"public.users_id_seq","last":301}
{"sequence":"public.new_seq","last":null}
{"large_objects":2}
"#;

    #[test]
    fn an_answer_is_read() {
        let counts = Counts::parse(ANSWER).unwrap();
        let tables: Vec<_> = counts.tables.iter().map(|(name, rows)| (name.as_str(), *rows)).collect();
        assert_eq!(tables, [("public.\"DeviceModel\"", 40), ("public.order", 0)]);
        assert_eq!((counts.sequences["public.users_id_seq"], counts.sequences["public.new_seq"]), (Some(301), None));
        assert_eq!(counts.large_objects, 2);
        let short = Counts::parse(&ANSWER.replace("public.", "")).unwrap();
        assert_eq!(short, counts, "a name without its schema is one of public");
    }

    #[test]
    fn what_is_cut_repeated_or_strange_is_refused() {
        let (cut, _) = ANSWER.rsplit_once("{\"large").unwrap();
        assert_eq!(Counts::parse(cut), Err(CountsError::Cut));
        assert_eq!(Counts::parse(""), Err(CountsError::Cut));
        assert_eq!(Counts::parse(&format!("{cut}{ANSWER}")), Err(CountsError::Repeated { line: 5 }));
        assert_eq!(Counts::parse(&format!("{ANSWER}{ANSWER}")), Err(CountsError::Line { line: 6 }));
        for strange in ["COPY 1", "{}", r#"{"table":"a b","rows":1}"#, r#"{"table":"a.b","rows":-1}"#, ""] {
            assert_eq!(Counts::parse(&format!("{strange}\n{ANSWER}")), Err(CountsError::Line { line: 1 }), "{strange}");
        }
        for end in 0..ANSWER.len() - 1 {
            assert!(Counts::parse(&ANSWER[..end]).is_err(), "cut after {end}");
        }
    }

    #[test]
    fn the_query_says_what_it_is() {
        assert!(SQL.starts_with("-- drydock: counts\n"));
    }
}
