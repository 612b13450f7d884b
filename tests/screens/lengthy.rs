//! The same questions where names and reasons are as long as they may be.

use drydock::{
    run::{Choice, Progress, Question, Row, Sign},
    text::Diagnostic,
};

use crate::telling::step;

/// A name of the greatest length that Kubernetes allows for a namespace.
pub const LONG: &str = "pixelcore-production-frankfurt-tenant-0042-plant-north-line-007";
/// What a vault says whose last save was cut.
pub const DAMAGED: &str = "cannot open the vault: the vault file has 3,072 of the 4,412 bytes that were saved at \
    21:15:40; the passphrase was not tested, and the version of 21:13:02 beside it is whole";

fn choice(id: &str, label: &str, cost: &str) -> Choice {
    Choice { id: id.into(), label: label.into(), cost: cost.into() }
}

/// A part that does not get ready, in a long pod.
pub fn long_problem() -> Diagnostic {
    Diagnostic::new(format!(
        "{LONG}-decoder-milesight-7d9f7c5b8-x2k4q does not get ready: no node has 4 GiB free memory"
    ))
    .cause("0/6 nodes are available: 3 Insufficient memory, 3 node(s) had untolerated taint {dedicated: database}")
    .proves("it has not changed for 90 s and does not get better by waiting")
    .safe("the dump, proven; the volumes of the version before; the vault")
    .help("mend the cause, then try again: what is ready stays")
}

/// The same as a question; what an option costs is long, too.
pub fn failed_long() -> Question {
    Question::Choose {
        step: step("ready"),
        problem: long_problem(),
        choices: vec![
            choice("retry", "Try this step again", "what is done is not done again"),
            choice(
                "again:dump",
                "Go back to 2.3 Dump the database",
                "about 4 min, does 2.3, 2.4, 2.5, 3.1, 3.2, 3.3 again",
            ),
            choice("stop", "Leave it paused, look first", "changes nothing"),
        ],
        recommended: 0,
    }
}

/// More to be known than a screen holds.
pub fn confirm_long() -> Question {
    let line =
        |n: usize| format!("{n}. Look at worker {LONG}-{n} in Pixel Admin, tab applications, and press its button.");
    Question::Confirm {
        step: step("release"),
        text: (1..=12).map(line).collect(),
        button: "The writers may run".into(),
        person: false,
    }
}

/// A resume where what is there takes many words.
pub fn resume_long() -> Question {
    let row = |sign, name: &str, says: &str, so: &str| (sign, name.to_owned(), says.to_owned(), so.to_owned());
    let part = format!("33 of 41 are gone; still there: StatefulSet {LONG}-db and 7 others");
    Question::Resume {
        rows: vec![
            row(Sign::Done, "1.1 Record what is deployed", "PixelCore 4.8.2, release pixelcore", "done"),
            row(Sign::Done, "2.5 Rehearse the restore", "48 of 48 tables have the dump's rows, by content", "done"),
            row(
                Sign::Failed,
                "3.1 Read the settings again",
                "lns-eu: owner was edited since it was confirmed",
                "failed",
            ),
            row(Sign::Uncertain, "3.3 Delete the old deployment", &part, "part"),
        ],
        uncertain: vec![format!("3.3 Delete the old deployment was begun and its end was not written: {part}")],
        choices: vec![
            choice("go-on", "Go on", "asks for the typed words again"),
            choice("look", "Only look, leave it paused", ""),
        ],
        recommended: 1,
    }
}

/// Parts of a deployment: ready, starting, stuck for two reasons.
pub fn parts() -> Vec<Row> {
    let row = |sign, word: &str, name: &str, detail: &str| Row {
        sign,
        word: word.into(),
        name: name.into(),
        detail: detail.into(),
    };
    vec![
        row(Sign::Done, "ready", "pix-db", "1 of 1"),
        row(Sign::Done, "ready", "pix-core", "1 of 1"),
        row(Sign::Running, "starting", "pix-admin", "20 s · Readiness probe failed: HTTP 503"),
        row(Sign::Careful, "stuck", "pix-worker", "0/6 nodes are available: 6 Insufficient memory, largest is 2.6 GiB"),
        row(
            Sign::Careful,
            "stuck",
            "pix-ingest",
            "the image registry.example.net/pix/ingest:5.0.0 cannot be fetched: not found",
        ),
    ]
}

/// How a wait stands.
pub fn waiting(rows: Vec<Row>) -> Progress {
    let ready = rows.iter().filter(|row| row.sign == Sign::Done).count();
    let sentence = format!("{ready} of {} parts are ready", rows.len());
    Progress { step: step("ready"), sentence, rows, bar: None, left_s: None }
}
