//! What went wrong, in the one shape that every front end shows.

use serde::{Deserialize, Serialize};

/// Where in a file a fault is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// File as the user named it.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// The line itself with a marker below, or empty.
    pub snippet: String,
}

/// A failure: what happened, what that proves, what is still safe, what can be done. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diagnostic {
    /// What happened, one sentence with the number and the object.
    pub what: String,
    /// What that proves; empty means "not known yet".
    #[serde(default)]
    pub proves: String,
    /// What is still safe, one thing a line.
    #[serde(default)]
    pub safe: Vec<String>,
    /// Causes in the other side's words, outermost first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// Where in a file.
    #[serde(default)]
    pub place: Option<Place>,
    /// What can be done, one thing a line.
    #[serde(default)]
    pub help: Vec<String>,
    /// Ids of earlier steps of the run whose doing again can help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic that says what happened.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// Adds what it proves.
    #[must_use]
    pub fn proves(mut self, proves: impl Into<String>) -> Self {
        self.proves = proves.into();
        self
    }

    /// Adds one thing that is still safe.
    #[must_use]
    pub fn safe(mut self, safe: impl Into<String>) -> Self {
        self.safe.push(safe.into());
        self
    }

    /// Adds a cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds something that can be done.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds an earlier step whose doing again can help.
    #[must_use]
    pub fn again(mut self, step: impl Into<String>) -> Self {
        self.again.push(step.into());
        self
    }

    /// Fills in what it leaves open of the three things that everybody asks first.
    #[must_use]
    pub fn or(mut self, proves: &str, safe: &str, help: &str) -> Self {
        if self.proves.is_empty() {
            proves.clone_into(&mut self.proves);
        }
        if self.safe.is_empty() && !safe.is_empty() {
            self.safe.push(safe.to_owned());
        }
        if self.help.is_empty() && !help.is_empty() {
            self.help.push(help.to_owned());
        }
        self
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// As plain lines for a log or a line-oriented front end.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.what.clone()];
        if let Some(place) = &self.place {
            lines.push(format!("  at {}:{}:{}", place.file, place.line, place.column));
            lines.extend(place.snippet.lines().map(|line| format!("    {line}")));
        }
        lines.extend(self.causes.iter().map(|cause| format!("  cause: {cause}")));
        if !self.proves.is_empty() {
            lines.push(format!("  What that proves: {}", self.proves));
        }
        lines.extend(self.safe.iter().map(|safe| format!("  Still safe: {safe}")));
        lines.extend(self.help.iter().map(|help| format!("  You can: {help}")));
        lines
    }
}

impl From<crate::ports::PortError> for Diagnostic {
    /// The family of a failure tells what it proves and what helps; what is still safe only its caller knows.
    fn from(error: crate::ports::PortError) -> Self {
        use crate::ports::PortErrorKind as Kind;
        let rule = error.rule().unwrap_or_else(|| "ask for the right that the cause names".to_owned());
        let problem = Self::new(error.what).cause(error.detail);
        match error.kind {
            Kind::Unreachable => problem
                .proves("no answer came: by this call nothing was changed")
                .help("look at network, VPN and the address of the context, then try again"),
            Kind::Unauthorized => problem
                .proves(
                    "the server does not accept these credentials: they are expired, revoked, or of another cluster",
                )
                .help("log in again until `kubectl get pods` answers in this context, then try again"),
            Kind::Forbidden => problem
                .proves("the server knows this user and refuses this call: nothing was changed by it")
                .help(format!("{rule}, then try again")),
            Kind::ConnectionLost | Kind::Timeout => problem
                .proves("the end of this call is not known: it may have been done there")
                .help("try again: what is done already is looked at first"),
            Kind::Integrity => {
                problem.proves("what came is not all, or not the right bytes; it counts as nothing").help("try again")
            }
            Kind::Io => problem
                .proves("a file or disk of this machine refused, not the cluster")
                .help("give it room or rights, then try again"),
            Kind::NotFound | Kind::Conflict | Kind::Invalid | Kind::Cancelled | Kind::Unsupported | Kind::Other => {
                problem
            }
        }
    }
}
