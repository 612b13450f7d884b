//! A dump of the practice world in a real PostgreSQL 15: it loads without an error, and what the real pg_dump then prints is
//! what the simulated one printed.

use std::sync::Arc;

use bytes::Bytes;
use drydock::practice::{End, Io, Key, NAMESPACE, Options, World};
use tokio::sync::mpsc;

use crate::pixelcore::Plant;

const DUMP: [&str; 8] = ["pg_dump", "-U", "pix", "--data-only", "--disable-triggers", "-T", "schema_version", "-T"];
const HISTORY: &str = "object_properties_history";

/// Standard output of a command in the practice database's pod.
async fn simulated(world: &World, command: &[&str]) -> String {
    let pod = world.objects.get(&Key::new("", "pods", Some(NAMESPACE), "pix-db-0")).unwrap();
    let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
    let ((_, stdin), (stdout, mut out), (stderr, mut err)) =
        (mpsc::channel::<Bytes>(1), mpsc::channel(16), mpsc::channel(16));
    let containers = Arc::clone(&world.containers);
    let ran =
        tokio::spawn(async move { containers.exec(&pod, "postgres", &command, Io { stdin, stdout, stderr }).await });
    tokio::spawn(async move { while err.recv().await.is_some() {} });
    let mut text = Vec::new();
    while let Some(chunk) = out.recv().await {
        text.extend_from_slice(&chunk);
    }
    assert_eq!(ran.await.unwrap(), End::Exit(0));
    String::from_utf8(text).unwrap()
}

/// Without the lines that differ from dump to dump, and with the rows of each table in order: a server keeps none.
fn plain(dump: &str) -> Vec<&str> {
    let own = ["\\restrict ", "\\unrestrict ", "-- Dumped from ", "-- Dumped by "];
    let mut lines: Vec<&str> = dump.lines().filter(|line| !own.iter().any(|begin| line.starts_with(begin))).collect();
    let mut at = 0;
    while at < lines.len() {
        let rows =
            if lines[at].starts_with("COPY ") { lines[at..].iter().position(|line| *line == "\\.") } else { None };
        if let Some(rows) = rows {
            lines[at + 1..at + rows].sort_unstable();
            at += rows;
        }
        at += 1;
    }
    lines
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_and_is_dumped_again_the_same() {
    let Some(plant) = Plant::install("dd-practice-dump", 1) else { return };
    let world = World::begin(Options { faults: Vec::new(), saved: None, pace: 0.0, rows: 3_000 }).await.unwrap();
    let pattern = format!("{HISTORY}*");
    let dump = simulated(&world, &[&DUMP[..], &[&pattern, "pixelcore"]].concat()).await;
    let copy = format!("copy (select * from {HISTORY}) to stdout with csv header");
    let csv = simulated(&world, &["psql", "-Xq", "-U", "pix", "-d", "pixelcore", "-c", &copy]).await;
    assert!(csv.lines().count() > 3_000, "values may hold line ends");

    let real = |words: &[&str], input: &[u8]| {
        let exec = ["-n", &plant.namespace, "exec", "-i", "pix-db-0", "-c", "postgres", "--"];
        plant.kubectl_with(&[&exec[..], words].concat(), input)
    };
    let psql = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-U", "pix", "-d", "practice"];
    real(&["createdb", "-U", "pix", "practice"], b"");
    let schema = std::path::Path::new(&plant.chart()).join("files/schema-4.2.0.sql");
    real(&[&psql[..], &["-v", "pix_version=4.2.0"]].concat(), &std::fs::read(schema).unwrap());
    let tables: Vec<&str> = dump.lines().filter_map(|line| line.strip_prefix("COPY ")?.split(' ').next()).collect();
    real(&psql, format!("TRUNCATE {}, {HISTORY};", tables.join(", ")).as_bytes());
    real(&psql, dump.as_bytes());
    let load = format!("\\copy {HISTORY} from stdin with csv header");
    real(&[&psql[..], &["-c", &load]].concat(), csv.as_bytes());

    let again = real(&[&DUMP[..], &[&pattern, "practice"]].concat(), b"");
    let (ours, theirs) = (plain(&dump), plain(&again));
    for (at, (our, their)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(our, their, "line {at} of the dump");
    }
    assert_eq!(ours.len(), theirs.len());
    let copied = real(&[&psql[..], &["-c", &format!("\\{copy}")]].concat(), b"");
    assert_eq!(sorted(&csv), sorted(&copied));
    // the schema's own dump differs by nothing but the rows: partitions and their order too
    let whole = ["pg_dump", "-U", "pix", "--data-only"];
    let ours = simulated(&world, &[&whole[..], &["-T", "schema_version", "pixelcore"]].concat()).await;
    let theirs = real(&[&whole[..], &["-T", "schema_version", "practice"]].concat(), b"");
    assert_eq!(sorted(&ours).len(), sorted(&theirs).len());
    let heads =
        |text: &str| text.lines().filter(|line| line.starts_with("COPY ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(heads(&ours), heads(&theirs));
}
