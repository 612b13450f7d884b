//! Good dumps of every shape are taken, and damaged ones refused by their right name.

mod corpus;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::{DumpFault, DumpKind, DumpReport, Structure};
use crate::{
    postgres::{CheckError, QualifiedName},
    text::hex,
};

const KEY: &str = "5T0ePNw6ISVZ05zctgRIQ6vd3nlcMNlsC8GIRRyDDcc40lP5YiR4Fn7rpcNgJNf";

/// As `pg_dump --data-only --disable-triggers` of PostgreSQL 15.18 writes it.
fn recent() -> String {
    format!(
        r#"--
-- PostgreSQL database dump
--

\restrict {KEY}

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Data for Name: DeviceModel; Type: TABLE DATA; Schema: public; Owner: pix
--

SET SESSION AUTHORIZATION DEFAULT;

ALTER TABLE public."DeviceModel" DISABLE TRIGGER ALL;

COPY public."DeviceModel" (id, "vendorName", "order") FROM stdin;
1	Vendor 1	1
2	tab\tback\\slash	\N
3	\\.	3
\.


ALTER TABLE public."DeviceModel" ENABLE TRIGGER ALL;

COPY public.notes (body) FROM stdin;

two\nlines\r\nand -- no comment; 'nor' $$ this
\.


COPY public.nothing  FROM stdin;


\.


COPY public.empty (id) FROM stdin;
\.


SELECT pg_catalog.setval('public."DeviceModel_id_seq"', 40, true);


SELECT pg_catalog.lo_create('16400');

BEGIN;

SELECT pg_catalog.lo_open('16400', 131072);
SELECT pg_catalog.lowrite(0, '\x00ff');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- PostgreSQL database dump complete
--

\unrestrict {KEY}

"#
    )
}

/// Before August 2025: without `\restrict`; with everything that looks like something else.
fn older() -> String {
    "--
-- PostgreSQL database dump
--

-- Dumped from database version 12.4
-- Dumped by pg_dump version 12.4

SET standard_conforming_strings = on;

CREATE FUNCTION public.odd() RETURNS text LANGUAGE plpgsql AS $_$
BEGIN
  -- PostgreSQL database dump complete
  RETURN 'it''s; $$ not the end';\r
COPY public.ghost (id) FROM stdin;
END $_$;

COMMENT ON FUNCTION public.odd() IS 'two lines;\r
-- PostgreSQL database dump complete
';

CREATE RULE r AS ON INSERT TO public.t DO ALSO ( INSERT INTO public.u VALUES (1); DELETE FROM public.v; );

INSERT INTO public.t VALUES (1, E'a\\'b;\\\\', $1$, '\\', /* c /* d */ ; */ 2); -- why; not
INSERT INTO public.\"a;b\"\"c\" VALUES ('--', 4 - 2 / 1, $x$;$y$;$x$);

COPY public.t (id) FROM stdin;
1
\\.


--
-- PostgreSQL database dump complete
--

"
    .replace("$1$, ", "")
}

/// As `pg_dumpall` of 15.18 writes it, in short.
fn cluster() -> String {
    format!(
        r"--
-- PostgreSQL database cluster dump
--

\restrict {KEY}

SET default_transaction_read_only = off;

CREATE ROLE pix;

\unrestrict {KEY}

\connect template1

{}\connect pixelcore

{}--
-- PostgreSQL database cluster dump complete
--

",
        older(),
        recent()
    )
}

fn check(text: impl AsRef<[u8]>) -> Result<DumpReport, DumpFault> {
    Structure::check(text.as_ref()).map_err(|error| match error {
        CheckError::Fault(fault) => fault,
        CheckError::Read(error) => panic!("{error}"),
    })
}

fn name(text: &str) -> QualifiedName {
    QualifiedName::parse(text).unwrap()
}

#[test]
fn a_whole_dump_is_reported() {
    let text = recent();
    let report = check(&text).unwrap();
    let rows: Vec<_> = report.tables.iter().map(|t| (t.table.to_string(), t.columns.join("|"), t.rows)).collect();
    let expected = [
        ("public.\"DeviceModel\"", "id|vendorName|order", 3),
        ("public.notes", "body", 2),
        ("public.nothing", "", 2),
        ("public.empty", "id", 0),
    ];
    assert_eq!(rows, expected.map(|(table, columns, rows)| (table.to_owned(), columns.to_owned(), rows)));
    assert_eq!((report.kind, report.restricted, report.large_objects), (DumpKind::Database, true, 1));
    assert_eq!(report.server_version.as_deref(), Some("15.18 (Debian 15.18-0+deb12u1)"));
    assert_eq!(report.dump_version, report.server_version);
    assert_eq!(
        (report.sequences[0].sequence.clone(), report.sequences[0].value),
        (name("public.\"DeviceModel_id_seq\""), 40)
    );
    assert_eq!((report.bytes, report.rows(), report.commits), (text.len() as u64, 7, 1));
    assert_eq!(report.sha256, hex(&Sha256::digest(&text)));
}

#[test]
fn text_that_looks_like_something_else_is_text() {
    let report = check(older()).unwrap();
    assert_eq!((report.tables.len(), report.tables[0].rows, report.inserts), (1, 1, 2));
    assert!(!report.restricted);
}

#[test]
fn a_cluster_dump_is_taken_too() {
    let report = check(cluster()).unwrap();
    assert_eq!((report.kind, report.tables.len(), report.rows()), (DumpKind::Cluster, 5, 8));
    assert_eq!(report.server_version.as_deref(), Some("12.4"));
}

#[test]
fn two_blocks_of_one_table_are_added_up() {
    let twice = recent().replace("public.notes (body)", "public.empty (id)");
    let report = check(twice).unwrap();
    assert_eq!((report.tables.len(), report.rows()), (3, 7));
}

#[test]
fn strings_of_old_servers_escape_with_a_backslash() {
    let text = older()
        .replace("standard_conforming_strings = on", "standard_conforming_strings = off")
        .replace(r"'\', /*", r"'it\'s; \\', /*");
    assert_eq!(check(text).unwrap().inserts, 2);
}

#[test]
fn long_statements_and_rows_need_no_memory_and_lose_nothing() {
    let long = "E".repeat(600 * 1024);
    let text = older().replace("('--', 4", &format!("('{long}', 'x\\', 4"));
    let text = text.replace("\n1\n\\.", &format!("\n{long}\n\\."));
    assert_eq!(check(text).unwrap().rows(), 1);
}

#[test]
fn every_damage_is_refused_by_its_name_and_line() {
    let good = recent();
    check(&good).unwrap();
    for (what, damage, line, is_right) in corpus::corpus() {
        let fault = check(damage(&good)).expect_err(what);
        assert!(is_right(&fault.damage), "{what}: {fault}");
        assert_eq!(fault.line, line, "{what}: {fault}");
        assert!(fault.to_string().len() > 30, "{what}: {fault}");
    }
}

#[test]
fn what_a_fault_says_holds_nothing_of_the_data() {
    let text = recent().replace("1\tVendor 1\t1", "s3cret");
    assert!(!check(text).unwrap_err().to_string().contains("s3cret"));
}

#[test]
fn a_cut_at_any_byte_is_refused() {
    for good in [recent(), older(), cluster()] {
        check(&good).unwrap();
        for end in 0..good.len() {
            assert!(check(&good.as_bytes()[..end]).is_err(), "cut after {end} of {} bytes", good.len());
        }
    }
}

/// Rows as COPY writes them: escaped, with a tab between.
fn row() -> impl Strategy<Value = String> {
    proptest::collection::vec("[^\0\t\n\r\\\\]{0,8}|\\\\N|\\\\\\\\\\.|\\\\n", 2..3).prop_map(|fields| fields.join("\t"))
}

proptest! {
    #[test]
    fn any_rows_are_counted_and_any_cut_is_found(
        rows in proptest::collection::vec(row(), 0..20),
        at in 0.0..1.0f64,
        sizes in proptest::collection::vec(1usize..50, 1..20),
    ) {
        let body: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
        let body = body.concat();
        let good = older().replace("public.t (id) FROM stdin;\n1\n", &format!("public.t (a, b) FROM stdin;\n{body}"));
        let report = check(&good).unwrap();
        prop_assert_eq!(report.rows(), rows.len() as u64);

        // In whatever pieces it comes.
        let mut structure = Structure::new();
        let (mut rest, mut sizes) = (good.as_bytes(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            structure.push(piece).unwrap();
            rest = after;
        }
        prop_assert_eq!(structure.finish().unwrap(), report);

        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let end = (good.len() as f64 * at) as usize;
        prop_assert!(check(&good.as_bytes()[..end]).is_err());
    }

    #[test]
    fn no_bytes_whatever_make_it_fail_otherwise(noise in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..1400) {
        let mut text = recent().into_bytes();
        let at = at.min(text.len());
        text.splice(at..at, noise);
        let _verdict = check(text);
    }
}
