//! The log of the running step: its count is of what it shows.

use drydock::{
    app::Msg,
    run::{Outcome, OutputLine, StepId, Tag},
};

use crate::{
    scenes::OUTPUT,
    telling,
    wizard::{COLOUR, Wizard},
};

#[test]
fn the_log_counts_what_it_shows_and_not_what_a_try_before_wrote() {
    let mut wizard = Wizard::within("freeze");
    wizard.output("freeze", OUTPUT);
    assert!(wizard.frame(80, 24, COLOUR).contains(" 1,205 lines"));
    wizard.end("freeze", Outcome::Failed { problem: Box::new(telling::problem()) });
    wizard.begin("freeze");
    let mut say = |texts: &[&str]| {
        let at = wizard.app.now;
        let line = |text: &&str| OutputLine { at, source: "x".into(), tag: Tag::Plain, text: (*text).to_owned() };
        let lines: Vec<OutputLine> = texts.iter().map(line).collect();
        let came = lines.len() as u64;
        wizard.say(Msg::Output { step: StepId("freeze".into()), lines, came });
        wizard.frame(80, 24, COLOUR)
    };
    // the file is looked at, and nothing is new in it
    let frame = say(&[]);
    assert!(frame.contains(" 0 lines") && frame.contains("no output yet"), "{frame}");
    say(&["one", "two"]);
    let frame = say(&["three"]);
    assert!(frame.contains(" 3 lines") && frame.contains("three") && !frame.contains("no output yet"), "{frame}");
}
