//! Going back: to the last step that a human answered, with all that was typed; what was built on it is done again, and
//! nothing else; never once a removal was begun.

use std::collections::BTreeMap;

use drydock::{
    plain::Say,
    run::{Event, FieldValue, Outcome, Question, Record, Reply, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, Ride, pixelcore, walk},
    world::{Fake, State},
};

/// Answers from the script, but goes back at these steps, one after the other; an empty name is the plan, from its second
/// time on.
fn going_back(answers: Value, at: &'static [&'static str]) -> Clerk {
    let mut at = at.iter().copied().peekable();
    Clerk::hooked(answers, move |event| {
        let Event::Asking { number, question } = event else { return None };
        let step = match &**question {
            Question::Approve if *number > 1 => "",
            question => question.step()?.0.as_str(),
        };
        at.next_if_eq(&step)?;
        Some(vec![Act::Say(Say::Reply(Reply::Back))])
    })
}

/// How often each step was begun.
fn begun(desk: &Desk) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for entry in desk.entries() {
        if let Record::Intent { step, .. } = entry.record {
            *times.entry(step.0).or_default() += 1;
        }
    }
    times
}

fn reopened(desk: &Desk) -> Vec<Vec<String>> {
    let steps = |record| match record {
        Record::Reopened { steps, .. } => Some(steps.into_iter().map(|step| step.0).collect()),
        _ => None,
    };
    desk.entries().into_iter().filter_map(|entry| steps(entry.record)).collect()
}

/// Forms in the order they were put, each as often as it was opened.
fn forms(ride: &Ride) -> Vec<&str> {
    let mut opened: Vec<&str> = Vec::new();
    for question in ride.questions() {
        let name = match question {
            Question::Form { step, .. } => step.0.as_str(),
            Question::Approve => "the plan",
            _ => continue,
        };
        if opened.last() != Some(&name) {
            opened.push(name);
        }
    }
    opened
}

#[tokio::test(start_paused = true)]
async fn a_form_leads_back_to_the_one_before_with_all_that_was_typed() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(going_back(answers, &["workers"])).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(forms(&ride), ["the plan", "environment", "lns", "workers", "lns", "workers", "other"]);
    assert_eq!(reopened(&desk), [["lns", "workers"]]);
    let questions = ride.questions();
    let first = questions.iter().position(|q| q.step().is_some_and(|step| step.0 == "workers")).unwrap();
    let Question::Form { items, .. } = questions[first + 1] else { panic!("{:?}", questions[first + 1]) };
    assert!(items.iter().all(|item| item.confirmed), "nothing has to be confirmed twice: {items:?}");
    let token = items.iter().find(|item| item.id == "lns-eu").map(|item| &item.values["token"]);
    assert!(matches!(token, Some(FieldValue::Secret { length: 11, .. })), "{token:?}");
    let kept = desk.fake.state().vault.iter().find(|((_, name), _)| name == "lns/lns-eu/token").unwrap().1.1.clone();
    assert_eq!(kept, b"tok-eu-4711");
}

#[tokio::test(start_paused = true)]
async fn what_was_built_on_a_reopened_form_is_done_again_and_nothing_else() {
    let sure = "          - id: sure
            title: Are all told
            why: A human says so.
            do: {confirm: {text: [\"All are told.\"], button: They are}}
            estimate: 5 s
          - id: keep\n";
    let text = pixelcore().replacen("          - id: keep\n", sure, 1);
    let (_home, mut answers) = answers();
    answers["steps"]["sure"] = json!({"go_on": true});
    let desk = Desk::begin(&text, Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(going_back(answers.clone(), &["sure"])).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(reopened(&desk), [["other", "preflight", "settings", "sure"]]);
    let times = begun(&desk);
    for (step, wanted) in [("other", 2), ("preflight", 2), ("settings", 2), ("freeze", 1), ("dump", 1), ("rehearse", 1)]
    {
        assert_eq!(times[step], wanted, "{step}: {times:?}");
    }

    // the rehearsal installed the environment file: with another one it proves nothing
    let desk = Desk::begin(&text, Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(going_back(answers, &["sure", "other", "workers", "lns"])).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let times = begun(&desk);
    for (step, wanted) in
        [("version", 1), ("environment", 2), ("freeze", 1), ("dump", 1), ("files", 1), ("rehearse", 2)]
    {
        assert_eq!(times[step], wanted, "{step}: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_form_leads_back_to_the_plan_and_the_run_goes_on() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(going_back(answers.clone(), &["environment"])).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(&forms(&ride)[..4], ["the plan", "environment", "the plan", "environment"]);

    // whoever leaves at the plan comes back to the form
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(going_back(answers.clone(), &["environment", ""])).await;
    let Stopped::Paused { reason } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(reason.starts_with("left at the plan"), "{reason}");
    let desk = desk.again();
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(forms(&ride)[0], "environment");
}

#[tokio::test(start_paused = true)]
async fn once_a_removal_was_begun_no_step_is_opened_again() {
    let told = "          - id: told
            title: Are all told
            why: A human says so.
            do: {confirm: {text: [\"All are told.\"], button: They are}}
            estimate: 5 s
          - id: gone\n";
    let text = pixelcore().replacen("          - id: gone\n", told, 1);
    let (_home, mut answers) = answers();
    answers["steps"]["told"] = json!({"go_on": true});
    let desk = Desk::begin(&text, Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(going_back(answers.clone(), &["told"])).await;
    let Stopped::Paused { reason } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    assert!(reason.contains("the removal was begun"), "{reason}");
    assert!(reopened(&desk).is_empty());
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_must_not_be_done_twice_asks_before_it_is() {
    // strike rests on what was confirmed at look
    let text = include_str!("../data/four-steps.yaml");
    let (head, steps) = text.split_once("          - id: say").unwrap();
    let look = "          - id: look
            title: Look at it
            why: A human looks.
            do: {confirm: {text: [\"Look.\"], button: It is well}}
            estimate: 5 s\n";
    let strike = "          - id: strike
            title: Strike once
            why: Twice would be wrong.
            do: {run: {on: here, command: [strike, \"{{ steps.look }}\"]}}
            estimate: 5 s\n";
    let end = &steps[steps.find("          - id: end").unwrap()..];
    let text = format!("{head}{look}{strike}{end}");
    let desk = Desk::begin(&text, Fake::new(State::default())).await;
    let mut script = walk();
    script["steps"]["strike"] = json!({"choose": ["done"]});
    let ride = desk.go(going_back(script, &["end"])).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!(reopened(&desk), [["look", "strike", "end"]]);
    assert_eq!(desk.fake.calls("program strike").len(), 1, "not without a word");
    let said = desk.entries().into_iter().any(|entry| {
        matches!(entry.record, Record::Ended { step, outcome: Outcome::Done { summary, .. }, .. }
            if step.0 == "strike" && summary.contains("was done before"))
    });
    assert!(said);
}

/// Goes back from the gate, makes these choices one after the other, then leaves where the next one is asked.
fn from_the_gate(answers: Value, choices: &'static [&'static str]) -> Clerk {
    let (mut gates, mut choices) = (0, choices.iter());
    Clerk::hooked(answers, move |event| {
        let Event::Asking { question, .. } = event else { return None };
        match &**question {
            Question::Gate { gate, .. } => {
                assert!(gate.is_open(), "{gate:?}");
                gates += 1;
                (gates == 1).then(|| vec![Act::Say(Say::Reply(Reply::Back))])
            }
            Question::Choose { .. } => Some(vec![
                choices
                    .next()
                    .map_or(Act::Leave, |choice| Act::Say(Say::Reply(Reply::Choose { choice: (*choice).to_owned() }))),
            ]),
            _ => None,
        }
    })
}

#[tokio::test(start_paused = true)]
async fn from_an_open_gate_one_comes_to_the_gate_the_settings_the_forms_or_a_pause() {
    let (_home, answers) = answers();
    let cases: [(&[&str], &[&str]); 3] = [
        (&["retry"], &[]),
        (&["again:settings"], &["settings"]),
        (&["again:other"], &["other", "preflight", "settings"]),
    ];
    for (choices, again) in cases {
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        let ride = desk.go(from_the_gate(answers.clone(), choices)).await;
        assert_eq!(ride.stopped, Stopped::Finished, "{choices:?}");
        let times = begun(&desk);
        let twice: Vec<&str> = times.iter().filter(|(_, times)| **times == 2).map(|(step, _)| step.as_str()).collect();
        let mut wanted: Vec<&str> = again.iter().copied().chain(["remove"]).collect();
        wanted.sort_unstable();
        assert_eq!(twice, wanted, "{choices:?}");
        let offered = ride.questions().into_iter().find_map(|question| match question {
            Question::Choose { choices, problem, .. } => Some((choices, problem)),
            _ => None,
        });
        let (offered, problem) = offered.unwrap();
        let ids: Vec<&str> = offered.iter().map(|choice| choice.id.as_str()).collect();
        assert_eq!(ids, ["retry", "again:settings", "again:other", "roll-back", "stop"], "{choices:?}");
        assert!(problem.what.contains("nothing was deleted"), "{problem:?}");
        let failed = |entry: &drydock::store::Entry<Record>| {
            matches!(&entry.record, Record::Ended { outcome: Outcome::Failed { .. }, .. })
        };
        assert!(!desk.entries().iter().any(failed), "who goes back has not failed");
    }
    // a pause there is a pause, and the gate comes again
    for choices in [&["stop"][..], &[]] {
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        let ride = desk.go(from_the_gate(answers.clone(), choices)).await;
        let Stopped::Paused { reason } = &ride.stopped else { panic!("{:?}", ride.stopped) };
        assert!(reason.contains("left the gate"), "{reason}");
        let desk = desk.again();
        assert_eq!(desk.go(Clerk::new(answers.clone())).await.stopped, Stopped::Finished);
    }
}
