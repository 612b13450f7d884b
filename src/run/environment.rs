//! What a target counts as. One closed list with one way to read it: what is not known counts as PROD, the one that hurts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Labels of a namespace that say what it is.
const LABELS: [&str; 3] = ["env", "environment", "app.kubernetes.io/environment"];

/// What a target counts as, the one that hurts first. In journals it is its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE", from = "String")]
pub enum Environment {
    /// People depend on it; so does everything that does not say what it is.
    #[default]
    Prod,
    /// A place to try before.
    Staging,
    /// A place that nobody misses.
    Test,
    /// The simulated cluster.
    Practice,
    /// A runbook without a cluster.
    None,
}

impl Environment {
    /// What a target counts as that counted as `before` in a run which another goes on from: PROD stays PROD, whatever its
    /// labels say by now.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        if before == Self::Prod { before } else { self }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Prod => "PROD",
            Self::Staging => "STAGING",
            Self::Test => "TEST",
            Self::Practice => "PRACTICE",
            Self::None => "NONE",
        }
    }

    /// The label of a namespace, among `KEY=VALUE`, that says what it is; of several the one that counts most.
    pub fn label(labels: &[String]) -> Option<&str> {
        let says = |label: &&String| label.split_once('=').is_some_and(|(key, _)| LABELS.contains(&key));
        labels.iter().filter(says).min_by_key(|label| Self::by(label)).map(String::as_str)
    }

    fn by(label: &str) -> Self {
        let value = label.split_once('=').map(|(_, value)| value.to_lowercase());
        match value.as_deref() {
            Some("test" | "dev" | "development" | "lab" | "qa") => Self::Test,
            Some("staging" | "stage") => Self::Staging,
            _ => Self::Prod,
        }
    }

    /// What a real namespace with these labels counts as.
    pub fn of(labels: &[String]) -> Self {
        Self::label(labels).map_or(Self::Prod, Self::by)
    }
}

impl From<&str> for Environment {
    fn from(word: &str) -> Self {
        let all = [Self::Staging, Self::Test, Self::Practice, Self::None];
        all.into_iter().find(|known| known.word() == word).unwrap_or_default()
    }
}

impl From<String> for Environment {
    fn from(word: String) -> Self {
        word.as_str().into()
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_prod_stays_prod() {
        assert_eq!(Environment::Test.since(Environment::Prod), Environment::Prod);
        assert_eq!(Environment::Prod.since(Environment::Test), Environment::Prod);
        assert_eq!(Environment::Staging.since(Environment::Test), Environment::Staging);
    }

    #[test]
    fn what_is_not_known_counts_as_prod() {
        let of = |label: &str| Environment::of(&[label.to_owned()]);
        for (label, wanted) in [
            ("env=test", Environment::Test),
            ("env=QA", Environment::Test),
            ("environment=stage", Environment::Staging),
            ("app.kubernetes.io/environment=practice", Environment::Prod),
            ("env=none", Environment::Prod),
            ("env=tset", Environment::Prod),
            ("envoy=test", Environment::Prod),
            ("team=a", Environment::Prod),
        ] {
            assert_eq!(of(label), wanted, "{label}");
        }
        assert_eq!(Environment::of(&[]), Environment::Prod);
        let two = |a: &str, b: &str| Environment::of(&[a.to_owned(), b.to_owned()]);
        assert_eq!(two("app.kubernetes.io/environment=test", "env=production"), Environment::Prod);
        assert_eq!(two("env=dev", "environment=staging"), Environment::Staging);
    }

    #[test]
    fn journals_keep_its_word_and_an_unknown_one_is_prod() {
        for word in ["PROD", "STAGING", "TEST", "PRACTICE", "NONE"] {
            let text = format!("\"{word}\"");
            let read: Environment = serde_json::from_str(&text).unwrap();
            assert_eq!((read.word(), serde_json::to_string(&read).unwrap()), (word, text));
        }
        for word in ["\"\"", "\"prod\"", "\"test\"", "\"CANARY\""] {
            assert_eq!(serde_json::from_str::<Environment>(word).unwrap(), Environment::Prod, "{word}");
        }
    }
}
