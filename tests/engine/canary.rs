//! Canaries: secrets that were typed, found, read from files, or typed where they do not belong, appear in no journal, draft,
//! output, event, Debug text, error, prompt or argument.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex},
};

use drydock::{
    plain::Say,
    ports::PortErrorKind,
    run::{Event, FieldInput, Question, Reply, Stopped},
};
use secrecy::SecretString;
use serde_json::json;

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, pixelcore},
    world::{Fake, PASSPHRASE, State},
};

/// Typed, found in full, found beyond the form, from the environment file, the vault's own, and some typed by mistake.
const SECRETS: [&str; 10] = [
    "tok-eu-4711",
    "tok-us-0815",
    "extra-us-99",
    "mail-of-geo-31",
    "hunter-of-rows",
    "door-opener-77",
    PASSPHRASE,
    "wrong horse battery",
    "pasted-into-text",
    "typed-with-a-bell",
];

/// The secrets, as they are and as base64 or JSON would carry them.
fn forms() -> Vec<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    SECRETS.iter().flat_map(|secret| [(*secret).to_owned(), STANDARD.encode(secret)]).collect()
}

pub fn is_clean(text: &str, what: &str) {
    for secret in forms() {
        assert!(!text.contains(&secret), "{secret} is in {what}: {text}");
    }
}

fn folder_is_clean(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += folder_is_clean(&path);
        } else {
            files += 1;
            is_clean(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()), &path.display().to_string());
        }
    }
    files
}

pub fn world_is_clean(desk: &Desk) {
    assert!(folder_is_clean(&desk.folder()) > 5);
    for call in &desk.fake.state().calls {
        is_clean(call, "arguments");
    }
}

/// The upgrade with a mistake at every place where a secret is typed, and with failures while secrets travel.
#[tokio::test(start_paused = true)]
async fn no_secret_leaves_the_vault() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let mut failing = ["helm get", "keep lns", "program helm", "sql plant", "PUT plant"].into_iter();
    let all = Arc::new(Mutex::new(String::new()));
    let clumsy = Arc::new(Mutex::new(vec!["vault", "text", "bell", "elsewhere"]));
    let mut desk = desk;
    for round in 0.. {
        assert!(round < 12, "{}", all.lock().unwrap());
        if let Some(call) = failing.next() {
            desk.fake.fail(call, PortErrorKind::Other);
        }
        let keep = Arc::clone(&all);
        let left = Arc::clone(&clumsy);
        let clerk = Clerk::hooked(answers.clone(), move |event| {
            writeln!(keep.lock().unwrap(), "{event:?}\n{}", serde_json::to_string(event).unwrap()).unwrap();
            let Event::Asking { question, .. } = event else { return None };
            let once = |what| {
                let mut left = left.lock().unwrap();
                left.iter().position(|one| *one == what).map(|at| left.remove(at))
            };
            let set = |field: &str, input| {
                Act::Say(Say::Reply(Reply::Set { item: "lns-eu".into(), field: field.into(), input }))
            };
            let secret = |field: &str, text: &str| {
                Act::Say(Say::Secret { item: "lns-eu".into(), field: field.into(), secret: SecretString::from(text) })
            };
            match &**question {
                Question::Vault { .. } => {
                    once("vault").map(|_| vec![Act::Say(Say::Passphrase(SecretString::from("wrong horse battery")))])
                }
                Question::Form { step, .. } if step.0 == "lns" => once("text")
                    .map(|_| vec![set("token", FieldInput::Text("pasted-into-text".into()))])
                    .or_else(|| once("bell").map(|_| vec![secret("token", "typed-with-a-bell\u{7}")]))
                    .or_else(|| once("elsewhere").map(|_| vec![secret("owner", "pasted-into-text")])),
                _ => None,
            }
        });
        let ride = desk.go(clerk).await;
        is_clean(&format!("{:?}", ride.stopped), "the end");
        if ride.stopped == Stopped::Finished {
            assert!(round >= 5 && clumsy.lock().unwrap().is_empty(), "round {round}, {clumsy:?}");
            break;
        }
        desk = desk.again();
    }
    is_clean(&all.lock().unwrap(), "events");
    world_is_clean(&desk);
    // the canaries are alive: the vault and the application have them
    let state = desk.fake.state();
    let kept: Vec<String> =
        state.vault.values().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect();
    for secret in ["tok-eu-4711", "tok-us-0815", "extra-us-99", "mail-of-geo-31", "hunter-of-rows"] {
        assert!(kept.iter().any(|value| value.contains(secret)), "{secret}");
    }
    assert_eq!(state.settings["plant"]["lns-eu"]["token"], json!("tok-eu-4711"));
    assert_eq!(state.settings["plant"]["geo"]["settings"], json!({"s": 30, "smtp": {"pass": "mail-of-geo-31"}}));
    assert_eq!(state.settings["plant"]["lns-us"]["region"]["key"], json!("extra-us-99"));
}

#[tokio::test(start_paused = true)]
async fn the_line_prompts_print_no_secret_and_no_escape() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let (stopped, out) = desk.go_plain(answers).await;
    assert_eq!(stopped, Stopped::Finished, "{out}");
    is_clean(&out, "the prompts");
    assert!(out.contains("finished. 25 of 25 steps are done"), "{out}");
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    world_is_clean(&desk);
}
