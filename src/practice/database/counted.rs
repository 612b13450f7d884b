//! The questions of assets/sql, recognised by their header and exact text, answered as psql prints them.

use serde_json::json;

use super::{Database, OID, VERSION, quoted};
use crate::postgres::sql;

/// The answer to one of drydock's own queries, if `script` is one.
pub fn answer(db: &Database, script: &str) -> Option<String> {
    if script.trim() == sql::SERVER.trim() {
        return Some(server(db));
    }
    (script.trim() == sql::COUNTS.trim()).then(|| counts(db))
}

/// `json_build_object` writes a blank on both sides of its colons.
fn text(value: &str) -> String {
    json!(value).to_string()
}

fn server(db: &Database) -> String {
    format!(
        "{{\"version\" : {}, \"database\" : {}, \"database_oid\" : {OID}, \"system_identifier\" : {}, \"size\" : {}, \"encoding\" : \"UTF8\", \"postmaster_start\" : {}, \"writes\" : {}}}\n",
        text(VERSION),
        text(&db.name),
        text(&db.system_identifier),
        db.size(),
        text(&db.started),
        db.writes
    )
}

fn counts(db: &Database) -> String {
    let tables = db
        .tables
        .iter()
        .map(|(name, table)| format!("{{\"table\" : {}, \"rows\" : {}}}\n", text(&quoted(name)), table.rows.len()));
    let sequences = db.sequences.iter().map(|(name, sequence)| {
        let last = if sequence.called { sequence.last.to_string() } else { "null".to_owned() };
        format!("{{\"sequence\" : {}, \"last\" : {last}}}\n", text(&quoted(name)))
    });
    tables.chain(sequences).collect::<String>() + "{\"large_objects\" : 0}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{Counts, ServerFacts};

    #[test]
    fn answers_are_what_the_real_ones_are_read_by() {
        let mut db = Database::new("pixelcore", "pix", "x");
        assert!(db.create_schema("4.2.0"));
        super::super::fill(&mut db, 500);
        let counts = Counts::parse(&answer(&db, sql::COUNTS).unwrap()).unwrap();
        assert_eq!(counts.tables["object_properties_history"], 500);
        assert_eq!(counts.sequences["\"DeviceModel_id_seq\""], Some(40));
        assert_eq!(ServerFacts::parse(&answer(&db, sql::SERVER).unwrap()).unwrap().database_oid, OID);
        assert!(answer(&db, "-- drydock: counts\nSELECT 1;").is_none());
    }
}
