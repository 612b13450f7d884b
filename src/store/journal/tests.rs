//! What a crash, a full disk or somebody's editor can do to a journal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Record {
    Began { step: String },
    Ended { code: u8 },
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_200_000 + second).unwrap()
}

fn records() -> Vec<Record> {
    vec![
        Record::Began { step: "2.1 \"prove\"\n".into() },
        Record::Ended { code: 0 },
        Record::Began { step: "déjà".into() },
        Record::Ended { code: 255 },
    ]
}

fn written(path: &Path, records: &[Record]) -> Vec<Entry<Record>> {
    let mut journal = Journal::create(path).unwrap();
    let pairs = (0..).zip(records);
    pairs.map(|(second, record)| journal.append(at(second), record).unwrap()).collect()
}

/// How many lines are whole.
fn ends(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

#[test]
fn lines_are_what_the_design_says() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal.jsonl");
    written(&path, &records()[..2]);
    let text = fs::read_to_string(&path).unwrap();
    let first = text.split_inclusive('\n').next().unwrap();
    assert_eq!(
        text,
        format!(
            "{{\"seq\":1,\"at\":\"2026-11-20T18:40:00Z\",\"prev\":\"{}\",\"record\":{{\"began\":{{\"step\":\"2.1 \\\"prove\\\"\\n\"}}}}}}\n\
             {{\"seq\":2,\"at\":\"2026-11-20T18:40:01Z\",\"prev\":\"{}\",\"record\":{{\"ended\":{{\"code\":0}}}}}}\n",
            sha256_hex(b""),
            sha256_hex(first.as_bytes()),
        )
    );
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn cut_at_every_byte_it_holds_a_prefix_and_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let whole = place.path().join("whole.jsonl");
    let entries = written(&whole, &records());
    let bytes = fs::read(&whole).unwrap();
    let path = place.path().join("cut.jsonl");
    for length in 0..=bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let lines = ends(&bytes[..length]);
        let tail = bytes[..length].rsplit(|byte| *byte == b'\n').next().unwrap().len();
        let torn = (tail > 0).then_some(Torn { line: lines as u64 + 1, bytes: tail as u64 });

        let seen = read_journal::<Record>(&path).unwrap();
        assert_eq!(seen, Opened { entries: entries[..lines].to_vec(), torn }, "at {length}");
        assert_eq!(fs::read(&path).unwrap().len(), length, "reading changes nothing");

        let (mut journal, opened) = Journal::<Record>::open(&path).unwrap();
        assert_eq!(opened, seen);
        let added = journal.append(at(9), &Record::Ended { code: 7 }).unwrap();
        let after = read_journal::<Record>(&path).unwrap();
        assert_eq!(after.torn, None);
        assert_eq!(after.entries, [&entries[..lines], &[added]].concat(), "at {length}");
    }
}

#[test]
fn zeros_of_a_power_cut_are_a_torn_line_but_only_at_the_end() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal.jsonl");
    let entries = written(&path, &records());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [&bytes[..], &[0; 30], b"}}\n"].concat()).unwrap();
    let (_, opened) = Journal::<Record>::open(&path).unwrap();
    assert_eq!(opened, Opened { entries, torn: Some(Torn { line: 5, bytes: 33 }) });
    assert_eq!(fs::read(&path).unwrap(), bytes);

    fs::write(&path, [&[0; 30][..], b"\n", &bytes].concat()).unwrap();
    assert!(matches!(Journal::<Record>::open(&path), Err(JournalError::Broken { line: 1, .. })));
}

#[test]
fn a_change_of_any_byte_is_found_in_its_line_or_the_next() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal.jsonl");
    let entries = written(&path, &records());
    let bytes = fs::read(&path).unwrap();
    let last_line = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for place in 0..last_line {
        let line = ends(&bytes[..place]) as u64 + 1;
        for flip in [1, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= flip;
            fs::write(&path, &changed).unwrap();
            match Journal::<Record>::open(&path) {
                Err(JournalError::Broken { line: found, .. }) => {
                    assert!(found == line || found == line + 1, "byte {place}: line {found}, not {line}");
                }
                other => panic!("byte {place} was changed and nobody saw it: {other:?}"),
            }
            assert_eq!(fs::read(&path).unwrap(), changed, "a refused journal is left as it is");
        }
    }
    fs::write(&path, &bytes).unwrap();
    assert_eq!(read_journal::<Record>(&path).unwrap().entries, entries);
}

#[test]
fn missing_doubled_and_swapped_lines_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal.jsonl");
    written(&path, &records());
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    for (order, broken) in [
        (&[1, 2, 3][..], 1),
        (&[0, 2, 3], 2),
        (&[0, 1, 3], 3),
        (&[0, 0, 1, 2], 2),
        (&[0, 2, 1, 3], 2),
        (&[0, 1, 2, 3, 3], 5),
    ] {
        fs::write(&path, order.iter().map(|line| lines[*line]).collect::<String>()).unwrap();
        match read_journal::<Record>(&path) {
            Err(JournalError::Broken { line, .. }) => assert_eq!(line, broken, "{order:?}"),
            other => panic!("{order:?}: {other:?}"),
        }
    }
}

#[test]
fn unknown_fields_and_records_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal.jsonl");
    let none = sha256_hex(b"");
    for line in [
        format!(
            "{{\"seq\":1,\"at\":\"2026-11-20T18:40:00Z\",\"prev\":\"{none}\",\"x\":1,\"record\":{{\"ended\":{{\"code\":0}}}}}}"
        ),
        format!(
            "{{\"seq\":1,\"at\":\"2026-11-20T18:40:00Z\",\"prev\":\"{none}\",\"record\":{{\"canary\":{{\"code\":0}}}}}}"
        ),
    ] {
        fs::write(&path, line + "\n").unwrap();
        let error = Journal::<Record>::open(&path).unwrap_err();
        assert!(matches!(error, JournalError::Broken { line: 1, .. }), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[test]
fn a_journal_is_never_begun_twice() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("journal.jsonl");
    written(&path, &records());
    assert!(Journal::<Record>::create(&path).is_err());
    assert_eq!(read_journal::<Record>(&path).unwrap().entries.len(), 4);
}

/// A disk with room for so many bytes, or one that takes bytes and cannot keep them.
#[derive(Clone)]
struct Disk {
    room: usize,
    syncs: usize,
    held: Arc<Mutex<Vec<u8>>>,
}

impl Sink for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= taken;
        self.held.lock().unwrap().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs = self.syncs.checked_sub(1).ok_or(io::ErrorKind::Other)?;
        Ok(())
    }
}

#[test]
fn full_at_any_byte_it_refuses_everything_after_and_loses_nothing_before() {
    let place = tempfile::tempdir().unwrap();
    let whole = place.path().join("whole.jsonl");
    let entries = written(&whole, &records());
    let bytes = fs::read(&whole).unwrap();
    let path = place.path().join("journal.jsonl");
    for room in 0..bytes.len() {
        let held = Arc::new(Mutex::new(Vec::new()));
        let disk = Disk { room, syncs: usize::MAX, held: held.clone() };
        let mut journal = Journal::<Record>::onto(&path, Box::new(disk), 1, sha256_hex(b""));
        let done: Vec<_> = (0..).zip(&records()).map_while(|(s, r)| journal.append(at(s), r).ok()).collect();
        assert!(done.len() < entries.len());
        for _ in 0..2 {
            assert!(matches!(journal.append(at(5), &records()[0]), Err(JournalError::Poisoned { .. })));
        }
        fs::write(&path, held.lock().unwrap().as_slice()).unwrap();
        assert_eq!(read_journal::<Record>(&path).unwrap().entries, done, "room {room}");
    }
}

#[test]
fn a_failed_sync_poisons_although_the_bytes_went_out() {
    let disk = Disk { room: 9999, syncs: 1, held: Arc::default() };
    let mut journal = Journal::<Record>::onto(Path::new("j"), Box::new(disk), 1, sha256_hex(b""));
    journal.append(at(0), &records()[0]).unwrap();
    assert!(matches!(journal.append(at(1), &records()[1]), Err(JournalError::Io { .. })));
    assert!(matches!(journal.append(at(2), &records()[1]), Err(JournalError::Poisoned { .. })));
}

#[test]
fn the_systems_own_full_disk_poisons() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut journal = Journal::<Record>::onto(Path::new("/dev/full"), Box::new(full), 1, sha256_hex(b""));
    let error = journal.append(at(0), &records()[0]).unwrap_err();
    assert!(
        matches!(&error, JournalError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull),
        "{error}"
    );
    assert!(matches!(journal.append(at(0), &records()[0]), Err(JournalError::Poisoned { .. })));
}

fn any_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        any::<String>().prop_map(|step| Record::Began { step }),
        any::<u8>().prop_map(|code| Record::Ended { code })
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_is_read(records in proptest::collection::vec(any_record(), 0..12), break_after in 0usize..12) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal.jsonl");
        let mut journal = Journal::create(&path).unwrap();
        let mut entries = Vec::new();
        for (second, record) in (0..).zip(&records) {
            if entries.len() == break_after {
                journal = Journal::open(&path).unwrap().0;
            }
            entries.push(journal.append(at(second), record).unwrap());
        }
        prop_assert_eq!(read_journal::<Record>(&path).unwrap(), Opened { entries, torn: None });
    }
}
