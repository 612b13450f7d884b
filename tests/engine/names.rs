//! A name that is more than a word: it stays one part of the address under which its settings are read and written.

use drydock::run::Stopped;

use crate::{
    crash::answers,
    drive::{Clerk, Desk, pixelcore},
    world::{Fake, State},
};

#[tokio::test(start_paused = true)]
async fn settings_under_a_name_with_signs_of_an_address_are_put_back_under_it() {
    let (_home, mut answers) = answers();
    answers["steps"]["announce"] = serde_json::json!({"choose": ["again"]});
    // its form takes only plain names by hand; what the application calls something is its own affair
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    let name = "geo east? 50%23";
    let before = {
        let mut state = desk.fake.state();
        let settings = state.settings.get_mut("plant").unwrap();
        let geo = settings.remove("geo").unwrap();
        settings.insert(name.to_owned(), geo.clone());
        geo
    };
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
    let after = desk.fake.state().settings["plant"][name].clone();
    assert_eq!((&after["source"], &after["settings"]), (&before["source"], &before["settings"]));
    assert_eq!(desk.fake.state().settings["plant"].len(), 3);
}
