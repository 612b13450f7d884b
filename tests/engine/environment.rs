//! The environment file: what is not the whole file of this deployment goes no further than its field.

use drydock::run::{Question, Stopped};

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore, upgrade},
    world::{Fake, State},
};

#[tokio::test(start_paused = true)]
async fn a_file_with_a_line_missing_or_changed_is_refused_at_its_field() {
    let (home, _) = answers();
    let whole = std::fs::read_to_string(home.path().join("plant.env")).unwrap();
    let without: String =
        whole.lines().filter(|line| !line.starts_with("PIX_API_USER")).map(|l| format!("{l}\n")).collect();
    let cases = [
        (without, "pix-core runs with PIX_API_USER, and the file does not have it"),
        (whole.replace("hunter-of-rows", "hunter-of-rowz"), "PIX_DB_PASSWORD differs from what pix-core runs with"),
    ];
    for (text, told) in cases {
        let path = home.path().join("other.env");
        std::fs::write(&path, text).unwrap();
        let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
        let ride = desk.go(Clerk::new(upgrade(&path))).await;
        assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{told}: {:?}", ride.stopped);
        let questions = ride.questions();
        let Some(Question::Form { items, .. }) = questions.last() else { panic!("{told}: {questions:?}") };
        let fault = items[0].faults.values().next().unwrap_or_else(|| panic!("{told}: {items:?}"));
        assert!(fault.contains(told), "{fault}");
        assert!(!fault.contains("hunter"), "{fault}");
    }
}
