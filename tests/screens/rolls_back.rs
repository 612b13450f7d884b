//! A run that rolls back: every part of the screen says so, and nothing looks like the step that is undone.

use drydock::run::{Outcome, Record};

use crate::{
    telling,
    wizard::{ASCII, COLOUR, Wizard},
};

/// Chosen after the rehearsal failed; nothing is put back yet.
fn chosen() -> Wizard {
    let mut wizard = Wizard::within("rehearse");
    wizard.end("rehearse", Outcome::Failed { problem: Box::new(telling::problem()) });
    wizard.ask(telling::failed());
    wizard.record(Record::RollBack { by: "ann".into(), reason: "the rehearsal failed".into() });
    wizard
}

/// The writers are started again.
pub fn writers() -> Wizard {
    let mut wizard = chosen();
    wizard.begin("rehearse");
    wizard.end("rehearse", Outcome::Undone { sentence: "the scratch namespace is gone".into() });
    wizard.begin("freeze");
    wizard.pass(4);
    wizard
}

#[test]
fn the_screen_of_a_roll_back_says_so_and_has_nothing_of_the_step_it_undoes() {
    let forward = Wizard::within("freeze");
    let (wizard, step) = (writers(), forward.app.step().unwrap().clone());
    for (columns, rows) in [(60, 18), (80, 24), (120, 40)] {
        let (back, there) = (wizard.frame(columns, rows, COLOUR), forward.frame(columns, rows, COLOUR));
        assert!(back.contains(&format!("{}  Rolling back: {}", step.number, step.title)), "{back}");
        assert!(there.contains(&step.why[..20]) && !back.contains(&step.why[..20]), "{back}");
        assert!(back.contains("put back as it was"), "{back}");
        let facts = |frame: &str| frame.lines().nth(usize::from(rows) - 3).unwrap().to_owned();
        assert!(facts(&back).contains("Time not estimated"), "{back}");
        assert!(facts(&back).contains("Undo a new run") && !facts(&back).contains(&step.changes), "{back}");
        assert!(!back.contains('~'), "no step has an estimate any more: {back}");
    }
    let frame = wizard.frame(80, 24, COLOUR);
    let rail = frame.lines().nth(1).unwrap();
    assert!(rail.contains("✓ 1 Gather") && rail.contains("‹ 2 Prove") && rail.contains("· 3 Remove!"), "{frame}");
    assert!(wizard.frame(80, 24, ASCII).lines().nth(1).unwrap().contains("< 2 Prove"));
    let mut wizard = wizard;
    wizard.keys("w");
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("Rolling back") && !frame.contains(&step.why[..20]), "{frame}");
}

#[test]
fn between_two_steps_it_is_still_a_roll_back() {
    let frame = chosen().frame(80, 24, COLOUR);
    assert!(frame.contains("Rolling back what this run changed") && !frame.contains("PAUSED"), "{frame}");
    let mut wizard = writers();
    wizard.end("freeze", Outcome::Undone { sentence: "pix-worker has 2 again".into() });
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("Rolling back what this run changed"), "{frame}");
    assert!(!frame.contains("1.1  Record") && frame.contains("‹ 2 Prove"), "{frame}");
}
