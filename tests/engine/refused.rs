//! A deletion that the target refuses was not made: what is offered then is what was offered before it. One whose answer was
//! lost may have been made.

use drydock::{
    plain::Say,
    ports::PortErrorKind,
    run::{Event, Question, Record, Reply, Stopped},
};

use crate::{
    crash::answers,
    drive::{Act, Clerk, Desk, pixelcore},
    world::{Fake, State},
};

/// A removal whose first deletion ends like this: what was offered then, what was written of it, and how the run ended.
async fn first_deletion(kind: PortErrorKind, choice: &'static str) -> (Vec<String>, Vec<Record>, Stopped) {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    for object in ["ConfigMap", "Deployment", "PersistentVolumeClaim", "Secret", "Service", "StatefulSet"] {
        desk.fake.fail(&format!("delete {object} plant/pix"), kind);
        desk.fake.fail(&format!("delete {object} plant/data"), kind);
    }
    let clerk = Clerk::hooked(answers, move |event| match event {
        Event::Asking { question, .. } => match &**question {
            Question::Choose { choices, .. } if choices.iter().any(|known| known.id == choice) => {
                Some(vec![Act::Say(Say::Reply(Reply::Choose { choice: choice.into() }))])
            }
            // what is not offered would be asked for without end
            Question::Choose { .. } => Some(vec![Act::Leave]),
            _ => None,
        },
        _ => None,
    });
    let ride = desk.go(clerk).await;
    let offered = ride.questions().into_iter().find_map(|question| match question {
        Question::Choose { choices, .. } => Some(choices.iter().map(|choice| choice.id.clone()).collect()),
        _ => None,
    });
    let of_removal = |record: &Record| match record {
        Record::Effect { step, .. } | Record::Effected { step, .. } | Record::Refused { step, .. } => {
            step.0 == "remove"
        }
        _ => false,
    };
    let written = desk.entries().into_iter().map(|entry| entry.record).filter(of_removal).collect();
    (offered.unwrap_or_default(), written, ride.stopped)
}

#[tokio::test(start_paused = true)]
async fn a_refused_deletion_leaves_the_roll_back_open() {
    for kind in [PortErrorKind::Forbidden, PortErrorKind::Conflict, PortErrorKind::Invalid] {
        let (offered, written, stopped) = first_deletion(kind, "roll-back").await;
        assert!(offered.contains(&"roll-back".to_owned()) && !offered.contains(&"way-back".to_owned()), "{offered:?}");
        assert!(matches!(&written[..], [Record::Effect { .. }, Record::Refused { .. }]), "{kind:?}: {written:?}");
        assert_eq!(stopped, Stopped::RolledBack, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_without_an_answer_counts_as_made() {
    for kind in [PortErrorKind::ConnectionLost, PortErrorKind::Timeout, PortErrorKind::Unreachable] {
        let (offered, written, stopped) = first_deletion(kind, "stop").await;
        assert!(offered.contains(&"way-back".to_owned()) && !offered.contains(&"roll-back".to_owned()), "{offered:?}");
        assert!(matches!(&written[..], [Record::Effect { .. }]), "{kind:?}: {written:?}");
        assert!(matches!(stopped, Stopped::Failed { .. }), "{kind:?}: {stopped:?}");
    }
}
