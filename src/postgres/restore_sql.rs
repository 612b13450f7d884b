//! The statements around a restore. Identifiers go through one quoting function; values never appear.

/// An identifier, quoted.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A literal, quoted.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Empties the tables that a dump fills, and the large one. `tables` are written as in the dump, quoted where needed.
pub fn empty(tables: &[&str], large: &str) -> String {
    let large = identifier(large);
    let all: Vec<&str> = tables.iter().copied().chain(std::iter::once(large.as_str())).collect();
    format!("TRUNCATE {};\n", all.join(", "))
}

/// psql's `\copy` of a CSV file with its header's columns, as the new version's table may have more.
pub fn copy_csv(table: &str, columns: &[String], path: &str) -> String {
    let columns: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
    format!("\\copy {} ({}) from {} with (format csv, header)", identifier(table), columns.join(", "), literal(path))
}

/// Moves the serial of the large table behind its last row.
pub fn advance_serial(table: &str, column: &str) -> String {
    let (table_id, column_id) = (identifier(table), identifier(column));
    format!(
        "SELECT setval(pg_get_serial_sequence({}, {}), coalesce((SELECT max({column_id}) FROM {table_id}), 1), EXISTS (SELECT 1 FROM {table_id}));\n",
        literal(&table_id),
        literal(column),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(
            empty(&["public.objects", "public.\"DeviceModel\""], "history"),
            "TRUNCATE public.objects, public.\"DeviceModel\", \"history\";\n"
        );
        assert_eq!(
            copy_csv("h", &["id".into(), "a\"b".into()], "/x'y"),
            "\\copy \"h\" (\"id\", \"a\"\"b\") from '/x''y' with (format csv, header)"
        );
        assert!(advance_serial("h", "id").contains("pg_get_serial_sequence('\"h\"', 'id')"));
    }
}
