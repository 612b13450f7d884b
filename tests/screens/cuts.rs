//! What has no room: a sentence is cut at its end or goes on below, only names are cut in their middle.

use drydock::run::{Field, FieldKind, Form, Item, Lock, Question};

use crate::{
    scenes::scene,
    telling::{self, step},
    wizard::{COLOUR, Wizard},
};

#[test]
fn the_sentences_of_locks_are_whole_or_end_at_a_word() {
    let Question::Gate { step, mut gate } = telling::gate_question(&[]) else { panic!("it is a gate") };
    let sentence = "restored in 6 s, and 21 of 21 tables have the rows of the dump, by content, as 48 indexes";
    let lock = |open, n: usize| Lock {
        name: format!("lock {n}"),
        open,
        sentence: sentence.to_owned(),
        step: "2.5".to_owned(),
        again: Vec::new(),
    };
    for (open, shut) in [(1, 1), (3, 1), (9, 1), (4, 4)] {
        gate.locks = (0..open + shut).map(|n| lock(n >= shut, n)).collect();
        let mut wizard = Wizard::within("remove");
        wizard.ask(Question::Gate { step: step.clone(), gate: gate.clone() });
        for (columns, rows) in [(60, 18), (72, 24), (80, 24), (120, 40)] {
            let frame = wizard.frame(columns, rows, COLOUR);
            let locks = frame.lines().filter(|line| line.contains("lock ") && line.contains("restored"));
            for line in locks {
                let told = line.split("restored").nth(1).unwrap().trim_end_matches("2.5").trim_end();
                let told = format!("restored{}", told.trim_end_matches(" …"));
                assert!(sentence.starts_with(&told), "{told}: {frame}");
                assert!(sentence[told.len()..].starts_with([' ', ',']) || told == sentence, "at a word: {told}");
            }
            assert!(frame.contains("Go back"), "{columns}x{rows}: {frame}");
        }
    }
    // what has room in a second row is told whole
    gate.locks = (0..3).map(|n| lock(true, n)).collect();
    gate.locks[0].open = false;
    let mut wizard = Wizard::within("remove");
    wizard.ask(Question::Gate { step, gate });
    let frame = wizard.frame(80, 24, COLOUR);
    assert_eq!(frame.matches("as 48 indexes").count(), 3, "{frame}");
}

#[test]
fn what_is_missing_is_told_whole_beside_the_buttons_or_below_them() {
    for (columns, rows) in [(70, 24), (72, 24), (76, 24), (79, 24), (80, 24), (100, 30), (120, 40)] {
        for keys in ["", "<Tab><Tab>", "<Tab><Tab><Tab>", "<Tab><Tab><Tab><Tab>"] {
            let mut wizard = scene("s04-vault-create");
            wizard.keys(keys);
            let frame = wizard.frame(columns, rows, COLOUR);
            assert!(frame.contains("not yet: 1st entry"), "{columns}x{rows}: {frame}");
        }
    }
    let field = Field {
        id: "registry".to_owned(),
        label: "Name of the secret that opens the registry".to_owned(),
        kind: FieldKind::Text,
        optional: false,
        no_spaces: false,
        example: String::new(),
        dotenv: Vec::new(),
    };
    let form = Form { noun: "mirror".into(), fields: vec![field], repeated: true, look: "there".into() };
    let items = vec![Item { id: "main".into(), ..Item::default() }];
    let mut wizard = Wizard::within("lns");
    let (title, none_reason, fault) = ("Mirrors".into(), String::new(), String::new());
    wizard.ask(Question::Form { step: step("lns"), title, form, items, none_reason, fault });
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("\n  not yet: name of the secret that opens the registry\n"), "{frame}");
}

#[test]
fn the_buttons_of_a_new_vault_are_there_in_the_least_window() {
    for name in ["s04-vault-create", "s04-vault-create-typed", "s09-gate-shut"] {
        let frame = scene(name).frame(60, 18, COLOUR);
        assert!(frame.contains("[ Back ]") || frame.contains("[ Go back"), "{name}: {frame}");
    }
}

#[test]
fn sentences_of_rows_are_cut_at_their_end_and_the_mark_of_a_removal_never() {
    let frame = scene("s12-reapply").frame(80, 24, COLOUR);
    assert!(frame.contains("no API reads it back; look"), "{frame}");
    let frame = scene("s21-leave-uncut").frame(120, 40, COLOUR);
    let row = frame.lines().find(|line| line.contains("3.3 Delete")).unwrap();
    assert!(row.contains("3.3 Delete the old … ! "), "{row}");
}
