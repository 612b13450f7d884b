//! [`Structure`]: follows a dump from its head to its trailer.

use std::io::Read;

use super::fault::{DumpDamage, DumpFault};
use super::report::{DumpKind, DumpReport, SequenceValue, TableRows};
use super::rows::{RowEnd, Rows};
use super::sql::{Found, Sql};
use super::statement::{self, Statement};
use crate::postgres::CheckError;
use crate::postgres::measure::{Measure, pieces};

/// What the first bytes of files look like that are often taken for a dump.
const ARCHIVES: [(&[u8], &str); 4] = [
    (b"PGDMP", "a pg_dump archive in custom format"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\x04\x22\x4d\x18", "an lz4 file"),
];

/// How far the trailer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trailer {
    Absent,
    /// "dump complete" was there.
    Said,
    /// The `--` line below it too.
    Closed,
}

/// Where the reader stands.
#[derive(Debug)]
enum Place {
    Sql,
    /// On the rest of the line of a COPY statement.
    BeforeRows(Rows),
    Rows(Rows),
}

/// Checks a plain dump that comes in pieces of any size: [`Structure::push`] each, then [`Structure::finish`].
#[derive(Debug)]
pub struct Structure {
    measure: Measure,
    beginning: Vec<u8>,
    last: [u8; 2],
    line_feeds: u64,
    place: Place,
    sql: Sql,
    comments: u64,
    kind: Option<DumpKind>,
    trailer: Trailer,
    restricted: bool,
    key: Option<String>,
    server_version: Option<String>,
    dump_version: Option<String>,
    tables: Vec<TableRows>,
    sequences: Vec<SequenceValue>,
    created: u64,
    opened: u64,
    commits: u64,
    inserts: u64,
}

impl Default for Structure {
    fn default() -> Self {
        Self::new()
    }
}

impl Structure {
    /// Before the first byte.
    pub fn new() -> Self {
        Self {
            measure: Measure::default(),
            beginning: Vec::new(),
            last: [0; 2],
            line_feeds: 0,
            place: Place::Sql,
            sql: Sql::new(),
            comments: 0,
            kind: None,
            trailer: Trailer::Absent,
            restricted: false,
            key: None,
            server_version: None,
            dump_version: None,
            tables: Vec::new(),
            sequences: Vec::new(),
            created: 0,
            opened: 0,
            commits: 0,
            inserts: 0,
        }
    }

    /// Checks all of `reader`.
    pub fn check(reader: impl Read) -> Result<DumpReport, CheckError<DumpFault>> {
        let mut structure = Self::new();
        pieces(reader, |piece| structure.push(piece).map_err(CheckError::Fault))?;
        structure.finish().map_err(CheckError::Fault)
    }

    /// Takes the next bytes.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), DumpFault> {
        self.measure.add(piece);
        let room = 8 - self.beginning.len();
        self.beginning.extend(piece.iter().take(room));
        for byte in &piece[piece.len().saturating_sub(2)..] {
            self.last = [self.last[1], *byte];
        }
        self.follow(piece).map_err(|damage| self.fault(self.line_feeds + 1, damage))
    }

    /// No more bytes will come: the verdict.
    pub fn finish(self) -> Result<DumpReport, DumpFault> {
        let line = self.line_feeds + u64::from(self.last[1] != b'\n');
        match self.unfinished() {
            Some(damage) => Err(self.fault(line, damage)),
            None => Ok(self.report()),
        }
    }

    fn unfinished(&self) -> Option<DumpDamage> {
        if self.measure.bytes() == 0 {
            return Some(DumpDamage::Empty);
        }
        if let Place::BeforeRows(rows) | Place::Rows(rows) = &self.place {
            return Some(DumpDamage::CutInRows { table: rows.table.clone(), rows: rows.count });
        }
        if !self.sql.at_rest() {
            return Some(DumpDamage::CutInStatement);
        }
        match self.trailer {
            Trailer::Absent => Some(DumpDamage::NoTrailer),
            Trailer::Closed if self.key.is_some() => Some(DumpDamage::NoUnrestrict),
            // Every pg_dump ends its file with an empty line.
            Trailer::Closed if self.last == *b"\n\n" => None,
            Trailer::Said | Trailer::Closed => Some(DumpDamage::CutInTrailer),
        }
    }

    fn follow(&mut self, piece: &[u8]) -> Result<(), DumpDamage> {
        let mut rest = piece;
        while let Some((&byte, after)) = rest.split_first() {
            match &mut self.place {
                Place::Sql => {
                    self.sql_byte(byte)?;
                    self.line_feeds += u64::from(byte == b'\n');
                    rest = after;
                }
                Place::BeforeRows(rows) => {
                    match byte {
                        b'\n' => {
                            let rows = Rows::new(rows.table.clone(), std::mem::take(&mut rows.columns));
                            self.place = Place::Rows(rows);
                        }
                        b'\r' => return Err(DumpDamage::CarriageReturn),
                        _ => return Err(DumpDamage::CopyStatement),
                    }
                    self.line_feeds += 1;
                    rest = after;
                }
                Place::Rows(rows) => {
                    let end = rest.iter().position(|byte| *byte == b'\n');
                    let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
                    if part.contains(&0) {
                        return Err(DumpDamage::ZeroByte);
                    }
                    rows.part(part)?;
                    if let Some((_, after)) = after.split_first() {
                        if let RowEnd::Block = rows.end()? {
                            self.end_block();
                        }
                        self.line_feeds += 1;
                        rest = after;
                    } else {
                        rest = &[];
                    }
                }
            }
        }
        Ok(())
    }

    fn end_block(&mut self) {
        if let Place::Rows(rows) = std::mem::replace(&mut self.place, Place::Sql) {
            match self.tables.iter_mut().find(|known| known.table == rows.table) {
                Some(known) => known.rows += rows.count,
                None => self.tables.push(TableRows { table: rows.table, columns: rows.columns, rows: rows.count }),
            }
        }
    }

    fn sql_byte(&mut self, byte: u8) -> Result<(), DumpDamage> {
        if byte == 0 {
            return Err(DumpDamage::ZeroByte);
        }
        match self.sql.take(byte) {
            Found::Nothing => return Ok(()),
            Found::CarriageReturn => return Err(DumpDamage::CarriageReturn),
            Found::Stray if self.trailer == Trailer::Absent => return Err(DumpDamage::StrayText),
            Found::Stray => return Err(DumpDamage::AfterTrailer),
            Found::Comment => self.comment(&self.sql.text())?,
            Found::Command => self.command(&self.sql.text())?,
            Found::Statement => self.statement(&self.sql.text())?,
        }
        self.sql.next();
        Ok(())
    }

    fn comment(&mut self, text: &str) -> Result<(), DumpDamage> {
        self.comments += 1;
        let Some(kind) = self.kind else {
            match (self.comments, text) {
                (1, "--") => {}
                (2, "-- PostgreSQL database dump") => self.kind = Some(DumpKind::Database),
                (2, "-- PostgreSQL database cluster dump") => self.kind = Some(DumpKind::Cluster),
                _ => return Err(DumpDamage::NoHead),
            }
            return Ok(());
        };
        let last_words = match kind {
            DumpKind::Database => "-- PostgreSQL database dump complete",
            DumpKind::Cluster => "-- PostgreSQL database cluster dump complete",
        };
        match self.trailer {
            Trailer::Said if text == "--" => self.trailer = Trailer::Closed,
            Trailer::Said | Trailer::Closed => return Err(DumpDamage::AfterTrailer),
            Trailer::Absent if text == last_words => self.trailer = Trailer::Said,
            Trailer::Absent => {
                let version = |words| text.strip_prefix(words).map(str::to_owned);
                // The first of each: a cluster dump says it for every database.
                let server = self.server_version.take();
                self.server_version = server.or_else(|| version("-- Dumped from database version "));
                let program = self.dump_version.take();
                self.dump_version = program.or_else(|| version("-- Dumped by pg_dump version "));
            }
        }
        Ok(())
    }

    fn command(&mut self, text: &str) -> Result<(), DumpDamage> {
        let (name, key) = text.split_once(' ').unwrap_or((text, ""));
        match name {
            _ if self.kind.is_none() => return Err(DumpDamage::NoHead),
            "\\unrestrict" if self.key.as_deref() == Some(key) => self.key = None,
            "\\unrestrict" => return Err(DumpDamage::Key),
            _ if self.trailer != Trailer::Absent => return Err(DumpDamage::AfterTrailer),
            "\\restrict" if self.key.is_some() || key.is_empty() => return Err(DumpDamage::Key),
            "\\restrict" => {
                self.restricted = true;
                self.key = Some(key.to_owned());
            }
            "\\connect" => {}
            _ => return Err(DumpDamage::StrayText),
        }
        Ok(())
    }

    fn statement(&mut self, text: &str) -> Result<(), DumpDamage> {
        if self.kind.is_none() {
            return Err(DumpDamage::NoHead);
        }
        if self.trailer != Trailer::Absent {
            return Err(DumpDamage::AfterTrailer);
        }
        match statement::read(text) {
            Statement::Copy { table, columns } => self.place = Place::BeforeRows(Rows::new(table, columns)),
            Statement::BadCopy => return Err(DumpDamage::CopyStatement),
            Statement::Sequence(value) => self.sequences.push(value),
            Statement::CreateLargeObject => self.created += 1,
            Statement::OpenLargeObject => self.opened += 1,
            Statement::Commit => self.commits += 1,
            Statement::Insert => self.inserts += 1,
            Statement::OldStrings => self.sql.old_strings(),
            Statement::Other => {}
        }
        Ok(())
    }

    fn fault(&self, line: u64, damage: DumpDamage) -> DumpFault {
        let archive = ARCHIVES.iter().find(|(magic, _)| self.beginning.starts_with(magic));
        let damage = match (self.kind, archive, damage) {
            (None, Some((_, what)), _) => DumpDamage::NotPlain(what),
            // What is wrong before the head is that there is no head.
            (None, None, DumpDamage::StrayText) => DumpDamage::NoHead,
            (_, _, damage) => damage,
        };
        DumpFault { line, damage }
    }

    fn report(self) -> DumpReport {
        DumpReport {
            // A trailer is only accepted once the kind is known.
            kind: self.kind.unwrap_or(DumpKind::Database),
            server_version: self.server_version,
            dump_version: self.dump_version,
            restricted: self.restricted,
            tables: self.tables,
            sequences: self.sequences,
            large_objects: self.created.max(self.opened),
            commits: self.commits,
            inserts: self.inserts,
            bytes: self.measure.bytes(),
            sha256: self.measure.sha256(),
        }
    }
}
