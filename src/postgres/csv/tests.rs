//! Good files are counted, damaged ones refused by name; what a CSV file cannot tell is written down here too.

use proptest::prelude::*;

use super::{CsvDamage, CsvFault, CsvReport, Structure};
use crate::postgres::CheckError;

const GOOD: &str =
    "id,ts,\"odd \"\"name\"\"\",raw\n1,2026-01-01,NaN,\"\"\n2,2026-01-02,,\"a,\"\"b\"\"\nc\"\n3,2026-01-03,\"\r\",\n";

fn check(text: impl AsRef<[u8]>, expected: Option<u64>) -> Result<CsvReport, CsvFault> {
    Structure::check(text.as_ref(), expected).map_err(|error| match error {
        CheckError::Fault(fault) => fault,
        CheckError::Read(error) => panic!("{error}"),
    })
}

#[test]
fn rows_are_counted_and_not_lines() {
    let report = check(GOOD, Some(3)).unwrap();
    assert_eq!(report.columns, ["id", "ts", "odd \"name\"", "raw"]);
    assert_eq!((report.rows, report.bytes, report.end_marks), (3, GOOD.len() as u64, 0));
    assert_eq!(report.sha256.len(), 64);
    assert_eq!(check("id\n", None).unwrap().rows, 0);
    // One column whose value is NULL is an empty line.
    assert_eq!(check("id\n\n\n1\n", None).unwrap().rows, 3);
}

#[test]
fn end_marks_inside_values_are_noticed() {
    let report = check("a,b\n1,\"x\n\\.\ny\"\n2,\"\\.\"\n3,\"\n\\.z\n\"\n", None).unwrap();
    assert_eq!((report.rows, report.end_marks), (3, 1));
}

#[test]
fn every_damage_has_its_name_and_place() {
    use CsvDamage as D;
    let with = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from:?}");
        GOOD.replacen(from, to, 1)
    };
    let cut = |mark: &str| GOOD[..GOOD.find(mark).unwrap() + mark.len()].to_owned();
    for (what, text, line, rows, damage) in [
        ("nothing", String::new(), 1, 0, D::Empty),
        ("an error instead of a header", "ERROR:  relation does not exist\n".into(), 1, 0, D::StrayText),
        ("an error before the header", format!("psql: error: x\n{GOOD}"), 1, 0, D::StrayText),
        ("an error with quotes", "ERROR:  relation \"x\" does not exist\n".into(), 1, 0, D::StrayText),
        ("an empty header", "\n1\n".into(), 1, 0, D::Header),
        ("a comma too many in the header", with("id,", "id,,"), 1, 0, D::Header),
        ("an error among rows", with("2,2026", "FATAL:  terminating\n2,2026"), 3, 1, D::StrayText),
        ("an exit code at the end", format!("{GOOD}command terminated with exit code 137\n"), 6, 3, D::StrayText),
        ("a value lost", with("1,2026-01-01,", "1,"), 2, 0, D::Fields { expected: 4, found: 3 }),
        ("a value too many", with("1,2026-01-01,", "1,,2026-01-01,"), 2, 0, D::Fields { expected: 4, found: 5 }),
        ("a blank line", with("\n1,", "\n\n1,"), 2, 0, D::Fields { expected: 4, found: 1 }),
        ("by a terminal", GOOD.replace('\n', "\r\n"), 1, 0, D::CarriageReturn),
        ("one row by a terminal", with("NaN,\"\"\n", "NaN,\"\"\r\n"), 2, 0, D::CarriageReturn),
        ("a carriage return in a plain value", with("NaN", "Na\rN"), 2, 0, D::CarriageReturn),
        ("a hole", with("NaN", "\0\0\0"), 2, 0, D::ZeroByte),
        ("a hole in quotes", with("\nc\"", "\n\0\""), 4, 1, D::ZeroByte),
        ("a quote lost", with("\"a,\"\"b", "a,\"\"b"), 3, 1, D::Quote),
        ("text behind a quote", with("\nc\"", "\nc\"x"), 4, 1, D::Quote),
        ("cut in the header", cut("id,t"), 1, 0, D::CutInRow),
        ("cut in a value", cut("2026-01"), 2, 0, D::CutInRow),
        ("cut before the line feed", cut("NaN,\"\""), 2, 0, D::CutInRow),
        ("cut after a comma", cut("NaN,"), 2, 0, D::CutInRow),
        ("cut in quotes", cut("\"a,"), 3, 1, D::CutInValue),
        ("cut at a line feed in quotes", cut("b\"\"\n"), 4, 1, D::CutInValue),
        ("cut at the end of a row", cut("NaN,\"\"\n"), 2, 1, D::Rows { expected: 3, found: 1 }),
        ("a row twice", format!("{GOOD}3,2026-01-03,,\n"), 6, 4, D::Rows { expected: 3, found: 4 }),
    ] {
        let fault = check(text, Some(3)).expect_err(what);
        assert_eq!(fault, CsvFault { line, rows, damage }, "{what}");
    }
}

#[test]
fn what_only_the_number_of_rows_can_tell() {
    let cut = &GOOD[..=GOOD.find("\"\"\n").unwrap() + 2];
    assert_eq!(check(cut, None).unwrap().rows, 1, "a cut at the end of a row cannot be seen");
    assert!(check(cut, Some(3)).is_err());
}

/// A value as COPY writes it: quoted where it has to be.
fn value() -> impl Strategy<Value = String> {
    "[^\0]{0,6}".prop_map(|value: String| {
        let quote = value.is_empty() || value.contains([',', '"', '\n', '\r']);
        if quote { format!("\"{}\"", value.replace('"', "\"\"")) } else { value }
    })
}

proptest! {
    #[test]
    fn any_table_is_counted_and_any_cut_is_found(
        rows in proptest::collection::vec(proptest::collection::vec(value(), 3..=3), 0..12),
        size in 1usize..20,
    ) {
        let mut text = "a,b,c\n".to_owned();
        let mut ends = vec![text.len()];
        for row in &rows {
            text.push_str(&row.join(","));
            text.push('\n');
            ends.push(text.len());
        }
        let mut structure = Structure::new();
        for piece in text.as_bytes().chunks(size) {
            structure.push(piece).unwrap();
        }
        let expected = rows.len() as u64;
        let report = structure.finish(Some(expected)).unwrap();
        prop_assert_eq!(&report, &check(&text, Some(expected)).unwrap());
        for end in 0..text.len() {
            let cut = &text.as_bytes()[..end];
            prop_assert_eq!(check(cut, None).is_ok(), ends.contains(&end), "cut after {}", end);
            prop_assert!(check(cut, Some(expected)).is_err(), "cut after {}", end);
        }
    }
}
