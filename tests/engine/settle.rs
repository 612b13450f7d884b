//! Settings that no interface shows: each one is settled by a human after the upgrade, and none is forgotten.

use drydock::{
    plain::Say,
    run::{Event, Outcome, Question, ReapplyState, Record, Reply, RunState, Stopped, report},
};
use serde_json::{Value, json};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, pixelcore},
    world::{Fake, State},
};

/// Answers with two other settings.
fn with_others(put_other: Value) -> (tempfile::TempDir, Value) {
    let (home, mut answers) = answers();
    answers["steps"]["other"] = json!({
        "items": {"dashboard-theme": {"value": "dark"}, "map-layer": {"value": "osm"}}, "confirm": "all"
    });
    answers["steps"]["put_other"] = put_other;
    (home, answers)
}

#[tokio::test(start_paused = true)]
async fn other_settings_are_seen_by_eye_or_left_out_with_a_reason() {
    let (_home, one) = with_others(json!({"by_eye": ["dashboard-theme"]}));
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(Clerk::new(one)).await;
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "one is open: {:?}", ride.stopped);
    let questions = ride.questions();
    let Some(Question::Reapply { step, items }) = questions.last() else { panic!("{questions:?}") };
    assert_eq!(step.0, "put_other");
    assert_eq!(items.iter().map(|item| item.state).collect::<Vec<_>>(), [ReapplyState::ByEye, ReapplyState::ByHand]);
    assert!(items[1].fields.contains(&("value".to_owned(), "osm".to_owned())), "{:?}", items[1]);

    // what an eye has seen stands, whoever asks next
    let (_home, other) = with_others(json!({"waive": {"map-layer": "the new version has no layers"}}));
    let ride = desk.again().go(Clerk::new(other)).await;
    assert_eq!(ride.stopped, Stopped::Finished, "{:?}", ride.questions().last());
    let asked = ride.questions().into_iter().find_map(|question| match question {
        Question::Reapply { step, items } if step.0 == "put_other" => Some(items.clone()),
        _ => None,
    });
    let states: Vec<ReapplyState> = asked.unwrap().iter().map(|item| item.state).collect();
    assert_eq!(states, [ReapplyState::ByEye, ReapplyState::ByHand], "in the next process");

    let (_home, both) =
        with_others(json!({"by_eye": ["dashboard-theme"], "waive": {"map-layer": "the new version has no layers"}}));
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    assert_eq!(desk.go(Clerk::new(both)).await.stopped, Stopped::Finished);
    let told = desk.entries().into_iter().find_map(|entry| match entry.record {
        Record::Ended { step, outcome: Outcome::Done { summary, .. }, .. } if step.0 == "put_other" => Some(summary),
        _ => None,
    });
    assert_eq!(told.unwrap(), "0 of 2 read back the same, 1 by eye, 1 waived");
}

#[tokio::test(start_paused = true)]
async fn what_was_left_out_is_not_written_by_the_next_attempt() {
    let (_home, mut answers) = answers();
    // two that the application does not take: a human leaves one out, and goes before the other is settled
    answers["steps"]["put_workers"] = json!({"waive": {"geo": "the new version has it built in"}});
    let mut state = State::with_deployment("test");
    state.refuses = vec!["geo".to_owned(), "mailer".to_owned()];
    let worker = json!({"kind": "worker", "active": true, "source": "s", "settings": {}});
    state.settings.get_mut("plant").unwrap().insert("mailer".into(), worker);
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{:?}", ride.stopped);
    let written = |desk: &Desk, name: &str| desk.fake.calls(&format!("PUT plant /api/applications/{name}")).len();
    let before = (written(&desk, "geo"), written(&desk, "mailer"));
    answers["steps"]["put_workers"] = json!({"waive": {"mailer": "the new version has it built in"}});
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
    assert_eq!((written(&desk, "geo"), written(&desk, "mailer")), (before.0, before.1 + 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_application_does_not_take_is_written_down_with_its_reason_and_a_further_try_is_told() {
    let (_home, answers) = answers();
    let mut state = State::with_deployment("test");
    state.rejects = vec!["lns-eu".to_owned()];
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let mut written = false;
    let hook = move |event: &Event| match event {
        Event::Asking { question, .. } if question.step().is_some_and(|step| step.0 == "put_lns") => {
            let write = Act::Say(Say::Reply(Reply::Write { item: "lns-eu".into() }));
            Some(vec![if std::mem::replace(&mut written, true) { Act::Leave } else { write }])
        }
        _ => None,
    };
    let ride = desk.go(Clerk::hooked(answers, hook)).await;
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{:?}", ride.stopped);
    let answer = "answered with status 400: token ••••••••: not taken";
    let asked: Vec<_> = ride
        .questions()
        .into_iter()
        .filter_map(|question| match question {
            Question::Reapply { items, .. } => items.iter().find(|item| item.id == "lns-eu"),
            _ => None,
        })
        .map(|item| (item.state, item.sentence.clone(), item.again.is_some()))
        .collect();
    let told = format!("PUT /api/applications/lns-eu was {answer}");
    let refused = |again| (ReapplyState::Refused, told.clone(), again);
    assert_eq!(asked, [refused(false), refused(true)]);

    let entries = desk.entries();
    let run = RunState::of(entries.iter().map(|entry| (entry.at, &entry.record)));
    let put = run.effects.iter().filter(|effect| effect.effect == "put /api/applications/lns-eu");
    assert_eq!(put.map(|effect| effect.result.as_deref()).collect::<Vec<_>>(), [Some(answer), Some(answer)]);
    let records: Vec<_> = entries.into_iter().map(|entry| (entry.at, entry.record)).collect();
    let report = report::markdown(&run, &records);
    assert!(report.contains(&format!("put /api/applications/lns-eu: {answer}")), "{report}");
    let log = std::fs::read_to_string(desk.folder().join("output/put_lns.log")).unwrap();
    assert_eq!(log.lines().filter(|line| line.ends_with(&told)).count(), 2, "{log}");
    assert!(!report.contains("tok-eu-4711") && !log.contains("tok-eu-4711"));
}
