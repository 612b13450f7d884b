//! Home and target where names and reasons are as long as they may be.

use drydock::{
    app::{
        Key,
        door::{Contact, Context, Door, DoorMsg, Found, Seen, Shelf, Unfinished},
    },
    ports::Identity,
    tui::{door_picture, draw},
};
use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    telling::LONG,
    wizard::{COLOUR, text_rows},
};

fn frame(door: &Door, columns: u16, rows: u16) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    draw(&door_picture(door, columns, rows), COLOUR, buffer.area, &mut buffer);
    text_rows(&buffer).join("\n")
}

fn contexts() -> Vec<Context> {
    let context =
        |name: &str| Context { name: name.into(), server: format!("https://{name}.example.net"), current: false };
    vec![context("fra-prod"), context("lab")]
}

#[test]
fn a_run_at_home_keeps_its_namespace_and_says_whole_where_it_stands() {
    let now = "2.5 Rehearse the restore: the copy has 1,203 rows of device_groups, production 1,204; it waits for you";
    let run = Unfinished {
        id: "2026-11-20-pixelcore-7f3a".into(),
        title: "PixelCore".into(),
        place: format!("{LONG} @ fra-1 · PROD"),
        now: now.into(),
    };
    let door = Door::home(Shelf { runs: vec![run], come_back: "drydock".into(), ..Shelf::default() });
    for (columns, rows) in [(60, 24), (80, 24)] {
        let frame = frame(&door, columns, rows);
        let whole = frame.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(whole.contains("PROD") && whole.contains("it waits for you"), "{frame}");
        assert!(frame.split_whitespace().collect::<String>().contains(LONG), "{frame}");
    }
}

#[test]
fn a_target_says_whole_why_it_does_not_answer_and_what_it_is_called() {
    let shelf = Shelf { contexts: contexts(), come_back: "drydock".into(), ..Shelf::default() };
    let (mut door, _) = Door::target(shelf, "pixelcore");
    let why = "no answer in 5 s: the name fra-prod.example.net is not known to this machine; is the VPN up?";
    door.update(DoorMsg::Contact { context: "fra-prod".into(), contact: Err(why.into()) });
    let told = frame(&door, 80, 24);
    assert!(told.split_whitespace().collect::<Vec<_>>().join(" ").contains("is the VPN up?"), "{told}");
    // the other context answers, and its only namespace has a long name
    door.update(DoorMsg::Key(Key::Down));
    let contact = Contact { ms: 38, namespaces: vec![LONG.into()] };
    door.update(DoorMsg::Contact { context: "lab".into(), contact: Ok(contact) });
    for key in Key::script(&format!("<Tab>{LONG}<Enter>")) {
        door.update(DoorMsg::Key(key));
    }
    let identity = Identity {
        cluster_uid: Some("7c41e09b-52d8-4f0a-9c1e-5d1e7ea203b4".into()),
        ca_sha256: "9f1c7ea203b4".repeat(5),
        namespace_uid: "b3a8f1d0-77c4-41de-8f21-0c9b6f3a2e11".into(),
        namespace: LONG.into(),
        server_version: "v1.36.3".into(),
        labels: Vec::new(),
    };
    let found = Found {
        identity,
        environment: "PROD".into(),
        because: "no label env says what it is".into(),
        holds: "PixelCore 3.8.2 found, 31 pods".into(),
        seen: Seen::Other("2026-06-02".into()),
        inputs: Vec::new(),
    };
    door.update(DoorMsg::Found { context: "lab".into(), namespace: LONG.into(), found: Ok(Box::new(found)) });
    for (columns, rows) in [(60, 24), (80, 24)] {
        let told = frame(&door, columns, rows);
        let whole = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(whole.contains("under this name: compare the ids"), "{told}");
        assert!(columns < 80 || told.contains(LONG), "{told}");
    }
}
