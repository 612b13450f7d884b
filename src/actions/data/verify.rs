//! `verify`: the dump's files by their structure, and a database by its rows.

use async_trait::async_trait;
use serde_json::json;

use super::{
    artifacts::{DumpFacts, rehash},
    inspect::inspect,
    restore::{Wanted, compare},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx},
        spec::{VerifySpec, VerifyWhat},
    },
    postgres::QualifiedName,
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
            VerifyWhat::Database | VerifyWhat::DatabaseAtLeast => {
                vec!["counts the rows of every table and compares them with the dump's".to_owned()]
            }
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
            VerifyWhat::Database | VerifyWhat::DatabaseAtLeast => {
                let told =
                    |problem| self.restored_by.iter().fold(problem, |problem: Diagnostic, step| problem.again(step));
                let wanted = if self.what == VerifyWhat::Database { Wanted::Equal } else { Wanted::AtLeast };
                let compared = compare(cx, cx.namespace(), &facts, wanted).await;
                let comparison = compared.map_err(|halt| halt.told(told))?;
                let (equal, grown) = (comparison.equal.len(), comparison.grown.len());
                let sentence = match grown {
                    0 => format!("{equal} of {equal} tables have as many rows as the dump"),
                    _ => format!(
                        "{0} of {0} tables have the rows of the dump or more: {grown} grew since",
                        equal + grown
                    ),
                };
                cx.evidence("database", 3, &sentence, json!({"added": comparison.added})).await?;
                Ok(Done::plain(sentence))
            }
        }
    }
}

async fn files(cx: &StepCx, step: &str, facts: &DumpFacts) -> Result<Done, Halt> {
    let files = match inspect(cx, facts).await {
        // damaged since the dump, or by the dump? Only the first says so by its hash
        Err(Halt::Failed(damage)) => {
            let changed = rehash(cx, step).await?.err();
            return Err(match changed {
                Some(reason) => Diagnostic::new(reason)
                    .proves("a file changed since it was dumped")
                    .cause(damage.what)
                    .help("dump again")
                    .into(),
                None => Halt::Failed(damage),
            });
        }
        other => other?,
    };
    let mut expected = facts.counts.tables.clone();
    expected.remove(&files.large.to_string());
    let mut shown = Vec::new();
    for found in &files.dump.tables {
        let name = found.table.to_string();
        let before = expected.remove(&name);
        if before != Some(found.rows) {
            return Err(Diagnostic::new(format!(
                "{} holds {} of {name}, the database had {}",
                facts.dump.name,
                units::plural(found.rows, "row", "rows"),
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
            name,
            detail: units::plural(found.rows, "row", "rows"),
        });
    }
    let layout = &cx.deployment()?.dump;
    let counts = |name: &str| QualifiedName::parse(name).is_none_or(|name| layout.is_compared(&name));
    let left: Vec<&String> =
        expected.iter().filter(|(name, rows)| **rows > 0 && counts(name)).map(|(name, _)| name).collect();
    if let Some(name) = left.first() {
        return Err(Diagnostic::new(format!(
            "{} in neither file, the first is {name}",
            units::plural(left.len(), "table with rows is", "tables with rows are")
        ))
        .proves("restoring these files would lose them")
        .help("look at the exclusions of the runbook, then dump again")
        .into());
    }
    cx.show("", shown, None, None);
    let (tables, total) = (files.dump.tables.len() + 1, units::count(files.dump.rows() + files.csv.rows));
    let sentence = format!("trailer found, {tables} tables and {total} rows as at the dump");
    cx.evidence(&facts.subject(), 2, &sentence, json!({"tables": tables})).await?;
    Ok(Done::plain(sentence))
}
