//! S18: every command by name, with the reason where it is not possible, and the way to plain mode.

use drydock::{
    app::{Effect, Over, Quit},
    run::{Command, FieldInput, Reply},
};

use crate::{
    scenes::scene,
    wizard::{COLOUR, Wizard},
};

fn frame(wizard: &Wizard) -> String {
    wizard.frame(80, 24, COLOUR)
}

#[test]
fn every_command_is_there_and_one_that_is_not_possible_says_why() {
    let mut wizard = scene("s03-plan");
    wizard.keys(":");
    let Some(Over::Palette(palette)) = &wizard.app.over else { panic!("no palette") };
    let names: Vec<&str> = palette.all.iter().map(|named| named.name.as_str()).collect();
    for name in ["why: reason, risk and undo", "pause after this step", "reveal the secret for 10 s", "search the log"]
    {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let first_not = palette.all.iter().position(|named| !named.not_now.is_empty()).unwrap();
    assert!(palette.all[first_not..].iter().all(|named| !named.not_now.is_empty()), "what is possible stands first");
    // a part of a word finds it; Enter says why it cannot be done, and the palette stays
    assert!(wizard.keys("aus<Enter>").is_empty());
    assert!(frame(&wizard).contains("pause after this step") && frame(&wizard).contains("not now: no step is running"));
    assert_eq!(wizard.app.notice.as_deref(), Some("Not now: no step is running."));
    assert!(matches!(wizard.app.over, Some(Over::Palette(_))));
}

#[test]
fn enter_does_what_is_chosen_by_name() {
    assert_eq!(scene("s07-running").keys(":pause<Enter>"), [Effect::Send(Command::Pause)]);
    assert_eq!(scene("s13-failed").replies(":leave it<Enter>"), [Reply::Choose { choice: "stop".into() }]);
    assert_eq!(scene("s14-resume").replies(":go on<Enter>"), [Reply::Choose { choice: "go-on".into() }]);
    assert_eq!(scene("s09-gate-shut").replies(":recheck<Enter>"), [Reply::Again]);
    let saved = scene("s07-running").keys(":report<Enter>");
    assert!(matches!(&saved[..], [Effect::Save { name, text }] if name == "report.md" && text.contains("PixelCore")));
    assert!(scene("s13-failed").replies(":<Enter>").is_empty(), "the first of all only looks");
    // no name opens a gate
    let mut wizard = scene("s09-gate-ready");
    wizard.pass(3);
    let before = wizard.replies("<Ctrl-P>delete<Enter>");
    assert!(before.is_empty(), "{before:?}");
}

#[test]
fn a_command_of_the_list_leaves_the_field_first() {
    let mut wizard = scene("s05-lns-fault");
    let said = wizard.replies("!<Ctrl-P>add one<Enter>");
    let input = FieldInput::Text("tenant apac!".into());
    assert_eq!(said, [Reply::Set { item: "lns-apac".into(), field: "owner".into(), input }]);
    assert!(frame(&wizard).contains("Add one connection by hand"));
}

#[test]
fn on_the_way_to_plain_mode_nothing_typed_is_lost() {
    let mut wizard = scene("s05-lns-fault");
    let effects = wizard.keys("!<Ctrl-T>");
    let [Effect::Send(Command::Answer { reply: Reply::Set { .. }, .. }), Effect::Quit(Quit::ToPlain)] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert!(wizard.app.unanswered().is_none(), "plain mode does not put an answered question again");
    let mut wizard = scene("s13-failed");
    assert_eq!(wizard.keys("<Ctrl-T>"), [Effect::Quit(Quit::ToPlain)]);
    assert!(wizard.app.unanswered().is_some(), "the question goes with it");
}
