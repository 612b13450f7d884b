//! The statements that are simulated, read from their tokens. What is not read here is answered as an error, never accepted.

use super::lexer::{Token, tokens};

/// Where a COPY reads or writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client's standard stream.
    Standard,
    /// A file of the client (`\copy`).
    File(String),
}

/// How a COPY writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Form {
    /// CSV instead of text.
    pub csv: bool,
    /// With a line of names first.
    pub header: bool,
}

/// A number of a `setval`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// As given.
    Number(i64),
    /// The largest value of the numbered column of a table.
    Largest(String),
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Changes nothing here; its command tag.
    Noise(&'static str),
    /// `SELECT` of one value under a name.
    Constant(&'static str, String),
    /// Empties tables.
    Truncate { tables: Vec<String>, cascade: bool },
    /// Switches triggers, which the simulated tables do not have.
    Triggers(String),
    /// Rows into a table.
    CopyIn { table: String, columns: Vec<String>, form: Form, from: End },
    /// Rows out of a table.
    CopyOut { table: String, form: Form, to: End },
    /// Moves a sequence.
    SetVal { sequence: String, of_column: Option<String>, value: Amount, called: Option<bool>, exists: Option<String> },
    /// Number of rows.
    Count(String),
    /// Rows; no columns means all.
    Rows { table: String, columns: Vec<String>, limit: Option<usize> },
}

struct Cursor(Vec<Token>, usize);

impl Cursor {
    fn peek(&self) -> Option<&Token> {
        self.0.get(self.1)
    }

    fn is(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(name)) if name == word);
        self.1 += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.1 += usize::from(found);
        found
    }

    fn name(&mut self) -> Option<String> {
        let Some(Token::Name(name)) = self.peek().cloned() else { return None };
        self.1 += 1;
        Some(name)
    }

    /// A table's name; the schema is always public.
    fn table(&mut self) -> Option<String> {
        let name = self.name()?;
        if name == "public" && self.sign('.') { self.name() } else { Some(name) }
    }

    fn text(&mut self) -> Option<String> {
        let Some(Token::Text(text)) = self.peek().cloned() else { return None };
        self.1 += 1;
        Some(text)
    }

    fn number(&mut self) -> Option<i64> {
        let Some(Token::Number(number)) = self.peek().cloned() else { return None };
        self.1 += 1;
        Some(number)
    }

    fn names(&mut self) -> Option<Vec<String>> {
        let mut names = vec![self.table()?];
        while self.sign(',') {
            names.push(self.table()?);
        }
        Some(names)
    }

    fn at_end(&self) -> bool {
        self.1 == self.0.len()
    }
}

/// Reads a statement; `None` when it is not one that is simulated.
pub fn parse(text: &str) -> Option<Statement> {
    let mut cursor = Cursor(tokens(text), 0);
    let statement = first(&mut cursor)?;
    (matches!(statement, Statement::Noise(_)) || cursor.at_end()).then_some(statement)
}

fn first(cursor: &mut Cursor) -> Option<Statement> {
    let word = cursor.name()?;
    Some(match word.as_str() {
        "set" => Statement::Noise("SET"),
        "reset" => Statement::Noise("RESET"),
        "begin" => Statement::Noise("BEGIN"),
        "commit" => Statement::Noise("COMMIT"),
        "analyze" => Statement::Noise("ANALYZE"),
        "show" if cursor.is("server_version") => Statement::Constant("server_version", super::VERSION.to_owned()),
        "alter" => return triggers(cursor),
        "truncate" => {
            let _ = cursor.is("table");
            let tables = cursor.names()?;
            Statement::Truncate { tables, cascade: cursor.is("cascade") }
        }
        "copy" => return copy(cursor),
        "select" => return select(cursor),
        _ => return None,
    })
}

fn triggers(cursor: &mut Cursor) -> Option<Statement> {
    if !cursor.is("table") {
        return None;
    }
    let _ = cursor.is("only");
    let table = cursor.table()?;
    let known = (cursor.is("disable") || cursor.is("enable")) && cursor.is("trigger") && cursor.is("all");
    known.then_some(Statement::Triggers(table))
}

/// What follows the word COPY, or psql's `\copy`.
fn copy(cursor: &mut Cursor) -> Option<Statement> {
    let (mut columns, mut query) = (Vec::new(), false);
    let table = if cursor.sign('(') {
        query = true;
        let whole = cursor.is("select") && cursor.sign('*') && cursor.is("from");
        let table = cursor.table()?;
        (whole && cursor.sign(')')).then_some(table)?
    } else {
        let table = cursor.table()?;
        if cursor.sign('(') {
            columns = cursor.names()?;
            cursor.sign(')').then_some(())?;
        }
        table
    };
    let inward = match cursor.name()?.as_str() {
        "from" if !query => true,
        "to" if columns.is_empty() => false,
        _ => return None,
    };
    let end = match cursor.text() {
        Some(path) => End::File(path),
        None => match cursor.name()?.as_str() {
            "stdin" if inward => End::Standard,
            "stdout" if !inward => End::Standard,
            _ => return None,
        },
    };
    let form = form(cursor)?;
    Some(if inward {
        Statement::CopyIn { table, columns, form, from: end }
    } else {
        Statement::CopyOut { table, form, to: end }
    })
}

fn form(cursor: &mut Cursor) -> Option<Form> {
    let mut form = Form::default();
    let _ = cursor.is("with");
    let listed = cursor.sign('(');
    loop {
        if cursor.is("format") {
            form.csv = match cursor.name()?.as_str() {
                "csv" => true,
                "text" => false,
                _ => return None,
            };
        } else if !listed && cursor.is("csv") {
            form.csv = true;
        } else if cursor.is("header") {
            let _ = cursor.is("true");
            form.header = true;
        } else if !(listed && cursor.sign(',')) {
            break;
        }
    }
    (!listed || cursor.sign(')')).then_some(form)
}

fn select(cursor: &mut Cursor) -> Option<Statement> {
    if let Some(number) = cursor.number() {
        return Some(Statement::Constant("?column?", number.to_string()));
    }
    if cursor.sign('*') {
        return rows(cursor, Vec::new());
    }
    if cursor.is("pg_catalog") {
        cursor.sign('.').then_some(())?;
    }
    let at = cursor.1;
    let name = cursor.name()?;
    if !cursor.sign('(') {
        cursor.1 = at;
        let columns = cursor.names()?;
        return rows(cursor, columns);
    }
    let constant = |column, value: &str| Some(Statement::Constant(column, value.to_owned()));
    match name.as_str() {
        "count" if cursor.sign('*') && cursor.sign(')') && cursor.is("from") => Some(Statement::Count(cursor.table()?)),
        "set_config" => {
            cursor.text()?;
            cursor.sign(',').then_some(())?;
            let value = cursor.text()?;
            let rest = cursor.sign(',') && (cursor.is("false") || cursor.is("true")) && cursor.sign(')');
            rest.then_some(Statement::Constant("set_config", value))
        }
        "setval" => set_value(cursor),
        "version" if cursor.sign(')') => constant(
            "version",
            &format!("PostgreSQL {} on x86_64-pc-linux-gnu, simulated by drydock practice", super::VERSION),
        ),
        "now" if cursor.sign(')') => constant("now", &super::timestamp()),
        _ => None,
    }
}

fn rows(cursor: &mut Cursor, columns: Vec<String>) -> Option<Statement> {
    cursor.is("from").then_some(())?;
    let table = cursor.table()?;
    let limit = if cursor.is("limit") { Some(usize::try_from(cursor.number()?).ok()?) } else { None };
    Some(Statement::Rows { table, columns, limit })
}

/// A name inside a literal, as `regclass` reads it.
fn relation(text: &str) -> Option<String> {
    Cursor(tokens(text), 0).table()
}

fn set_value(cursor: &mut Cursor) -> Option<Statement> {
    let (mut sequence, mut of_column) = (String::new(), None);
    if cursor.is("pg_get_serial_sequence") {
        cursor.sign('(').then_some(())?;
        sequence.push_str(&relation(&cursor.text()?)?);
        cursor.sign(',').then_some(())?;
        of_column = Some(cursor.text()?);
        cursor.sign(')').then_some(())?;
    } else {
        sequence.push_str(&relation(&cursor.text()?)?);
    }
    cursor.sign(',').then_some(())?;
    let value = if let Some(number) = cursor.number() {
        Amount::Number(number)
    } else if cursor.is("coalesce") {
        cursor.sign('(').then_some(())?;
        let value = largest(cursor)?;
        (cursor.sign(',') && cursor.number().is_some() && cursor.sign(')')).then_some(value)?
    } else {
        largest(cursor)?
    };
    let (mut called, mut exists) = (None, None);
    if cursor.sign(',') {
        if cursor.is("exists") {
            let asked = cursor.sign('(') && cursor.is("select") && cursor.number().is_some() && cursor.is("from");
            exists = Some(asked.then(|| cursor.table()).flatten()?);
            cursor.sign(')').then_some(())?;
        } else {
            called = Some(cursor.is("true"));
            let _ = cursor.is("false");
        }
    }
    cursor.sign(')').then_some(Statement::SetVal { sequence, of_column, value, called, exists })
}

/// `(SELECT max(c) FROM t)`
fn largest(cursor: &mut Cursor) -> Option<Amount> {
    let begun = cursor.sign('(') && cursor.is("select") && cursor.is("max") && cursor.sign('(');
    cursor.name().filter(|_| begun)?;
    (cursor.sign(')') && cursor.is("from")).then_some(())?;
    let table = cursor.table()?;
    cursor.sign(')').then_some(Amount::Largest(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{QualifiedName, restore};

    #[test]
    fn what_drydock_and_the_scripts_say_is_read() {
        let table = QualifiedName::parse("public.h").unwrap();
        for whole in [restore::truncate([&table]).unwrap(), restore::export_csv(&table)] {
            assert!(parse(whole.trim().trim_end_matches(';')).is_some(), "{whole}");
        }
        let serial = restore::advance_serial(&table, "id");
        let statement = parse(serial.trim().trim_end_matches(';')).unwrap();
        assert!(matches!(statement, Statement::SetVal { value: Amount::Largest(_), exists: Some(_), .. }));
        let copied = restore::copy_csv(&table, &["id".into(), "a b".into()], "/x y").unwrap();
        let statement = parse(copied.strip_prefix('\\').unwrap()).unwrap();
        assert!(matches!(statement, Statement::CopyIn { from: End::File(path), .. } if path == "/x y"));
        for text in [
            "truncate public.objects, public.\"DeviceModel\", h",
            "COPY (SELECT * FROM h) TO STDOUT WITH (FORMAT csv, HEADER)",
            "copy (select * from h) to stdout with csv header",
            "copy h (id,ts) from stdin with csv header",
            "COPY public.\"DeviceModel\" (id, \"order\") FROM stdin",
            "SELECT pg_catalog.set_config('search_path', '', false)",
            "SELECT pg_catalog.setval('public.\"DeviceModel_id_seq\"', 40, true)",
            "select setval(pg_get_serial_sequence('h', 'id'), (select max(id) from h))",
            "ALTER TABLE public.users DISABLE TRIGGER ALL",
            "SELECT version FROM schema_version",
            "select * from objects limit 3",
            "SET SESSION AUTHORIZATION DEFAULT",
        ] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "DROP TABLE users",
            "DELETE FROM users",
            "SELECT 1 FROM users",
            "copy (select 1) to stdout",
            "truncate t restart identity",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
