//! Names of runs that sort by day and can be typed: `2026-11-20-pixelcore-7f3a`. Called by `runs` and whoever names a run.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::text::hex;

/// Name of a run and of its folder: day, runbook id, four hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// A text that names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot take {0:?} for a run: the form is 2026-11-20-pixelcore-7f3a")]
pub struct RunIdError(String);

impl RunId {
    /// A name for a run of `runbook` that begins on `day`, told apart by `random`.
    pub(super) fn new(day: Date, runbook: &str, random: [u8; 2]) -> Result<Self, RunIdError> {
        format!("{day}-{runbook}-{}", hex(&random)).try_into()
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The day it began.
    pub fn day(&self) -> &str {
        &self.0[..DAY]
    }

    /// The runbook's id.
    pub fn runbook(&self) -> &str {
        &self.0[DAY + 1..self.0.len() - ENDING - 1]
    }

    /// The four hex digits at the end.
    pub fn ending(&self) -> &str {
        &self.0[self.0.len() - ENDING..]
    }
}

const DAY: usize = "2026-11-20".len();
const ENDING: usize = "7f3a".len();

impl TryFrom<String> for RunId {
    type Error = RunIdError;

    /// The name becomes a folder, so nothing but letters, digits, `.`, `_` and `-` may be in it.
    fn try_from(text: String) -> Result<Self, RunIdError> {
        let fits = text.len() > DAY + ENDING + 2
            && text.is_ascii()
            && text[..DAY].parse::<Date>().is_ok()
            && text[DAY..].starts_with('-')
            && text[..text.len() - ENDING].ends_with('-')
            && text[DAY + 1..text.len() - ENDING - 1].bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
            && text[text.len() - ENDING..].bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        if fits { Ok(Self(text)) } else { Err(RunIdError(text)) }
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_its_parts() {
        let id = RunId::new(jiff::civil::date(2026, 11, 20), "dogtag-pki", [0x7f, 0x3a]).unwrap();
        assert_eq!(id.as_str(), "2026-11-20-dogtag-pki-7f3a");
        assert_eq!((id.day(), id.runbook(), id.ending()), ("2026-11-20", "dogtag-pki", "7f3a"));
    }

    #[test]
    fn takes_nothing_else() {
        for wrong in [
            "",
            "2026-11-20-7f3a",
            "2026-11-20--7f3a",
            "2026-13-20-pixelcore-7f3a",
            "2026-11-20-pixelcore-7F3A",
            "2026-11-20-pixelcore-7f3",
            "2026-11-20-pixel/core-7f3a",
            "2026-11-20-pixelcöre-7f3a",
            "../2026-11-20-pixelcore-7f3a",
            "2026-11-20-pixelcore-7f3a\n",
        ] {
            assert!(RunId::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }
}
