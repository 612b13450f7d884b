//! One psql session: statements run against the database, answers and errors printed as psql prints them.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Database, Reached, copy,
    lexer::{Item, Script},
    rows::{csv_line, unescape},
    statements::{Amount, End, Form, Statement, parse},
};
use crate::practice::shell::{Broken, Output, Place, Streams};

/// Seconds a row takes on its way out: 20,000 take 3 s.
const OUT: f64 = 0.000_15;
/// Seconds a row takes on its way in.
const IN: f64 = 0.000_06;
/// Pieces in which a long output comes.
const PIECES: usize = 60;

/// How a session prints and stops.
#[expect(clippy::struct_excessive_bools, reason = "four switches of a command line")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// No command tags.
    pub quiet: bool,
    /// Rows only.
    pub tuples: bool,
    /// No padding.
    pub unaligned: bool,
    /// The first error ends it.
    pub stop: bool,
}

/// A session.
pub struct Session {
    /// Where psql runs.
    pub place: Place,
    /// What it is connected to.
    pub reached: Reached,
    /// How it prints.
    pub manner: Manner,
    /// Where answers go.
    pub answers: Output,
    /// The program's own streams.
    pub streams: Streams,
}

/// An error was printed.
pub struct Failed;

impl Session {
    fn with<T>(&self, work: impl FnOnce(&mut Database) -> Result<T, String>) -> Result<T, String> {
        let gone = "FATAL:  terminating connection due to administrator command".to_owned();
        self.place.shared.change(|state| {
            let serves = state.pods.get(&self.reached.server).is_some_and(|pod| pod.serves);
            match state.volumes.get_mut(&self.reached.volume) {
                Some(database) if serves => work(database),
                _ => Err(gone),
            }
        })
    }

    /// The whole database, to put it back.
    pub fn keep(&self) -> Option<Database> {
        self.with(|database| Ok(database.clone())).ok()
    }

    /// Puts the whole database back: what a failed single transaction did is undone.
    pub fn put_back(&self, kept: Database) {
        let _ = self.with(|database| {
            *database = kept;
            Ok(())
        });
    }

    /// Runs a script. `source` is named in errors, as `<stdin>`; `true` when all went well or errors do not stop it.
    pub async fn script(&mut self, text: &str, source: Option<&str>) -> Result<(), Failed> {
        let known = self.with(|database| Ok(super::counted::answer(database, text)));
        if let Ok(Some(answer)) = known {
            self.answers.say(answer).await;
            return Ok(());
        }
        let mut script = Script::new(text);
        while let Some(item) = script.next() {
            let done = match item {
                Item::Meta(command, _) if command.trim() == "\\q" => return Ok(()),
                Item::Meta(command, _) => self.meta(&command, Some(&mut script)).await,
                Item::Statement(statement, _) => self.statement(&statement, Some(&mut script)).await,
            };
            if let Err(problem) = done {
                let at = source.map_or_else(String::new, |source| format!("psql:{source}:{}: ", script.line));
                self.streams.err.say(format!("{at}{problem}\n")).await;
                if self.manner.stop {
                    return Err(Failed);
                }
            }
        }
        Ok(())
    }

    /// Runs one `-c` command.
    pub async fn command(&mut self, text: &str) -> Result<(), Failed> {
        if text.trim_start().starts_with('\\') {
            return self.one(text, true).await;
        }
        for item in Script::new(text) {
            match item {
                Item::Meta(text, _) => self.one(&text, true).await?,
                Item::Statement(text, _) => self.one(&text, false).await?,
            }
        }
        Ok(())
    }

    async fn one(&mut self, text: &str, meta: bool) -> Result<(), Failed> {
        let done = if meta { self.meta(text.trim(), None).await } else { self.statement(text, None).await };
        if let Err(problem) = done {
            self.streams.err.say(format!("{problem}\n")).await;
            return Err(Failed);
        }
        Ok(())
    }

    async fn meta(&mut self, command: &str, script: Option<&mut Script<'_>>) -> Result<(), String> {
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match word {
            "\\copy" => match parse(&format!("copy {rest}")) {
                Some(statement) => self.run(statement, script).await,
                None => {
                    Err("\\copy: parse error (drydock practice simulates `\\copy TABLE [(COLUMNS)] from|to …` only)"
                        .to_owned())
                }
            },
            "\\restrict" | "\\unrestrict" | "\\set" => Ok(()),
            "\\echo" => {
                self.answers.say(format!("{rest}\n")).await;
                Ok(())
            }
            "\\dt" => {
                let names = self.with(|database| Ok(database.tables.keys().cloned().collect::<Vec<_>>()))?;
                let rows = names.into_iter().map(|name| vec![Some("public".to_owned()), Some(name)]).collect();
                self.table(&["Schema".to_owned(), "Name".to_owned()], rows).await;
                Ok(())
            }
            other => Err(format!("invalid command {other} (not simulated in practice)")),
        }
    }

    async fn statement(&mut self, text: &str, script: Option<&mut Script<'_>>) -> Result<(), String> {
        if let Some(statement) = parse(text) {
            return self.run(statement, script).await.map_err(|problem| format!("ERROR:  {problem}"));
        }
        let word = text.split_whitespace().next().unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        Err(format!(
            "ERROR:  syntax error at or near \"{word}\" (simulated by drydock practice, which knows few statements)\nLINE 1: {line}"
        ))
    }

    async fn run(&mut self, statement: Statement, script: Option<&mut Script<'_>>) -> Result<(), String> {
        match statement {
            Statement::Noise(tag) => self.tag(tag).await,
            Statement::Triggers(name) => {
                self.with(|database| copy::table(database, &name).map(|_| ()))?;
                self.tag("ALTER TABLE").await;
            }
            Statement::Constant(column, value) => self.table(&[column.to_owned()], vec![vec![Some(value)]]).await,
            Statement::Truncate { tables, cascade } => {
                self.with(|database| truncate(database, &tables, cascade))?;
                self.tag("TRUNCATE TABLE").await;
            }
            Statement::SetVal { .. } => {
                let value = self.with(|database| set_value(database, &statement))?;
                self.table(&["setval".to_owned()], vec![vec![value.map(|value| value.to_string())]]).await;
            }
            Statement::Count(name) => {
                let count = self.with(|database| copy::table(database, &name).map(|(_, table)| table.rows.len()))?;
                self.table(&["count".to_owned()], vec![vec![Some(count.to_string())]]).await;
            }
            Statement::Rows { table, columns, limit } => {
                let (names, rows) = self.with(|database| rows(database, &table, &columns, limit))?;
                self.table(&names, rows).await;
            }
            Statement::CopyOut { table, form, to } => self.copy_out(&table, form, &to).await?,
            Statement::CopyIn { table, columns, form, from } => {
                let data = self.data(&from, script).await?;
                self.with(|database| copy::table(database, &table).map(|_| ()))?;
                let lines = data.lines().count();
                self.place.shared.pause(f64::from(u32::try_from(lines).unwrap_or(u32::MAX)) * IN).await;
                let count = self.with(|database| copy::put(database, &table, &columns, form, &data))?;
                self.tag(&format!("COPY {count}")).await;
            }
        }
        Ok(())
    }

    /// The data of a COPY: lines of the script, the program's input, or a file.
    async fn data(&mut self, from: &End, script: Option<&mut Script<'_>>) -> Result<String, String> {
        match (from, script) {
            (End::File(path), _) => {
                let found = self.place.shared.look(|state| state.pods.get(&self.place.uid)?.files.get(path).cloned());
                let bytes = found.ok_or_else(|| format!("{path}: No such file or directory"))?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            (End::Standard, Some(script)) => Ok(script.data().into_iter().map(|line| format!("{line}\n")).collect()),
            (End::Standard, None) => Ok(String::from_utf8_lossy(&self.streams.input.all().await).into_owned()),
        }
    }

    async fn copy_out(&mut self, name: &str, form: Form, to: &End) -> Result<(), String> {
        let (columns, rows) = self.with(|database| {
            let (_, table) = copy::table(database, name)?;
            let columns: Vec<String> = table.columns.iter().map(|column| super::quoted(&column.name)).collect();
            Ok((columns, Arc::clone(&table.rows)))
        })?;
        let out = match to {
            End::Standard => self.answers.clone(),
            End::File(path) => self.place.file(path),
        };
        let full = |broken| match broken {
            Broken::Full => "could not write COPY data: No space left on device".to_owned(),
            Broken::Pipe => "could not write COPY data: Broken pipe".to_owned(),
        };
        if form.header {
            let line = columns.join(if form.csv { "," } else { "\t" }) + "\n";
            out.write(line).await.map_err(full)?;
        }
        for piece in rows.chunks((rows.len() / PIECES).max(50)) {
            let text: String = if form.csv {
                piece.iter().map(|row| csv_line(row)).collect()
            } else {
                piece.iter().map(|row| format!("{row}\n")).collect()
            };
            out.write(Bytes::from(text)).await.map_err(full)?;
            self.place.shared.pause(f64::from(u32::try_from(piece.len()).unwrap_or(u32::MAX)) * OUT).await;
        }
        Ok(())
    }

    async fn tag(&self, tag: &str) {
        if !self.manner.quiet {
            self.answers.say(format!("{tag}\n")).await;
        }
    }

    async fn table(&self, columns: &[String], rows: Vec<Vec<Option<String>>>) {
        self.answers.say(super::psql::print(self.manner, columns, &rows)).await;
    }
}

fn truncate(database: &mut Database, names: &[String], cascade: bool) -> Result<(), String> {
    let mut keys = Vec::new();
    for name in names {
        keys.push(copy::table(database, name)?.0);
    }
    loop {
        let referring = database.tables.iter().find_map(|(name, table)| {
            let referred = table.references.iter().find(|referred| keys.contains(referred))?;
            (!keys.contains(name)).then(|| (name.clone(), referred.clone()))
        });
        match referring {
            Some((name, _)) if cascade => keys.push(name),
            Some((name, referred)) => {
                return Err(format!(
                    "cannot truncate a table referenced in a foreign key constraint\nDETAIL:  Table \"{name}\" references \"{referred}\".\nHINT:  Truncate table \"{name}\" at the same time, or use TRUNCATE ... CASCADE."
                ));
            }
            None => break,
        }
    }
    for key in keys {
        if let Some(table) = database.tables.get_mut(&key) {
            table.rows = Arc::default();
        }
    }
    Ok(())
}

/// The largest value of a table's first column, which is the numbered one in every table here.
fn largest(database: &Database, table: &str) -> Result<Option<i64>, String> {
    let (_, table) = copy::table(database, table)?;
    Ok(table.rows.iter().filter_map(|row| row.split('\t').next()?.parse::<i64>().ok()).max())
}

fn set_value(database: &mut Database, statement: &Statement) -> Result<Option<i64>, String> {
    let Statement::SetVal { sequence, of_column, value, called, exists } = statement else { return Ok(None) };
    let name = match of_column {
        None => sequence.clone(),
        Some(column) => {
            let (_, table) = copy::table(database, sequence)?;
            let found = table.columns.iter().find(|known| known.name == *column);
            let found =
                found.ok_or_else(|| format!("column \"{column}\" of relation \"{sequence}\" does not exist"))?;
            match &found.sequence {
                Some(sequence) => sequence.clone(),
                None => return Ok(None),
            }
        }
    };
    let value = match value {
        Amount::Number(number) => Some(*number),
        Amount::Largest(table) => largest(database, table)?.or(exists.as_ref().map(|_| 1)),
    };
    let called = match exists {
        Some(table) => !copy::table(database, table)?.1.rows.is_empty(),
        None => called.unwrap_or(true),
    };
    let found = database.sequences.get_mut(&name).ok_or_else(|| format!("relation \"{name}\" does not exist"))?;
    if let Some(value) = value {
        found.last = value;
        found.called = called;
    }
    Ok(value)
}

type Rows = (Vec<String>, Vec<Vec<Option<String>>>);

fn rows(database: &Database, name: &str, columns: &[String], limit: Option<usize>) -> Result<Rows, String> {
    let (_, table) = copy::table(database, name)?;
    let all: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let wanted = if columns.is_empty() { &all[..] } else { columns };
    let mut places = Vec::new();
    for column in wanted {
        let place = all.iter().position(|known| known == column);
        places.push(place.ok_or_else(|| format!("column \"{column}\" does not exist"))?);
    }
    let row = |row: &String| {
        let fields: Vec<&str> = row.split('\t').collect();
        places.iter().map(|at| fields.get(*at).and_then(|field| unescape(field))).collect()
    };
    Ok((wanted.to_vec(), table.rows.iter().take(limit.unwrap_or(usize::MAX)).map(row).collect()))
}
