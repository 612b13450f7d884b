//! Settings that hold secrets in a form, and settings that were edited since they were captured.

use drydock::{
    app::Msg,
    run::{FieldInput, Live, Question, Reply},
};

use crate::{
    telling,
    wizard::{COLOUR, Wizard},
};

/// The workers, opened again after somebody changed two of them, took one away and added one.
fn workers_since() -> Question {
    let Question::Form { step, title, form, mut items, none_reason, fault } = telling::workers() else {
        unreachable!()
    };
    let now = [
        ("settings", "another value, interval_s, smtp_pass · 57 characters"),
        ("source", "git+https://git.example.net/geo-resolver#v1.0.0"),
        ("more.json", "retries is new"),
    ];
    let now = now.map(|(id, now)| (id.to_owned(), now.to_owned())).into();
    items[0].confirmed = false;
    items[0].live =
        Live::Differs([("settings".to_owned(), "another value, port, smtp_pass · 57 characters".to_owned())].into());
    items[1].live = Live::Differs(now);
    items[2].live = Live::Gone;
    Question::Form { step, title, form, items, none_reason, fault }
}

fn within(question: Question) -> Wizard {
    let mut wizard = Wizard::within("workers");
    wizard.ask(question);
    wizard
}

/// The scene of it, with the second one chosen.
pub fn since() -> Wizard {
    let mut wizard = within(workers_since());
    wizard.keys("<Down>");
    wizard
}

/// JSON that is typed unseen, and is none yet.
pub fn typed() -> Wizard {
    let mut wizard = within(telling::workers());
    wizard.keys("<Tab><Tab><Tab>{\"interval_s\": 30, \"smtp_pass\": \"s3cr3t");
    wizard
}

fn settings_reply(replies: &[Reply]) -> bool {
    matches!(replies, [Reply::Set { item, field, input: FieldInput::Secret(_) }] if item == "geo-resolver" && field == "settings")
}

#[test]
fn json_that_holds_secrets_is_pasted_unseen_and_shown_on_demand() {
    let mut wizard = within(telling::workers());
    wizard.keys("<Tab><Tab><Tab>");
    wizard.say(Msg::Paste("{\n  \"interval_s\": 30,\n  \"smtp_pass\": \"s3cr3t\"\n}\n".to_owned()));
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(!frame.contains("s3cr3t") && !frame.contains("not JSON") && frame.contains("characters"), "{frame}");
    wizard.keys("<Ctrl-R>");
    assert!(wizard.frame(80, 24, COLOUR).contains("\"smtp_pass\": \"s3cr3t\""));
    wizard.pass(11);
    assert!(!wizard.frame(80, 24, COLOUR).contains("s3cr3t"));
    assert!(settings_reply(&wizard.replies("<Tab>")));
    assert!(!wizard.frame(80, 24, COLOUR).contains("s3cr3t"));
}

#[test]
fn json_that_does_not_pass_is_told_by_its_column_and_not_lost() {
    let mut wizard = typed();
    assert!(settings_reply(&wizard.replies("<Tab>")));
    let Question::Form { step, title, form, mut items, none_reason, fault } = telling::workers() else { panic!() };
    items[1].faults.insert("settings".into(), "is not JSON yet, column 39.".into());
    wizard.ask(Question::Form { step, title, form, items, none_reason, fault });
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("column 39") && !frame.contains("s3cr3t"), "{frame}");
    // the field has the focus again, with all that was typed
    assert!(wizard.app.is_typing(), "{frame}");
    assert!(settings_reply(&wizard.replies("\"}<Tab>")));
}

#[test]
fn one_key_takes_what_the_application_says_now() {
    let mut wizard = since();
    assert_eq!(wizard.replies("t"), [Reply::TakeLive { item: "geo-resolver".into() }]);
    let mut wizard = within(workers_since());
    assert!(wizard.replies("<Down><Down>t").is_empty(), "what is gone cannot be taken");
    // a letter in a text is a letter
    let mut wizard = since();
    assert!(wizard.replies("<Tab>t").is_empty());
    let mut wizard = within(telling::workers());
    assert!(wizard.replies("<Down>t").is_empty(), "nothing else is said");
}

#[test]
fn a_name_that_does_not_pass_stays_with_its_rule_under_it() {
    let mut wizard = within(telling::lns_form(telling::lns()));
    assert!(wizard.replies("aLNS main<Enter>").is_empty(), "it is not sent");
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("LNS main▏") && frame.contains("✗ up to 40 lower-case letters"), "{frame}");
    assert!(frame.contains("Not yet: a name that passes. Esc closes."), "{frame}");
    assert!(wizard.replies("<Ctrl-U>lns-eu<Enter>").is_empty(), "it is known already");
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("lns-eu▏") && frame.contains("✗ lns-eu is in the list already."), "{frame}");
    assert_eq!(wizard.replies("-2<Enter>"), [Reply::Add { item: "lns-eu-2".into() }]);
}

/// The form with what the run says of the last reply.
fn refused(question: Question, why: &str) -> Question {
    let Question::Form { step, title, form, items, none_reason, .. } = question else { panic!("it is a form") };
    Question::Form { step, title, form, items, none_reason, fault: why.into() }
}

#[test]
fn a_line_that_the_run_refuses_comes_back_with_its_text() {
    let mut wizard = within(telling::lns_form(telling::lns()));
    assert_eq!(wizard.replies("alns-main<Enter>"), [Reply::Add { item: "lns-main".into() }]);
    wizard.ask(refused(telling::lns_form(telling::lns()), "the name is not wanted here"));
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("lns-main▏") && frame.contains("✗ the name is not wanted here"), "{frame}");
    // what was said of one text is not said of another
    wizard.keys("2");
    assert!(!wizard.frame(80, 24, COLOUR).contains("not wanted"));
    assert_eq!(wizard.replies("<Enter>"), [Reply::Add { item: "lns-main2".into() }]);

    let mut wizard = within(telling::lns_empty());
    let reason = "there is no LNS in this plant";
    assert_eq!(wizard.replies(&format!("n{reason}<Enter>")), [Reply::None { reason: reason.into() }]);
    wizard.ask(refused(telling::lns_empty(), "one came meanwhile"));
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains(&format!("{reason}▏")) && frame.contains("✗ one came meanwhile"), "{frame}");
}

#[test]
fn a_practice_says_where_the_file_lies_that_is_asked_for() {
    let (words, mut wizard) = ("Practice has laid it for you; type ./plant.env", Wizard::within("environment"));
    wizard.ask(telling::environment());
    assert!(!wizard.frame(80, 24, COLOUR).contains(words), "a real one is not known");
    wizard.app.run.practice = true;
    assert!(wizard.frame(80, 24, COLOUR).contains(words));
    wizard.keys("./prod.env<Enter>");
    let Question::Form { step, title, form, mut items, none_reason, fault } = telling::environment() else { panic!() };
    items[0].faults.insert("dotenv".into(), "there is no file ./prod.env".into());
    wizard.ask(Question::Form { step, title, form, items, none_reason, fault });
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("✗ there is no file") && frame.contains(words), "{frame}");
}
