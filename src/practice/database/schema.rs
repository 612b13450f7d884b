//! PixelCore's schemas, read from the same files as the chart's: tables with their columns, keys and sequences.

use std::collections::BTreeMap;

use super::{Column, Kind, Sequence, Table};

/// Schema files by version, as they lie in the chart.
pub const FILES: [(&str, &str); 2] = [
    ("4.2.0", include_str!("../../../assets/practice/schema-4.2.0.sql")),
    ("5.0.0", include_str!("../../../assets/practice/schema-5.0.0.sql")),
];

/// Tables and sequences of a version.
pub fn of(version: &str) -> Option<(BTreeMap<String, Table>, BTreeMap<String, Sequence>)> {
    let text = FILES.iter().find(|(known, _)| *known == version)?.1;
    let bare: String = text.lines().map(|line| line.split("--").next().unwrap_or_default().to_owned() + "\n").collect();
    let (mut tables, mut sequences) = (BTreeMap::new(), BTreeMap::new());
    let fresh = Sequence { last: 1, called: false };
    for statement in bare.split(';').map(str::trim) {
        if let Some(name) = statement.strip_prefix("CREATE SEQUENCE ") {
            sequences.insert(name.to_owned(), fresh);
        } else if let Some(rest) = statement.strip_prefix("CREATE TABLE ")
            && let Some((name, body)) = rest.split_once('(')
            && !name.contains("PARTITION OF")
        {
            let name = name.trim().trim_matches('"').to_owned();
            let table = table(&name, body);
            for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
                sequences.entry(sequence.clone()).or_insert(fresh);
            }
            tables.insert(name, table);
        }
    }
    Some((tables, sequences))
}

/// The parts of a column list; commas inside brackets and quotes do not separate.
fn parts(body: &str) -> (Vec<String>, String) {
    let (mut found, mut part, mut depth, mut quote) = (Vec::new(), String::new(), 0, false);
    let mut chars = body.chars();
    for c in chars.by_ref() {
        match c {
            '\'' => quote = !quote,
            '(' if !quote => depth += 1,
            ')' if !quote && depth == 0 => break,
            ')' if !quote => depth -= 1,
            ',' if !quote && depth == 0 => {
                found.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    found.push(part);
    (found, chars.collect())
}

fn table(name: &str, body: &str) -> Table {
    let (parts, after) = parts(body);
    let mut table = Table { partitioned: after.contains("PARTITION BY"), ..Table::default() };
    for part in parts.iter().map(|part| part.trim()) {
        if let Some(list) = part.strip_prefix("PRIMARY KEY (") {
            let names: Vec<&str> = list.trim_end_matches(')').split(',').map(str::trim).collect();
            table.key =
                (0..table.columns.len()).filter(|at| names.contains(&table.columns[*at].name.as_str())).collect();
            continue;
        }
        if part.contains("PRIMARY KEY") {
            table.key = vec![table.columns.len()];
        }
        if let Some((_, referred)) = part.split_once("REFERENCES ") {
            let referred = referred.split_whitespace().next().unwrap_or_default().trim_matches('"').to_owned();
            if !table.references.contains(&referred) {
                table.references.push(referred);
            }
        }
        table.columns.push(column(name, part));
    }
    for at in table.key.clone() {
        table.columns[at].required = true;
    }
    table
}

fn column(table: &str, part: &str) -> Column {
    let mut words = part.split_whitespace();
    let name = words.next().unwrap_or_default().trim_matches('"').to_owned();
    let word = words.next().unwrap_or_default();
    let serial = word.ends_with("serial") || part.contains(" AS IDENTITY");
    let default = part.split_once("DEFAULT ").map(|(_, rest)| rest).filter(|rest| !rest.starts_with("AS IDENTITY"));
    let default = default.map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned());
    let named =
        default.as_deref().and_then(|text| text.strip_prefix("nextval('")).map(|text| text.trim_end_matches("')"));
    let sequence = named.map(str::to_owned).or_else(|| serial.then(|| format!("{table}_{name}_seq")));
    let (kind, type_name) = match word {
        "smallint" => (Kind::Integer, "smallint"),
        "bigint" | "bigserial" => (Kind::Integer, "bigint"),
        "int" | "integer" | "serial" => (Kind::Integer, "integer"),
        "boolean" => (Kind::Boolean, "boolean"),
        array if array.ends_with("[]") => (Kind::Array, array),
        other => (Kind::Text, other),
    };
    Column {
        name,
        kind,
        type_name: type_name.to_owned(),
        required: part.contains("NOT NULL") || serial,
        default: default.filter(|_| sequence.is_none()),
        sequence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemas_are_read_with_keys_types_and_sequences() {
        let (old, sequences) = of("4.2.0").unwrap();
        let (new, _) = of("5.0.0").unwrap();
        assert_eq!((old.len(), new.len()), (22, 23));
        assert_eq!(sequences.len(), 15);
        assert!(sequences.contains_key("DeviceModel_id_seq") && sequences.contains_key("ticket_number_seq"));
        let history = &old["object_properties_history"];
        assert!(history.partitioned && history.key == [0, 3]);
        assert_eq!(new["object_properties_history"].columns.len(), history.columns.len() + 1);
        assert_eq!(old["users"].references, ["tenants"]);
        assert_eq!(old["tickets"].columns[2].type_name, "smallint");
        assert_eq!(new["tickets"].columns[2].type_name, "integer");
        assert_eq!(old["DeviceModel"].columns[3].name, "order");
        assert_eq!(old["roles"].columns[2].kind, Kind::Array);
        assert!(of("6.0.0").is_none());
    }
}
