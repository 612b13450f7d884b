//! Ctrl-R on a secret that is kept: shown for ten seconds, on the form and where settings are put back, gone with the next key.

use drydock::{
    app::{Effect, Key, Msg, Window},
    run::{Command, Event, Question, SecretName},
};
use secrecy::SecretString;

use crate::{
    telling,
    wizard::{COLOUR, LOCKS_AFTER, Wizard},
};

/// A token that is nobody's.
const TOKEN: &str = "shown-token-4f0c-of-a-test-of-forty-sign";
const JSON: &str =
    r#"{"interval_s": 30, "smtp_pass": "shown-pass-77", "to": ["ops@example.net", "night@example.net"]}"#;

fn long() -> String {
    let members: Vec<String> = (0..60).map(|n| format!("\"member_{n}\": \"shown-value-{n}\"")).collect();
    format!("{{{}}}", members.join(", "))
}

fn at_token() -> Wizard {
    let mut wizard = Wizard::within("lns");
    wizard.ask(telling::lns_form(telling::lns()));
    wizard.keys("<Tab><Tab><Tab>");
    wizard
}

fn at_settings() -> Wizard {
    let mut wizard = Wizard::within("workers");
    wizard.ask(telling::workers());
    wizard.keys("<Down><Tab><Tab><Tab>");
    wizard
}

fn at_reapply() -> Wizard {
    let mut wizard = Wizard::within("put_lns");
    wizard.ask(telling::reapply());
    wizard
}

/// S05 with a token in clear.
pub fn token() -> Wizard {
    let mut wizard = at_token();
    wizard.show("<Ctrl-R>", TOKEN);
    wizard
}

/// S05 with JSON below its field.
pub fn settings() -> Wizard {
    let mut wizard = at_settings();
    wizard.show("<Ctrl-R>", JSON);
    wizard
}

/// S05 with JSON that needs a page.
pub fn page() -> Wizard {
    let mut wizard = at_settings();
    wizard.show("<Ctrl-R>", &long());
    wizard
}

/// S12 with a token in clear.
pub fn reapplied() -> Wizard {
    let mut wizard = at_reapply();
    wizard.show("<Ctrl-R>", TOKEN);
    wizard
}

fn frame(wizard: &Wizard) -> String {
    wizard.frame(80, 24, COLOUR)
}

fn is_shown(wizard: &Wizard) -> bool {
    frame(wizard).contains("shown-")
}

fn name(step: &str, item: &str, field: &str) -> SecretName {
    SecretName { step: telling::step(step), item: item.into(), field: field.into() }
}

#[test]
fn what_is_asked_for_is_named_and_its_value_is_whole_on_the_screen() {
    assert_eq!(at_token().show("<Ctrl-R>", TOKEN), name("lns", "lns-apac", "token"));
    assert_eq!(at_settings().show("<Ctrl-R>", JSON), name("workers", "export-nightly", "settings"));
    assert_eq!(at_reapply().show("<Ctrl-R>", TOKEN), name("put_lns", "lns-apac", "Token"));
    // by its name, as by its key
    assert_eq!(at_reapply().show("<Ctrl-P>reveal<Enter>", TOKEN), name("put_lns", "lns-apac", "Token"));
    for wizard in [token(), reapplied()] {
        assert!(frame(&wizard).contains(TOKEN), "{}", frame(&wizard));
    }
    let shown: Vec<String> = frame(&settings()).lines().map(|line| line.trim().to_owned()).collect();
    assert!(shown.join(" ").contains(JSON), "{}", frame(&settings()));
}

#[test]
fn it_is_gone_after_ten_seconds_and_the_clock_looks_once() {
    for make in [token as fn() -> Wizard, settings, page, reapplied] {
        let mut wizard = make();
        let over = wizard.app.shown_wakes_at();
        assert!(over.is_some());
        wizard.pass(9);
        assert!(is_shown(&wizard) && wizard.app.shown_wakes_at() == over);
        assert!(!wizard.app.has_timer(), "nothing moves meanwhile");
        wizard.pass(1);
        assert!(!is_shown(&wizard), "{}", frame(&wizard));
        assert_eq!(wizard.app.shown_wakes_at(), None, "nothing to look for any more");
    }
}

#[test]
fn any_other_key_hides_it_and_does_what_it_does() {
    for (make, keys) in [
        (token as fn() -> Wizard, ["<Tab>", "x", "<Up>", "<F1>", "<Ctrl-P>", "<Esc>", "<Ctrl-L>"]),
        (settings, ["<Tab>", "x", "<Up>", "<F1>", "<Ctrl-P>", "<Esc>", "<Ctrl-L>"]),
        (reapplied, ["<Tab>", "w", "<Up>", "<F1>", "<Ctrl-P>", "<Enter>", "<Ctrl-L>"]),
    ] {
        for key in keys {
            let mut wizard = make();
            let before = frame(&wizard);
            let effects = wizard.keys(key);
            assert!(!is_shown(&wizard), "{key}: {}", frame(&wizard));
            assert!(!effects.is_empty() || frame(&wizard) != before, "{key}");
            wizard.keys("<Esc><Esc>");
            assert!(!is_shown(&wizard), "{key}");
        }
    }
    let mut wizard = token();
    wizard.say(Msg::Paste("another".into()));
    assert!(!is_shown(&wizard) && frame(&wizard).contains("7 characters"), "{}", frame(&wizard));
    // what is typed over it is shown as ever, and the kept one is not
    wizard.keys("<Ctrl-R>");
    assert!(frame(&wizard).contains("another") && !is_shown(&wizard));
}

#[test]
fn a_page_goes_on_by_its_key_and_any_other_only_closes_it() {
    let mut wizard = page();
    let mut all = frame(&wizard);
    assert!(!all.contains("member_59") && all.contains("Ctrl-R the rest"), "{all}");
    for _ in 0..4 {
        assert!(wizard.keys("<Ctrl-R>").is_empty());
        wizard.drawn();
        all.push_str(&frame(&wizard));
        if !frame(&wizard).contains("Ctrl-R") {
            break;
        }
    }
    for n in 0..60 {
        assert!(all.contains(&format!("member_{n}\"")), "{n}: {all}");
    }
    for key in ["<Enter>", "x", "s", "<Esc>", "<Tab>", "<Down>", "<Ctrl-C>", "q"] {
        let mut wizard = page();
        assert!(wizard.keys(key).is_empty(), "{key}: it was meant for what cannot be seen");
        wizard.drawn();
        assert_eq!(frame(&wizard), frame(&at_settings()), "{key}");
    }
    let mut wizard = page();
    assert!(wizard.say(Msg::Paste("{}".into())).is_empty());
    assert_eq!(frame(&wizard), frame(&at_settings()));
}

#[test]
fn a_window_that_became_too_small_hides_it_and_asks_for_none() {
    let mut wizard = token();
    wizard.say(Msg::Drawn(Window { is_small: true, ..Window::default() }));
    assert!(!wizard.frame(40, 10, COLOUR).contains("shown-"));
    assert!(wizard.keys("<Ctrl-R>").is_empty() && !is_shown(&wizard));
}

#[test]
fn the_lock_hides_it_and_shows_none() {
    for make in [token as fn() -> Wizard, page, reapplied] {
        let mut wizard = make();
        wizard.app.around.locks_after = Some(LOCKS_AFTER);
        // the clock of a machine that slept
        wizard.pass(300);
        assert!(wizard.app.is_locked() && !is_shown(&wizard));
        for keys in ["<Ctrl-R>", "<Esc><Ctrl-R>", "<Esc><Ctrl-P>reveal<Enter>"] {
            assert!(!wizard.keys(keys).iter().any(|effect| matches!(effect, Effect::Send(_))), "{keys}");
        }
    }
    // asked for before it locked, and come after
    let mut wizard = at_token();
    wizard.app.around.locks_after = Some(LOCKS_AFTER);
    let asked = wizard.keys("<Ctrl-R>");
    let [Effect::Send(Command::Show { handle, .. })] = asked[..] else { panic!("{asked:?}") };
    let (at, now) = (wizard.app.at + LOCKS_AFTER, wizard.app.now);
    wizard.app.show(at, now, handle, SecretString::from(TOKEN));
    assert!(wizard.app.is_locked() && !is_shown(&wizard));
}

#[test]
fn what_comes_late_or_for_another_screen_is_dropped() {
    for leave in ["<Tab>", "<Esc>", "x<Backspace>"] {
        let mut wizard = at_token();
        let asked = wizard.keys("<Ctrl-R>");
        let [Effect::Send(Command::Show { handle, .. })] = asked[..] else { panic!("{asked:?}") };
        wizard.keys(leave);
        let (at, now) = (wizard.app.at, wizard.app.now);
        wizard.app.show(at, now, handle, SecretString::from(TOKEN));
        assert!(!is_shown(&wizard), "{leave}");
        wizard.keys("<Shift-Tab><Tab>");
        assert!(!is_shown(&wizard), "{leave}");
    }
    // the run asks something else, or the same with another value
    for question in [telling::failed(), telling::lns_form(telling::lns())] {
        let mut wizard = token();
        wizard.ask(question);
        assert!(!is_shown(&wizard), "{}", frame(&wizard));
    }
}

#[test]
fn why_it_is_not_shown_is_told() {
    let mut wizard = at_reapply();
    let asked = wizard.keys("<Ctrl-R>");
    let [Effect::Send(Command::Show { handle, .. })] = asked[..] else { panic!("{asked:?}") };
    wizard.say(Msg::Event(Box::new(Event::NotShown { handle, reason: "the vault is locked".into() })));
    assert!(frame(&wizard).contains("Not shown: the vault is locked."), "{}", frame(&wizard));
    assert_eq!(wizard.app.shown_wakes_at(), None);
}

#[test]
fn nothing_is_asked_for_where_nothing_can_be_shown() {
    let offers = |wizard: &Wizard| frame(wizard).contains("Ctrl-R show");
    // a path, a text, a button, an item without a secret
    let mut path = Wizard::within("environment");
    path.ask(telling::environment());
    let mut owner = at_token();
    owner.press(Key::BackTab);
    let mut button = at_token();
    button.keys("<Tab>");
    let drydock::run::Question::Reapply { step, mut items } = telling::reapply() else { unreachable!() };
    for item in &mut items {
        item.secrets.clear();
    }
    let mut bare = Wizard::within("put_lns");
    bare.ask(drydock::run::Question::Reapply { step, items });
    for mut wizard in [path, owner, button, bare] {
        assert!(!offers(&wizard), "{}", frame(&wizard));
        assert!(wizard.keys("<Ctrl-R>").is_empty());
        assert!(wizard.keys("<Ctrl-P>reveal<Enter>").is_empty());
    }
    // what is being saved may be another by now
    let mut wizard = at_token();
    wizard.keys("typed-anew<Tab><Shift-Tab>");
    assert!(wizard.keys("<Ctrl-R>").is_empty() && frame(&wizard).contains("is being saved"), "{}", frame(&wizard));
    assert!(offers(&at_token()) && offers(&at_reapply()));
}

#[test]
fn the_key_stands_at_the_secret_that_it_shows_next() {
    let Question::Reapply { step, mut items } = telling::reapply() else { panic!("settings are put back") };
    items[1].fields.push(("Password".into(), "9 characters · check 11bb".into()));
    items[1].secrets.push("Password".into());
    let mut wizard = Wizard::within("put_lns");
    wizard.ask(Question::Reapply { step, items });
    let at = |wizard: &Wizard| -> Vec<String> {
        let frame = wizard.frame(80, 24, COLOUR);
        let hinted = frame.lines().skip(3).take(17).filter(|line| line.contains("Ctrl-R show 10 s"));
        hinted.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    assert_eq!(at(&wizard), ["Token"]);
    wizard.show("<Ctrl-R>", TOKEN);
    assert_eq!(at(&wizard), ["Password"]);
    wizard.show("<Ctrl-R>", "shown-nine");
    assert_eq!(at(&wizard), ["Token"]);
    // while a reason is typed the key shows nothing
    wizard.keys("<Tab><Tab><Tab><Enter>");
    assert!(at(&wizard).is_empty(), "{}", frame(&wizard));
}
