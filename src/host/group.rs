//! A child and everything it started, as one process group.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

/// How often it is looked whether a group that was asked to end is gone.
const LOOK: Duration = Duration::from_millis(20);

/// The process group that a child leads. Dropping it before [`Group::leave`] kills it: an abandoned call leaves no
/// process behind.
pub(super) struct Group {
    leader: Option<Pid>,
}

impl Group {
    /// The group of a child that was started as the leader of a new one.
    pub(super) fn of(child: &Child) -> Self {
        Self { leader: child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) }
    }

    /// Asks all of it to end.
    pub(super) fn terminate(&self) {
        self.send(Signal::TERM);
    }

    /// Ends all of it.
    pub(super) fn kill(&self) {
        self.send(Signal::KILL);
    }

    /// Waits until nothing of it is left, at the latest until `deadline`.
    pub(super) async fn gone(&self, deadline: Instant) {
        while self.leader.is_some_and(|leader| test_kill_process_group(leader).is_ok()) && Instant::now() < deadline {
            sleep(LOOK).await;
        }
    }

    /// The program ended by itself: what it left running on purpose is not ours to end.
    pub(super) fn leave(mut self) {
        self.leader = None;
    }

    fn send(&self, signal: Signal) {
        // An error can only mean that nobody of the group is left, or none that we may signal. The kernel does not give
        // the number away while one member lives.
        let _gone = self.leader.map(|leader| kill_process_group(leader, signal));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
