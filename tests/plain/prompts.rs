//! Scripted lines at single questions, without an engine: which reply they make and what is said.

use std::time::Duration;

use drydock::{
    plain::{Front, Input, Keyboard},
    ports::Provenance,
    run::{
        Check, CheckResult, Choice, Command, Event, FieldValue, Form, Gate, Item, Link, Live, Lock, Progress, Question,
        ReapplyItem, ReapplyState, Record, Removal, Reply, StepId, Stopped,
    },
    text::Diagnostic,
};
use tokio::sync::mpsc;

/// What a person with these lines says to these events, and what is printed.
async fn hear(input: &str, events: Vec<Event>) -> (Vec<Command>, String) {
    let (tell, told) = mpsc::channel(64);
    let (commands, mut said) = mpsc::channel(64);
    let (secrets, _kept) = mpsc::channel(64);
    let (_show, shown) = mpsc::channel(1);
    tokio::spawn(async move {
        for event in events {
            tell.send(event).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tell.send(Event::Stopped { stopped: Stopped::Finished }).await.unwrap();
    });
    let lines: Box<dyn std::io::BufRead + Send> = Box::new(std::io::Cursor::new(input.to_owned().into_bytes()));
    let mut out = Vec::new();
    let mut front = Front::new(&mut out, Input::Person(Box::new(Keyboard::new(lines))));
    front.run(Link { events: told, commands, secrets, shown }).await;
    drop(front);
    let mut all = Vec::new();
    while let Ok(command) = said.try_recv() {
        all.push(command);
    }
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
    // a prompt has no line end of its own, and no terminal echoes one here
    let wide: Vec<&str> = text.split(['\n', ':']).filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:?}");
    (all, text)
}

fn asking(question: Question) -> Event {
    Event::Asking { number: 7, question: Box::new(question) }
}

/// The one reply to a question.
async fn reply(input: &str, question: Question) -> (Option<Reply>, String) {
    let (commands, text) = hear(input, vec![asking(question)]).await;
    assert!(commands.len() <= 1, "{commands:?}");
    let reply = commands.into_iter().next().map(|command| match command {
        Command::Answer { question: 7, reply } => reply,
        other => panic!("{other:?}"),
    });
    (reply, text)
}

fn step() -> StepId {
    StepId("remove".to_owned())
}

fn gate(open: bool) -> Question {
    let lock = |name: &str, open| Lock {
        name: name.into(),
        open,
        sentence: format!("{name} was looked at a moment ago, and this is a sentence that goes on for quite a while"),
        step: "2.5".into(),
        again: Vec::new(),
    };
    let removal = |n: usize| Removal { kind: "ConfigMap".into(), name: format!("cm-{n}"), uid: n.to_string() };
    Question::Gate {
        step: step(),
        gate: Box::new(Gate {
            namespace: "plan".into(),
            cluster8: "86ea7bb5".into(),
            word: "heron".into(),
            prod: true,
            locks: vec![lock("proven", open), lock("captured", true)],
            goes: (0..3).map(removal).collect(),
            stays: vec!["2 volumes".into()],
            way_back: "the proven dump, about 9 min".into(),
            refusal: String::new(),
        }),
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_opens_for_both_words_and_a_choice_only() {
    let (said, text) = reply("locks\nlist\nplan\nheron\n2\n", gate(true)).await;
    assert_eq!(said, Some(Reply::Gate { namespace: "plan".into(), word: "heron".into() }), "{text}");
    assert!(text.contains("open proven:") && text.contains("goes: ConfigMap cm-2"), "{text}");
    assert!(text.contains("DELETES 3 OBJECTS IN PROD: 3 ConfigMap."), "{text}");
    for lines in ["\n", "plan\n\n", "plan\nheron\n\n", "plan\nheron\n1\n", "other\n\n", "back\n", "plan\nback\n"] {
        assert_eq!(reply(lines, gate(true)).await.0, Some(Reply::Back), "{lines:?}");
    }
    let (said, text) = reply("heron\nplan\nstork\nheron\n2\n", gate(true)).await;
    assert!(matches!(said, Some(Reply::Gate { .. })) && text.matches("not yet.").count() == 2, "{text}");
    let (said, text) = reply("plan\nheron\n2\n1\n", gate(false)).await;
    assert_eq!(said, Some(Reply::Again), "a shut gate takes no word: {text}");
    assert!(text.contains("SHUT proven:") && !text.contains("open captured"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_enter_changes_nothing_anywhere() {
    let choice = |id: &str| Choice { id: id.into(), label: id.into(), cost: String::new() };
    let choices = vec![choice("retry"), choice("stop")];
    let problem = Diagnostic::new("it failed");
    let choose =
        || Question::Choose { step: step(), problem: problem.clone(), choices: choices.clone(), recommended: 0 };
    let resume = || Question::Resume { rows: vec![], uncertain: vec![], choices: choices.clone(), recommended: 0 };
    let stop = Some(Reply::Choose { choice: "stop".into() });
    assert_eq!(reply("\n", choose()).await.0, stop);
    assert_eq!(reply("\n", resume()).await.0, stop);
    assert_eq!(reply("back\n", choose()).await.0, Some(Reply::Back));
    assert_eq!(reply("back\n", resume()).await.0, stop, "nothing but a look is behind it");
    assert_eq!(reply("9\nx\n1\n", choose()).await.0, Some(Reply::Choose { choice: "retry".into() }));
    assert_eq!(reply("\n", Question::Approve).await.0, Some(Reply::Back));
    let confirm =
        || Question::Confirm { step: step(), text: vec!["Look.".into()], button: "It is well".into(), person: false };
    assert_eq!(reply("\n", confirm()).await.0, Some(Reply::Back));
    assert_eq!(reply("2\n", confirm()).await.0, Some(Reply::Continue));
}

/// Secrets are never printed: the help says so, and what shows one.
#[tokio::test(start_paused = true)]
async fn help_at_a_kept_secret_says_what_shows_it() {
    let item = ReapplyItem {
        id: "lns-eu".into(),
        title: "connection lns-eu".into(),
        state: ReapplyState::ByHand,
        sentence: "only a mask".into(),
        again: None,
        fields: vec![("token".into(), "40 characters · check 90aa".into())],
        secrets: vec!["token".into()],
    };
    let (_, text) = reply("?\nback\n", Question::Reapply { step: step(), items: vec![item.clone()] }).await;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("stay in the scrollback. To see it: drydock vault show NAME --reveal"), "{text}");
    let bare = ReapplyItem { secrets: Vec::new(), ..item };
    let (_, text) = reply("?\nback\n", Question::Reapply { step: step(), items: vec![bare] }).await;
    assert!(text.contains("An item counts") && !text.contains("--reveal"), "{text}");
    let field = serde_json::json!({"id": "token", "label": "Token", "kind": "secret"});
    let form = Form {
        noun: "connection".into(),
        fields: vec![serde_json::from_value(field).unwrap()],
        repeated: true,
        look: String::new(),
    };
    let provenance = Provenance::Found { place: "GET /api".into() };
    let kept = FieldValue::Secret { length: 40, check: "90aa".into(), provenance, members: String::new() };
    let asked = |values| Question::Form {
        step: StepId("lns".into()),
        title: "LNS connections".into(),
        form: form.clone(),
        items: vec![Item { id: "lns-eu".into(), values, ..Item::default() }],
        none_reason: String::new(),
        fault: String::new(),
    };
    let (_, text) = reply("?\nback\n", asked([("token".to_owned(), kept)].into())).await;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("lns/lns-eu/token --reveal"), "{text}");
    let (_, text) = reply("?\nback\n", asked([].into())).await;
    assert!(!text.contains("--reveal"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_warning_is_seen_by_its_word_and_a_failed_check_is_asked_again() {
    let check = |result| Check {
        name: "image-worker".into(),
        result,
        sentence: "is there".into(),
        help: vec!["pull it".into()],
        seen: false,
    };
    let checks = |result| Question::Checks { step: step(), checks: vec![check(result)] };
    let seen = Some(Reply::Seen { check: "image-worker".into() });
    assert_eq!(reply("yes\nseen\n", checks(CheckResult::Warn)).await.0, seen);
    assert_eq!(reply("\n", checks(CheckResult::Warn)).await.0, Some(Reply::Again));
    assert_eq!(reply("\n", checks(CheckResult::Fail)).await.0, Some(Reply::Again));
    assert_eq!(reply("2\n", checks(CheckResult::Fail)).await.0, Some(Reply::Continue));
    assert_eq!(reply("back\n", checks(CheckResult::Fail)).await.0, Some(Reply::Back));
}

#[tokio::test(start_paused = true)]
async fn a_pause_stops_the_run_and_the_end_of_the_input_answers_nothing() {
    let (commands, _) = hear("pause\n", vec![asking(Question::Approve)]).await;
    assert_eq!(commands, [Command::Stop]);
    let (commands, _) = hear("back\n", vec![asking(Question::Vault { exists: true, fault: String::new() })]).await;
    assert_eq!(commands, [Command::Stop], "nothing is behind the vault but a pause");
    let (commands, text) = hear("", vec![asking(Question::Approve)]).await;
    assert!(commands.is_empty(), "{commands:?} {text}");
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_at_most_every_ten_seconds() {
    let picture = |percent| Event::Progress {
        progress: Progress {
            step: step(),
            sentence: format!("{percent} of 100"),
            rows: vec![],
            bar: Some((percent, 100)),
            left_s: None,
        },
    };
    let (_, text) = hear("", (0..=60).map(picture).collect()).await;
    let told: Vec<&str> = text.lines().filter(|line| line.starts_with("running.")).collect();
    assert_eq!(told.len(), 6, "{told:?}");
    let (_, text) = hear("", (0..=60).map(|n| picture(n * 7 % 100)).collect()).await;
    assert!((2..=6).contains(&text.matches("running.").count()), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_was_edited_since_is_told_and_taken_over_by_a_choice() {
    let form: Form = serde_json::from_value(serde_json::json!({"noun": "worker", "repeated": true, "fields": [
        {"id": "source", "label": "Source"},
        {"id": "settings", "label": "Settings", "kind": "secret_json", "optional": true},
    ]}))
    .unwrap();
    let found = serde_json::json!({"found": {"place": "GET /"}});
    let item: Item = serde_json::from_value(serde_json::json!({
        "id": "geo", "faults": {}, "confirmed": false, "extra": "", "values": {
            "source": {"text": {"value": "git", "provenance": found}},
            "settings": {"secret": {"length": 64, "check": "90aa", "provenance": found, "members": "interval_s, smtp_pass"}},
        },
        "live": {"differs": {"settings": "another value, interval_s · 20 characters", "more.json": "retries is new"}},
    }))
    .unwrap();
    let question = |item: &Item| Question::Form {
        step: step(),
        title: "Custom workers".into(),
        form: form.clone(),
        items: vec![item.clone()],
        none_reason: String::new(),
        fault: String::new(),
    };
    let (said, text) = reply("4\n", question(&item)).await;
    assert_eq!(said, Some(Reply::TakeLive { item: "geo".into() }), "{text}");
    for told in
        ["Settings is now: another value, interval_s", "Without a field: retries is new", "Take what the application"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    let (said, text) = reply("3\n", question(&item)).await;
    assert_eq!(said, Some(Reply::Remove { item: "geo".into() }), "{text}");
    let (_, text) = reply("2\n\n", question(&item)).await;
    assert!(text.contains("in the vault, interval_s, smtp_pass, 64 characters, check 90aa"), "{text}");
    let gone = Item { live: Live::Gone, ..item };
    let (_, text) = reply("", question(&gone)).await;
    assert!(text.contains("gone from the application") && !text.contains("Take what the"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_practice_says_where_the_file_lies_that_is_asked_for() {
    let started = |practice: bool| {
        let record: Record = serde_json::from_value(serde_json::json!({
            "type": "started", "format": 1, "run": "2026-11-20-one-7f3a", "tool": "0", "context": "", "environment": "",
            "operator": "ann", "host": "h", "practice": practice, "inputs": {},
            "runbook": {"id": "one", "title": "One", "version": "1", "digest": "", "intent": "upgrade"},
            "target": {"cluster_uid": null, "ca_sha256": "", "namespace_uid": "", "namespace": "", "server_version": "",
                "labels": []},
        }))
        .unwrap();
        Event::Recorded { at: jiff::Timestamp::UNIX_EPOCH, record: Box::new(record) }
    };
    let field = serde_json::json!({"id": "dotenv", "label": "Path", "kind": "secret_file", "example": "./plant.env"});
    let form = Form {
        noun: "environment file".into(),
        fields: vec![serde_json::from_value(field).unwrap()],
        repeated: false,
        look: String::new(),
    };
    let asked = Question::Form {
        step: StepId("environment".into()),
        title: "The environment file".into(),
        form,
        items: vec![Item { id: "1".into(), ..Item::default() }],
        none_reason: String::new(),
        fault: String::new(),
    };
    for practice in [true, false] {
        let (_, text) = hear("", vec![started(practice), asking(asked.clone())]).await;
        let said = text.contains("Practice has laid it for you; type ./plant.env");
        assert_eq!(said, practice, "{text}");
    }
}
