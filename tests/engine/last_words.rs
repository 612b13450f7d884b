//! What pods say while a step waits for them goes into its output: to the last line, and only of the deployment's own.

use drydock::run::Stopped;

use crate::{
    crash::{answers, whole},
    drive::{Clerk, Desk},
};

#[tokio::test(start_paused = true)]
async fn the_last_line_of_a_pod_is_written_and_a_neighbours_is_not() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let frozen = |call: &String| call.starts_with("scale ");
    let before = moments.iter().rfind(|moment| !moment.state.calls.iter().any(frozen)).unwrap();
    let desk = Desk::after(before, None);
    desk.fake.says_last("pix-core-5d8f7c9b6d-x2x7k", "cannot reach the broker");
    desk.fake.says_last("ledger-0", "a booking of a neighbour");
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
    let written: String = std::fs::read_dir(desk.folder().join("output"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(written.contains("cannot reach the broker"), "{written}");
    assert!(!written.contains("of a neighbour"), "{written}");
}
