//! The questions of assets/sql, recognised by their header and exact text, answered as psql prints them.

use serde_json::json;

use super::{Database, OID, VERSION, quoted};
use crate::postgres::{counts, facts};

/// Transactions of a server before anybody used it.
const FIRST_XID: i64 = 731;

/// The answer to one of drydock's own queries, if `script` is one.
pub fn answer(db: &Database, script: &str) -> Option<String> {
    match script.trim() {
        known if known == facts::SERVER_SQL.trim() => Some(server(db)),
        known if known == counts::SQL.trim() => Some(rows(db)),
        // the simulated programs connect, ask and go: nobody else is ever seen
        known if known == facts::SESSIONS_SQL.trim() => Some("{\"sessions\" : 0, \"prepared\" : 0}\n".to_owned()),
        _ => None,
    }
}

fn text(value: &str) -> String {
    json!(value).to_string()
}

/// `json_build_object` writes a blank on both sides of its colons.
fn server(db: &Database) -> String {
    format!(
        "{{\"version\" : {}, \"database\" : {}, \"database_oid\" : {OID}, \"system_identifier\" : {}, \"size\" : {}, \"encoding\" : \"UTF8\", \"postmaster_start\" : {}, \"writes\" : {}, \"track_counts\" : true, \"next_xid\" : {next}, \"oldest_xid\" : {next}}}\n",
        text(VERSION),
        text(&db.name),
        text(&db.system_identifier),
        db.size(),
        text(&db.started),
        db.writes,
        next = FIRST_XID + db.writes
    )
}

fn rows(db: &Database) -> String {
    let name = |name: &str| text(&format!("public.{}", quoted(name)));
    let tables =
        db.tables.iter().map(|(table, found)| format!("{{\"table\":{},\"rows\":{}}}\n", name(table), found.rows.len()));
    let sequences = db.sequences.iter().map(|(sequence, found)| {
        let last = if found.called { found.last.to_string() } else { "null".to_owned() };
        format!("{{\"sequence\":{},\"last\":{last}}}\n", name(sequence))
    });
    tables.chain(sequences).collect::<String>() + "{\"large_objects\":0}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{
        counts::Counts,
        facts::{ServerFacts, Sessions},
    };

    #[test]
    fn answers_are_what_the_real_ones_are_read_by() {
        let mut db = Database::new("pixelcore", "pix", "x");
        assert!(db.create_schema("4.2.0"));
        super::super::fill(&mut db, 500);
        let held = Counts::parse(&answer(&db, counts::SQL).unwrap()).unwrap();
        assert_eq!(held.tables["public.object_properties_history"], 500);
        assert_eq!(held.sequences["public.\"DeviceModel_id_seq\""], Some(40));
        assert_eq!(
            ServerFacts::parse(&answer(&db, facts::SERVER_SQL).unwrap()).unwrap().database_oid,
            OID.cast_unsigned()
        );
        assert!(Sessions::parse(&answer(&db, facts::SESSIONS_SQL).unwrap()).unwrap().clients.is_empty());
        assert!(answer(&db, "-- drydock: counts\nSELECT 1;").is_none());
    }
}
