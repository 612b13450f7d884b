//! Home and target where names and reasons are as long as they may be.

use std::{collections::BTreeMap, path::Path};

use drydock::{
    app::{
        Key,
        door::{
            Begin, Chosen, Contact, Context, Door, DoorEffect, DoorMsg, Found, Further, InputAsk, Seen, Shelf,
            Unfinished,
        },
    },
    ports::Identity,
    run::Environment,
    text::Typed,
    tui::{door_picture, draw},
};
use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    doors::procedure,
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
    let door = Door::home(Shelf { runs: vec![run], ..Shelf::default() });
    for (columns, rows) in [(60, 24), (80, 24)] {
        let frame = frame(&door, columns, rows);
        let whole = frame.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(whole.contains("PROD") && whole.contains("it waits for you"), "{frame}");
        assert!(frame.split_whitespace().collect::<String>().contains(LONG), "{frame}");
    }
}

#[test]
fn what_goes_on_from_a_run_needs_no_target_typed() {
    let further = Further {
        runbook: "pixelcore".into(),
        intent: "undo-remove".into(),
        title: "PixelCore: Undo the removal".into(),
        run: "2026-11-20-pixelcore-7f3a".into(),
        context: "fra-prod".into(),
        namespace: LONG.into(),
        environment: Environment::Prod,
    };
    let mut door = Door::home(Shelf { further: vec![further.clone()], past: vec!["x".into()], ..Shelf::default() });
    for (columns, rows) in [(60, 24), (80, 24)] {
        let frame = frame(&door, columns, rows);
        let whole = frame.split_whitespace().collect::<String>();
        assert!(whole.contains(LONG) && whole.contains("PROD·afterrun2026-11-20-pixelcore-7f3a"), "{frame}");
    }
    // practice is first, as no runbook is there
    let keys = Key::script("<Down><Enter>").into_iter();
    let effects: Vec<DoorEffect> = keys.flat_map(|key| door.update(DoorMsg::Key(key))).collect();
    assert_eq!(effects, [DoorEffect::Choose(Chosen::GoOn(Box::new(further)))]);
}

#[test]
fn enter_on_a_context_whose_login_has_ended_logs_in_and_looks_again() {
    let (mut door, _) = Door::target(Shelf { contexts: contexts(), ..Shelf::default() }, procedure());
    let why = "Enter here logs in: kubelogin runs on this terminal, and this screen comes back.";
    door.update(DoorMsg::Unknown { context: "fra-prod".into(), why: why.into() });
    assert!(door.look().is_empty(), "it was looked at");
    for (columns, rows) in [(60, 24), (80, 24)] {
        let told = frame(&door, columns, rows);
        assert!(told.split_whitespace().collect::<Vec<_>>().join(" ").contains(why), "{told}");
    }
    let log_in = [DoorEffect::Choose(Chosen::LogIn("fra-prod".into()))];
    assert_eq!(door.update(DoorMsg::Key(Key::Enter)), log_in);
    assert_eq!(door.look(), [DoorEffect::Look("fra-prod".into())]);
    // another context, and one that answers by now, are chosen by Enter as ever
    door.update(DoorMsg::Unknown { context: "fra-prod".into(), why: why.into() });
    door.update(DoorMsg::Key(Key::Down));
    assert!(door.update(DoorMsg::Key(Key::Enter)).is_empty() && door.is_typing());
    let (mut door, _) = Door::target(Shelf { contexts: contexts(), ..Shelf::default() }, procedure());
    door.update(DoorMsg::Unknown { context: "fra-prod".into(), why: why.into() });
    let contact = Contact { ms: 38, namespaces: Vec::new() };
    door.update(DoorMsg::Contact { context: "fra-prod".into(), contact: Ok(contact) });
    assert!(door.update(DoorMsg::Key(Key::Enter)).is_empty() && door.is_typing());
}

#[test]
fn a_target_says_whole_why_it_does_not_answer_and_what_it_is_called() {
    let shelf = Shelf { contexts: contexts(), ..Shelf::default() };
    let (mut door, _) = Door::target(shelf, procedure());
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
    door.update(found("lab", LONG, Vec::new()));
    for (columns, rows) in [(60, 24), (80, 24)] {
        let told = frame(&door, columns, rows);
        let whole = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(whole.contains("under this name: compare the ids"), "{told}");
        assert!(columns < 80 || told.contains(LONG), "{told}");
    }
}

/// What the door is told of a target.
fn found(context: &str, namespace: &str, inputs: Vec<InputAsk>) -> DoorMsg {
    let identity = Identity {
        cluster_uid: Some("7c41e09b-52d8-4f0a-9c1e-5d1e7ea203b4".into()),
        ca_sha256: "9f1c7ea203b4".repeat(5),
        namespace_uid: "b3a8f1d0-77c4-41de-8f21-0c9b6f3a2e11".into(),
        root_uid: String::new(),
        namespace: namespace.into(),
        server_version: "v1.36.3".into(),
        labels: Vec::new(),
    };
    let found = Found {
        identity,
        environment: if namespace == "plant" { Environment::Test } else { Environment::Prod },
        because: "no label env says what it is".into(),
        holds: "PixelCore 3.8.2 found, 31 pods".into(),
        seen: Seen::Other("2026-06-02".into()),
        inputs,
    };
    DoorMsg::Found { context: context.into(), namespace: namespace.into(), found: Ok(Box::new(found)) }
}

fn asks(rehearsal: &str) -> Vec<InputAsk> {
    let ask = |id: &str, choices: &[&str], value: &str, required| InputAsk {
        id: id.into(),
        title: id.into(),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        value: value.into(),
        required,
    };
    vec![
        ask("chart", &[], "", true),
        ask("way", &["pod", "scripts"], "pod", false),
        ask("rehearsal", &[], rehearsal, false),
    ]
}

#[test]
fn what_was_typed_into_the_inputs_is_still_there_after_a_look_at_the_target() {
    let shelf = Shelf { contexts: contexts(), ..Shelf::default() };
    let (mut door, _) = Door::target(shelf, procedure());
    let keys = |door: &mut Door, script: &str| {
        for key in Key::script(script) {
            door.update(DoorMsg::Key(key));
        }
    };
    keys(&mut door, "<Tab>plant<Enter>");
    door.update(found("fra-prod", "plant", asks("plant-rehearsal")));
    // raised, used, typed
    keys(&mut door, "<Shift-Tab><Shift-Tab><Enter><Tab><Tab><Enter>./chart<Tab><Space>");
    let typed = frame(&door, 80, 24);
    let head = typed.lines().next().unwrap_or_default();
    assert!(head.trim_end().ends_with("plant @ fra-prod · id ✓ · PROD"), "{head}");
    assert!(typed.contains("./chart") && typed.contains("(•) scripts"), "{typed}");
    // back: the target as it was left, raised as well; and on again
    keys(&mut door, "<Esc>");
    let target = frame(&door, 80, 24);
    assert!(target.contains("raised by you") && target.contains("plant"), "{target}");
    keys(&mut door, "<Enter>");
    assert!(frame(&door, 80, 24).contains("./chart") && frame(&door, 80, 24).contains("(•) scripts"));
    // another target: what was typed stays, what the target decides is its own
    keys(&mut door, "<Esc><Esc><Tab><Ctrl-U>other<Enter>");
    door.update(found("fra-prod", "other", asks("other-rehearsal")));
    keys(&mut door, "<Enter>");
    let other = frame(&door, 80, 24);
    assert!(other.contains("./chart") && other.contains("other-rehearsal") && !other.contains("plant"), "{other}");
}

#[test]
fn the_inputs_say_whether_it_is_prod_in_every_width() {
    for (namespace, word) in [("plant", "TEST"), (LONG, "PROD")] {
        let shelf = Shelf { contexts: contexts(), ..Shelf::default() };
        let (mut door, _) = Door::target(shelf, procedure());
        for key in Key::script(&format!("<Tab>{namespace}<Enter>")) {
            door.update(DoorMsg::Key(key));
        }
        door.update(found("fra-prod", namespace, asks("x")));
        door.update(DoorMsg::Key(Key::Enter));
        for columns in [60, 80, 120] {
            let head = frame(&door, columns, 24).lines().next().unwrap_or_default().trim_end().to_owned();
            assert!(head.ends_with(word), "{head}");
        }
    }
}

/// Presses the keys; what the door wants checked at the end.
fn checks(door: &mut Door, script: &str) -> Begin {
    let effects: Vec<DoorEffect> =
        Key::script(script).into_iter().flat_map(|key| door.update(DoorMsg::Key(key))).collect();
    match &effects[..] {
        [DoorEffect::Check(asked)] => Begin::clone(asked),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fault_stands_at_its_input_and_an_answer_to_other_inputs_begins_nothing() {
    let (mut door, _) = Door::target(Shelf { contexts: contexts(), ..Shelf::default() }, procedure());
    for key in Key::script("<Tab>plant<Enter>") {
        door.update(DoorMsg::Key(key));
    }
    door.update(found("fra-prod", "plant", asks("plant")));
    door.update(DoorMsg::Key(Key::Enter));
    let asked = checks(&mut door, "./chart<Enter><Enter><Enter><Enter>");
    assert_eq!((asked.context.as_str(), asked.namespace.as_str()), ("fra-prod", "plant"));
    assert_eq!(asked.inputs["rehearsal"], "plant");
    assert!(frame(&door, 80, 24).contains("This is looked at"), "{}", frame(&door, 80, 24));
    // changed meanwhile: the answer comes too late
    for key in Key::script("<Shift-Tab><Shift-Tab>-2") {
        door.update(DoorMsg::Key(key));
    }
    let inputs = asked.inputs.clone();
    assert!(door.update(DoorMsg::Checked { asked: Box::new(asked), checked: Ok(inputs) }).is_empty());
    let asked = checks(&mut door, "<Enter><Enter>");
    assert_eq!(asked.inputs["rehearsal"], "plant-2");
    let fault = "cannot use plant-2: namespace plant-2 exists";
    let faults = BTreeMap::from([("rehearsal".to_owned(), fault.to_owned())]);
    assert!(door.update(DoorMsg::Checked { asked: Box::new(asked), checked: Err(faults) }).is_empty());
    let told = frame(&door, 80, 24);
    assert!(told.contains(fault) && told.lines().any(|row| row.contains("› rehearsal")), "{told}");
}

#[test]
fn home_says_nothing_was_written_only_where_nothing_was() {
    let new = frame(&Door::home(Shelf::default()), 80, 24);
    assert!(new.contains("Welcome. Nothing has been set up or written yet."), "{new}");
    assert!(new.contains("No cluster is changed before you approved a plan"), "{new}");
    let typed = Typed::with(Some(Path::new("/srv/dd")));
    let mut used = Door::home(Shelf { used: true, vault: "locked".into(), typed, ..Shelf::default() });
    let told = frame(&used, 80, 24);
    assert!(!told.contains("Nothing has been set up") && !told.contains('…'), "{told}");
    // commands of a page find the same state
    for key in Key::script("<Down><Enter>") {
        used.update(DoorMsg::Key(key));
    }
    assert!(frame(&used, 80, 24).contains("Each with --state-dir /srv/dd"), "{}", frame(&used, 80, 24));
}

#[test]
fn the_letters_of_one_namespace_are_enough_and_the_focus_is_always_seen() {
    for (names, typed, asked) in [
        (&["plant", "lab"][..], "pl", "plant"),
        (&["plant", "plan-b"], "pl", "pl"),
        (&["plant", "plant-b"], "plant", "plant"),
        // what only holds the letters may be another's
        (&["collab"], "lab", "lab"),
    ] {
        let (mut door, _) = Door::target(Shelf { contexts: contexts(), ..Shelf::default() }, procedure());
        let contact = Contact { ms: 4, namespaces: names.iter().map(|&name| name.to_owned()).collect() };
        door.update(DoorMsg::Contact { context: "fra-prod".into(), contact: Ok(contact) });
        let script = format!("<Tab>{typed}<Enter>");
        let effects: Vec<DoorEffect> =
            Key::script(&script).into_iter().flat_map(|key| door.update(DoorMsg::Key(key))).collect();
        let [DoorEffect::Identify { namespace, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(namespace, asked, "{names:?}");
    }
    // before the target is known its environment has no row
    let (mut door, _) = Door::target(Shelf { contexts: contexts(), ..Shelf::default() }, procedure());
    for key in Key::script("<Tab><Tab><Tab><Tab><Shift-Tab><Shift-Tab><Shift-Tab><Shift-Tab>") {
        door.update(DoorMsg::Key(key));
        let drawn = frame(&door, 80, 24);
        assert_eq!(drawn.matches('›').count(), 1, "{drawn}");
    }
}
