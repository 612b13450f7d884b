//! The statements of a restore, and the psql call that runs them.
//!
//! A restore that is interrupted between emptying and filling leaves empty tables, so everything runs in a single
//! transaction: `psql --single-transaction` spans all of its `-c` and `-f`. **Not so for a dump with a COMMIT of its own**
//! (`DumpReport::commits`, large objects): that one ends the transaction, and what follows is on its own. psql then warns
//! "there is already a transaction in progress" and "there is no transaction in progress".

use super::{QualifiedName, quote_identifier};

/// Sets the sequences behind a table that was loaded; for `-f`, with the variable `table`.
pub const SEQUENCES_SQL: &str = include_str!("../../assets/sql/sequences.sql");

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

/// Where psql, not the server, reads the CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvSource<'a> {
    /// Its standard input.
    Stdin,
    /// A file beside it.
    File(&'a str),
}

/// Rows that come as a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvPart<'a> {
    /// The table.
    pub table: QualifiedName,
    /// Columns as the file's header names them: a new version has more, and in another order.
    pub columns: &'a [String],
    /// Path of the file beside psql.
    pub file: &'a str,
}

/// Empties exactly these tables, all at once, so that they may refer to each other. Where another table refers to one of
/// them the server refuses, which is right: its rows would go too. `None` for no tables.
pub fn truncate<'a>(tables: impl IntoIterator<Item = &'a QualifiedName>) -> Option<String> {
    let mut names: Vec<String> = tables.into_iter().map(QualifiedName::sql).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| format!("TRUNCATE TABLE {}", names.join(", ")))
}

/// The backslash command that loads a CSV file. It has to be a `-c` of its own.
pub fn copy_csv(table: &QualifiedName, columns: &[String], source: CsvSource<'_>) -> Result<String, RestoreError> {
    if columns.is_empty() {
        return Err(RestoreError::NoColumns { table: table.clone() });
    }
    let list: Vec<String> = columns.iter().map(|column| quote_identifier(column)).collect();
    let from = match source {
        CsvSource::Stdin => "pstdin".to_owned(),
        // psql's own quoting: two quotes for one, and a backslash is a backslash.
        CsvSource::File(path) => format!("'{}'", path.replace('\'', "''")),
    };
    let command = format!("\\copy {} ({}) FROM {from} WITH (FORMAT csv, HEADER)", table.sql(), list.join(", "));
    if command.contains(['\n', '\r']) { Err(RestoreError::LineFeed { table: table.clone() }) } else { Ok(command) }
}

/// Arguments for psql that empty `tables`, load the dump, then the CSV part (its rows may refer to the dump's), and set its
/// sequences: in one transaction, as far as the dump leaves it open, stopping at the first error. [`SEQUENCES_SQL`] has to be its standard input when there is a CSV part.
pub fn psql_arguments(
    tables: &[QualifiedName],
    dump: &str,
    csv: Option<&CsvPart<'_>>,
) -> Result<Vec<String>, RestoreError> {
    let mut arguments: Vec<String> = ["-XqAt", "-1", "-v", "ON_ERROR_STOP=1"].map(str::to_owned).into();
    let mut add = |flag: &str, value: String| arguments.extend([flag.to_owned(), value]);
    if let Some(statement) = truncate(tables.iter().chain(csv.map(|part| &part.table))) {
        add("-c", statement);
    }
    add("-f", dump.to_owned());
    if let Some(part) = csv {
        add("-c", copy_csv(&part.table, part.columns, CsvSource::File(part.file))?);
        add("-v", format!("table={}", part.table.sql()));
        add("-f", "-".to_owned());
    }
    Ok(arguments)
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
        let expected = r#"TRUNCATE TABLE "public"."Device""Model", "public"."objects""#;
        assert_eq!(truncate(&tables).as_deref(), Some(expected));
        assert_eq!(truncate([]), None);
    }

    #[test]
    fn columns_and_paths_cannot_leave_their_quotes() {
        let columns = ["id".to_owned(), "order".to_owned(), "a\") FROM x; --".to_owned()];
        let command = copy_csv(&name("public.h"), &columns, CsvSource::File("/tmp/it's; \\! x")).unwrap();
        let expected = r#"\copy "public"."h" ("id", "order", "a"") FROM x; --") FROM '/tmp/it''s; \! x' WITH (FORMAT csv, HEADER)"#;
        assert_eq!(command, expected);
        assert!(copy_csv(&name("public.h"), &columns, CsvSource::Stdin).unwrap().contains(" FROM pstdin WITH "));
    }

    #[test]
    fn what_a_backslash_command_cannot_say_is_refused() {
        let table = name("public.h");
        assert_eq!(copy_csv(&table, &[], CsvSource::Stdin), Err(RestoreError::NoColumns { table: table.clone() }));
        let odd = ["a\nb".to_owned()];
        assert_eq!(copy_csv(&table, &odd, CsvSource::Stdin), Err(RestoreError::LineFeed { table: table.clone() }));
        let path = CsvSource::File("/tmp/a\n\\! x");
        assert_eq!(copy_csv(&table, &["a".into()], path), Err(RestoreError::LineFeed { table }));
    }

    #[test]
    fn one_call_does_it_in_order() {
        assert!(SEQUENCES_SQL.starts_with("-- drydock: sequences\n"));
        let columns = ["id".to_owned()];
        let part = CsvPart { table: name("public.h"), columns: &columns, file: "/w/h.csv" };
        let arguments = psql_arguments(&[name("public.a")], "/w/db.sql", Some(&part)).unwrap();
        let expected = [
            "-XqAt",
            "-1",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            r#"TRUNCATE TABLE "public"."a", "public"."h""#,
            "-f",
            "/w/db.sql",
            "-c",
            r#"\copy "public"."h" ("id") FROM '/w/h.csv' WITH (FORMAT csv, HEADER)"#,
            "-v",
            r#"table="public"."h""#,
            "-f",
            "-",
        ];
        assert_eq!(arguments, expected);
        let alone = psql_arguments(&[], "/w/db.sql", None).unwrap();
        assert_eq!(alone, ["-XqAt", "-1", "-v", "ON_ERROR_STOP=1", "-f", "/w/db.sql"]);
    }
}
