//! `restore`: the dump into an empty deployment, natively through a client pod or by the admin's own scripts, then counted.

use async_trait::async_trait;
use serde_json::json;

use super::{
    artifacts::{DumpFacts, DumpFile, proven, rehash},
    client,
    database::{self, source},
    dump::{POD, SCRIPTS},
    foreign::{self, Holds},
    inspect::inspect,
    jobs::{self, Measure},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        objects::pods::{psql, psql_command, ready_pod},
        programs::host::{Call, follow},
        spec::RestoreSpec,
    },
    ports::{Identity, PodRef},
    postgres::{
        QualifiedName,
        counts::{self, Comparison},
        restore::{advance_serial, copy_csv, truncate},
    },
    run::{EffectState, Repeat, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

/// How the change begins that empties tables before a load.
const EMPTY: &str = "empty ";

/// Restores the dump into the deployment in `place`. Its tables are emptied first, so that a second try is the same; what
/// somebody else has put there is spared.
pub async fn into(
    cx: &StepCx,
    place: &Identity,
    facts: &DumpFacts,
    (way, scripts): (&str, &str),
    holds: Holds<'_>,
) -> Result<(), Halt> {
    refuse_source(cx, &place.namespace, facts).await?;
    // what was loaded to its end is not emptied again: rows may have come since. A namespace made anew has another uid
    let load = load(cx, place);
    if load_of(&cx.driver.state().effects, cx, place).any(|effect| effect.result.is_some()) {
        return if way == POD { client::remove(cx, &place.namespace).await } else { Ok(()) };
    }
    foreign::spare(cx, place, facts, &holds).await?;
    match way {
        POD => natively(cx, place, facts, &load, &holds).await,
        SCRIPTS => by_scripts(cx, place, facts, scripts, &load).await,
        other => Err(Diagnostic::new(format!("a restore is made by `pod` or `scripts`, not by `{other}`")).into()),
    }
}

/// What this attempt writes down before it loads into `place`.
fn load(cx: &StepCx, place: &Identity) -> String {
    format!("{}{}", foreign::load_into(place), cx.attempt)
}

/// Each time this attempt began to load into `place`, or took that up again.
fn load_of<'a>(effects: &'a [EffectState], cx: &StepCx, place: &Identity) -> impl Iterator<Item = &'a EffectState> {
    let (step, load) = (cx.step.clone(), load(cx, place));
    effects.iter().filter(move |effect| effect.step == step && effect.effect == load)
}

/// Seconds from the first beginning of a load to its end, with all that lay between.
fn span(begun: &[&EffectState]) -> u64 {
    let end = begun.iter().find_map(|effect| effect.answered);
    let seconds = begun.first().zip(end).map(|(first, end)| end.as_second() - first.at.as_second());
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0)
}

/// A restore empties tables first: it must never reach the database that was dumped, wherever the environment of the place
/// leads to.
async fn refuse_source(cx: &StepCx, namespace: &str, facts: &DumpFacts) -> Result<(), Halt> {
    let there = database::server(cx, namespace).await?;
    if facts.server.system_identifier.is_none() || there.system_identifier.is_none() {
        let problem = Diagnostic::new(format!(
            "it cannot be told whether the database of {namespace} is the one that was dumped"
        ))
        .cause("a server does not say its system identifier")
        .safe("everything: nothing was emptied or written")
        .help("let the database user read it: grant execute on function pg_control_system() to it");
        return Err(Halt::Refused(Box::new(problem)));
    }
    if !facts.server.is_same_database(&there) {
        return Ok(());
    }
    let problem = Diagnostic::new(format!("the database that {namespace} uses is the one that was dumped"))
        .proves("its connection leads out of its namespace, to the source itself")
        .safe("everything: nothing was emptied or written")
        .help("give the new deployment a database of its own: look at the host in its environment and values");
    Err(Halt::Refused(Box::new(problem)))
}

async fn natively(cx: &StepCx, place: &Identity, facts: &DumpFacts, load: &str, holds: &Holds<'_>) -> Result<(), Halt> {
    let namespace = place.namespace.as_str();
    let deployment = cx.deployment()?;
    let layout = &deployment.dump;
    let files = inspect(cx, facts).await?;
    // a job of an attempt that failed may still hold locks: its pod goes first
    if cx.attempt > 1 {
        client::remove(cx, namespace).await?;
    }
    let pod = client::ensure(cx, namespace).await?;
    let (dump_path, csv_path) = (format!("{}/dump.sql", client::FOLDER), format!("{}/rows.csv", client::FOLDER));
    put(cx, &pod, &facts.dump, &dump_path).await?;
    put(cx, &pod, &facts.csv, &csv_path).await?;
    let tables: Vec<&QualifiedName> = files.dump.tables.iter().map(|rows| &rows.table).chain([&files.large]).collect();
    let loaded = format!("restore-{}", cx.attempt);
    let begun = !matches!(cx.world.exec.poll(&pod, client::FOLDER, &loaded).await?, crate::ports::JobState::Absent);
    let count = tables.len();
    if !begun && let Some(statement) = truncate(tables) {
        // the copying may have taken an hour: whose tables these are, and whose rows, is read again
        refuse_source(cx, namespace, facts).await?;
        foreign::spare(cx, place, facts, holds).await?;
        cx.still(place).await?;
        let effect = format!("{EMPTY}{} in {namespace}", units::plural(count, "table", "tables"));
        cx.effect(&effect).await?;
        psql(cx, &pod, &deployment.connection, &statement).await?;
        cx.effected(&effect, "accepted").await?;
    }
    cx.effect(load).await?;
    let command =
        psql_command(&deployment.connection, &["-Xq", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", &dump_path]);
    jobs::run(cx, &pod, &loaded, &command, &facts.dump.name, Measure::Reads(facts.dump.bytes)).await?;
    let copy = copy_csv(&files.large, &files.csv.columns, &csv_path)
        .map_err(|fault| Diagnostic::new(fault.to_string()).safe("the dump, here and unchanged"))?;
    let command = psql_command(&deployment.connection, &["-Xq", "-v", "ON_ERROR_STOP=1", "-c", &copy]);
    jobs::run(cx, &pod, &format!("rows-{}", cx.attempt), &command, &facts.csv.name, Measure::Reads(facts.csv.bytes))
        .await?;
    psql(cx, &pod, &deployment.connection, &advance_serial(&files.large, &layout.csv_serial)).await?;
    cx.effected(load, "to its end").await?;
    client::remove(cx, namespace).await
}

async fn put(cx: &StepCx, pod: &PodRef, file: &DumpFile, to: &str) -> Result<(), Halt> {
    let (shown, total, driver) = (file.name.clone(), file.bytes, cx.clone());
    let progress = move |bytes: u64| {
        let row = Row { sign: Sign::Running, word: "copying".into(), name: shown.clone(), detail: units::bytes(bytes) };
        driver.show(
            "The file is copied into the cluster and hashed on both sides.",
            vec![row],
            Some((bytes, total)),
            None,
        );
    };
    let sent = cx.world.exec.upload(pod, &cx.kept(&file.name), to, &progress, &cx.cancel).await?;
    if sent.sha256 == file.sha256 {
        return Ok(());
    }
    Err(Diagnostic::new(format!("{} is not the file that was dumped: {}", file.name, units::hash(&sent.sha256)))
        .proves("the file here changed since the dump")
        .into())
}

async fn by_scripts(cx: &StepCx, place: &Identity, facts: &DumpFacts, scripts: &str, load: &str) -> Result<(), Halt> {
    let (pod, _) = ready_pod(cx, &place.namespace, &cx.deployment()?.core).await?;
    let script = format!("{scripts}/pix-restore-data.sh");
    let args = ["-k", &pod.pod, &place.namespace, &facts.dump.name, &facts.csv.name];
    cx.effect(load).await?;
    let (exit, _, errors) = follow(cx, place, Call::new(cx, &script, &args)).await?;
    if exit.code == 0 && errors.is_empty() {
        return cx.effected(load, "to its end").await;
    }
    let problem = Diagnostic::new(format!(
        "the restore script ended with status {} and {}",
        exit.code,
        units::plural(errors.len(), "error line", "error lines")
    ))
    .proves("the database there is incomplete, whatever the script said at its end")
    .safe("the dump, here and unchanged")
    .help("try again: the tables are emptied first");
    Err(errors.into_iter().fold(problem, Diagnostic::cause).into())
}

/// What a database is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// As many rows as at the dump.
    Equal,
    /// As many, or more where writers run already.
    AtLeast,
}

/// Compares the database in `namespace` with the counts at the dump.
///
/// # Errors
/// A failure naming up to five tables that differ.
pub async fn compare(cx: &StepCx, namespace: &str, facts: &DumpFacts, wanted: Wanted) -> Result<Comparison, Halt> {
    let (now, _) = source(cx, namespace).await?;
    let layout = &cx.deployment()?.dump;
    let compared = counts::compare(&facts.counts, &now, |name| layout.is_compared(name));
    let comparison = if wanted == Wanted::AtLeast { compared.may_have_grown() } else { compared };
    let rows = comparison
        .differs
        .iter()
        .map(|d| Row {
            sign: Sign::Failed,
            word: "differs".into(),
            name: d.table.clone(),
            detail: format!("{} there, {} here", units::plural(d.before, "row", "rows"), units::count(d.after)),
        })
        .chain(comparison.grown.iter().map(|d| Row {
            sign: Sign::Done,
            word: "more".into(),
            name: d.table.clone(),
            detail: format!("{}, {} since", units::plural(d.before, "row", "rows"), units::count(d.after - d.before)),
        }))
        .chain(comparison.equal.iter().map(|(table, rows)| Row {
            sign: Sign::Done,
            word: "equal".into(),
            name: table.clone(),
            detail: units::plural(*rows, "row", "rows"),
        }))
        .collect();
    cx.show(
        &format!("tables: {} equal, {} different", comparison.equal.len(), comparison.differs.len()),
        rows,
        None,
        None,
    );
    if comparison.holds() {
        return Ok(comparison);
    }
    let problem = Diagnostic::new(format!(
        "{} another number of rows than at the dump, {} missing",
        units::plural(comparison.differs.len(), "table has", "tables have"),
        units::plural(comparison.missing.len(), "is", "are")
    ))
    .proves("the restored database has not the rows that were dumped");
    let causes = comparison
        .differs
        .iter()
        .map(|d| {
            format!(
                "{}: {} at the dump, {} now",
                d.table,
                units::plural(d.before, "row", "rows"),
                units::count(d.after)
            )
        })
        .chain(comparison.missing.iter().map(|table| format!("{table} is missing")))
        .chain(comparison.behind.iter().map(|behind| format!("sequence {} is behind", behind.sequence)));
    Err(causes.take(5).fold(problem, Diagnostic::cause).into())
}

/// How far a load came, by the rows that are there and by whether it is written down that it came to its end.
fn found(comparison: &Comparison, loaded: bool) -> Probed {
    let (equal, differ) = (comparison.equal.len(), comparison.differs.len() + comparison.missing.len());
    let rows = if differ == 0 {
        format!("all {equal} tables have the dump's rows")
    } else {
        format!("tables: {equal} with the dump's rows, {differ} without")
    };
    if loaded {
        return Probed::new(Verdict::Done, format!("loaded to its end; {rows}"));
    }
    if comparison.holds() {
        return Probed::new(Verdict::Done, rows);
    }
    let behind = comparison.behind.len();
    let behind = match behind {
        0 => String::new(),
        _ => format!(", {} behind", units::plural(behind, "sequence is", "sequences are")),
    };
    Probed::new(Verdict::Partly, format!("{rows}{behind}"))
}

#[async_trait]
impl Action for RestoreSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let Some(deployment) = cx.deployment else { return Described::default() };
        let ns = cx.namespace;
        let mut described = Described {
            unknown: vec!["how long it takes: the rehearsal tells".to_owned()],
            rights: vec![
                right("get", "", "pods", "exec", Some(ns)),
                right("create", "", "pods", "exec", Some(ns)),
                right("create", "", "pods", "", Some(ns)),
                right("delete", "", "pods", "", Some(ns)),
            ],
            ..Described::default()
        };
        if cx.show(&self.way) == SCRIPTS {
            let script = format!("{}/pix-restore-data.sh", cx.show(&self.scripts));
            described.commands = vec![format!("$ {script} -k POD {ns} DUMP CSV")];
            described.programs = vec![script];
        } else {
            described.commands = vec![
                "in a client pod of ours, after the tables of the dump were emptied:".to_owned(),
                "$ psql -v ON_ERROR_STOP=1 -f DUMP".to_owned(),
                format!("$ psql -c \"\\copy {} from CSV with (format csv, header)\"", deployment.dump.csv_table),
            ];
        }
        described
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let state = cx.driver.state();
        let begins = |effect: &EffectState, begin: &str| effect.step == cx.step && effect.effect.starts_with(begin);
        let load = foreign::load_into(&cx.target);
        if !state.effects.iter().any(|effect| begins(effect, &load)) {
            // rows that are equal then are those of a new deployment
            return Ok(if state.effects.iter().any(|effect| begins(effect, EMPTY)) {
                Probed::new(Verdict::Partly, "the tables of the dump were about to be emptied; nothing was loaded yet")
            } else {
                Probed::new(Verdict::NotDone, "nothing was loaded yet")
            });
        }
        let facts = DumpFacts::of(cx, &self.dump)?;
        let (now, _) = source(cx, cx.namespace()).await?;
        let layout = &cx.deployment()?.dump;
        let comparison = counts::compare(&facts.counts, &now, |name| layout.is_compared(name));
        let loaded = load_of(&state.effects, cx, &cx.target).any(|effect| effect.result.is_some());
        Ok(found(&comparison, loaded))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let facts = DumpFacts::of(cx, &self.dump)?;
        for checked in [rehash(cx, &self.dump).await?, proven(cx, &self.dump, &self.proven_by)] {
            if let Err(reason) = checked {
                return Err(Halt::Refused(Box::new(
                    Diagnostic::new(format!("these files are not restored: {reason}"))
                        .safe("the new database: nothing was sent"),
                )));
            }
        }
        let (way, scripts) = (cx.render(&self.way)?, cx.render(&self.scripts)?);
        let started = std::time::Instant::now();
        let holds = Holds::Deployment { held_by: self.held_by.as_deref(), proven_by: &self.proven_by };
        into(cx, &cx.target, &facts, (&way, &scripts), holds).await?;
        let state = cx.driver.state();
        let begun = load_of(&state.effects, cx, &cx.target).collect::<Vec<_>>();
        let again = if begun.len() > 1 { ", taken up again on the way" } else { "" };
        // a process that took it up again has seen only the end of it
        let seconds = span(&begun).max(started.elapsed().as_secs());
        Ok(Done::with(format!("restored in {}{again}", units::seconds(seconds)), json!({"seconds": seconds})))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::run::StepId;

    #[test]
    fn a_load_that_was_taken_up_again_took_from_its_first_beginning_to_its_end() {
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let effect = |from: i64, to: Option<i64>| EffectState {
            step: StepId("restore".into()),
            effect: "load the dump into plant uid 1, try 1".into(),
            result: to.map(|_| "to its end".into()),
            at: at(from),
            answered: to.map(at),
        };
        let (cut, ended) = (effect(10, None), effect(200, Some(204)));
        assert_eq!(span(&[&cut, &ended]), 194);
        assert_eq!(span(&[&ended]), 4);
        assert_eq!(span(&[&cut]), 0, "it is not at its end");
        assert_eq!(span(&[]), 0);
    }

    #[test]
    fn how_far_a_load_came_is_said_by_rows_and_by_its_own_record() {
        let mut comparison = Comparison { equal: vec![("a".into(), 3), ("b".into(), 0)], ..Comparison::default() };
        assert_eq!(found(&comparison, false), Probed::new(Verdict::Done, "all 2 tables have the dump's rows"));
        comparison.missing = vec!["c".into()];
        let partly = Probed::new(Verdict::Partly, "tables: 2 with the dump's rows, 1 without");
        assert_eq!(found(&comparison, false), partly);
        let whole = Probed::new(Verdict::Done, "loaded to its end; tables: 2 with the dump's rows, 1 without");
        assert_eq!(found(&comparison, true), whole, "rows that others wrote since take nothing back");
    }
}
