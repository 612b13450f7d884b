//! What keys lead to, screen by screen: nothing irreversible by accident, nothing typed is lost, no trap.

use drydock::{
    app::{App, Effect, Front, Key, Msg, Over, Quit, Window},
    run::{Command, Event, FieldInput, Outcome, Question, Record, Reply, StepId, Stopped},
};

use crate::{
    scenes::scene,
    telling,
    wizard::{COLOUR, Wizard, replies},
};

fn paste(wizard: &mut Wizard, text: &str) -> Vec<Effect> {
    wizard.say(Msg::Paste(text.to_owned()))
}

fn gate_reply(replies: &[Reply]) -> bool {
    replies.iter().any(|reply| matches!(reply, Reply::Gate { .. } | Reply::Phrase { .. }))
}

#[test]
fn a_gate_opens_to_both_words_by_keys_only() {
    let mut wizard = scene("s09-gate-open");
    assert!(paste(&mut wizard, "pixelcore-prod\n").is_empty());
    wizard.keys("<Tab>");
    paste(&mut wizard, "heron");
    assert!(!gate_reply(&wizard.replies("<Tab><Tab><Enter><Enter>")));
    assert!(wizard.app.notice.as_deref().is_some_and(|notice| notice.contains("Nothing was deleted")));
    // what was refused left nothing behind
    let mut wizard = scene("s09-gate-open");
    paste(&mut wizard, "pixelcore-pro");
    wizard.keys("d<Enter>heron<Enter><Tab>");
    wizard.pass(3);
    assert!(!gate_reply(&wizard.replies("<Enter>")));
    // by keys it opens, two seconds after the last letter
    let mut wizard = scene("s09-gate-ready");
    assert!(!gate_reply(&wizard.replies("<Enter>")));
    wizard.pass(2);
    let opened = wizard.replies("<Enter>");
    assert_eq!(opened, [Reply::Gate { namespace: "pixelcore-prod".into(), word: "heron".into() }]);
    assert!(wizard.replies("<Enter><Enter>").is_empty(), "once");
}

#[test]
fn no_key_forces_a_shut_gate() {
    let mut wizard = scene("s09-gate-shut");
    let said = wizard.replies("pixelcore-prod<Enter><Esc>heron<Tab><Tab><Tab><Enter>");
    assert!(!gate_reply(&said));
    assert_eq!(said, [Reply::Again], "the last button looks again");
}

#[test]
fn keys_pressed_before_a_gate_or_a_failure_could_be_read_are_thrown_away() {
    for question in [telling::gate_question(&[]), telling::failed(), telling::resume(), telling::confirm()] {
        let mut wizard = Wizard::within("remove");
        wizard.ask_now(question);
        let before = wizard.frame(80, 24, COLOUR);
        for key in Key::script("2<Tab>x<Down>1<Enter>") {
            assert!(wizard.press_after(40, key).is_empty());
        }
        assert_eq!(wizard.frame(80, 24, COLOUR), before);
    }
}

#[test]
fn enter_held_down_confirms_one_thing_at_most() {
    let mut items = telling::lns();
    for item in &mut items {
        item.confirmed = false;
        item.faults.clear();
    }
    items.truncate(1);
    items.push(telling::item(
        "lns-two",
        &[
            ("api_url", telling::text("https://two.example.net", "x")),
            ("owner", telling::text("two", "x")),
            ("token", telling::secret(9, "90aa", drydock::ports::Provenance::Default)),
        ],
    ));
    let mut wizard = Wizard::within("lns");
    wizard.ask(telling::lns_form(items.clone()));
    let mut confirmed = Vec::new();
    for _ in 0..60 {
        for reply in replies(&wizard.press_after(33, Key::Enter)) {
            if let Reply::ConfirmItem { item } = &reply {
                items.iter_mut().filter(|known| known.id == *item).for_each(|known| known.confirmed = true);
            }
            confirmed.push(reply);
            wizard.ask_now(telling::lns_form(items.clone()));
        }
    }
    assert!(confirmed.is_empty(), "{confirmed:?}");
    // pressed one by one it confirms each once
    assert_eq!(wizard.replies("<Enter>"), [Reply::ConfirmItem { item: "lns-eu".into() }]);
    assert!(wizard.replies("<Enter>").is_empty(), "the run has not answered yet");
}

#[test]
fn esc_loses_nothing_that_was_typed_and_leaves_an_invalid_field() {
    // a field: what was typed goes to the run, faulty or not
    let mut wizard = scene("s05-lns-fault");
    let said = wizard.replies("!<Esc>");
    let set = FieldInput::Text("tenant apac!".into());
    assert_eq!(said, [Reply::Set { item: "lns-apac".into(), field: "owner".into(), input: set }]);
    // a path of a file that is not kept by the run
    let mut wizard = scene("s05-environment");
    wizard.keys("./no-such.env<Esc>");
    let mut items = vec![telling::item("1", &[])];
    items[0].faults.insert("dotenv".into(), "cannot read it: no such file".into());
    let Question::Form { step, title, form, .. } = telling::environment() else { panic!() };
    let (none_reason, fault) = (String::new(), String::new());
    wizard.ask(Question::Form { step, title, form, items, none_reason, fault });
    assert!(!wizard.app.is_typing(), "the focus is not dragged back");
    wizard.keys("<Tab><Tab>");
    assert!(wizard.frame(80, 24, COLOUR).contains("./no-such.env"), "{}", wizard.frame(80, 24, COLOUR));
    // lines over the list
    for open in ["n", "a"] {
        let mut wizard = scene("s05-lns-empty");
        wizard.keys(open);
        wizard.keys("half a word<Esc>");
        assert!(!wizard.app.is_typing());
        wizard.keys(open);
        assert!(wizard.frame(80, 24, COLOUR).contains("half a word"));
    }
    // the vault
    let mut wizard = scene("s04-vault-create-typed");
    wizard.keys("<Esc><Esc>");
    assert!(wizard.frame(80, 24, COLOUR).contains("18 of 28 characters"));
    // the gate: the first Esc clears nothing, the second does
    let mut wizard = scene("s09-gate-typed-wrong");
    wizard.keys("<Esc>");
    assert!(wizard.frame(80, 24, COLOUR).contains("herom"));
    wizard.keys("<Esc>");
    assert!(!wizard.frame(80, 24, COLOUR).contains("herom"));
}

#[test]
fn ctrl_c_asks_and_twice_leaves() {
    let mut wizard = scene("s07-running");
    assert!(wizard.keys("<Ctrl-C>").is_empty());
    assert!(matches!(wizard.app.over, Some(Over::Leave(_))));
    assert_eq!(wizard.keys("<Ctrl-C>"), [Effect::Quit(Quit::AfterThisStep)]);
    let mut slow = scene("s07-running");
    slow.keys("<Ctrl-C>");
    slow.pass(3);
    assert!(slow.keys("<Ctrl-C>").is_empty(), "not within two seconds: it closes the question");
    // with nothing running it leaves at once, from a field, too
    assert_eq!(scene("s05-lns-fault").keys("<Ctrl-C>"), [Effect::Quit(Quit::Now)]);
    assert_eq!(scene("s03-plan").keys("q"), [Effect::Quit(Quit::Now)]);
}

#[test]
fn leaving_says_what_it_does_and_does_that() {
    assert_eq!(scene("s21-leave").keys("<Enter>"), [], "staying is chosen first");
    assert_eq!(scene("s21-leave").keys("2<Enter>"), [Effect::Send(Command::Pause)]);
    assert_eq!(scene("s21-leave").keys("3<Enter>"), [Effect::Quit(Quit::AfterThisStep)]);
    assert_eq!(scene("s21-leave").keys("4<Enter><Enter>"), [], "stopping asks once more, keeping on first");
    assert_eq!(scene("s21-leave").keys("4<Enter>2<Enter>"), [Effect::Send(Command::Stop)]);
    assert_eq!(scene("s21-leave-uncut").keys("4<Enter>"), [], "a removal is not stopped between two deletions");
    let mut wizard = scene("s07-running");
    assert_eq!(wizard.keys("p"), [Effect::Send(Command::Pause)]);
    assert_eq!(wizard.keys("p"), [Effect::Send(Command::Go)]);
}

#[test]
fn why_and_evidence_on_the_plan_are_of_the_chosen_phase() {
    let mut wizard = scene("s03-plan");
    wizard.keys("<Down><Down>w");
    let why = wizard.frame(80, 24, COLOUR);
    assert!(why.contains("Phase 3 Remove: why and undo") && why.contains("Set the volumes to keep"), "{why}");
    assert!(!why.contains("Record what is deployed"), "{why}");
    wizard.keys("<Esc>e");
    let commands = wizard.frame(80, 24, COLOUR);
    assert!(commands.contains("Phase 3: its steps") && commands.contains("3.2  Set the volumes"), "{commands}");
}

#[test]
fn what_a_row_has_no_room_for_is_whole_behind_e() {
    let whole = |wizard: &mut Wizard| {
        let mut text = String::new();
        wizard.keys("e");
        for _ in 0..8 {
            text += &wizard.frame(80, 24, COLOUR);
            wizard.say(Msg::Drawn(Window {
                is_small: false,
                scroll: drydock::tui::picture(&wizard.app, 80, 24).scroll,
                ..Window::default()
            }));
            wizard.keys("<PgDn>");
        }
        // words as they were before they were broken into rows
        text.split_whitespace().collect::<String>()
    };
    for (name, words) in [
        ("s10-confirm-long", "12. Look at worker"),
        ("s13-failed-long", "untolerated taint"),
        ("s14-resume-long", "by content"),
        ("s07-long-namespace", telling::LONG),
        ("s07-running", "object_properties_history.csv-pixelcore-prod: 2.52 GiB of 4.08"),
        ("s12-reapply", "no API reads it back; look at it in Pixel Admin"),
        ("s06-checks", "renders 14 objects with version 5.0.0"),
        ("s09-gate-shut", "alarms and device_events were written since the dump at 21:24:10"),
    ] {
        let text = whole(&mut scene(name));
        let words = words.replace(' ', "");
        assert!(text.contains("Onthescreen,whole:") && text.contains(&words), "{name}: {text}");
        assert!(text.contains("backwithdrydockresume7f3a"), "{name}: {text}");
    }
    // a note that the next key takes away
    let mut wizard = scene("s07-running");
    wizard.say(Msg::Saved(Err(format!("/{}/log.txt: no room", telling::LONG.repeat(2)))));
    assert!(whole(&mut wizard).contains("noroom"));
}

#[test]
fn decisive_words_are_not_cut_at_eighty_columns() {
    for (name, words) in [
        ("s04-vault-damaged", vec!["21:13:02", "beside it is whole"]),
        ("s14-resume", vec!["48 of 48 tables have the dump's", "rows"]),
        ("s14-resume-long", vec!["owner was edited since", "others"]),
        ("s13-failed-long", vec!["no node has 4 GiB free memory", "does 2.3", "3.3 again"]),
        ("s10-confirm-long", vec!["e shows all of it"]),
        ("s09-gate-long", vec![telling::LONG]),
        ("s18-help", vec!["back one level, keeps what is typed"]),
        ("s21-leave", vec!["this step ends without a screen, then it pauses"]),
    ] {
        let frame = scene(name).frame(80, 24, COLOUR);
        for word in words {
            assert!(frame.contains(word), "{name}: {word}\n{frame}");
        }
    }
}

#[test]
fn a_stuck_part_is_told_with_its_reason_and_age_and_can_be_looked_at() {
    let mut wizard = scene("s10-stuck");
    let frame = wizard.frame(80, 24, COLOUR);
    assert!(frame.contains("1 min 50 s · 0/6 nodes are available: 6"), "{frame}");
    assert!(frame.contains("20 s · Readiness"), "a part that starts tells its own age: {frame}");
    // its age moves in steps of five seconds
    wizard.pass(2);
    let later = wizard.frame(80, 24, COLOUR);
    assert!(later.contains("1 min 50 s") && later.contains("running 1 min 54 s"), "{later}");
    assert!(wizard.keys("<Enter>").is_empty(), "waiting on asks nothing of the run");
    assert!(wizard.app.notice.as_deref().is_some_and(|notice| notice.contains("Nothing was changed")));
    wizard.keys("2<Enter>");
    let page = wizard.frame(80, 24, COLOUR);
    assert!(page.contains("Look at pix-worker") && page.contains("reading the settings"), "{page}");
    assert!(!page.contains("[main] up"), "not the log of another part: {page}");
    assert!(page.contains("describe Deployment/pix-worker"), "{page}");
    // when it goes on by itself, the options go
    let mut wizard = scene("s10-stuck");
    wizard.progress(telling::waiting(telling::parts().into_iter().take(2).collect()));
    assert!(!wizard.frame(80, 24, COLOUR).contains("Keep waiting"));
}

#[test]
fn numbers_choose_and_enter_does() {
    let mut wizard = scene("s13-failed");
    assert!(wizard.replies("3").is_empty());
    assert_eq!(wizard.replies("<Enter>"), [Reply::Choose { choice: "stop".into() }]);
    assert_eq!(scene("s13-failed").replies("9<Enter>"), [Reply::Choose { choice: "retry".into() }], "9 is no option");
    assert_eq!(scene("s14-resume").replies("<Enter>"), [Reply::Choose { choice: "look".into() }]);
    assert_eq!(scene("s10-confirm").replies("<Enter>"), [Reply::Back]);
    assert_eq!(scene("s10-confirm").replies("2<Enter><Enter>"), [Reply::Continue], "once");
    // in doubt the option that does nothing is chosen; the one that only looks does not move it
    assert_eq!(scene("s13-doubt").replies("<Enter>"), [Reply::Choose { choice: "stop".into() }]);
    assert!(scene("s13-doubt").replies("2<Enter>").is_empty());
    assert_eq!(scene("s03-plan").replies("<Enter>"), [], "Enter on a phase shows its steps");
    assert_eq!(scene("s03-plan").replies("<Tab><Enter>"), [Reply::Approve]);
}

#[test]
fn an_answer_reaches_only_the_question_it_was_given_to() {
    let mut wizard = scene("s05-lns-fault");
    // two answers, one question: the second waits until the run asks again
    assert_eq!(wizard.replies("x<Tab>").len(), 1);
    assert!(wizard.replies("secret<Tab>").is_empty());
    let mut other = Wizard::within("lns");
    std::mem::swap(&mut wizard, &mut other);
    let waits = other.ask(telling::lns_form(telling::lns()));
    assert!(matches!(waits[..], [Effect::Secret(_), Effect::Send(Command::Answer { question: 2, .. })]), "{waits:?}");
    // another question throws away what waits
    let mut wizard = scene("s05-lns-fault");
    wizard.keys("x<Tab>secret<Tab>");
    let effects = wizard.ask(telling::failed());
    assert_eq!(effects, [Effect::Bell]);
}

#[test]
fn a_secret_travels_beside_its_reply_and_is_taken_once() {
    let mut wizard = scene("s04-vault-unlock");
    let effects = wizard.keys("harbour<Enter>");
    let [Effect::Secret(handle), Effect::Send(Command::Answer { reply: Reply::Vault { passphrase }, .. })] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(handle, passphrase);
    assert!(!format!("{effects:?}").contains("harbour"));
    let handle = *handle;
    assert!(wizard.app.take_secret(handle).is_some());
    assert!(wizard.app.take_secret(handle).is_none());
    assert!(wizard.replies("<Enter>").is_empty(), "it is on its way");
}

#[test]
fn letters_are_text_while_a_field_has_the_focus() {
    let mut wizard = scene("s05-environment");
    assert!(wizard.keys("qwe?:/d1").is_empty());
    assert!(wizard.frame(80, 24, COLOUR).contains("qwe?:/d1"));
    wizard.keys("<F1>");
    assert!(matches!(wizard.app.over, Some(Over::Help { .. })));
    // words that came in one read reach the palette and the search, too
    let mut wizard = scene("s07-running");
    wizard.keys(":");
    paste(&mut wizard, "overview");
    wizard.keys("<Enter>");
    assert!(wizard.frame(80, 24, COLOUR).contains("All steps"));
}

#[test]
fn in_a_window_too_small_keys_press_nothing_and_lose_nothing() {
    let mut wizard = scene("s09-gate-ready");
    wizard.pass(3);
    let before = wizard.frame(80, 24, COLOUR);
    wizard.say(Msg::Drawn(Window { is_small: true, scroll: 0, ..Window::default() }));
    assert!(wizard.keys("<Enter>x<Tab><Esc><Esc><F1>").is_empty());
    paste(&mut wizard, "x");
    assert_eq!(wizard.keys("<Ctrl-T>"), [Effect::Quit(Quit::ToPlain)]);
    assert_eq!(wizard.keys("<Ctrl-C>"), [Effect::Quit(Quit::Now)]);
    wizard.say(Msg::Drawn(Window::default()));
    assert_eq!(wizard.frame(80, 24, COLOUR), before);
    let mut running = scene("s07-running");
    running.say(Msg::Drawn(Window { is_small: true, scroll: 0, ..Window::default() }));
    assert_eq!(running.keys("<Ctrl-C>"), [Effect::Quit(Quit::AfterThisStep)]);
}

#[test]
fn a_page_scrolls_to_its_end_and_no_further() {
    let mut wizard = scene("s18-help");
    let last = drydock::tui::picture(&wizard.app, 80, 24).scroll;
    assert!(last > 0);
    wizard.say(Msg::Drawn(Window { is_small: false, scroll: last, ..Window::default() }));
    wizard.keys("<PgDn><PgDn><PgDn><Down><Down><Down>");
    let end = wizard.frame(80, 24, COLOUR);
    wizard.keys("<Up>");
    assert_ne!(wizard.frame(80, 24, COLOUR), end, "one key up is one row up");
    wizard.keys("<End>");
    assert_eq!(wizard.frame(80, 24, COLOUR), end);
}

#[test]
fn the_bell_rings_once_for_a_question_and_once_at_the_end() {
    let mut wizard = Wizard::within("lns");
    assert_eq!(wizard.ask(telling::lns_empty()), [Effect::Bell]);
    assert_eq!(wizard.ask(telling::lns_empty()), [], "the same question again is no news");
    let mut wizard = Wizard::within("answers");
    let stopped = |stopped| Msg::Event(Box::new(Event::Stopped { stopped }));
    assert_eq!(wizard.say(stopped(Stopped::Finished)), [Effect::Bell]);
    assert!(matches!(wizard.app.front, Front::Finish(_)));
    assert_eq!(wizard.keys("q"), [Effect::Quit(Quit::Ended)]);
    let mut wizard = Wizard::within("rehearse");
    let (step, outcome) = (StepId("freeze".into()), Outcome::Undone { sentence: "pix-worker has 1 again".into() });
    wizard.record(Record::Ended { step, attempt: 2, outcome });
    wizard.record(Record::RolledBack { summary: "what 1 step changed is as before".into() });
    assert_eq!(wizard.say(stopped(Stopped::RolledBack)), [Effect::Bell]);
    let shown = wizard.frame(80, 24, COLOUR);
    assert!(
        shown.contains("what this run changed is put back") && shown.contains("2.2   pix-worker has 1 again"),
        "{shown}"
    );
    let paused = Stopped::Paused { reason: "paused".into() };
    assert_eq!(Wizard::within("lns").say(stopped(paused)), [Effect::Quit(Quit::Ended)]);
}

#[test]
fn a_terminal_that_goes_finishes_the_step_in_hand() {
    let hang = |app: &mut App| app.update(0, jiff::Timestamp::UNIX_EPOCH, Msg::HangUp);
    assert_eq!(hang(&mut scene("s07-running").app), [Effect::Quit(Quit::AfterThisStep)]);
    assert_eq!(hang(&mut scene("s19-finish").app), [Effect::Quit(Quit::Ended)]);
}
