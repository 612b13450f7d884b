//! Who a server is, and who else works on its database.

use serde::{Deserialize, Serialize};

use super::version::Version;

/// The query for [`ServerFacts`]; one object.
pub const SERVER_SQL: &str = include_str!("../../assets/sql/server.sql");

/// The query for [`Sessions`]; one object a line.
pub const SESSIONS_SQL: &str = include_str!("../../assets/sql/sessions.sql");

/// An answer that is not what the query gives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// A line of another form.
    #[error("cannot read line {line} of what the server said about {about}")]
    Line { line: usize, about: &'static str },
    /// The last line is missing or does not count what came before it.
    #[error("cannot use what the server said about {about}: it was cut")]
    Cut { about: &'static str },
}

/// One server and one of its databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerFacts {
    /// The version in the server's words, with the packager's: `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// Name of the database.
    pub database: String,
    /// Its number; a database that was dropped and created again has another.
    pub database_oid: u64,
    /// Made once by `initdb`, the same for ever; `None` where we may not ask.
    pub system_identifier: Option<String>,
    /// Its size in bytes.
    pub size: u64,
    /// Its encoding, `UTF8`.
    pub encoding: String,
    /// When the server was started; it also changes when a crash makes it recover.
    pub postmaster_start: String,
    /// Rows inserted, updated and deleted since the counters were reset. They come late: by a second,
    /// and by 10 s from a session that stays connected and idle.
    pub writes: i64,
    /// Whether the server counts them at all; where it does not say so, they prove nothing.
    #[serde(default)]
    pub track_counts: bool,
    /// One above the highest transaction id of the whole server that has ended, known at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_xid: Option<u64>,
    /// The lowest transaction id that has not ended, at most [`next_xid`](Self::next_xid). Below it, a transaction is open
    /// whose end moves nothing above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_xid: Option<u64>,
}

impl ServerFacts {
    /// Reads the answer of [`SERVER_SQL`].
    pub fn parse(text: &str) -> Result<Self, FactsError> {
        serde_json::from_str(text.trim_end()).map_err(|_| FactsError::Line { line: 1, about: "itself" })
    }

    /// The version as a number that compares.
    pub fn series(&self) -> Option<Version> {
        Version::parse(&self.version)
    }

    /// Whether `later` is the same database of the same server.
    pub fn is_same_database(&self, later: &Self) -> bool {
        self.system_identifier == later.system_identifier && self.database_oid == later.database_oid
    }

    /// Whether the server's own numbers say that nothing was written between this and `later`: no transaction with an id
    /// ended, or no row change was counted. Counters that went back prove nothing and count as moved, and so do those of a server
    /// that [does not count](Self::counts_until). Equal counters say so only once none can [come late](Self::may_count_late).
    pub fn is_quiet_until(&self, later: &Self) -> bool {
        (self.counts_until(later) && self.writes == later.writes) || self.no_transaction_ended(later)
    }

    /// Whether the server counted row changes at both moments.
    pub fn counts_until(&self, later: &Self) -> bool {
        self.track_counts && later.track_counts
    }

    /// Whether transactions ended between this and `later`, or may have, and no row change of theirs is counted: it was not
    /// theirs, or it is not counted yet.
    pub fn may_count_late(&self, later: &Self) -> bool {
        self.counts_until(later) && self.writes == later.writes && !self.no_transaction_ended(later)
    }

    /// Whether no transaction with an id ended between this and `later`, as far as ids alone can say: one that was open at
    /// the beginning below the highest that had ended could have.
    fn no_transaction_ended(&self, later: &Self) -> bool {
        self.next_xid.is_some() && self.next_xid == later.next_xid && self.oldest_xid == self.next_xid
    }
}

/// Another client of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its server process.
    pub pid: i32,
    /// Its role.
    pub user: Option<String>,
    /// What it calls itself.
    pub application: Option<String>,
    /// Its address; `None` for a local socket, or where we may not see it.
    pub client: Option<String>,
    /// `active`, `idle`, `idle in transaction`…; `None` where we may not see it.
    pub state: Option<String>,
    /// Whether its transaction has written something.
    pub writes: bool,
}

/// Everybody else who is connected.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sessions {
    /// The clients.
    pub clients: Vec<Session>,
    /// Two-phase transactions that nobody has ended: they write without a session.
    pub prepared: u64,
}

impl Sessions {
    /// Reads the answer of [`SESSIONS_SQL`].
    pub fn parse(text: &str) -> Result<Self, FactsError> {
        const ABOUT: &str = "its sessions";
        #[derive(Deserialize)]
        struct End {
            sessions: usize,
            prepared: u64,
        }
        let lines: Vec<&str> = text.lines().collect();
        let Some((last, lines)) = lines.split_last() else { return Err(FactsError::Cut { about: ABOUT }) };
        let end: End = serde_json::from_str(last).map_err(|_| FactsError::Cut { about: ABOUT })?;
        let client = |(line, content): (usize, &&str)| {
            serde_json::from_str(content).map_err(|_| FactsError::Line { line, about: ABOUT })
        };
        let clients = (1..).zip(lines).map(client).collect::<Result<Vec<Session>, _>>()?;
        if clients.len() != end.sessions {
            return Err(FactsError::Cut { about: ABOUT });
        }
        Ok(Self { clients, prepared: end.prepared })
    }

    /// Those whose transaction has written something, or may have.
    pub fn writers(&self) -> impl Iterator<Item = &Session> {
        self.clients.iter().filter(|client| client.writes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = r#"{"version" : "15.18 (Debian)", "database" : "pixelcore", "database_oid" : 16385, "system_identifier" : "7710474308726325905", "size" : 9649511, "encoding" : "UTF8", "postmaster_start" : "2026-11-21T04:18:17.673874Z", "writes" : 61, "track_counts" : true, "next_xid" : 729, "oldest_xid" : 729}
"#;
    const SESSIONS: &str = r#"{"pid" : 7, "user" : "pix", "application" : "", "client" : null, "state" : "idle", "writes" : false}
{"pid" : 9, "user" : "pix", "application" : "ingest", "client" : "10.0.0.7", "state" : null, "writes" : true}
{"sessions" : 2, "prepared" : 1}
"#;

    #[test]
    fn a_server_is_known_again() {
        let facts = ServerFacts::parse(SERVER).unwrap();
        assert_eq!(facts.series(), Version::parse("15.18"));
        assert_eq!(facts.system_identifier.as_deref(), Some("7710474308726325905"));
        assert_eq!((facts.database_oid, facts.writes, facts.next_xid), (16385, 61, Some(729)));
        let unknown = ServerFacts::parse(&SERVER.replace("\"7710474308726325905\"", "null")).unwrap();
        assert_eq!(unknown.system_identifier, None);
        assert!(facts.is_same_database(&facts) && !facts.is_same_database(&unknown));
        assert!(ServerFacts::parse(&SERVER[..100]).is_err());
        assert!(ServerFacts::parse("").is_err());
        assert!(ServerFacts::parse(&SERVER.replace("\"writes\" : 61, ", "")).is_err());
    }

    #[test]
    fn quiet_is_an_id_that_stood_still_or_counters_that_did() {
        let before = ServerFacts::parse(SERVER).unwrap();
        let later = |writes: i64, next_xid: Option<u64>| ServerFacts {
            writes,
            next_xid,
            oldest_xid: next_xid,
            ..before.clone()
        };
        assert!(before.is_quiet_until(&later(61, Some(729))));
        // Another database of the server was written to, or this one vacuumed.
        assert!(before.is_quiet_until(&later(61, Some(800))));
        // The counters were reset, and no transaction with an id began.
        assert!(before.is_quiet_until(&later(0, Some(729))));
        assert!(!before.is_quiet_until(&later(0, Some(730))));
        assert!(!before.is_quiet_until(&later(62, Some(730))));
        let silent = later(61, None);
        assert!(silent.is_quiet_until(&silent) && !silent.is_quiet_until(&later(62, None)));
        // Counters that stood still while transactions ended may still come.
        assert!(before.may_count_late(&later(61, Some(730))) && silent.may_count_late(&silent));
        assert!(!before.may_count_late(&later(61, Some(729))) && !before.may_count_late(&later(62, Some(730))));
        // One that was open at the beginning, below the highest that had ended, ends without moving the next id.
        let open = ServerFacts { oldest_xid: Some(720), ..before.clone() };
        assert!(!open.is_quiet_until(&later(62, Some(729))) && open.may_count_late(&later(61, Some(729))));
    }

    #[test]
    fn a_server_that_counts_nothing_is_quiet_only_by_its_ids() {
        let before = ServerFacts::parse(SERVER).unwrap();
        let blind = ServerFacts { track_counts: false, ..before.clone() };
        let ended = |facts: &ServerFacts| ServerFacts { next_xid: Some(730), oldest_xid: Some(730), ..facts.clone() };
        for (first, later) in [(&blind, ended(&blind)), (&blind, ended(&before)), (&before, ended(&blind))] {
            assert!(!first.is_quiet_until(&later) && !first.may_count_late(&later), "{first:?} {later:?}");
        }
        assert!(blind.is_quiet_until(&blind));
        // What an earlier version wrote down does not say.
        let silent = ServerFacts::parse(&SERVER.replace("\"track_counts\" : true, ", "")).unwrap();
        assert!(!silent.is_quiet_until(&ended(&before)));
    }

    #[test]
    fn sessions_are_all_there_or_refused() {
        let sessions = Sessions::parse(SESSIONS).unwrap();
        assert_eq!((sessions.clients.len(), sessions.prepared), (2, 1));
        assert_eq!(sessions.writers().map(|client| client.pid).collect::<Vec<_>>(), [9]);
        let first_lost = SESSIONS.split_once('\n').unwrap().1;
        assert_eq!(Sessions::parse(first_lost), Err(FactsError::Cut { about: "its sessions" }));
        for end in 0..SESSIONS.len() - 1 {
            assert!(Sessions::parse(&SESSIONS[..end]).is_err(), "cut after {end}");
        }
        let strange = SESSIONS.replacen("\"pid\" : 7, ", "", 1);
        assert_eq!(Sessions::parse(&strange), Err(FactsError::Line { line: 1, about: "its sessions" }));
    }

    #[test]
    fn the_queries_say_what_they_are() {
        assert!(SERVER_SQL.starts_with("-- drydock: server\n"));
        assert!(SESSIONS_SQL.starts_with("-- drydock: writers\n"));
    }
}
