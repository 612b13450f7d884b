//! Damaged copies of one good dump, each with the name and place of its damage.

use super::super::DumpDamage;

/// One damage: what is done to the good text, at which line it shows, and what it has to be called.
pub(super) type Case = (&'static str, Change, u64, fn(&DumpDamage) -> bool);
type Change = Box<dyn Fn(&str) -> Vec<u8>>;

fn replaced(from: &'static str, to: &'static str) -> Change {
    Box::new(move |text| {
        assert!(text.contains(from), "{from:?}");
        text.replacen(from, to, 1).into_bytes()
    })
}

fn cut_after(mark: &'static str) -> Change {
    Box::new(move |text| text.as_bytes()[..text.find(mark).unwrap() + mark.len()].to_vec())
}

/// The corpus of damages that were seen or are to be feared.
pub(super) fn corpus() -> Vec<Case> {
    use DumpDamage as D;
    vec![
        ("nothing arrived", Box::new(|_| Vec::new()), 1, |d| matches!(d, D::Empty)),
        ("custom format", Box::new(|_| b"PGDMP\x01\x0e\x00".to_vec()), 1, |d| matches!(d, D::NotPlain(_))),
        ("compressed", Box::new(|_| b"\x1f\x8b\x08\x00\x00".to_vec()), 1, |d| matches!(d, D::NotPlain(_))),
        ("an error page", Box::new(|_| b"<html></html>\n".to_vec()), 1, |d| matches!(d, D::NoHead)),
        ("kubectl's word first", Box::new(|t| format!("Defaulted container \"a\"\n{t}").into()), 1, |d| {
            matches!(d, D::NoHead)
        }),
        ("beginning lost", replaced("--\n-- PostgreSQL database dump\n", ""), 3, |d| matches!(d, D::NoHead)),
        ("only line feeds", Box::new(|_| b"\n\n".to_vec()), 2, |d| matches!(d, D::NoTrailer)),
        ("whole file by a terminal", Box::new(|t| t.replace('\n', "\r\n").into()), 1, |d| {
            matches!(d, D::CarriageReturn)
        }),
        ("one row by a terminal", replaced("Vendor 1\t1\n", "Vendor 1\t1\r\n"), 23, |d| matches!(d, D::CarriageReturn)),
        ("COPY line by a terminal", replaced("\"order\") FROM stdin;\n", "\"order\") FROM stdin;\r\n"), 22, |d| {
            matches!(d, D::CarriageReturn)
        }),
        ("trailer by a terminal", replaced("dump complete\n", "dump complete\r\n"), 61, |d| {
            matches!(d, D::CarriageReturn)
        }),
        ("cut in a row", cut_after("Vendor 1\t"), 23, |d| matches!(d, D::CutInRows { rows: 0, .. })),
        ("cut at a row's end", cut_after("Vendor 1\t1\n"), 23, |d| matches!(d, D::CutInRows { rows: 1, .. })),
        ("cut in the end mark", cut_after("\t3\n\\"), 26, |d| matches!(d, D::CutInRows { rows: 3, .. })),
        ("cut behind the end mark", cut_after("\t3\n\\."), 26, |d| matches!(d, D::CutInRows { rows: 3, .. })),
        ("cut after a COPY line", cut_after("(body) FROM stdin;"), 31, |d| matches!(d, D::CutInRows { rows: 0, .. })),
        ("cut between tables", cut_after("\t3\n\\.\n\n\n"), 28, |d| matches!(d, D::NoTrailer)),
        ("cut after a statement", cut_after("', 40, true);\n"), 47, |d| matches!(d, D::NoTrailer)),
        ("cut in a statement", cut_after("SET statement_time"), 10, |d| matches!(d, D::CutInStatement)),
        ("cut in a literal", cut_after("set_config('search"), 12, |d| matches!(d, D::CutInStatement)),
        ("cut in a comment", cut_after("-- Data for Name"), 15, |d| matches!(d, D::CutInStatement)),
        ("cut in the restrict line", cut_after("\\restrict 5T0"), 5, |d| matches!(d, D::CutInStatement)),
        ("cut in the trailer's words", cut_after("dump complete"), 61, |d| matches!(d, D::CutInStatement)),
        ("cut after the trailer's words", cut_after("dump complete\n"), 61, |d| matches!(d, D::CutInTrailer)),
        ("cut before unrestrict", cut_after("dump complete\n--\n\n"), 63, |d| matches!(d, D::NoUnrestrict)),
        ("cut in the unrestrict key", cut_after("\\unrestrict 5T0"), 64, |d| matches!(d, D::CutInStatement)),
        (
            "last line feed lost",
            Box::new(|t| t.trim_end_matches('\n').to_owned().into_bytes().into_iter().chain(*b"\n").collect()),
            64,
            |d| matches!(d, D::CutInTrailer),
        ),
        ("another dump's tail", replaced("\\unrestrict 5T0", "\\unrestrict 6T0"), 64, |d| matches!(d, D::Key)),
        ("restrict line lost", replaced(concat_restrict(), ""), 63, |d| matches!(d, D::Key)),
        ("a warning inside SQL", replaced("SET SESSION", "pg_dump: warning: there's one\nSET SESSION"), 18, |d| {
            matches!(d, D::StrayText)
        }),
        ("a warning inside rows", replaced("1\tVendor", "pg_dump: warning: circular\n1\tVendor"), 23, |d| {
            matches!(d, D::StrayText)
        }),
        ("a server's error inside SQL", replaced("BEGIN;\n", "ERROR:  out of memory\nBEGIN;\n"), 52, |d| {
            matches!(d, D::StrayText)
        }),
        ("an end mark outside of rows", replaced("BEGIN;\n", "\\.\nBEGIN;\n"), 52, |d| matches!(d, D::StrayText)),
        ("a shell command inside", replaced("BEGIN;\n", "\\! rm\nBEGIN;\n"), 52, |d| matches!(d, D::StrayText)),
        ("a column lost", replaced("2\ttab\\tback\\\\slash\t", "2\ttab\\tback\\\\slash"), 24, |d| {
            matches!(d, D::Columns { expected: 3, found: 2, .. })
        }),
        ("a column too many", replaced("1\tVendor", "1\t\tVendor"), 23, |d| matches!(d, D::Columns { found: 4, .. })),
        ("an end mark lost", replaced("\t3\n\\.\n", "\t3\n"), 26, |d| matches!(d, D::Columns { found: 1, .. })),
        ("a line feed lost", replaced("\t1\n2\t", "\t12\t"), 23, |d| matches!(d, D::Columns { found: 5, .. })),
        ("a hole in rows", replaced("Vendor 1", "Ven\0\0\0 1"), 23, |d| matches!(d, D::ZeroByte)),
        ("a hole in SQL", replaced("BEGIN;", "BEG\0\0;"), 52, |d| matches!(d, D::ZeroByte)),
        ("an identifier's quote lost", replaced("(id, \"vendorName\"", "(id, vendorName\""), 65, |d| {
            matches!(d, D::CutInStatement)
        }),
        ("a quote lost in a COPY line", replaced("\"order\") FROM", "order) FROM stdin; FROM"), 22, |d| {
            matches!(d, D::CopyStatement)
        }),
        (
            "an exit code behind it",
            Box::new(|t| format!("{t}command terminated with exit code 137\n").into()),
            66,
            |d| matches!(d, D::AfterTrailer),
        ),
        ("two dumps in one file", Box::new(|t| format!("{t}{t}").into()), 66, |d| matches!(d, D::AfterTrailer)),
        ("a statement behind it", Box::new(|t| format!("{t}SELECT 1;\n").into()), 66, |d| matches!(d, D::AfterTrailer)),
    ]
}

fn concat_restrict() -> &'static str {
    "\\restrict 5T0ePNw6ISVZ05zctgRIQ6vd3nlcMNlsC8GIRRyDDcc40lP5YiR4Fn7rpcNgJNf\n"
}
