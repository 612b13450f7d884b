//! A dump that was made by hand is taken over, rehearsed, and put in the place of what stands there.

use drydock::run::{Event, Record, Stopped};
use serde_json::{Value, json};

use crate::desk::Desk;

/// What somebody typed who followed the procedure by hand.
async fn dump_by_hand(desk: &Desk) {
    let dump = ["pg_dump", "--data-only", "--disable-triggers", "-T", "schema_version"];
    let of = ["-T", "object_properties_history*", "-U", "pix", "pixelcore"];
    let plain = desk.exec("pix-db", "postgres", &[&dump[..], &of[..]].concat()).await;
    std::fs::write(desk.by_hand("dump_file"), plain).unwrap();
    let query = "COPY (SELECT * FROM public.object_properties_history) TO STDOUT WITH (FORMAT csv, HEADER)";
    let csv = desk.exec("pix-db", "postgres", &["psql", "-Xq", "-U", "pix", "-d", "pixelcore", "-c", query]).await;
    std::fs::write(desk.by_hand("csv_file"), csv).unwrap();
}

fn answers() -> Value {
    json!({"adopt": {"go_on": true}, "rehearse": {"go_on": true}})
}

/// Whether a change of a step was just written down.
fn changes(event: &Event, of: &str) -> bool {
    matches!(event, Event::Recorded { record, .. } if matches!(&**record, Record::Effect { step, .. } if step.0 == of))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_made_by_hand_is_taken_over_a_kill() {
    let desk = Desk::new(&[], 300).await;
    let before = desk.plant().await;
    dump_by_hand(&desk).await;
    let cut = desk.begin("adopt", "pod", &answers(), |event| changes(event, "remove")).await;
    assert_eq!(cut.stopped, None, "{}", cut.said);
    for said in ["no count of their time", "21 of 21 tables have as many rows as these files"] {
        assert!(cut.says(said), "{said}: {}", cut.said);
    }
    let ride = desk.resume(&answers(), |_| false).await;
    assert_eq!(ride.stopped, Some(Stopped::Finished), "{}", ride.said);
    assert_eq!(desk.plant().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_files_are_refused_and_nothing_is_changed() {
    let desk = Desk::new(&[], 100).await;
    let before = desk.plant().await;
    dump_by_hand(&desk).await;
    let whole = std::fs::read(desk.by_hand("dump_file")).unwrap();
    let csv = std::fs::read_to_string(desk.by_hand("csv_file")).unwrap();
    let (first, rest) = csv.split_once('\n').unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let inserts = text.replacen("\nCOPY ", "\nINSERT INTO public.users VALUES (1);\nCOPY ", 1).into_bytes();
    let cases: [(&str, Vec<u8>, String, &str); 4] = [
        ("cut", whole[..whole.len() - 200].to_vec(), csv.clone(), "db-data.sql-plant"),
        ("inserts", inserts, csv.clone(), "INSERT statements"),
        ("csv cut in a row", whole.clone(), csv[..csv.len() - 2].to_owned(), "object_properties_history.csv-plant"),
        ("columns of another table", whole.clone(), format!("{}_x\n{rest}", first.trim()), "column"),
    ];
    for (number, (what, dump, csv, wanted)) in cases.into_iter().enumerate() {
        std::fs::write(desk.by_hand("dump_file"), dump).unwrap();
        std::fs::write(desk.by_hand("csv_file"), csv).unwrap();
        // another copy at the same path is taken by the same run
        let ride = match number {
            0 => desk.begin("adopt", "pod", &answers(), |_| false).await,
            _ => desk.resume(&answers(), |_| false).await,
        };
        let stopped = format!("{:?}", ride.stopped);
        assert!(stopped.contains("Failed") && stopped.contains(wanted), "{what}: {stopped} {}", ride.said);
        assert_eq!(desk.plant().await, before, "{what}");
    }
}
