//! The structure of a dump of a million rows, checked and hashed in one pass, beside programs that read the same file.

use std::{
    fs::File,
    io::{BufWriter, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use drydock::postgres::dump::Structure;

use crate::{
    start::program,
    table::{Row, Times, speed},
};

const ROWS: u64 = 1_000_000;
const RUNS: usize = 5;

fn write(file: File) {
    let mut out = BufWriter::new(file);
    let head = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n-- Dumped by pg_dump version 15.18\n\n\
                SET statement_timeout = 0;\nSET standard_conforming_strings = on;\n\n\
                COPY public.measurement (id, device, at, value, note) FROM stdin;\n";
    out.write_all(head.as_bytes()).unwrap();
    for row in 0..ROWS {
        let value = row.wrapping_mul(2_654_435_761) % 1_000_003;
        writeln!(
            out,
            "{row}\tdevice-{}\t2026-11-20 21:{:02}:{:02}.000+01\t{value}.25\tline\\\\{} as sent, \\N is no note",
            row % 997,
            row / 60 % 60,
            row % 60,
            row % 13
        )
        .unwrap();
    }
    out.write_all(b"\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n").unwrap();
    out.into_inner().unwrap().sync_all().unwrap();
}

pub fn rows() -> Vec<Row> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("dump.sql");
    write(File::create(&path).unwrap());
    let bytes = std::fs::metadata(&path).unwrap().len();
    let peers = [("wc", &["-l"][..]), ("sha256sum", &[])];
    let (mut ours, mut theirs) = (Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let report = Structure::check(File::open(&path).unwrap()).unwrap();
        ours.push(begun.elapsed());
        assert_eq!((report.rows(), report.bytes), (ROWS, bytes));
        for ((name, args), times) in peers.iter().zip(&mut theirs) {
            if let Some(peer) = program(name) {
                let begun = Instant::now();
                let status = Command::new(peer).args(*args).arg(&path).stdout(Stdio::null()).status().unwrap();
                assert!(status.success());
                times.push(begun.elapsed());
            }
        }
    }
    let rate = |times: Vec<Duration>| speed(bytes, Times::new(times).percentile(50));
    let beside: Vec<String> = peers
        .iter()
        .zip(theirs)
        .map(|((name, args), times)| {
            let name = [&[*name], *args].concat().join(" ");
            if times.is_empty() { format!("{name}: not here") } else { format!("{name} {:.0} MiB/s", rate(times)) }
        })
        .collect();
    let rate = rate(ours);
    let measured = format!("{rate:.0} MiB/s of {}, counted and hashed", crate::table::mib(bytes));
    vec![Row::new("a dump of 1,000,000 rows verified", measured, beside.join(", "))]
}
