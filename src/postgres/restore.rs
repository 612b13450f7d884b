//! The statements around a restore.
//!
//! Every name is quoted and has its schema: what a search path finds differs between servers and sessions. Values never
//! appear.

use super::{QualifiedName, quote_identifier};

/// What cannot be put into a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The file has no header.
    #[error("cannot load into {table}: no columns are known")]
    NoColumns { table: QualifiedName },
    /// A backslash command ends with its line.
    #[error("cannot load into {table}: a line feed in a column name or path cannot be passed to \\copy")]
    LineFeed { table: QualifiedName },
}

/// Empties exactly these tables, all at once, so that they may refer to each other. Where another table refers to one of
/// them the server refuses, which is right: its rows would go too. `None` for no tables.
pub fn truncate<'a>(tables: impl IntoIterator<Item = &'a QualifiedName>) -> Option<String> {
    let mut names: Vec<String> = tables.into_iter().map(QualifiedName::sql).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| format!("TRUNCATE {};\n", names.join(", ")))
}

/// The query whose output is the CSV file of a table.
pub fn export_csv(table: &QualifiedName) -> String {
    format!("COPY (SELECT * FROM {}) TO STDOUT WITH (FORMAT csv, HEADER)", table.sql())
}

/// The backslash command that loads a CSV file beside psql, with the columns of its header: a new version has more, and in
/// another order. It has to be a `-c` of its own.
pub fn copy_csv(table: &QualifiedName, columns: &[String], path: &str) -> Result<String, RestoreError> {
    if columns.is_empty() {
        return Err(RestoreError::NoColumns { table: table.clone() });
    }
    let list: Vec<String> = columns.iter().map(|column| quote_identifier(column)).collect();
    // psql's own quoting: two quotes for one, and a backslash is a backslash.
    let path = quote_literal(path);
    let command = format!("\\copy {} ({}) from {path} with (format csv, header)", table.sql(), list.join(", "));
    if command.contains(['\n', '\r']) { Err(RestoreError::LineFeed { table: table.clone() }) } else { Ok(command) }
}

/// Moves the sequence of a serial column behind its last row; of an empty table to its beginning.
pub fn advance_serial(table: &QualifiedName, column: &str) -> String {
    let (name, id) = (table.sql(), quote_identifier(column));
    // The function takes the table as an identifier, the column as plain text.
    let (of, called) = (quote_literal(&name), quote_literal(column));
    format!(
        "SELECT setval(pg_get_serial_sequence({of}, {called}), coalesce((SELECT max({id}) FROM {name}), 1), EXISTS (SELECT 1 FROM {name}));\n"
    )
}

/// `text` as a quoted literal, for a server with standard strings (the rule since 9.1).
fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> QualifiedName {
        QualifiedName::parse(text).unwrap()
    }

    #[test]
    fn tables_are_emptied_together_and_quoted() {
        let tables = [name("public.objects"), name("public.\"Device\"\"Model\""), name("public.objects")];
        let expected = "TRUNCATE \"public\".\"Device\"\"Model\", \"public\".\"objects\";\n";
        assert_eq!(truncate(&tables).as_deref(), Some(expected));
        assert_eq!(truncate([]), None);
    }

    #[test]
    fn columns_and_paths_cannot_leave_their_quotes() {
        let columns = ["id".to_owned(), "order".to_owned(), "a\") FROM x; --".to_owned()];
        let command = copy_csv(&name("public.h"), &columns, "/tmp/it's; \\! x").unwrap();
        let expected = r#"\copy "public"."h" ("id", "order", "a"") FROM x; --") from '/tmp/it''s; \! x' with (format csv, header)"#;
        assert_eq!(command, expected);
        let expected = r#"COPY (SELECT * FROM "public"."H") TO STDOUT WITH (FORMAT csv, HEADER)"#;
        assert_eq!(export_csv(&name("public.\"H\"")), expected);
    }

    #[test]
    fn what_a_backslash_command_cannot_say_is_refused() {
        let table = name("public.h");
        assert_eq!(copy_csv(&table, &[], "/h"), Err(RestoreError::NoColumns { table: table.clone() }));
        let odd = ["a\nb".to_owned()];
        assert_eq!(copy_csv(&table, &odd, "/h"), Err(RestoreError::LineFeed { table: table.clone() }));
        let path = "/tmp/a\n\\! x";
        assert_eq!(copy_csv(&table, &["a".into()], path), Err(RestoreError::LineFeed { table }));
    }

    #[test]
    fn a_serial_is_named_as_the_function_wants_it() {
        let statement = advance_serial(&name("public.\"it's\""), "Id's");
        assert!(statement.contains(r#"pg_get_serial_sequence('"public"."it''s"', 'Id''s')"#), "{statement}");
        assert!(statement.contains(r#"max("Id's") FROM "public"."it's""#), "{statement}");
    }
}
