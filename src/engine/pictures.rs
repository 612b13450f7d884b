//! Pictures of the step in hand, no more of them than an eye follows. The first is told at once; of those that come too soon
//! the last is told when its time has come: what a step says before it waits is never lost.
//!
//! Owns when a picture is told; `core` tells it.

use std::{sync::Mutex, time::Duration};

use tokio::{sync::Notify, time::Instant};

use super::core::lock;
use crate::run::{Progress, StepId};

/// Least time between two pictures of a step.
const BETWEEN: Duration = Duration::from_millis(500);

/// When the last was told, and what came since.
#[derive(Default)]
pub struct Pictures {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    told: Option<(StepId, Instant)>,
    kept: Option<Progress>,
}

impl Pictures {
    /// The picture back, where it is to be told at once: of another step, of a bar that is full, or long after the last.
    pub fn now(&self, picture: Progress) -> Option<Progress> {
        let mut state = lock(&self.state);
        let is_soon = state.told.as_ref().is_some_and(|(step, at)| *step == picture.step && at.elapsed() < BETWEEN);
        let is_full = picture.bar.is_some_and(|(done, total)| done >= total);
        if is_soon && !is_full {
            state.kept = Some(picture);
            self.changed.notify_one();
            return None;
        }
        *state = State { told: Some((picture.step.clone(), Instant::now())), kept: None };
        Some(picture)
    }

    /// Waits for a picture that came too soon and was not followed by another. May be dropped while it waits.
    pub async fn late(&self) -> Progress {
        loop {
            let due = {
                let state = lock(&self.state);
                state.kept.as_ref().and(state.told.as_ref()).map(|(_, at)| *at + BETWEEN)
            };
            let Some(due) = due else {
                self.changed.notified().await;
                continue;
            };
            tokio::time::sleep_until(due).await;
            let mut state = lock(&self.state);
            // another one may have been told meanwhile
            if state.told.as_ref().is_some_and(|(_, at)| at.elapsed() >= BETWEEN)
                && let Some(picture) = state.kept.take()
            {
                state.told = Some((picture.step.clone(), Instant::now()));
                return picture;
            }
        }
    }

    /// Lets go of what was not told: the step has ended, or asks.
    pub fn forget(&self) {
        lock(&self.state).kept = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(step: &str, sentence: &str) -> Progress {
        let (step, sentence) = (StepId(step.to_owned()), sentence.to_owned());
        Progress { step, sentence, rows: Vec::new(), bar: None, left_s: None }
    }

    fn told(picture: Option<Progress>) -> Option<String> {
        picture.map(|picture| picture.sentence)
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_of_many_is_told_when_its_time_has_come() {
        let pictures = Pictures::default();
        assert_eq!(told(pictures.now(picture("a", "1"))).as_deref(), Some("1"));
        assert_eq!(told(pictures.now(picture("a", "2"))), None);
        assert_eq!(told(pictures.now(picture("a", "3"))), None);
        let begun = Instant::now();
        // a command of the operator drops the wait, and it is taken up again
        tokio::select! {
            _ = pictures.late() => panic!("too soon"),
            () = tokio::time::sleep(BETWEEN / 2) => {}
        }
        assert_eq!(pictures.late().await.sentence, "3");
        assert_eq!(begun.elapsed(), BETWEEN);
        assert_eq!(told(pictures.now(picture("a", "4"))), None, "that one counts as told");
        assert_eq!(told(pictures.now(picture("b", "5"))).as_deref(), Some("5"), "another step");
        tokio::time::advance(BETWEEN).await;
        assert_eq!(told(pictures.now(picture("b", "6"))).as_deref(), Some("6"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_let_go_or_followed_is_not_told() {
        let pictures = Pictures::default();
        for sentence in ["1", "2"] {
            let _ = pictures.now(picture("a", sentence));
        }
        pictures.forget();
        let full = Progress { bar: Some((7, 7)), ..picture("a", "full") };
        let _ = pictures.now(picture("a", "3"));
        assert_eq!(told(pictures.now(full)).as_deref(), Some("full"), "a full bar is told at once");
        assert!(tokio::time::timeout(BETWEEN * 4, pictures.late()).await.is_err());
    }
}
