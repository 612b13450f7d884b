//! PostgreSQL versions, and which of them work together.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version as `server_version_num` writes it: 150018 is 15.18, 90624 is 9.6.24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u32);

/// Programs and servers that do not go together. Each sentence says what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incompatible {
    /// pg_dump refuses servers that are newer than it.
    #[error("pg_dump {program} cannot dump a server {server}: use one of version {} or newer", server.series())]
    DumpTooOld { program: Version, server: Version },
    /// A psql from before the security releases of August 2025.
    #[error(
        "psql {program} does not know \\restrict, with which the dump begins: use {} or newer, or a later major version",
        first_with_restrict(*program)
    )]
    NoRestrict { program: Version },
    /// Data of a newer server into an older one.
    #[error("a dump of server {dumped} cannot be relied on in a server {target}: use one of version {} or newer", dumped.series())]
    OlderTarget { dumped: Version, target: Version },
}

impl Version {
    /// Reads the version in what programs and servers say: `15.18 (Debian 15.18-0+deb12u1)`, `psql (PostgreSQL) 17.5`,
    /// `18beta2`, `9.6.24`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_once("(PostgreSQL)").map_or(text, |(_, rest)| rest);
        let word = text.split_whitespace().next()?;
        let numbers = word.find(|c: char| !c.is_ascii_digit() && c != '.').map_or(word, |end| &word[..end]);
        let parts = numbers.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
        let in_range = parts.iter().all(|part| *part < 100);
        match parts[..] {
            [major] if major >= 10 && in_range => Some(Self(major * 10_000)),
            [major, minor] if major >= 10 && in_range => Some(Self(major * 10_000 + minor)),
            [first, second] if in_range => Some(Self(first * 10_000 + second * 100)),
            [first, second, minor] if first < 10 && in_range => Some(Self(first * 10_000 + second * 100 + minor)),
            _ => None,
        }
    }

    /// What pg_upgrade and dumps call the major version, as text: `15`, `9.6`.
    pub fn series(self) -> String {
        let first = self.0 / 10_000;
        if first >= 10 { first.to_string() } else { format!("{first}.{}", self.0 / 100 % 100) }
    }

    fn major(self) -> u32 {
        self.0 / 100
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.series(), self.0 % 100)
    }
}

/// Whether this pg_dump can dump this server.
pub fn can_dump(program: Version, server: Version) -> Result<(), Incompatible> {
    let fits = program.major() >= server.major();
    if fits { Ok(()) } else { Err(Incompatible::DumpTooOld { program, server }) }
}

/// Whether this psql can load a dump that begins with `\restrict`. An older one prints an error and goes on, or stops
/// before the first row, as `ON_ERROR_STOP` has it.
pub fn knows_restrict(program: Version) -> Result<(), Incompatible> {
    if program >= first_with_restrict(program) { Ok(()) } else { Err(Incompatible::NoRestrict { program }) }
}

/// Whether data dumped from one server may go into another.
pub fn can_load(dumped: Version, target: Version) -> Result<(), Incompatible> {
    let fits = target.major() >= dumped.major();
    if fits { Ok(()) } else { Err(Incompatible::OlderTarget { dumped, target }) }
}

/// `\restrict` came with the minor releases of August 2025 (CVE-2025-8714); series that were over then never got it.
fn first_with_restrict(version: Version) -> Version {
    Version(match version.0 / 10_000 {
        0..=13 => 130_022,
        14 => 140_019,
        15 => 150_014,
        16 => 160_010,
        17 => 170_006,
        later => later * 10_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_read_as_they_are_said() {
        for (text, number, shown) in [
            ("15.18 (Debian 15.18-0+deb12u1)", 150_018, "15.18"),
            ("psql (PostgreSQL) 17.5", 170_005, "17.5"),
            ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 150_018, "15.18"),
            ("18beta2", 180_000, "18.0"),
            ("18", 180_000, "18.0"),
            ("9.6.24", 90_624, "9.6.24"),
            ("9.6", 90_600, "9.6.0"),
        ] {
            let version = version(text);
            assert_eq!((version.0, version.to_string().as_str()), (number, shown), "{text}");
        }
        for text in ["", "psql", "15.", "15.18.1", "15.x", "8", "100.1", "15.100", "9.600.1", "99999999999"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn pg_dump_has_to_be_as_new_as_the_server() {
        assert!(can_dump(version("15.1"), version("15.18")).is_ok());
        assert!(can_dump(version("17.0"), version("9.6.24")).is_ok());
        assert!(can_dump(version("9.5.25"), version("9.6.1")).is_err());
        let refused = can_dump(version("15.18"), version("16.2")).unwrap_err().to_string();
        assert_eq!(refused, "pg_dump 15.18 cannot dump a server 16.2: use one of version 16 or newer");
    }

    #[test]
    fn psql_has_to_know_restrict() {
        for (text, knows) in [
            ("18.0", true),
            ("17.6", true),
            ("17.5", false),
            ("16.10", true),
            ("16.9", false),
            ("15.14", true),
            ("15.13", false),
            ("14.19", true),
            ("14.18", false),
            ("13.22", true),
            ("13.21", false),
            ("12.22", false),
            ("9.6.24", false),
        ] {
            assert_eq!(knows_restrict(version(text)).is_ok(), knows, "{text}");
        }
        assert!(knows_restrict(version("17.5")).unwrap_err().to_string().contains("use 17.6 or newer"));
    }

    #[test]
    fn data_goes_to_the_same_or_a_newer_series() {
        assert!(can_load(version("15.18"), version("15.2")).is_ok());
        assert!(can_load(version("15.18"), version("18.1")).is_ok());
        assert!(can_load(version("15.18"), version("14.20")).is_err());
    }
}
