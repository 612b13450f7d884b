//! What is the same, what differs, what is missing and what is new.

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::postgres::QualifiedName;

/// A table with another number of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsDiffer {
    /// The table, or `large objects`.
    pub table: String,
    /// Rows before.
    pub before: u64,
    /// Rows after.
    pub after: u64,
}

/// A sequence that would hand out numbers again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceBehind {
    /// The sequence.
    pub sequence: String,
    /// Last value before.
    pub before: Option<i64>,
    /// Last value after.
    pub after: Option<i64>,
}

/// The outcome; all lists in order of names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// Tables with as many rows as before, and how many.
    pub equal: Vec<(String, u64)>,
    /// Sequences that are as far as before or further.
    pub reached: Vec<String>,
    /// Tables (and large objects) with another number.
    pub differs: Vec<RowsDiffer>,
    /// Tables with more rows than before, where that is no fault: see [`Self::may_have_grown`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grown: Vec<RowsDiffer>,
    /// Sequences that are not as far as before. One that counts downwards shows here when it was used since.
    pub behind: Vec<SequenceBehind>,
    /// Tables and sequences that are no longer there.
    pub missing: Vec<String>,
    /// Tables and sequences that were not there before: no fault, a new version has them.
    pub added: Vec<String>,
}

impl Comparison {
    /// The same where somebody may have written since: what has more rows than before does not differ.
    #[must_use]
    pub fn may_have_grown(mut self) -> Self {
        self.grown.extend(self.differs.extract_if(.., |table| table.after > table.before));
        self
    }

    /// Whether everything that was there is there again.
    pub fn holds(&self) -> bool {
        self.differs.is_empty() && self.behind.is_empty() && self.missing.is_empty()
    }
}

/// Compares `after` with `before`. `counts_for`: which of the tables and sequences of before are to be there again.
pub fn compare(before: &Counts, after: &Counts, counts_for: impl Fn(&QualifiedName) -> bool) -> Comparison {
    // Names of a `Counts` were made from such names; one that was not is kept rather than overlooked.
    let wanted = |name: &str| QualifiedName::parse(name).is_none_or(|name| counts_for(&name));
    let mut outcome = Comparison::default();
    for (table, &rows) in before.tables.iter().filter(|(table, _)| wanted(table)) {
        match after.tables.get(table) {
            None => outcome.missing.push(table.clone()),
            Some(&found) if found == rows => outcome.equal.push((table.clone(), rows)),
            Some(&found) => outcome.differs.push(RowsDiffer { table: table.clone(), before: rows, after: found }),
        }
    }
    for (sequence, &last) in before.sequences.iter().filter(|(sequence, _)| wanted(sequence)) {
        match after.sequences.get(sequence) {
            None => outcome.missing.push(sequence.clone()),
            // No number yet comes before every number.
            Some(&found) if found >= last => outcome.reached.push(sequence.clone()),
            Some(&found) => {
                let behind = SequenceBehind { sequence: sequence.clone(), before: last, after: found };
                outcome.behind.push(behind);
            }
        }
    }
    if before.large_objects != after.large_objects {
        let (before, after) = (before.large_objects, after.large_objects);
        outcome.differs.push(RowsDiffer { table: "large objects".into(), before, after });
    }
    let new_tables = after.tables.keys().filter(|table| !before.tables.contains_key(*table));
    let new_sequences = after.sequences.keys().filter(|sequence| !before.sequences.contains_key(*sequence));
    outcome.added = new_tables.chain(new_sequences).filter(|name| wanted(name)).cloned().collect();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tables: &[(&str, u64)], sequences: &[(&str, Option<i64>)], large_objects: u64) -> Counts {
        Counts {
            tables: tables.iter().map(|(name, rows)| (format!("public.{name}"), *rows)).collect(),
            sequences: sequences.iter().map(|(name, last)| (format!("public.{name}"), *last)).collect(),
            large_objects,
        }
    }

    #[test]
    fn a_new_version_may_have_more_and_nothing_less() {
        let before =
            counts(&[("a", 1), ("b", 2), ("c", 3)], &[("s", Some(5)), ("t", Some(5)), ("u", None), ("v", None)], 1);
        let after =
            counts(&[("a", 1), ("b", 1), ("d", 4)], &[("s", Some(6)), ("t", Some(4)), ("u", Some(1)), ("w", None)], 0);
        let outcome = compare(&before, &after, |_| true);
        assert_eq!(outcome.equal, [("public.a".to_owned(), 1)]);
        assert_eq!(outcome.reached, ["public.s", "public.u"]);
        let rows = |table: &str, before, after| RowsDiffer { table: table.into(), before, after };
        assert_eq!(outcome.differs, [rows("public.b", 2, 1), rows("large objects", 1, 0)]);
        let behind = SequenceBehind { sequence: "public.t".into(), before: Some(5), after: Some(4) };
        assert_eq!(outcome.behind, [behind]);
        assert_eq!(outcome.missing, ["public.c", "public.v"]);
        assert_eq!(outcome.added, ["public.d", "public.w"]);
        assert!(!outcome.holds());
    }

    #[test]
    fn where_somebody_writes_more_rows_are_no_fault_and_fewer_are() {
        let before = counts(&[("a", 1), ("b", 2)], &[], 0);
        let grown = compare(&before, &counts(&[("a", 5), ("b", 2)], &[], 0), |_| true).may_have_grown();
        let more = RowsDiffer { table: "public.a".into(), before: 1, after: 5 };
        assert!(grown.holds() && grown.grown == [more] && grown.equal.len() == 1);
        let lost = compare(&before, &counts(&[("a", 5), ("b", 1)], &[], 0), |_| true).may_have_grown();
        assert!(!lost.holds() && lost.differs.len() == 1);
        assert!(!compare(&before, &counts(&[("a", 5)], &[], 0), |_| true).may_have_grown().holds());
    }

    #[test]
    fn what_was_left_out_of_the_dump_is_left_out_here() {
        let before = counts(&[("a", 1), ("schema_version", 1)], &[], 0);
        let after = counts(&[("a", 1), ("schema_version", 2), ("new", 9)], &[], 0);
        assert!(!compare(&before, &after, |_| true).holds());
        let outcome = compare(&before, &after, |table| table.name != "schema_version");
        assert!(outcome.holds());
        assert_eq!((outcome.equal, outcome.added), (vec![("public.a".to_owned(), 1)], vec!["public.new".to_owned()]));
    }

    #[test]
    fn each_kind_of_loss_is_enough() {
        let before = counts(&[("a", 1)], &[("s", Some(1))], 1);
        assert!(compare(&before, &before, |_| true).holds());
        for after in [
            counts(&[("a", 2)], &[("s", Some(1))], 1),
            counts(&[], &[("s", Some(1))], 1),
            counts(&[("a", 1)], &[("s", None)], 1),
            counts(&[("a", 1)], &[], 1),
            counts(&[("a", 1)], &[("s", Some(1))], 2),
        ] {
            assert!(!compare(&before, &after, |_| true).holds(), "{after:?}");
        }
    }
}
