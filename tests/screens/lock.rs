//! The lock after minutes without a key: what it closes, what goes on, and how it opens again.

use drydock::{
    app::{Effect, Msg, Over, Quit},
    run::{Command, Question, Reply},
};
use secrecy::ExposeSecret;

use crate::{
    scenes::scene,
    telling,
    wizard::{COLOUR, LOCKS_AFTER, Wizard},
};

fn frame(wizard: &Wizard) -> String {
    wizard.frame(80, 24, COLOUR)
}

/// What opens the vault, found out by the test.
fn unlock(wizard: &mut Wizard) {
    let effects = wizard.keys("harbour velvet<Enter>");
    let [Effect::Unlock(handle)] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(wizard.app.take_secret(handle).unwrap().expose_secret(), "harbour velvet");
    wizard.say(Msg::Unlocked(Ok(())));
}

#[test]
fn it_says_so_half_a_minute_before_and_any_key_puts_it_off() {
    let mut wizard = scene("s04-locks-soon");
    assert!(frame(&wizard).contains("Locks in 30 s"));
    wizard.keys("<F1><Esc>");
    assert!(!frame(&wizard).contains("Locks in 30 s"));
    wizard.pass(269);
    assert!(!frame(&wizard).contains("Locks in 30 s"));
    wizard.pass(31);
    assert!(wizard.app.is_locked());
}

#[test]
fn the_clock_looks_twice_and_never_again() {
    let mut wizard = scene("s13-failed");
    assert_eq!(wizard.app.lock_wakes_at(), None, "a run without secrets does not lock");
    wizard.keys("<F1><Esc>");
    wizard.app.around.locks_after = Some(LOCKS_AFTER);
    let first = wizard.app.lock_wakes_at().unwrap();
    wizard.pass(269);
    assert_eq!(wizard.app.lock_wakes_at(), Some(first), "nothing before the notice");
    wizard.pass(1);
    assert_eq!(wizard.app.lock_wakes_at(), Some(first + 30_000));
    wizard.pass(30);
    assert_eq!(wizard.app.lock_wakes_at(), None);
    // before the vault was opened there is nothing to lock
    let mut plan = scene("s03-plan");
    plan.app.around.locks_after = Some(LOCKS_AFTER);
    plan.pass(900);
    assert!(!plan.app.is_locked());
}

#[test]
fn what_is_secret_closes_and_nothing_typed_is_lost() {
    let mut wizard = Wizard::within("lns");
    wizard.ask(telling::lns_form(telling::lns()));
    wizard.app.around.locks_after = Some(LOCKS_AFTER);
    wizard.keys("<Down><Enter>");
    wizard.keys("canary-7<Ctrl-R>");
    assert!(frame(&wizard).contains("canary-7"));
    // the clock stood still with the program: the first key finds it locked, and is not used
    wizard.pass(299);
    wizard.press_after(2_000, drydock::app::Key::Ctrl('r'));
    assert!(wizard.app.is_locked() && !frame(&wizard).contains("canary-7"));
    for keys in ["<Esc>x", "<Esc><Ctrl-R>", "<Esc><Tab>", "<Esc><Ctrl-T>", "<Esc><Ctrl-P>reveal<Enter><Esc><Tab>"] {
        assert!(wizard.keys(keys).is_empty(), "{keys}");
        assert!(matches!(wizard.app.over, Some(Over::Unlock(_))), "{keys}: {}", frame(&wizard));
        assert!(!frame(&wizard).contains("canary-7"), "{keys}");
        let field = frame(&wizard);
        assert!(field.contains("Passphrase"), "{field}");
    }
    wizard.keys("<Esc>");
    wizard.say(Msg::Paste("y".into()));
    unlock(&mut wizard);
    assert!(!wizard.app.is_locked() && wizard.app.over.is_none());
    assert!(frame(&wizard).contains("8 characters"), "{}", frame(&wizard));
}

#[test]
fn a_gate_is_not_answered_while_it_is_locked_and_the_run_goes_on_behind() {
    let mut wizard = scene("s09-gate-ready");
    wizard.keys("<F1><Esc>");
    wizard.app.around.locks_after = Some(LOCKS_AFTER);
    wizard.pass(300);
    assert!(wizard.keys("<Esc><Enter>").is_empty());
    assert!(matches!(wizard.app.over, Some(Over::Unlock(_))));
    // a wrong passphrase says so, and costs nothing
    let mut wizard = scene("s04-locked");
    assert!(frame(&wizard).contains("2.3 Dump the database goes on behind this: 62 %, 42 s left."));
    let effects = wizard.keys("no<Enter>");
    assert!(matches!(effects[..], [Effect::Unlock(_)]));
    assert!(wizard.keys("more<Enter>").is_empty(), "one at a time");
    wizard.say(Msg::Unlocked(Err("this passphrase does not open the vault".into())));
    assert!(frame(&wizard).contains("✗ this passphrase does not open the vault"));
    // a question that comes meanwhile stands behind; keys of the passphrase do not answer it
    wizard.ask(telling::failed());
    assert!(matches!(wizard.app.over, Some(Over::Unlock(_))));
    unlock(&mut wizard);
    assert!(wizard.press_after(40, drydock::app::Key::Enter).is_empty(), "it was not read yet");
    wizard.pass(1);
    assert_eq!(wizard.replies("<Enter>"), [Reply::Choose { choice: "retry".into() }]);
}

#[test]
fn looking_pausing_and_leaving_need_no_passphrase() {
    let mut wizard = scene("s04-locked");
    wizard.keys("<Esc>");
    assert_eq!(wizard.keys("p"), [Effect::Send(Command::Pause)]);
    wizard.keys("o");
    assert!(frame(&wizard).contains("All steps"));
    wizard.keys("<Esc>q");
    assert!(matches!(wizard.app.over, Some(Over::Leave(_))));
    let mut form = scene("s04-locked-form");
    assert_eq!(form.keys("<Ctrl-C>"), [Effect::Quit(Quit::Now)]);
    // the next question of a vault is none of the lock's
    let mut vault = Wizard::before("version");
    vault.app.around.locks_after = Some(LOCKS_AFTER);
    vault.ask(Question::Vault { exists: true, fault: String::new() });
    assert!(!vault.app.is_locked() || vault.app.over.is_some());
}
