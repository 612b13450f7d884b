//! A form that was confirmed and is lost: everything that needs it refuses, and goes on once it is put back.

use std::path::Path;

use drydock::run::{Outcome, Record, Stopped};
use serde_json::{Value, json};

use crate::{
    crash::{answers, clerk, end, paused, whole},
    drive::Desk,
    world::Moment,
};

/// Something that is done to answers.json.
type Loss = fn(&mut Value);

/// Ways to lose the form of the connections; each leaves a file that can be read as JSON.
const LOSSES: [(&str, Loss); 5] = [
    ("the form is gone", |all| {
        all.as_object_mut().unwrap().remove("lns");
    }),
    ("an empty form", |all| all["lns"] = json!({"items": [], "none_reason": ""})),
    ("an item is gone", |all| {
        all["lns"]["items"].as_array_mut().unwrap().pop();
    }),
    ("no form at all", |all| all["lns"] = json!({"items": "two"})),
    ("a form that was opened again", |all| all["lns"]["items"][0]["confirmed"] = json!(false)),
];

fn lose(desk: &Desk, loss: Loss) -> Vec<u8> {
    let file = desk.folder().join("answers.json");
    let before = std::fs::read(&file).unwrap();
    let mut all: Value = serde_json::from_slice(&before).unwrap();
    loss(&mut all);
    std::fs::write(&file, serde_json::to_vec(&all).unwrap()).unwrap();
    before
}

/// The last moment before the connections are put back.
fn before_put(moments: &[Moment]) -> &Moment {
    let begun = |moment: &Moment| {
        String::from_utf8_lossy(&moment.files[Path::new("journal.jsonl")]).contains("\"step\":\"put_lns\"")
    };
    let at = moments.iter().position(begun).unwrap();
    &moments[at - 1]
}

#[test]
fn connections_are_not_put_back_from_a_form_that_was_lost() {
    let (_home, mut answers) = answers();
    let (whole, moments) = paused().block_on(whole(&answers));
    for (what, loss) in LOSSES {
        let desk = Desk::after(before_put(&moments), None);
        let before = lose(&desk, loss);
        let ride = paused().block_on(desk.go(clerk(&desk, &answers)));
        assert_ne!(ride.stopped, Stopped::Finished, "{what}");
        let failed = desk.entries().into_iter().find_map(|entry| match entry.record {
            Record::Ended { step, outcome: Outcome::Failed { problem, .. }, .. } => Some((step, problem)),
            _ => None,
        });
        let (step, problem) = failed.unwrap_or_else(|| panic!("{what}: {:?}", ride.stopped));
        assert_eq!(step.0, "put_lns", "{what}");
        assert!(problem.what.contains("of step lns"), "{what}: {problem:?}");
        assert!(!problem.proves.is_empty() && !problem.safe.is_empty() && !problem.help.is_empty(), "{problem:?}");
        assert!(desk.fake.calls("PUT ").is_empty(), "{what}");

        std::fs::write(desk.folder().join("answers.json"), before).unwrap();
        let desk = desk.again();
        answers["steps"]["put_lns"]["choose"] = json!(["retry"]);
        let ride = paused().block_on(desk.go(clerk(&desk, &answers)));
        answers["steps"]["put_lns"]["choose"] = json!([]);
        assert_eq!(ride.stopped, Stopped::Finished, "{what}");
        assert_eq!(end(&desk.fake.state()), end(&whole.fake.state()), "{what}");
    }
}

#[test]
fn a_run_without_its_answers_is_not_opened_once_a_form_was_confirmed() {
    let (_home, answers) = answers();
    let (_whole, moments) = paused().block_on(whole(&answers));
    let desk = Desk::after(before_put(&moments), None);
    let file = desk.folder().join("answers.json");
    let before = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let problem = desk.reopened().unwrap_err();
    assert!(problem.what.contains("answers.json of the run is gone"), "{problem:?}");
    std::fs::write(&file, before).unwrap();
    desk.reopened().unwrap();
}
