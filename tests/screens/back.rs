//! The way back from gates, checks and confirmations, and what is to be seen beside a gate and at the end.

use drydock::{
    app::{Msg, Window},
    run::Reply,
};

use crate::{scenes::scene, wizard::COLOUR};

#[test]
fn esc_goes_back_from_a_gate_from_checks_and_from_a_confirmation_and_says_so_first() {
    for name in ["s09-gate-open", "s09-gate-shut", "s06-checks"] {
        let mut wizard = scene(name);
        assert!(wizard.replies("<Esc>").is_empty(), "{name}: the first may be the rest of a torn arrow key");
        let drawn = wizard.frame(80, 24, COLOUR);
        assert!(drawn.contains("[› Go back"), "{name}: {drawn}");
        assert!(drawn.contains("Leave Esc"), "{name}: {drawn}");
        assert_eq!(wizard.replies("<Esc>"), [Reply::Back], "{name}");
    }
    // what was typed at a gate is emptied in between, and each step is told before it is taken
    let mut wizard = scene("s09-gate-ready");
    for told in ["Esc once more empties both fields", "Esc once more goes back"] {
        assert!(wizard.replies("<Esc>").is_empty());
        assert!(wizard.frame(80, 24, COLOUR).contains(told), "{}", wizard.frame(80, 24, COLOUR));
    }
    assert_eq!(wizard.replies("<Esc><Esc><Enter>"), [Reply::Back], "once");
    assert_eq!(scene("s10-confirm").replies("<Esc>"), [Reply::Back]);
}

#[test]
fn the_list_of_a_gate_is_open_beside_its_fields_and_ctrl_a_is_the_begin_of_the_line() {
    let mut wizard = scene("s09-gate-open");
    wizard.keys("lant<Ctrl-A>p");
    assert!(wizard.frame(80, 24, COLOUR).contains("plant"), "{}", wizard.frame(80, 24, COLOUR));
    wizard.keys("<Ctrl-O>");
    assert!(wizard.frame(80, 24, COLOUR).contains("What goes and what stays"));
    wizard.keys("<Esc>:");
    let help = scene("s09-gate-open");
    assert!(help.frame(80, 24, COLOUR).contains("Ctrl-O all objects"), "{}", help.frame(80, 24, COLOUR));
}

#[test]
fn the_finish_shows_all_timings_and_their_sum() {
    let mut wizard = scene("s19-finish");
    wizard.keys("o");
    let mut text = String::new();
    for _ in 0..4 {
        text += &wizard.frame(80, 24, COLOUR);
        wizard.say(Msg::Drawn(Window {
            is_small: false,
            scroll: drydock::tui::picture(&wizard.app, 80, 24).scroll,
            ..Window::default()
        }));
        wizard.keys("<PgDn>");
    }
    for part in [
        "All steps and their times",
        "2.3  Dump the database",
        "1 min 00 s",
        "all steps, with all their tries",
        "together",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn tab_and_the_arrows_reach_every_button_of_the_plan() {
    let chosen = |script: &str| {
        let mut wizard = scene("s03-plan");
        wizard.keys(script);
        let drawn = wizard.frame(80, 24, COLOUR);
        drawn.split_once("[› ").and_then(|(_, rest)| rest.split_once(" ‹]")).map(|(label, _)| label.to_owned())
    };
    for (script, label) in [
        ("", None),
        ("<Tab>", Some("Approve and start phase 1")),
        ("<Tab><Tab>", Some("Back")),
        ("<Tab><Tab><Tab>", Some("Save as file")),
        ("<Tab><Tab><Tab><Tab>", None),
        ("<Shift-Tab>", Some("Save as file")),
        ("<Tab><Left>", Some("Save as file")),
        ("<Tab><Left><Left><Left>", Some("Back")),
        ("<Tab><Left><Left><Right><Right><Right>", Some("Approve and start phase 1")),
        ("<Tab><Esc>", None),
    ] {
        assert_eq!(chosen(script).as_deref(), label, "{script}");
    }
}

#[test]
fn the_end_keeps_the_way_back_and_nothing_that_was_true_before_it() {
    let mut wizard = scene("s19-finish");
    let drawn = wizard.frame(80, 24, COLOUR);
    assert!(drawn.contains("look again: drydock show 7f3a") && !drawn.contains("drydock resume"), "{drawn}");
    assert!(drawn.contains("lost by going back to them."), "no sentence is cut: {drawn}");
    wizard.keys("2<Enter>");
    assert!(wizard.frame(80, 24, COLOUR).contains("go back by hand"));
    // a word to the gate before
    let mut wizard = scene("s09-gate-open");
    wizard.keys("<Tab><Tab><Tab><Enter>");
    assert!(wizard.frame(80, 24, COLOUR).contains("Not yet"), "{}", wizard.frame(80, 24, COLOUR));
    wizard.say(Msg::Event(Box::new(drydock::run::Event::Stopped { stopped: drydock::run::Stopped::Finished })));
    wizard.keys("e");
    assert!(!wizard.frame(80, 24, COLOUR).contains("Not yet"), "{}", wizard.frame(80, 24, COLOUR));
}
