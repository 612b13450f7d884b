//! Rows that come in: matched to the table's columns, checked as the server checks them, all of them or none.

use std::{collections::HashSet, sync::Arc};

use super::{
    Column, Database, Kind, Table, quoted,
    rows::{Record, csv_records, row, unescape},
    statements::Form,
    timestamp,
};

/// The lines of the server's error, without `ERROR:`.
pub type Fault = String;

fn no_table(table: &str) -> Fault {
    format!("relation \"{table}\" does not exist")
}

/// The table of a name, or the server's error.
pub fn table<'a>(db: &'a Database, name: &str) -> Result<(String, &'a Table), Fault> {
    let key = db.resolve(name).ok_or_else(|| no_table(name))?;
    let table = db.tables.get(&key).ok_or_else(|| no_table(name))?;
    Ok((key, table))
}

/// The records of a COPY's data.
fn records(name: &str, data: &str, form: Form) -> Result<Vec<Record>, Fault> {
    let mut records = if form.csv {
        csv_records(data)
            .map_err(|line| format!("unterminated CSV quoted field\nCONTEXT:  COPY {name}, line {line}"))?
    } else {
        let lines = data.lines().enumerate();
        lines.map(|(at, line)| (at as u64 + 1, line.split('\t').map(unescape).collect())).collect()
    };
    if form.header && !records.is_empty() {
        records.remove(0);
    }
    Ok(records)
}

/// Puts the rows of `data` into a table; returns how many.
pub fn put(db: &mut Database, name: &str, columns: &[String], form: Form, data: &str) -> Result<usize, Fault> {
    let (key, found) = table(db, name)?;
    let found = found.clone();
    let places = places(&found, name, columns)?;
    let mut taken: HashSet<String> =
        if found.key.is_empty() { HashSet::new() } else { found.rows.iter().map(|row| key_of(&found, row)).collect() };
    let mut new = Vec::new();
    for (line, fields) in records(name, data, form)? {
        let at = |problem: &str| format!("{problem}\nCONTEXT:  COPY {name}, line {line}");
        if fields.len() < places.len() {
            let missing = &found.columns[places[fields.len()]].name;
            return Err(at(&format!("missing data for column \"{missing}\"")));
        }
        if fields.len() > places.len() {
            return Err(at("extra data after last expected column"));
        }
        let mut values: Vec<Option<Option<String>>> = vec![None; found.columns.len()];
        for (place, field) in places.iter().zip(fields) {
            check(&found.columns[*place], field.as_deref()).map_err(|problem| {
                format!(
                    "{problem}\nCONTEXT:  COPY {name}, line {line}, column {}: \"{}\"",
                    found.columns[*place].name,
                    field.as_deref().unwrap_or_default()
                )
            })?;
            values[*place] = Some(field);
        }
        let mut whole = Vec::with_capacity(values.len());
        for (column, value) in found.columns.iter().zip(values) {
            let value = if let Some(value) = value { value } else { default(db, column) };
            if value.is_none() && column.required {
                return Err(at(&format!(
                    "null value in column \"{}\" of relation \"{name}\" violates not-null constraint",
                    column.name
                )));
            }
            whole.push(value);
        }
        let text = row(&whole);
        let unique = key_of(&found, &text);
        if !found.key.is_empty() && !taken.insert(unique.clone()) {
            let names: Vec<String> = found.key.iter().map(|at| quoted(&found.columns[*at].name)).collect();
            return Err(at(&format!(
                "duplicate key value violates unique constraint \"{key}_pkey\"\nDETAIL:  Key ({})=({}) already exists.",
                names.join(", "),
                unique.replace('\t', ", ")
            )));
        }
        new.push(text);
    }
    let count = new.len();
    db.writes += i64::try_from(count).unwrap_or_default();
    if let Some(table) = db.tables.get_mut(&key) {
        Arc::make_mut(&mut table.rows).append(&mut new);
    }
    Ok(count)
}

/// For each given column its place in the table; none given means all.
fn places(table: &Table, name: &str, columns: &[String]) -> Result<Vec<usize>, Fault> {
    if columns.is_empty() {
        return Ok((0..table.columns.len()).collect());
    }
    let place = |wanted: &String| {
        let found = table.columns.iter().position(|column| column.name == *wanted);
        found.ok_or_else(|| format!("column \"{wanted}\" of relation \"{name}\" does not exist"))
    };
    columns.iter().map(place).collect()
}

fn key_of(table: &Table, row: &str) -> String {
    let fields: Vec<&str> = row.split('\t').collect();
    table.key.iter().filter_map(|at| fields.get(*at)).copied().collect::<Vec<_>>().join("\t")
}

fn check(column: &Column, value: Option<&str>) -> Result<(), Fault> {
    let Some(value) = value else { return Ok(()) };
    let kind = &column.type_name;
    match column.kind {
        Kind::Integer => {
            let number: i64 =
                value.parse().map_err(|_| format!("invalid input syntax for type {kind}: \"{value}\""))?;
            let limit = match kind.as_str() {
                "smallint" => i64::from(i16::MAX),
                "integer" => i64::from(i32::MAX),
                _ => i64::MAX,
            };
            if number.checked_abs().is_some_and(|number| number <= limit) {
                Ok(())
            } else {
                Err(format!("value \"{value}\" is out of range for type {kind}"))
            }
        }
        Kind::Boolean if !matches!(value, "t" | "f" | "true" | "false") => {
            Err(format!("invalid input syntax for type boolean: \"{value}\""))
        }
        Kind::Array if !value.starts_with('{') => Err(format!(
            "malformed array literal: \"{value}\"\nDETAIL:  Array value must start with \"{{\" or dimension information."
        )),
        _ => Ok(()),
    }
}

fn default(db: &mut Database, column: &Column) -> Option<String> {
    if let Some(sequence) = &column.sequence {
        return Some(db.next(sequence).to_string());
    }
    match column.default.as_deref()? {
        "now()" => Some(timestamp()),
        "gen_random_uuid()" => Some(super::super::objects::uid()),
        "false" => Some("f".to_owned()),
        "true" => Some("t".to_owned()),
        text => Some(text.trim_matches('\'').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_whole_or_not_at_all() {
        let mut db = Database::new("p", "u", "x");
        db.create_schema("5.0.0");
        let csv = Form { csv: true, header: true };
        let columns: Vec<String> = ["id", "object_id", "property", "ts", "value", "raw"].map(str::to_owned).to_vec();
        let data = "id,object_id,property,ts,value,raw\n1,2,a,2025-01-01 00:00:00+00,,\"x,\ny\"\n2,2,a,2025-01-01 00:00:00+00,NaN,\"\"\n";
        assert_eq!(put(&mut db, "object_properties_history", &columns, csv, data), Ok(2));
        assert_eq!(db.tables["object_properties_history"].rows[0], "1\t2\ta\t2025-01-01 00:00:00+00\t\\N\tx,\\ny\t\\N");
        let again = put(&mut db, "object_properties_history", &columns, csv, data).unwrap_err();
        assert!(again.starts_with("duplicate key value violates"), "{again}");
        let text = Form::default();
        for (table, data, problem) in [
            ("roles", "9\tx\n", "missing data for column \"permissions\""),
            ("roles", "9\tx\t{}\t1\n", "extra data"),
            (
                "roles",
                "8\tx\t{}\nabc\tx\t{}\n",
                "invalid input syntax for type smallint: \"abc\"\nCONTEXT:  COPY roles, line 2, column id",
            ),
            ("roles", "9\tx\ty\n", "malformed array literal"),
            ("roles", "\\N\tx\t{}\n", "null value in column \"id\""),
            ("nope", "", "relation \"nope\" does not exist"),
        ] {
            let fault = put(&mut db, table, &[], text, data).unwrap_err();
            assert!(fault.contains(problem), "{fault}");
        }
        assert_eq!(db.tables["roles"].rows.len(), 3, "nothing of a refused COPY stays");
    }
}
