//! The few statements of a dump that are read for what they say.

use super::report::SequenceValue;
use crate::postgres::QualifiedName;
use crate::postgres::name::leading_identifier;

/// A statement as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// `COPY … FROM stdin;`: rows follow on the next line.
    Copy { table: QualifiedName, columns: Vec<String> },
    /// A COPY statement that cannot be read.
    BadCopy,
    /// `SELECT pg_catalog.setval(…);`
    Sequence(SequenceValue),
    /// A large object comes into being.
    CreateLargeObject,
    /// A large object is filled.
    OpenLargeObject,
    /// Rows as a statement.
    Insert,
    /// A transaction ends.
    Commit,
    /// Strings are read as before PostgreSQL 9.1: a backslash escapes in all of them.
    OldStrings,
    /// Any other.
    Other,
}

/// Reads a statement, from its first word to its semicolon.
pub(super) fn read(text: &str) -> Statement {
    if text.starts_with("COPY ") {
        let copy = copy(text);
        return copy.map_or(Statement::BadCopy, |(table, columns)| Statement::Copy { table, columns });
    }
    if text.starts_with("INSERT INTO ") {
        return Statement::Insert;
    }
    if text == "COMMIT;" {
        return Statement::Commit;
    }
    if text == "SET standard_conforming_strings = off;" {
        return Statement::OldStrings;
    }
    let Some(call) = text.strip_prefix("SELECT ") else { return Statement::Other };
    let call = call.strip_prefix("pg_catalog.").unwrap_or(call);
    if call.starts_with("lo_create(") {
        Statement::CreateLargeObject
    } else if call.starts_with("lo_open(") {
        Statement::OpenLargeObject
    } else {
        call.strip_prefix("setval(").and_then(sequence).map_or(Statement::Other, Statement::Sequence)
    }
}

/// `COPY schema.table (a, "B") FROM stdin;`; a table without columns has no list.
fn copy(text: &str) -> Option<(QualifiedName, Vec<String>)> {
    let (table, rest) = QualifiedName::leading(text.strip_prefix("COPY ")?)?;
    let mut rest = rest.trim_start();
    let mut columns = Vec::new();
    if let Some(list) = rest.strip_prefix('(') {
        rest = list;
        loop {
            let (column, after) = leading_identifier(rest)?;
            columns.push(column);
            if let Some(more) = after.strip_prefix(", ") {
                rest = more;
            } else {
                rest = after.strip_prefix(')')?.trim_start();
                break;
            }
        }
    }
    (rest == "FROM stdin;").then_some((table, columns))
}

/// `'schema.name', 12, true);`, after the opening parenthesis.
fn sequence(text: &str) -> Option<SequenceValue> {
    let (literal, arguments) = text.strip_prefix('\'')?.rsplit_once("', ")?;
    let (value, called) = arguments.strip_suffix(");")?.split_once(", ")?;
    Some(SequenceValue {
        sequence: QualifiedName::parse(&literal.replace("''", "'"))?,
        value: value.parse().ok()?,
        called: called.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(schema: &str, name: &str) -> QualifiedName {
        QualifiedName { schema: schema.into(), name: name.into() }
    }

    #[test]
    fn copy_statements_of_every_shape() {
        let columns = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (text, table, list) in [
            ("COPY public.objects (id, name) FROM stdin;", name("public", "objects"), columns(&["id", "name"])),
            (
                "COPY \"My Schema\".\"a\"\"b\" (\"x, y\", \"order\", \"(\") FROM stdin;",
                name("My Schema", "a\"b"),
                columns(&["x, y", "order", "("]),
            ),
            ("COPY public.nothing  FROM stdin;", name("public", "nothing"), vec![]),
        ] {
            assert_eq!(read(text), Statement::Copy { table, columns: list }, "{text}");
        }
        for text in [
            "COPY objects (id) FROM stdin;",
            "COPY public.objects (id FROM stdin;",
            "COPY public.objects (id) TO stdout;",
            "COPY public.objects () FROM stdin;",
            "COPY public.objects (id) FROM '/etc/passwd';",
        ] {
            assert_eq!(read(text), Statement::BadCopy, "{text}");
        }
    }

    #[test]
    fn sequences_large_objects_and_the_rest() {
        let text = "SELECT pg_catalog.setval('public.\"It''s_id_seq\"', 9100000000, false);";
        let value = SequenceValue { sequence: name("public", "It's_id_seq"), value: 9_100_000_000, called: false };
        assert_eq!(read(text), Statement::Sequence(value));
        assert_eq!(read("SELECT pg_catalog.lo_create('16400');"), Statement::CreateLargeObject);
        assert_eq!(read("SELECT pg_catalog.lo_open('16400', 131072);"), Statement::OpenLargeObject);
        assert_eq!(read("COMMIT;"), Statement::Commit);
        assert_eq!(read("INSERT INTO public.t VALUES (1);"), Statement::Insert);
        assert_eq!(read("SELECT pg_catalog.set_config('search_path', '', false);"), Statement::Other);
        assert_eq!(read("SELECT pg_catalog.setval('broken', 1, true);"), Statement::Other);
    }
}
