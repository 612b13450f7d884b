//! Logs of containers, also of those that do not exist yet.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What happened to the stream itself. Shown inside the log where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNote {
    /// No pod matches yet.
    Waiting,
    /// Lines of this pod and container follow.
    Opened,
    /// The stream ended early; the next try comes in so many seconds.
    Cut { retry_in_s: u64 },
    /// It is back after so many seconds; so many lines were caught up.
    Back { after_s: u64, caught_up: u64 },
    /// Lines between these times cannot be had any more.
    Gap { from: Timestamp, to: Timestamp },
    /// The container restarted; the number counts its restarts.
    Restarted { restarts: u32 },
    /// The pod is gone or its container ended for good.
    Ended,
    /// It may not be read: this right is missing, as `get on pods/log`. It is not asked for again.
    Refused { right: String },
}

/// One line, or a note about the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLine {
    /// A line of a container. `text` is raw: show it through `Printable` only.
    Line { pod: String, container: String, at: Timestamp, text: String },
    /// A note.
    Note { pod: String, container: String, note: LogNote },
}

/// Follows logs.
#[async_trait]
pub trait Logs: Send + Sync {
    /// Follows every container, init containers too, of every pod that matches `selector` (label selector) in `namespace`,
    /// from `since` on, through restarts and reconnects, each line once, until cancelled. Lines come as the node wrote them:
    /// stamps of stdout and stderr are not in order. Lines longer than 64 KiB are cut with a mark.
    async fn follow(
        &self,
        namespace: &str,
        selector: &str,
        since: Timestamp,
        to: mpsc::Sender<LogLine>,
        cancel: CancellationToken,
    );
}
