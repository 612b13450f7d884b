//! What a server says of itself.

use serde::{Deserialize, Serialize};

/// Answer of assets/sql/server.sql.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerFacts {
    /// As `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// Name of the database.
    pub database: String,
    /// Its oid.
    pub database_oid: i64,
    /// The cluster's identifier, which no other server has.
    pub system_identifier: Option<String>,
    /// Size of the database in bytes.
    pub size: u64,
    /// Its encoding.
    pub encoding: String,
    /// When the server was started; another time means it was restarted.
    pub postmaster_start: String,
    /// Rows inserted, updated and deleted since the counters were reset.
    pub writes: i64,
}

impl ServerFacts {
    /// Reads the answer.
    ///
    /// # Errors
    /// What is not as expected, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text.trim()).map_err(|error| error.to_string())
    }
}
