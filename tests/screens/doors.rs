//! Home and target in the states that matter, as scenes: S01 on a new machine and with a run, S02 from an empty line to a
//! target that was read or is refused.

use drydock::{
    app::{
        Key,
        door::{Contact, Context, Door, DoorMsg, Found, Further, InputAsk, Procedure, Seen, Shelf, Unfinished},
    },
    ports::Identity,
    run::Environment,
    tui::{Theme, door_picture, draw},
};
use ratatui::{buffer::Buffer, layout::Rect};

use crate::wizard::{style_rows, text_rows};

/// The upgrade of PixelCore.
pub fn procedure() -> Procedure {
    Procedure { runbook: "pixelcore".into(), intent: "upgrade".into() }
}

/// A screen before a run, by its number and what it shows.
pub type DoorScene = (&'static str, fn() -> Door);

/// All of them.
pub const DOORS: &[DoorScene] = &[
    ("s01-home-first", first),
    ("s01-home-run", with_a_run),
    ("s01-home-further", with_further),
    ("s02-target-empty", empty),
    ("s02-target-proposals", proposals),
    ("s02-target-found", found),
    ("s02-target-refused", refused),
];

/// The screen as text, with the cursor's place below it.
pub fn frame(door: &Door, columns: u16, rows: u16, theme: Theme) -> String {
    let (buffer, cursor) = cells(door, columns, rows, theme);
    let mut lines = text_rows(&buffer);
    lines.push(cursor.map_or_else(|| "no cursor".to_owned(), |(x, y)| format!("cursor {},{}", x + 1, y + 1)));
    lines.join("\n")
}

/// The same with its styles.
pub fn styled(door: &Door, columns: u16, rows: u16, theme: Theme) -> String {
    frame(door, columns, rows, theme) + &style_rows(&cells(door, columns, rows, theme).0)
}

fn cells(door: &Door, columns: u16, rows: u16, theme: Theme) -> (Buffer, Option<(u16, u16)>) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    let cursor = draw(&door_picture(door, columns, rows), theme, buffer.area, &mut buffer);
    (buffer, cursor)
}

fn shelf() -> Shelf {
    let context = |name: &str, current| Context {
        name: name.into(),
        server: format!("https://{name}.example.net:6443"),
        current,
    };
    Shelf {
        procedures: vec![(procedure(), "PixelCore".into(), "upgrade".into())],
        vault: "none yet; the first run makes it".into(),
        contexts: vec![context("fra-prod", false), context("lab", true)],
        ..Shelf::default()
    }
}

fn first() -> Door {
    Door::home(shelf())
}

fn with_a_run() -> Door {
    let run = Unfinished {
        id: "2026-11-20-pixelcore-7f3a".into(),
        title: "PixelCore".into(),
        place: "pixelcore-prod @ fra-prod · PROD".into(),
        now: "paused at 2.3 Dump the database".into(),
    };
    let past = "2026-11-12-pixelcore-9c01  PixelCore upgrade  finished".into();
    Door::home(Shelf { runs: vec![run], past: vec![past], vault: "locked".into(), ..shelf() })
}

fn with_further() -> Door {
    let further = Further {
        runbook: "pixelcore".into(),
        intent: "undo-remove".into(),
        title: "PixelCore: Undo the removal".into(),
        run: "2026-11-12-pixelcore-9c01".into(),
        context: "fra-prod".into(),
        namespace: "pixelcore-prod".into(),
        environment: Environment::Prod,
    };
    let past = "2026-11-12-pixelcore-9c01  PixelCore upgrade  finished".into();
    Door::home(Shelf { further: vec![further], past: vec![past], vault: "locked".into(), ..shelf() })
}

fn empty() -> Door {
    Door::target(shelf(), procedure()).0
}

/// The chosen context answers, and something is typed.
fn typed(keys: &str) -> Door {
    let mut door = empty();
    let namespaces = ["pixelcore-prod", "pixelcore-stage", "plant", "old-pixelcore"].map(str::to_owned).to_vec();
    door.update(DoorMsg::Contact { context: "fra-prod".into(), contact: Ok(Contact { ms: 38, namespaces }) });
    for key in Key::script(keys) {
        door.update(DoorMsg::Key(key));
    }
    door
}

fn proposals() -> Door {
    typed("<Tab>pix")
}

fn found() -> Door {
    let mut door = typed("<Tab>pixelcore-prod<Enter>");
    let identity = Identity {
        cluster_uid: Some("7c41e09b-52d8-4f0a-9c1e-5d1e7ea203b4".into()),
        ca_sha256: "9f1c7ea203b4".repeat(5),
        namespace_uid: "b3a8f1d0-77c4-41de-8f21-0c9b6f3a2e11".into(),
        root_uid: String::new(),
        namespace: "pixelcore-prod".into(),
        server_version: "v1.36.3".into(),
        labels: Vec::new(),
    };
    let chart = InputAsk {
        id: "chart".into(),
        title: "folder of the Helm chart of the new version".into(),
        choices: Vec::new(),
        value: String::new(),
        required: true,
    };
    let found = Found {
        identity,
        environment: Environment::Prod,
        because: "no label env says what it is".into(),
        holds: "PixelCore 4.8.2 found, 3 pods".into(),
        seen: Seen::Same("2026-11-12".into()),
        inputs: vec![chart],
    };
    door.update(answer(Ok(Box::new(found))));
    door
}

fn refused() -> Door {
    let mut door = typed("<Tab>pixelcore-prd<Enter>");
    let why = ["cannot read namespace pixelcore-prd in context fra-prod", "namespaces \"pixelcore-prd\" not found"];
    let why = why.map(str::to_owned).to_vec();
    door.update(DoorMsg::Found { context: "fra-prod".into(), namespace: "pixelcore-prd".into(), found: Err(why) });
    door
}

fn answer(found: Result<Box<Found>, Vec<String>>) -> DoorMsg {
    DoorMsg::Found { context: "fra-prod".into(), namespace: "pixelcore-prod".into(), found }
}
