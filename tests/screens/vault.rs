//! A vault that is made: what is typed, what is suggested, what is missing.

use crate::{
    scenes::scene,
    wizard::{COLOUR, Wizard},
};

/// What the suggestion of these tests is.
const SUGGESTED: &str = "k7qf-2mxa-9tzb-h4wn-c8rd";

fn shows_suggestion(wizard: &Wizard) -> bool {
    wizard.frame(80, 24, COLOUR).contains(SUGGESTED)
}

#[test]
fn a_suggestion_takes_the_place_of_a_typed_passphrase_only_when_told_so_twice() {
    let typed = "harbour velvet tractor onion";
    let mut wizard = scene("s04-vault-create");
    wizard.keys(&format!("{typed}<Tab><Tab><Tab><Enter>"));
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(!shows_suggestion(&wizard) && frame.contains("28 characters"), "{frame}");
    assert!(frame.contains("Enter once more replaces what is typed"), "{frame}");
    // one key that is held down says it once
    for _ in 0..20 {
        wizard.press_after(30, drydock::app::Key::Enter);
    }
    assert!(!shows_suggestion(&wizard));
    // another key in between takes it back
    wizard.keys("<Tab><Shift-Tab><Enter>");
    assert!(!shows_suggestion(&wizard));
    wizard.keys("<Tab><Tab><Ctrl-R>");
    assert!(wizard.frame(80, 24, COLOUR).contains(typed), "it is there to the letter");
    let mut wizard = scene("s04-vault-create");
    wizard.keys(&format!("{typed}<Tab><Tab><Tab><Enter><Enter>"));
    assert!(shows_suggestion(&wizard));
    // nothing is typed: nothing is asked
    let mut wizard = scene("s04-vault-create");
    wizard.keys("<Tab><Tab><Tab><Enter>");
    assert!(shows_suggestion(&wizard));
}
