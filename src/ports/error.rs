//! The one error type of every port: what was tried, what came back, and which family it belongs to.

/// The family of a failure, on which the core decides what can be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortErrorKind {
    /// The thing asked for does not exist.
    NotFound,
    /// The server knows us and refuses; `detail` holds its own words.
    Forbidden,
    /// The server does not accept our credentials (expired, revoked, absent).
    Unauthorized,
    /// No connection could be made, or no answer came in time, before anything was sent that could change something.
    Unreachable,
    /// The connection ended after the request was sent: what happened there is unknown.
    ConnectionLost,
    /// The object changed, exists already, or has another uid than the one expected.
    Conflict,
    /// The server refused the content (validation, admission, bad argument).
    Invalid,
    /// A bound on time was reached while the other side was answering.
    Timeout,
    /// The operator asked to stop.
    Cancelled,
    /// A file or disk on this machine.
    Io,
    /// Bytes arrived, and prove that they are not all or not the right ones.
    Integrity,
    /// The container or machine lacks a program or right that the call needs.
    Unsupported,
    /// Anything else; `detail` says what.
    Other,
}

/// A call to the world that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {detail}")]
pub struct PortError {
    /// The family.
    pub kind: PortErrorKind,
    /// What was tried, as a fragment: "cannot delete deployment pix-core in plant".
    pub what: String,
    /// What came back, in the other side's words. May hold anything: show it through `Printable` only.
    pub detail: String,
}

impl PortError {
    /// An error of `kind`: `what` was tried, `detail` came back.
    pub fn new(kind: PortErrorKind, what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, what: what.into(), detail: detail.into() }
    }

    /// Whether the other side said no before it changed anything. A server that is overloaded or fails says nothing of that.
    pub fn is_refusal(&self) -> bool {
        use PortErrorKind::{Conflict, Forbidden, Invalid, Unauthorized};
        matches!(self.kind, Conflict | Forbidden | Invalid | Unauthorized)
    }

    /// Whether asking again later can help without anything else changing.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, PortErrorKind::Unreachable | PortErrorKind::ConnectionLost | PortErrorKind::Timeout)
    }
}
