//! How entries are written: lines for people, objects for programs.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::ports::{EntryMeta, Provenance, SecretBytes};

/// How to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Who reads what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A terminal, which obeys escape bytes.
    Terminal,
    /// A pipe or file, which gets the bytes as they are.
    Elsewhere,
}

/// The operator asked for the value itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reveal;

#[derive(Serialize)]
struct Object<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    meta: &'a EntryMeta,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_hex: Option<String>,
}

pub(super) fn list(out: &mut dyn Write, entries: &[EntryMeta], format: Format) -> io::Result<()> {
    let names: Vec<_> = entries.iter().map(|meta| format!("{}/{}", meta.run, meta.name.0)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for (meta, name) in entries.iter().zip(&names) {
        match format {
            Format::Json => object(out, meta, None)?,
            Format::Text => writeln!(
                out,
                "{name:width$}  {:>5} characters  check {}  {:.0}  {}",
                meta.length,
                meta.check,
                meta.at,
                provenance(meta)
            )?,
        }
    }
    out.flush()
}

pub(super) fn entry(
    out: &mut dyn Write,
    meta: &EntryMeta,
    value: Option<&SecretBytes>,
    format: Format,
    shown: Shown,
) -> io::Result<()> {
    match (format, value) {
        (Format::Json, value) => object(out, meta, value)?,
        (Format::Text, Some(value)) => match shown {
            Shown::Terminal => writeln!(out, "{}", harmless(&String::from_utf8_lossy(value.expose_secret())))?,
            Shown::Elsewhere => out.write_all(value.expose_secret())?,
        },
        (Format::Text, None) => {
            for (what, text) in [
                ("name", format!("{}/{}", meta.run, meta.name.0)),
                ("length", format!("{} characters", meta.length)),
                ("check", meta.check.clone()),
                ("saved", format!("{:.0}", meta.at)),
                ("from", provenance(meta)),
                ("runbook", harmless(&meta.runbook)),
                ("step", harmless(&meta.step)),
            ] {
                writeln!(out, "{what:9}{}", if text.is_empty() { "-" } else { &text })?;
            }
        }
    }
    out.flush()
}

pub(super) fn path(
    out: &mut dyn Write,
    folder: &Path,
    identity: &Path,
    vault: &Path,
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => writeln!(out, "{}", folder.display())?,
        Format::Json => {
            let object = serde_json::json!({"type": "path", "folder": folder, "identity": identity, "vault": vault});
            writeln!(out, "{object}")?;
        }
    }
    out.flush()
}

fn object(out: &mut dyn Write, meta: &EntryMeta, value: Option<&SecretBytes>) -> io::Result<()> {
    let bytes = value.map(SecretBytes::expose_secret);
    let text = bytes.and_then(|bytes| str::from_utf8(bytes).ok());
    let value_hex = bytes.filter(|_| text.is_none()).map(crate::text::hex);
    serde_json::to_writer(&mut *out, &Object { r#type: "entry", meta, value: text, value_hex })?;
    out.write_all(b"\n")
}

fn provenance(meta: &EntryMeta) -> String {
    harmless(&match &meta.provenance {
        Provenance::Found { place } => format!("found in {place}"),
        Provenance::Typed { by } => format!("typed by {by}"),
        Provenance::File { path } => format!("from the file {path}"),
        Provenance::Run { run } => format!("from run {run}"),
        Provenance::Default => "the runbook's default".to_owned(),
    })
}

/// Text from outside without anything that a terminal would obey.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}
