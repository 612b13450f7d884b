//! What a runbook says of its steps holds: one whose requirements are not met is not begun, and steps are known by the names
//! the runbook gives them.

use drydock::run::{Event, Question, Record, Stopped};

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore, walk},
    world::{Fake, State},
};

fn begun(desk: &Desk) -> Vec<String> {
    let intent = |record| if let Record::Intent { step, .. } = record { Some(step.0) } else { None };
    desk.entries().into_iter().filter_map(|entry| intent(entry.record)).collect()
}

async fn refused(text: &str) -> (Desk, String) {
    let desk = Desk::begin(text, Fake::new(State::default())).await;
    let mut script = walk();
    script["steps"]["look"]["choose"] = serde_json::json!(["stop"]);
    let ride = desk.go(Clerk::new(script)).await;
    let Stopped::Refused { problem } = &ride.stopped else { panic!("{:?}", ride.stopped) };
    let what = problem.what.clone();
    (desk, what)
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_requirements_do_not_hold_is_not_begun() {
    let text = include_str!("../data/three-steps.yaml").replace("command: [echo,", "command: [say,");
    let good = Desk::begin(&text, Fake::new(State::default())).await;
    good.fake.state().says.insert("say".into(), (0, "hello\n".into()));
    assert_eq!(good.go(Clerk::new(walk())).await.stopped, Stopped::Finished);

    // the step it requires does not apply here, so nothing of it was done
    let text = text.replace("It said {{ steps.say.output }}.", "Look.");
    let skipped = text.replacen(
        "            estimate: 5 s",
        "            when: \"inputs.word == 'no'\"\n            estimate: 5 s",
        1,
    );
    let (desk, what) = refused(&skipped).await;
    assert_eq!(what, "1.2 Look at it may not begin: it requires 1.1 Say a word, which is not done");
    assert!(begun(&desk).is_empty());

    // done, and it has proven nothing
    let unproven = text
        .replace("requires: {steps: [say]}", "requires: {proven: [say]}")
        .replace(", output_contains: \"hello\"", "");
    let (desk, what) = refused(&unproven).await;
    assert_eq!(what, "1.2 Look at it may not begin: it requires 1.1 Say a word, which has proven nothing in this run");
    assert_eq!(begun(&desk), ["say"]);
}

#[tokio::test(start_paused = true)]
async fn steps_are_known_by_the_names_the_runbook_gives_them() {
    // other names, and another `capture`, `patch` and `dump` before the ones that are meant
    let other = "          - id: glance
            title: Look what is deployed
            why: Only a look.
            do: {capture: {}}
            estimate: 10 s
          - id: version\n";
    let text = pixelcore()
        .replacen("          - id: version\n", other, 1)
        .replace("- id: settings\n", "- id: reread\n")
        .replace("checked_by: settings", "checked_by: reread")
        .replace("[version, environment, lns, workers, other]", "[version, environment, lns, other, workers]");
    let (_home, answers) = answers();
    let desk = Desk::begin(&text, Fake::new(State::with_deployment("test"))).await;
    let ride = desk.go(Clerk::new(answers)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    let gate = ride.events.iter().find_map(|event| match event {
        Event::Asking { question, .. } => match &**question {
            Question::Gate { gate, .. } => Some(gate),
            _ => None,
        },
        _ => None,
    });
    let steps: Vec<(&str, &str)> =
        gate.unwrap().locks.iter().map(|lock| (lock.name.as_str(), lock.step.as_str())).collect();
    assert!(steps.contains(&("gathered", "1.5")) && steps.contains(&("unchanged", "3.1")), "{steps:?}");
    // what is read with the values is what the named step saved
    let kept: Vec<String> = desk.fake.state().vault.keys().map(|(_, name)| name.clone()).collect();
    assert!(kept.contains(&"glance/values".to_owned()) && kept.contains(&"version/values".to_owned()), "{kept:?}");
}
