//! `verify`: the dump's files by their structure, and a database by its rows.

use async_trait::async_trait;
use serde_json::json;

use super::{
    artifacts::{DumpFacts, rehash},
    context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx},
    restore::compare,
    spec::{VerifySpec, VerifyWhat},
};
use crate::{
    postgres::{csv, dump},
    run::{Repeat, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

#[async_trait]
impl Action for VerifySpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, _: &PlanCx<'_>) -> Described {
        let commands = match self.what {
            VerifyWhat::Files => vec![
                "reads both files to their end: trailer, every COPY block closed, rows counted, SHA-256".to_owned(),
                "compares their rows with what the database said at the dump".to_owned(),
            ],
            VerifyWhat::Database => vec!["counts the rows of every table and compares them with the dump's".to_owned()],
        };
        Described { commands, ..Described::default() }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::NotDone, "looking again costs nothing"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let facts = DumpFacts::of(cx, &self.dump)?;
        match self.what {
            VerifyWhat::Files => files(cx, &self.dump, &facts).await.map_err(|halt| halt.told(|p| p.again(&self.dump))),
            VerifyWhat::Database => {
                let comparison = compare(cx, cx.namespace(), &facts).await?;
                let sentence = format!("{} of {0} tables have the rows of the dump", comparison.equal.len());
                cx.evidence("database", 3, &sentence, json!({"added": comparison.added})).await?;
                Ok(Done::plain(sentence))
            }
        }
    }
}

async fn files(cx: &StepCx, step: &str, facts: &DumpFacts) -> Result<Done, Halt> {
    if let Err(reason) = rehash(cx, step).await? {
        return Err(Diagnostic::new(reason).proves("a file changed since it was dumped").help("dump again").into());
    }
    let report = dump::inspect(&cx.artifact(&facts.dump.name)).await.map_err(|fault| fault.diagnostic())?;
    let table = &cx.deployment()?.dump.csv_table;
    let rows = csv::inspect(&cx.artifact(&facts.csv.name)).await.map_err(|fault| fault.diagnostic())?;
    let mut expected = facts.counts.tables.clone();
    let history = expected.remove(&format!("public.{table}")).or_else(|| expected.remove(table));
    if history != Some(rows.rows) {
        return Err(Diagnostic::new(format!(
            "{} has {} rows, the database had {}",
            facts.csv.name,
            units::count(rows.rows),
            history.map_or_else(|| "none".to_owned(), units::count)
        ))
        .proves("the file was cut at the end of a row, or rows were written meanwhile")
        .safe("production: it was only read")
        .help("dump again")
        .into());
    }
    let mut shown = Vec::new();
    for found in &report.tables {
        let name = &found.name;
        let before = expected.remove(name);
        if before != Some(found.rows) {
            return Err(Diagnostic::new(format!(
                "{} holds {} rows of {name}, the database had {}",
                facts.dump.name,
                units::count(found.rows),
                before.map_or_else(|| "none".to_owned(), units::count)
            ))
            .proves("the dump is not what the database held")
            .safe("production: it was only read")
            .help("dump again")
            .into());
        }
        shown.push(Row {
            sign: Sign::Done,
            word: "whole".into(),
            name: name.clone(),
            detail: format!("{} rows", units::count(found.rows)),
        });
    }
    let excluded = &cx.deployment()?.dump.not_compared;
    let left: Vec<&String> = expected
        .iter()
        .filter(|(name, rows)| **rows > 0 && !excluded.iter().any(|x| name.trim_start_matches("public.") == x))
        .map(|(name, _)| name)
        .collect();
    if let Some(name) = left.first() {
        return Err(Diagnostic::new(format!(
            "{} tables with rows are in neither file, the first is {name}",
            left.len()
        ))
        .proves("restoring these files would lose them")
        .help("look at the exclusions of the runbook, then dump again")
        .into());
    }
    cx.show("", shown, None, None);
    let total = units::count(report.tables.iter().map(|t| t.rows).sum::<u64>() + rows.rows);
    let sentence = format!("trailer found, {} tables and {total} rows as at the dump", report.tables.len() + 1);
    cx.evidence(&facts.subject(), 2, &sentence, json!({"tables": report.tables.len() + 1})).await?;
    Ok(Done::plain(sentence))
}
