//! Whom a run acts as: in its plan, its first record and its change record, and the same again when it is taken up.

use std::os::unix::fs::PermissionsExt;

use crate::{Place, say, terminals::at_terminal};

/// A chart and answers that approve nothing.
fn prepared(place: &Place) -> (String, String) {
    let folder = place.folder.path();
    std::fs::write(folder.join("Chart.yaml"), "name: pix\n").unwrap();
    let answers = folder.join("answers.yaml");
    std::fs::write(&answers, "format: 1\n").unwrap();
    std::fs::set_permissions(&answers, std::fs::Permissions::from_mode(0o600)).unwrap();
    (format!("chart={}", folder.display()), answers.display().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_written_down_and_holds_for_a_resume() {
    let mut place = Place::new().await;
    let (chart, answers) = prepared(&place);
    let config = place.laid();
    let bob = ["--as", "bob", "--as-group", "ops"];
    let on = ["-n", "plant", "--set", &chart];
    say(&config, &[&["plan"], &on[..], &bob[..]].concat(), &[]).holds(0, &["acts there as: bob (group ops)"]);
    let oneself = say(&config, &[&["plan"], &on[..]].concat(), &[]);
    assert!(!oneself.out.contains("acts there"), "{}", oneself.out);

    let begin = ["start", "--answers", &answers];
    say(&config, &[&begin, &on[..], &bob[..]].concat(), &[]).holds(5, &["Acts there as bob (group ops)."]);
    say(&config, &["show"], &[]).holds(0, &["acts there as bob (group ops)"]);
    say(&config, &["report"], &[]).holds(0, &["There the operator acted as bob (group ops)."]);
    let report: serde_json::Value =
        serde_json::from_str(&say(&config, &["report", "--format", "json"], &[]).out).unwrap();
    assert_eq!(report["acting"], serde_json::json!({"user": "bob", "groups": ["ops"]}));
    // the kubeconfig says nothing of bob, or another: the run's own word holds
    say(&config, &["resume", "--answers", &answers], &[]).holds(5, &["Acts there as bob (group ops)."]);
    place.user()["as"] = "eve".into();
    say(&place.laid(), &["resume", "--answers", &answers], &[]).holds(5, &["Acts there as bob (group ops)."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stands_on_the_plan_that_is_approved() {
    let place = Place::new().await;
    let (chart, _) = prepared(&place);
    let mut terminal =
        at_terminal(&place, &["start", "-n", "plant", "--set", &chart, "--as", "bob", "--as-group", "ops"]);
    terminal.wait_for("Approve and start");
    let screen = terminal.screen();
    assert!(screen.lines().any(|row| row.contains("Acts there as") && row.contains("bob (group ops)")), "{screen}");
    terminal.keys("<Ctrl-C>");
    terminal.ends();
    assert!(terminal.is_given_back());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_as_oneself_is_not_taken_up_as_somebody_else() {
    let mut place = Place::new().await;
    let (chart, answers) = prepared(&place);
    let begin = ["start", "--answers", &answers, "-n", "plant", "--set", &chart];
    let begun = say(&place.laid(), &begin, &[]);
    begun.holds(5, &["drydock resume"]);
    assert!(!begun.out.contains("Acts there"), "{}", begun.out);
    place.user()["as"] = "eve".into();
    let refused = ["acts as oneself", "now as eve", "Still safe", "You can: "];
    say(&place.laid(), &["resume", "--answers", &answers], &[]).holds(3, &refused);
}
