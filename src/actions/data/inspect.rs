//! The two files of a dump, read to their end on another thread; what is wrong with one becomes a failure with its name.

use std::{fs::File, io::Read};

use super::artifacts::{DumpFacts, DumpFile};
use crate::{
    actions::context::{Halt, StepCx},
    postgres::{
        CheckError, QualifiedName,
        csv::{self, CsvReport},
        dump::{self, DumpReport},
    },
    text::Diagnostic,
};

/// What both files hold.
pub struct Inspected {
    /// The plain dump.
    pub dump: DumpReport,
    /// The CSV file; its rows are as many as the database had at the dump.
    pub csv: CsvReport,
    /// The table of the CSV file.
    pub large: QualifiedName,
}

/// Reads both files of a dump.
///
/// # Errors
/// The first damage with its line and what it proves; a file that is whole but not the one that was dumped.
pub async fn inspect(cx: &StepCx, facts: &DumpFacts) -> Result<Inspected, Halt> {
    let large = cx.deployment()?.dump.large()?;
    let Some(&rows) = facts.counts.tables.get(&large.to_string()) else {
        return Err(Diagnostic::new(format!("the database had no table {large} at the dump"))
            .proves("the runbook is of another version, or the dump of another database")
            .safe("production: it was only read")
            .into());
    };
    let mended = |problem: Diagnostic| problem.or("", "production: it was only read", "dump again");
    let found = read(cx, &facts.dump, &facts.csv, Some(rows)).await.map_err(|halt| halt.told(mended))?;
    same(facts, &facts.dump, &found.0.sha256)?;
    same(facts, &facts.csv, &found.1.sha256)?;
    Ok(Inspected { dump: found.0, csv: found.1, large })
}

/// Reads both files to their end. Without the number of rows that the CSV file must have, one that was cut at the end of a row
/// looks whole.
pub async fn read(
    cx: &StepCx,
    dump: &DumpFile,
    csv: &DumpFile,
    rows: Option<u64>,
) -> Result<(DumpReport, CsvReport), Halt> {
    let plain = checked(cx, dump, dump::Structure::check).await?;
    let large = checked(cx, csv, move |file| csv::Structure::check(file, rows)).await?;
    Ok((plain, large))
}

async fn checked<R, F>(
    cx: &StepCx,
    file: &DumpFile,
    check: impl FnOnce(Box<dyn Read>) -> Result<R, CheckError<F>> + Send + 'static,
) -> Result<R, Halt>
where
    R: Send + 'static,
    F: std::error::Error + Send + 'static,
{
    let path = cx.kept(&file.name);
    let read = tokio::task::spawn_blocking(move || check(Box::new(File::open(path)?))).await;
    let name = &file.name;
    Ok(match read {
        Ok(Ok(report)) => report,
        Ok(Err(CheckError::Read(error))) => {
            return Err(Diagnostic::new(format!("cannot read {name}")).cause(error.to_string()).into());
        }
        Ok(Err(CheckError::Fault(fault))) => return Err(damaged(name, &fault).into()),
        Err(error) => return Err(Diagnostic::new(format!("cannot read {name}")).cause(error.to_string()).into()),
    })
}

fn damaged(name: &str, fault: &impl std::error::Error) -> Diagnostic {
    Diagnostic::new(format!("{name}, {fault}")).proves("this file counts as no dump")
}

fn same(facts: &DumpFacts, file: &DumpFile, sha256: &str) -> Result<(), Halt> {
    if file.sha256 == sha256 {
        return Ok(());
    }
    let (then, help) = if facts.is_adopted() { ("taken", "take the files again") } else { ("dumped", "dump again") };
    Err(Diagnostic::new(format!("{} is not the file that was {then}", file.name))
        .proves("the file here changed since then")
        .help(help)
        .into())
}
