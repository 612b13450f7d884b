//! The program `pg_dump`, for data only: the text loads in a real PostgreSQL 15 with PixelCore's schema.

use std::{collections::BTreeMap, sync::Arc};

use super::{Sequence, Table, VERSION, options::Options, psql::target, quoted, reach::connect};
use crate::practice::{
    faults::Fault,
    shell::{Broken, Place, Streams},
};

/// Seconds a row takes.
const ROW: f64 = 0.000_15;
/// Rows in one piece.
const PIECE: usize = 250;

const LONG: [(&str, &str); 12] = [
    ("version", "V"),
    ("data-only", "a"),
    ("verbose", "v"),
    ("disable-triggers", "disable-triggers"),
    ("exclude-table", "T"),
    ("table", "t"),
    ("host", "h"),
    ("port", "p"),
    ("username", "U"),
    ("dbname", "d"),
    ("no-password", "w"),
    ("file", "f"),
];

const HEAD: &str = "SET statement_timeout = 0;\nSET lock_timeout = 0;\nSET idle_in_transaction_session_timeout = 0;\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nSELECT pg_catalog.set_config('search_path', '', false);\nSET check_function_bodies = false;\nSET xmloption = content;\nSET client_min_messages = warning;\nSET row_security = off;\n";

/// What it says of its search with `--verbose`, shortened.
const LOOKING: &str = "pg_dump: last built-in OID is 16383\npg_dump: reading extensions\npg_dump: identifying extension members\npg_dump: reading schemas\npg_dump: reading user-defined tables\npg_dump: reading column info for interesting tables\npg_dump: reading partitioning data\npg_dump: reading constraints\npg_dump: reading large objects\npg_dump: reading dependency data\n";

const CIRCULAR: &str = "pg_dump: warning: there are circular foreign-key constraints on this table:\npg_dump: detail: objects\npg_dump: hint: You might not be able to restore the dump without using --disable-triggers or temporarily dropping the constraints.\npg_dump: hint: Consider using a full dump instead of a --data-only dump to avoid this problem.\n";

/// A pattern of `-T`: `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern = pattern.strip_prefix("public.").unwrap_or(pattern);
    match pattern.split_once('*') {
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| tail.is_empty() || rest.ends_with(tail)),
        None => pattern.trim_matches('"') == name,
    }
}

/// Tables in the order of the real one: by name, each after those it refers to.
fn ordered(tables: &BTreeMap<String, Table>) -> Vec<String> {
    fn visit(name: &str, tables: &BTreeMap<String, Table>, seen: &mut Vec<String>, open: &mut Vec<String>) {
        if seen.iter().chain(open.iter()).any(|known| known == name) {
            return;
        }
        open.push(name.to_owned());
        let mut referred = tables.get(name).map(|table| table.references.clone()).unwrap_or_default();
        referred.sort();
        for name in referred {
            visit(&name, tables, seen, open);
        }
        open.pop();
        seen.push(name.to_owned());
    }
    let mut seen = Vec::new();
    for name in tables.keys() {
        visit(name, tables, &mut seen, &mut Vec::new());
    }
    seen
}

/// What is dumped: a snapshot.
struct Snapshot {
    user: String,
    tables: BTreeMap<String, Table>,
    sequences: BTreeMap<String, Sequence>,
}

/// Runs `pg_dump`.
pub async fn pg_dump(place: &Place, args: &[String], streams: Streams) -> u8 {
    let fail = async |problem: String| {
        streams.err.say(format!("pg_dump: {problem}\n")).await;
        1
    };
    let options = match Options::read(args, "aVwv", "TthpUdf", &LONG) {
        Ok(options) => options,
        Err(problem) => {
            let hint = "pg_dump: hint: Try \"pg_dump --help\" for more information.";
            streams.err.say(format!("/usr/lib/postgresql/15/bin/pg_dump: {problem}\n{hint}\n")).await;
            return 1;
        }
    };
    if options.has("V") {
        streams.out.say(format!("pg_dump (PostgreSQL) {VERSION}\n")).await;
        return 0;
    }
    if !options.has("a") {
        return fail("error: drydock practice simulates --data-only dumps in plain form only".to_owned()).await;
    }
    let reached = match connect(place, &target(place, &options)) {
        Ok(reached) => reached,
        Err(problem) => return fail(format!("error: {problem}")).await,
    };
    let snapshot = place.shared.look(|state| {
        state.volumes.get(&reached.volume).map(|database| Snapshot {
            user: database.user.clone(),
            tables: database.tables.clone(),
            sequences: database.sequences.clone(),
        })
    });
    let Some(mut snapshot) = snapshot else { return fail("error: the database is gone".to_owned()).await };
    let (out_of, only): (Vec<&str>, Vec<&str>) =
        (options.values(&["T"]).map(|(_, p)| p).collect(), options.values(&["t"]).map(|(_, p)| p).collect());
    let wanted = |name: &str| {
        (only.is_empty() || only.iter().any(|p| matches(p, name))) && !out_of.iter().any(|p| matches(p, name))
    };
    // a sequence goes with the table that owns it; one without an owner stands for itself
    let owner = |sequence: &str| {
        let owner =
            snapshot.tables.iter().find(|(_, t)| t.columns.iter().any(|c| c.sequence.as_deref() == Some(sequence)));
        owner.map(|(name, _)| name.clone()).filter(|_| sequence != "ticket_number_seq")
    };
    let sequences: BTreeMap<String, Sequence> = snapshot
        .sequences
        .iter()
        .filter(|(name, _)| owner(name).is_none_or(|table| wanted(&table)) && wanted(name))
        .map(|(name, sequence)| (name.clone(), *sequence))
        .collect();
    let order = ordered(&snapshot.tables);
    snapshot.sequences = sequences;
    snapshot.tables.retain(|name, _| wanted(name));
    if snapshot.tables.is_empty() {
        return fail("error: no matching tables were found".to_owned()).await;
    }
    let talk = if options.has("v") { Some(&streams.err) } else { None };
    if let Some(err) = talk {
        err.say(LOOKING).await;
    }
    if wanted("objects") {
        streams.err.say(CIRCULAR).await;
    }
    let out = options.value("f").map_or_else(|| streams.out.clone(), |path| place.file(path));
    let triggers = options.has("disable-triggers");
    let names: Vec<String> = order.into_iter().filter(|name| snapshot.tables.contains_key(name)).collect();
    let written = write(place, &snapshot, &names, triggers, (&out, talk)).await;
    match written {
        Ok(()) => 0,
        Err(Stop::Full) => fail("error: could not write to output file: No space left on device".to_owned()).await,
        Err(Stop::Pipe) => 141,
        Err(Stop::Cut(table, command)) => {
            fail(format!(
                "error: Dumping the contents of table \"{table}\" failed: PQgetCopyData() failed.\npg_dump: detail: Error message from server: server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.\npg_dump: detail: Command was: {command}"
            ))
            .await
        }
    }
}

enum Stop {
    Full,
    Pipe,
    Cut(String, String),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Full => Self::Full,
            Broken::Pipe => Self::Pipe,
        }
    }
}

/// A key as the real one draws it: letters and digits, unknown to whoever wrote the rows.
fn key() -> String {
    let text: String = (0..2).map(|_| crate::practice::objects::uid().replace('-', "")).collect();
    text.chars().take(63).collect()
}

async fn write(
    place: &Place,
    snapshot: &Snapshot,
    names: &[String],
    triggers: bool,
    (out, talk): (&crate::practice::shell::Output, Option<&crate::practice::shell::Output>),
) -> Result<(), Stop> {
    let key = key();
    let user = &snapshot.user;
    out.write(format!("--\n-- PostgreSQL database dump\n--\n\n\\restrict {key}\n\n-- Dumped from database version {VERSION}\n-- Dumped by pg_dump version {VERSION}\n\n{HEAD}\n")).await?;
    let total: usize = names.iter().filter_map(|name| snapshot.tables.get(name)).map(|table| table.rows.len()).sum();
    let cut = place.shared.faults.strikes(Fault::CutMidDump).then_some(total / 2);
    let (mut done, mut first) = (0, true);
    for name in names {
        let Some(table) = snapshot.tables.get(name) else { continue };
        for (name, rows) in partitions(name, table) {
            let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
            let (full, columns) = (format!("public.{}", quoted(&name)), columns.join(", "));
            let mut head =
                format!("--\n-- Data for Name: {name}; Type: TABLE DATA; Schema: public; Owner: {user}\n--\n\n");
            if triggers {
                // the real one says this once, before the first table
                let session = if first { "SET SESSION AUTHORIZATION DEFAULT;\n\n" } else { "" };
                head = format!("{head}{session}ALTER TABLE {full} DISABLE TRIGGER ALL;\n\n");
            }
            first = false;
            if let Some(err) = talk {
                let said = format!(
                    "pg_dump: processing data for table \"public.{name}\"\npg_dump: dumping contents of table \"public.{name}\"\n"
                );
                err.say(said).await;
            }
            out.write(head + &format!("COPY {full} ({columns}) FROM stdin;\n")).await?;
            for piece in rows.chunks(PIECE) {
                if cut.is_some_and(|cut| done >= cut) {
                    return Err(Stop::Cut(name, format!("COPY {full} ({columns}) TO stdout;")));
                }
                out.write(piece.iter().map(|row| format!("{row}\n")).collect::<String>()).await?;
                done += piece.len();
                place.shared.pause(f64::from(u32::try_from(piece.len()).unwrap_or(0)) * ROW).await;
            }
            let after = if triggers { format!("ALTER TABLE {full} ENABLE TRIGGER ALL;\n\n") } else { String::new() };
            out.write(format!("\\.\n\n\n{after}")).await?;
        }
    }
    for (name, sequence) in &snapshot.sequences {
        let full = format!("public.{}", quoted(name));
        out.write(format!(
            "--\n-- Name: {name}; Type: SEQUENCE SET; Schema: public; Owner: {user}\n--\n\nSELECT pg_catalog.setval('{full}', {}, {});\n\n\n",
            sequence.last, sequence.called
        ))
        .await?;
    }
    out.write(format!("--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict {key}\n\n")).await?;
    Ok(())
}

/// A partitioned table's rows by the name of their partition, as the real one dumps them.
fn partitions(name: &str, table: &Table) -> Vec<(String, Arc<Vec<String>>)> {
    if !table.partitioned {
        return vec![(name.to_owned(), Arc::clone(&table.rows))];
    }
    let months = (2025..=2026).flat_map(|year| (1..=12).map(move |month| format!("{name}_{year}_{month:02}")));
    let rest = format!("{name}_default");
    // a partition without rows is dumped too
    let mut parts: BTreeMap<String, Vec<String>> =
        months.chain([rest.clone()]).map(|part| (part, Vec::new())).collect();
    for row in table.rows.iter() {
        let month = row.split('\t').nth(3).and_then(|at| at.get(..7)).unwrap_or_default().replace('-', "_");
        let part = format!("{name}_{month}");
        let part = if parts.contains_key(&part) { part } else { rest.clone() };
        parts.entry(part).or_default().push(row.clone());
    }
    parts.into_iter().map(|(name, rows)| (name, Arc::new(rows))).collect()
}
