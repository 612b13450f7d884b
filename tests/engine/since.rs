//! Settings that somebody edits after they were captured: named, offered where the form is opened again, taken over by a word;
//! settings that hold secrets; and members that go back in the type they had.

use std::sync::{Arc, Mutex};

use drydock::{
    plain::Say,
    run::{CheckResult, Event, FieldValue, Item, Live, Question, Reply, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore},
    world::{Fake, State},
};

async fn desk() -> Desk {
    Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await
}

/// A source that an earlier version wrote down openly.
const LOGIN: &str = "git+https://oauth2:canary-kept@git.example.net/geo#v1";

fn edit(desk: &Desk, item: &str, member: &str, value: Value) {
    desk.fake.state().settings.get_mut("plant").unwrap()[item][member] = value;
}

/// Edits the settings when the last form is put for the first time, and says this to it; then looks at the workers' form.
fn edited_meanwhile(
    desk: &Desk,
    answers: Value,
    meddle: fn(&mut serde_json::Map<String, Value>),
    say: Option<Reply>,
    mut workers: impl FnMut(&[Item]) -> Option<Reply> + Send + 'static,
) -> Clerk {
    let (fake, mut once) = (Arc::clone(&desk.fake), Some(say));
    Clerk::hooked(answers, move |event| {
        let Event::Asking { question, .. } = event else { return None };
        let Question::Form { step, items, .. } = &**question else { return None };
        let reply = match step.0.as_str() {
            "other" => {
                let say = once.take()?;
                meddle(fake.state().settings.get_mut("plant").unwrap());
                say
            }
            "workers" if once.is_none() => workers(items),
            _ => None,
        };
        reply.map(|reply| vec![Act::Say(Say::Reply(reply))])
    })
}

fn failed_checks(ride: &Ride) -> Vec<String> {
    let failed = |question: &&Question| match question {
        Question::Checks { checks, .. } => checks
            .iter()
            .filter(|check| check.result == CheckResult::Fail)
            .map(|check| check.sentence.clone())
            .collect(),
        _ => Vec::new(),
    };
    ride.questions().iter().flat_map(failed).collect()
}

#[tokio::test(start_paused = true)]
async fn a_member_that_came_since_is_a_difference_and_is_named() {
    for (meddle, told) in [
        (
            (|all| all["geo"]["retries"] = json!(3)) as fn(&mut serde_json::Map<String, Value>),
            "geo was changed since it was captured: has a new member retries",
        ),
        (|all| all["lns-us"]["owner"] = json!("them"), "lns-us was changed since it was captured: owner"),
        (|all| all["geo"]["settings"]["s"] = json!(31), "geo was changed since it was captured: settings"),
        (
            |all| drop(all["lns-us"].as_object_mut().unwrap().remove("region")),
            "lns-us was changed since it was captured: region",
        ),
        (
            // in two forms: each is named
            |all| {
                all["lns-us"]["owner"] = json!("them");
                all["geo"]["retries"] = json!(3);
                all.insert("late".into(), json!({"kind": "worker", "active": false, "source": "s", "settings": {}}));
            },
            "lns-us was changed since it was captured: owner; geo was changed since it was captured: has a new member \
             retries; late is in the application and was not captured",
        ),
    ] {
        let (_home, answers) = answers();
        let desk = desk().await;
        let ride = desk.go(edited_meanwhile(&desk, answers, meddle, None, |_| None)).await;
        let failed = failed_checks(&ride);
        assert!(failed.iter().any(|sentence| sentence == told), "{told}: {failed:?}, {:?}", ride.stopped);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_edited_since_is_shown_in_the_form_and_taken_over_by_a_word() {
    let (_home, mut answers) = answers();
    let desk = desk().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    // a number where the form shows a text, settings with a password, a member more, a worker more
    let meddle = |all: &mut serde_json::Map<String, Value>| {
        all["geo"]["source"] = json!(7);
        all["geo"]["settings"] = json!({"s": 31, "smtp": {"pass": "mail-of-geo-32"}, "to": "x"});
        all["geo"]["retries"] = json!(3);
        all.insert("late".into(), json!({"kind": "worker", "active": false, "source": "s", "settings": {}}));
    };
    answers["steps"]["workers"] = json!({"confirm": "all"});
    let clerk = edited_meanwhile(&desk, answers, meddle, Some(Reply::Back), move |items| {
        keep.lock().unwrap().push(items.to_vec());
        (keep.lock().unwrap().len() == 1).then(|| Reply::TakeLive { item: "geo".into() })
    });
    let ride = desk.go(clerk).await;
    assert_eq!(ride.stopped, Stopped::Finished, "{:?}", failed_checks(&ride));
    let seen = seen.lock().unwrap();
    let of = |at: usize, id: &str| seen[at].iter().find(|item| item.id == id).unwrap().clone();
    let geo = of(0, "geo");
    assert!(!geo.confirmed, "it waits for a human again");
    assert_eq!(geo.live.of("source"), Some("7"));
    assert_eq!(geo.live.of("settings"), Some("another value, s, smtp, to · 50 characters"));
    assert_eq!(geo.live.of("active"), None);
    assert!(matches!(&geo.live, Live::Differs(now) if now["more.json"] == "retries is new"), "{:?}", geo.live);
    assert!(!of(0, "late").confirmed, "what came since is offered");
    let taken = of(1, "geo");
    assert!(!taken.confirmed && taken.live == Live::Same && taken.extra == "retries", "{taken:?}");
    assert!(taken.values.values().all(FieldValue::is_found), "{taken:?}");
    // it goes back as it was taken over, in the types it had
    let now = desk.fake.state().settings["plant"]["geo"].clone();
    assert_eq!((&now["source"], &now["retries"], &now["active"]), (&json!(7), &json!(3), &json!(true)));
    assert_eq!(now["settings"], json!({"s": 31, "smtp": {"pass": "mail-of-geo-32"}, "to": "x"}));
    for entry in std::fs::read_dir(desk.folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|p| p.is_file()) {
        assert!(!std::fs::read_to_string(&entry).unwrap().contains("mail-of-geo"), "{}", entry.display());
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_gone_is_marked_and_what_was_typed_stays() {
    let (_home, answers) = answers();
    let desk = desk().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let clerk = edited_meanwhile(
        &desk,
        answers,
        |all| drop(all.remove("geo")),
        Some(Reply::Back),
        move |items| {
            keep.lock().unwrap().push(items.to_vec());
            match keep.lock().unwrap().len() {
                1 => Some(Reply::TakeLive { item: "geo".into() }),
                2 => Some(Reply::Remove { item: "geo".into() }),
                3 => Some(Reply::None { reason: "it was taken away today".into() }),
                _ => None,
            }
        },
    );
    let ride = desk.go(clerk).await;
    let seen = seen.lock().unwrap();
    assert_eq!((&seen[0][0].live, seen[0][0].confirmed), (&Live::Gone, false));
    let refused = ride.questions().into_iter().any(|question| {
        matches!(question, Question::Form { fault, .. } if fault.contains("not in the application any more"))
    });
    assert!(refused && seen[1][0].live == Live::Gone && seen[2].is_empty(), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn members_go_back_in_the_type_they_had() {
    let (_home, answers) = answers();
    let desk = desk().await;
    edit(&desk, "lns-us", "owner", json!(42));
    edit(&desk, "geo", "source", json!("true"));
    edit(&desk, "lns-us", "token", json!("{\"looks\": \"like an object\"}"));
    let before = desk.fake.state().settings["plant"].clone();
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished, "{:?}", failed_checks(&ride));
    let now = desk.fake.state().settings["plant"].clone();
    for (item, member) in [("lns-us", "owner"), ("lns-us", "token"), ("geo", "source"), ("geo", "active")] {
        assert_eq!(now[item][member], before[item][member], "{item}.{member}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_was_given_a_login_since_is_told_without_it() {
    let (_home, answers) = answers();
    let desk = desk().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let meddle = |all: &mut serde_json::Map<String, Value>| {
        all["geo"]["source"] = json!("git+https://oauth2:canary-since@git.example.net/geo#v2");
    };
    let clerk = edited_meanwhile(&desk, answers, meddle, Some(Reply::Back), move |items| {
        keep.lock().unwrap().push(items[0].live.of("source").map(str::to_owned));
        (keep.lock().unwrap().len() == 1).then(|| Reply::TakeLive { item: "geo".into() })
    });
    let ride = desk.go(clerk).await;
    assert_eq!(ride.stopped, Stopped::Finished, "{:?}", failed_checks(&ride));
    let told = "another value, git+https://oauth2:••••••••@git.example.net/geo#v2 · 54 characters";
    assert_eq!(seen.lock().unwrap()[0].as_deref(), Some(told));
    assert!(!format!("{:?}", ride.events).contains("canary-since"));
    assert!(!std::fs::read_to_string(desk.folder().join("answers.json")).unwrap().contains("canary-since"));
}

/// A form as an earlier version kept it: settings and a login as text, nothing about types.
fn as_before(desk: &Desk) {
    let file = desk.folder().join("answers.json");
    let mut all: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let geo = &mut all["workers"]["items"][0];
    assert_eq!(geo["id"], "geo");
    geo.as_object_mut().unwrap().remove("types").unwrap();
    geo["values"]["settings"] = json!({"text": {
        "value": "{\"s\":30,\"smtp\":{\"pass\":\"mail-of-geo-31\"}}",
        "provenance": {"found": {"place": "GET /api/applications, geo.settings"}},
    }});
    geo["values"]["source"] = json!({"text": {
        "value": LOGIN, "provenance": {"found": {"place": "GET /api/applications, geo.source"}},
    }});
    std::fs::write(&file, all.to_string()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_of_an_earlier_version_goes_on_and_hides_its_settings_once_they_are_opened() {
    let leaving = |event: &Event| match event {
        Event::Asking { question, .. } if question.step().is_some_and(|step| step.0 == "other") => {
            Some(vec![Act::Leave])
        }
        _ => None,
    };
    for opened_again in [false, true] {
        let (_home, answers) = answers();
        let desk = desk().await;
        edit(&desk, "geo", "source", json!(LOGIN));
        desk.go(Clerk::hooked(answers.clone(), leaving)).await;
        as_before(&desk);
        let desk = desk.again();
        desk.fake.state().vault.retain(|(_, name), _| name != "workers/geo/settings" && name != "workers/geo/source");
        let say = opened_again.then_some(Reply::Back);
        let ride = desk.go(edited_meanwhile(&desk, answers, |_| (), say, |_| None)).await;
        assert_eq!(ride.stopped, Stopped::Finished, "{:?}", failed_checks(&ride));
        let now = desk.fake.state().settings["plant"]["geo"].clone();
        assert_eq!(now["settings"], json!({"s": 30, "smtp": {"pass": "mail-of-geo-31"}}));
        assert_eq!((&now["active"], &now["source"]), (&json!(true), &json!(LOGIN)));
        let kept = std::fs::read_to_string(desk.folder().join("answers.json")).unwrap();
        for (secret, name) in [("mail-of-geo", "workers/geo/settings"), ("canary-kept", "workers/geo/source")] {
            assert_eq!(kept.contains(secret), !opened_again, "{secret}");
            assert_eq!(desk.fake.state().vault.keys().any(|(_, kept)| kept == name), opened_again, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn settings_that_are_handed_over_go_back_as_an_object_and_are_never_quoted() {
    use std::os::unix::fs::PermissionsExt;
    let (home, mut answers) = answers();
    let file = home.path().join("geo.json");
    for (text, passes) in
        [("{\n \"s\": 40,\n \"smtp\": \"mail-of-geo-33\"\n}\n", true), ("{\"smtp\": \"mail-of-geo-33\"\n", false)]
    {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        answers["steps"]["workers"] = json!({"confirm": "all", "secrets": {"geo": {"settings": {"file": file}}}});
        let desk = desk().await;
        let ride = desk.go(Clerk::new(answers.clone())).await;
        assert_eq!(ride.stopped == Stopped::Finished, passes, "{:?}", ride.stopped);
        assert!(!format!("{:?}{:?}", ride.stopped, ride.events).contains("mail-of-geo"));
        if passes {
            let now = desk.fake.state().settings["plant"]["geo"]["settings"].clone();
            assert_eq!(now, json!({"s": 40, "smtp": "mail-of-geo-33"}));
        } else {
            assert!(format!("{:?}", ride.events).contains("is not JSON yet, column"), "{:?}", ride.stopped);
        }
    }
    // in plain it is taken from nobody
    answers["steps"]["workers"] = json!({"confirm": "all", "items": {"geo": {"settings": "{\"s\": 41}"}}});
    let ride = desk().await.go(Clerk::new(answers)).await;
    assert!(format!("{:?}", ride.events).contains("kept in the vault only"), "{:?}", ride.stopped);
}
