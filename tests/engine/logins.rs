//! A login within an address of a field that nobody said to be secret: kept like a secret, told without it, put back whole.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex},
};

use drydock::{
    plain::Say,
    run::{
        Command, Event, FieldInput, FieldValue, Item, Question, Record, Reply, SecretHandle, SecretName, StepId,
        Stopped,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, pixelcore},
    world::{Fake, State},
};

const FOUND: &str = "git+https://oauth2:canary-of-geo@git.example.net/geo#v1";
const TYPED: &str = "https://us:canary-typed@lns-us.example.net/api";
const UNSEEN: &str = "https://us:canary-unseen@lns-us.example.net/api";

fn holds_canary(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(holds_canary(&path));
        } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("canary-") {
            found.push(path.display().to_string());
        }
    }
    found
}

fn set_url(input: FieldInput) -> Act {
    Act::Say(Say::Reply(Reply::Set { item: "lns-us".into(), field: "api_url".into(), input }))
}

fn retype(text: &str) -> Act {
    Act::Say(Say::Secret { item: "lns-us".into(), field: "api_url".into(), secret: SecretString::from(text) })
}

fn value(items: &[Item], id: &str, field: &str) -> FieldValue {
    items.iter().find(|item| item.id == id).unwrap().values[field].clone()
}

#[tokio::test(start_paused = true)]
async fn a_login_in_an_address_goes_to_the_vault_and_back_to_the_application_only() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    desk.fake.state().settings.get_mut("plant").unwrap()["geo"]["source"] = json!(FOUND);
    let said = Arc::new(Mutex::new(String::new()));
    let keep = Arc::clone(&said);
    let mut turns = 0;
    let clerk = Clerk::hooked(answers, move |event| {
        writeln!(keep.lock().unwrap(), "{event:?}\n{}", serde_json::to_string(event).unwrap()).unwrap();
        let begins = |step: &str| {
            matches!(event, Event::Recorded { record, .. }
                if matches!(&**record, Record::Intent { step: begun, .. } if begun.0 == step))
        };
        if begins("other") {
            let secret = SecretName { step: StepId("workers".into()), item: "geo".into(), field: "source".into() };
            return Some(vec![Act::Command(Command::Show { handle: SecretHandle(7), secret })]);
        }
        let Event::Asking { question, .. } = event else { return None };
        let Question::Form { step, items, fault, .. } = &**question else { return None };
        match step.0.as_str() {
            "lns" => {
                turns += 1;
                match turns {
                    // unseen, where nothing says that it is a secret
                    1 => Some(vec![retype(UNSEEN)]),
                    2 => {
                        assert!(fault.ends_with("is not a secret"), "{fault}");
                        Some(vec![set_url(FieldInput::Text(TYPED.into()))])
                    }
                    3 => {
                        let kept = value(items, "lns-us", "api_url");
                        assert_eq!(kept.told().split(" · ").next(), Some("https://us:••••••••@lns-us.example.net/api"));
                        // a fault of it is told, and what is kept stays
                        Some(vec![set_url(FieldInput::Text("htp://us:canary-typo@h".into()))])
                    }
                    4 => {
                        let lns = items.iter().find(|item| item.id == "lns-us").unwrap();
                        assert!(lns.faults["api_url"].contains("begins with https://"), "{lns:?}");
                        assert!(value(items, "lns-us", "api_url").can_be_shown());
                        Some(vec![retype(UNSEEN)])
                    }
                    _ => None,
                }
            }
            "workers" => {
                let told = value(items, "geo", "source").told();
                assert!(
                    told.starts_with("git+https://oauth2:••••••••@git.example.net/geo#v1 · 55 characters"),
                    "{told}"
                );
                None
            }
            _ => None,
        }
    });
    let ride = desk.go(clerk).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let shown: Vec<&str> = ride.shown.iter().map(|(_, value)| value.expose_secret()).collect();
    assert_eq!(shown, [FOUND]);
    let settings = desk.fake.state().settings["plant"].clone();
    assert_eq!(settings["geo"]["source"], json!(FOUND));
    assert_eq!(settings["lns-us"]["api_url"], json!(UNSEEN));
    assert!(!said.lock().unwrap().contains("canary-"), "{}", said.lock().unwrap());
    assert_eq!(holds_canary(&desk.folder()), Vec::<String>::new());
}
