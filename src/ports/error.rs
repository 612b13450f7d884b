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

    /// The rule of a Role that would allow a refused call, as far as the server's words tell.
    pub fn rule(&self) -> Option<String> {
        (self.kind == PortErrorKind::Forbidden).then(|| rule_in(&self.detail)).flatten()
    }

    /// Whether asking again later can help without anything else changing.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, PortErrorKind::Unreachable | PortErrorKind::ConnectionLost | PortErrorKind::Timeout)
    }
}

/// The rule that a server's words of refusal call for: `cannot get resource "secrets" in API group "" in the namespace "plant"`.
pub fn rule_in(words: &str) -> Option<String> {
    let (_, rest) = words.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once("\" in API group \"")?;
    let (group, rest) = rest.split_once('"')?;
    let place = match rest.strip_prefix(" in the namespace \"") {
        Some(rest) => format!("in namespace {}", rest.split('"').next()?),
        None => "in the cluster".to_owned(),
    };
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "./-_".contains(c));
    let is_plain = [verb, resource, group].into_iter().all(plain) && !verb.is_empty() && !resource.is_empty();
    is_plain.then(|| {
        format!("ask for: {{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]}} {place}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_which_rule_would_allow_it() {
        let words = r#"secrets "pix" is forbidden: User "eva" cannot get resource "secrets" in API group "" in the namespace "plant""#;
        let rule = r#"ask for: {apiGroups: [""], resources: ["secrets"], verbs: ["get"]} in namespace plant"#;
        assert_eq!(rule_in(words).as_deref(), Some(rule));
        let words = r#"x: User "eva" cannot create resource "pods/exec" in API group "" at the cluster scope: no"#;
        assert!(rule_in(words).is_some_and(|rule| rule.contains("pods/exec") && rule.ends_with("in the cluster")));
        for other in ["", "admission webhook denied it", r#"User "a" cannot do "x""#] {
            assert_eq!(rule_in(other), None, "{other}");
        }
        assert_eq!(PortError::new(PortErrorKind::Conflict, "x", words).rule(), None);
    }
}
