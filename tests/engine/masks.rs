//! A mask that the application shows in place of a value: told at its item, and neither kept nor written back.

use drydock::run::{Question, Stopped};
use serde_json::json;

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore},
    world::{Fake, State},
};

#[tokio::test(start_paused = true)]
async fn a_mask_in_settings_or_beside_every_field_is_a_fault_of_its_item() {
    let (_home, answers) = answers();
    for (item, member, value, told) in [
        ("geo", "settings", json!({"password": "********", "s": 30}), "settings.password"),
        ("geo", "source", json!("********"), "source"),
        ("geo", "access", json!({"keys": ["k", "\u{2022}\u{2022}\u{2022}"]}), "access.keys[1]"),
        ("lns-us", "password", json!("********"), "password"),
    ] {
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        desk.fake.state().settings.get_mut("plant").unwrap()[item][member] = value;
        let ride = desk.go(Clerk::new(answers.clone())).await;
        assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{told}: {:?}", ride.stopped);
        let questions = ride.questions();
        let Some(Question::Form { items, form, .. }) = questions.last() else { panic!("{told}: {questions:?}") };
        let found = items.iter().find(|found| found.id == item).unwrap();
        let fault = found.faults.values().next().unwrap_or_else(|| panic!("{told}: {found:?}"));
        assert!(fault.contains(&format!("only a mask for {told}")), "{fault}");
        assert!(!found.confirmed && !form.is_complete(found), "{told}");
        assert!(found.extra.is_empty() || member != "access" && member != "password", "{told}: {found:?}");
        let kept =
            |bytes: &[u8]| ["********", "\u{2022}"].iter().any(|mask| String::from_utf8_lossy(bytes).contains(mask));
        assert!(!desk.fake.state().vault.values().any(|(_, value)| kept(value)), "{told}: kept in the vault");
        assert!(!kept(&std::fs::read(desk.folder().join("answers.json")).unwrap()), "{told}: kept in the form");
    }
}
