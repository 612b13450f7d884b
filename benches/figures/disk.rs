//! What becomes durable before anybody is shown it: journal and vault, beside the bare system calls on the same bytes in the
//! same folder; and a long run taken up again.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use drydock::{
    ports::{EntryMeta, EntryName, Provenance, SecretBytes},
    run::{Record, StepId},
    store::Journal,
    vault::{Generation, Unlock, Vault},
};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{
    PROGRAM,
    keys::{begin, script},
    table::{Row, Times, ms},
    terminal::{House, Terminal},
};

const APPENDS: usize = 400;
const SAVES: usize = 100;
/// Entries of a large vault: every field of a plant with dozens of connections.
const ENTRIES: usize = 200;
const RECORDS: usize = 10_000;

pub fn rows() -> Vec<Row> {
    vec![journal(), vault(), resume()]
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn record(number: usize) -> Record {
    let step = StepId("remove".into());
    let effect = format!("delete persistentvolumeclaims/data-pix-db-{} in plant", number / 2);
    if number.is_multiple_of(2) {
        Record::Effect { step, effect }
    } else {
        Record::Effected { step, effect, result: "acknowledged, uid 6a1f0c9e-52f4-4d0c-9d59-0c4e6d3ef7a1".into() }
    }
}

fn journal() -> Row {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal.jsonl");
    let mut journal = Journal::create(&path).unwrap();
    let mut bare = File::create(place.path().join("bare")).unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..APPENDS {
        let before = std::fs::metadata(&path).unwrap().len();
        ours.push(timed(|| journal.append(Timestamp::now(), &record(number)).unwrap()));
        let bytes = vec![b'x'; usize::try_from(std::fs::metadata(&path).unwrap().len() - before).unwrap()];
        theirs.push(timed(|| {
            bare.write_all(&bytes).unwrap();
            bare.sync_data().unwrap();
        }));
    }
    let rate =
        |times: &[Duration]| f64::from(u32::try_from(APPENDS).unwrap()) / times.iter().sum::<Duration>().as_secs_f64();
    let (ours_rate, bare_rate) = (rate(&ours), rate(&theirs));
    let text = format!("{ours_rate:.0}/s, {}", Times::new(ours).text());
    let beside = format!("bare write + fdatasync of the same bytes: {bare_rate:.0}/s, {}", Times::new(theirs).text());
    Row::new("journal append, durable", text, beside).within(">= 100/s", ours_rate >= 100.0)
}

fn put(vault: &drydock::vault::OpenVault, number: usize) {
    let meta = EntryMeta {
        name: EntryName(format!("connections/{number}/password")),
        run: "2026-11-20-pixelcore-7f3a".into(),
        runbook: "pixelcore".into(),
        runbook_digest: "0".repeat(64),
        step: "connections".into(),
        provenance: Provenance::Default,
        at: Timestamp::now(),
        length: 0,
        check: String::new(),
    };
    vault.set(meta, SecretBytes::new(format!("secret number {number}").into_bytes())).unwrap();
}

/// Whole or not at all and durable, as any careful program replaces a small file.
fn replace(folder: &Path, bytes: &[u8]) {
    let fresh = folder.join("bare.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&fresh).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    std::fs::rename(&fresh, folder.join("bare")).unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

fn vault() -> Row {
    let place = tempfile::tempdir().unwrap();
    let vault = Vault::new(place.path().join("data"));
    let passphrase = SecretString::from("harbour velvet tractor".to_owned());
    vault.create(&passphrase).unwrap();
    let begun = Instant::now();
    let open = vault.unlock(&passphrase, &Unlock::InChild { program: PROGRAM.into() }).unwrap();
    let unlock = begun.elapsed();
    for number in 0..ENTRIES {
        put(&open, number);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..SAVES {
        ours.push(timed(|| put(&open, number % ENTRIES)));
        let bytes = std::fs::read(vault.path(Generation::Current)).unwrap();
        theirs.push(timed(|| replace(place.path(), &bytes)));
    }
    let (ours, theirs) = (Times::new(ours), Times::new(theirs));
    let beside = format!("bare replace + fsync: {}; unlocking took {}", theirs.text(), ms(unlock));
    let figure = format!("vault: one field of {ENTRIES} saved");
    Row::new(&figure, ours.text(), beside).within("p99 <= 50 ms", ours.percentile(99) <= Duration::from_millis(50))
}

/// Kills a run in its second step, lengthens its journal, and comes back.
fn resume() -> Row {
    // ten thousand durable appends take long: in memory, where that is at hand
    let memory = Path::new("/dev/shm");
    let house = if memory.is_dir() { House::below(memory) } else { House::new() };
    std::fs::create_dir(house.path("bin")).unwrap();
    script(&house, "say", "echo said");
    script(&house, "strike", "exec sleep 300");
    drop(begin(&house, &[]));
    let path = house.run().join("journal.jsonl");
    let (mut journal, opened) = Journal::<Record>::open(&path).unwrap();
    for number in opened.entries.len()..RECORDS {
        journal.append(Timestamp::now(), &record(number)).unwrap();
    }
    drop(journal);
    let mut times = Vec::new();
    for _ in 0..5 {
        let mut terminal = Terminal::start(house.command(PROGRAM, &["resume"]));
        times.push(terminal.sees("Welcome back") - terminal.begun);
    }
    let times = Times::new(times);
    let size = std::fs::metadata(&path).unwrap().len();
    let read = timed(|| std::fs::read(&path).unwrap());
    let beside = format!("{} journal; reading its bytes alone takes {}", crate::table::mib(size), ms(read));
    Row::new("resume screen after 10,000 records", times.text(), beside)
        .within("<= 2 s", times.percentile(99) <= Duration::from_secs(2))
}
