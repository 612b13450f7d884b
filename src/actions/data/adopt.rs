//! `adopt`: the two files of a dump that was made elsewhere, copied here, read to their end, shown beside what the database holds
//! now, and taken once a human says that they are the right ones. Nothing tells what the database held when they were made.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    artifacts::{ADOPTED, DumpFacts, DumpFile, to_facts},
    database::source,
    dump::names,
    inspect,
};
use crate::{
    actions::{
        agree::{Who, agrees},
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        deployment::DumpLayout,
        spec::AdoptSpec,
    },
    postgres::{
        QualifiedName,
        counts::Counts,
        dump::{DumpKind, DumpReport},
    },
    run::{Record, Repeat, Row, Sign, Verdict},
    text::{Diagnostic, hex, units},
};

/// Bytes that are copied between two looks at whether the operator stops.
const BLOCK: usize = 1 << 20;
/// Blocks between two sentences about how far the copy is.
const TOLD: u64 = 16;
/// Tables that are named in one sentence.
const NAMED: usize = 5;

#[async_trait]
impl Action for AdoptSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let ns = cx.namespace;
        Described {
            commands: vec![
                format!("copies {} and {} here, and hashes both", cx.show(&self.dump), cx.show(&self.csv)),
                "reads both to their end: trailer, every COPY block closed, rows counted".to_owned(),
                "shows their rows beside those of the database now, and asks whether these are the files".to_owned(),
            ],
            rights: vec![right("get", "", "pods", "exec", Some(ns)), right("create", "", "pods", "exec", Some(ns))],
            ..Described::default()
        }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::NotDone, "copying and reading them again costs nothing"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let safe = "everything: nothing was changed, and the files are where they were";
        let help = "bring another copy of the file, or of another day, to the same path and try again";
        self.adopt(cx).await.map_err(|halt| halt.told(|problem| problem.or("", safe, help)))
    }
}

impl AdoptSpec {
    async fn adopt(&self, cx: &StepCx) -> Result<Done, Halt> {
        let (dump_name, csv_name) = names(cx)?;
        let dump = copy(cx, PathBuf::from(cx.render(&self.dump)?), &dump_name).await?;
        let csv = copy(cx, PathBuf::from(cx.render(&self.csv)?), &csv_name).await?;
        let (plain, large) = inspect::read(cx, &dump, &csv, None).await?;
        refuse_uncounted(&dump.name, &plain)?;
        let layout = &cx.deployment()?.dump;
        let table = layout.large()?.to_string();
        let mut counts = Counts::from(&plain);
        if counts.tables.insert(table.clone(), large.rows).is_some() {
            return Err(Diagnostic::new(format!(
                "{} holds rows of {table}, whose rows are in {}",
                dump.name, csv.name
            ))
            .proves("both would be restored, and every row of that table would be there twice")
            .into());
        }
        let (now, server) = source(cx, cx.namespace()).await?;
        let shown = Beside::of(&counts, &now, layout);
        cx.show("Rows in these files, and in the database now.", shown.rows, None, None);
        let text = text(&counts, &now, &shown.nowhere, (&csv, &table), &plain);
        if !agrees(cx, text, "Take these files", Who::of(cx)).await? {
            return Err(Halt::Back);
        }
        let (step, by) = (cx.step.clone(), cx.world.host.operator());
        let total: u64 = counts.tables.values().sum();
        let reason = format!("these files are to be restored: {}", units::plural(total, "row", "rows"));
        cx.driver.record(Record::Confirmed { step, item: "the files".to_owned(), by, reason }).await?;
        let (tables, bytes) = (counts.tables.len(), units::bytes(dump.bytes + csv.bytes));
        let facts = DumpFacts { dump, csv, counts, server, way: ADOPTED.to_owned() };
        let sentence = format!(
            "two files of {bytes}, whole as far as they tell: {tables} tables, {}; no count of their time",
            units::plural(total, "row", "rows")
        );
        cx.evidence(&facts.subject(), 2, &sentence, json!({"dump": facts.dump, "csv": facts.csv})).await?;
        Ok(Done::with(sentence, to_facts(&facts)?))
    }
}

/// Rows that are in no table's count could be lost unseen.
fn refuse_uncounted(name: &str, plain: &DumpReport) -> Result<(), Halt> {
    let why = match plain.kind {
        DumpKind::Cluster => "it is of a whole server, by pg_dumpall: roles and other databases would come along",
        DumpKind::Database if plain.inserts > 0 => "its rows are INSERT statements, which are in no table's count",
        DumpKind::Database => return Ok(()),
    };
    Err(Diagnostic::new(format!("{name} cannot be proven: {why}"))
        .help("make it with `pg_dump --data-only --disable-triggers`, as the procedure says")
        .into())
}

/// What two counts look like beside each other.
struct Beside {
    rows: Vec<Row>,
    /// Tables with rows now that are in neither file.
    nowhere: Vec<String>,
}

impl Beside {
    fn of(files: &Counts, now: &Counts, layout: &DumpLayout) -> Self {
        let counted = |name: &str| QualifiedName::parse(name).is_none_or(|name| layout.is_compared(&name));
        let rows = files.tables.iter().map(|(name, rows)| {
            let there = now.tables.get(name).map_or_else(|| "no such table".to_owned(), |n| units::count(*n));
            let (sign, word) = match now.tables.get(name) {
                Some(n) if n == rows => (Sign::Done, "equal"),
                Some(_) => (Sign::Careful, "differs"),
                None => (Sign::Careful, "new"),
            };
            let detail = format!("{} in the files, {there} now", units::plural(*rows, "row", "rows"));
            Row { sign, word: word.to_owned(), name: name.clone(), detail }
        });
        let nowhere =
            now.tables.iter().filter(|(name, rows)| **rows > 0 && !files.tables.contains_key(*name) && counted(name));
        Self { rows: rows.collect(), nowhere: nowhere.map(|(name, _)| name.clone()).collect() }
    }
}

fn text(
    files: &Counts,
    now: &Counts,
    nowhere: &[String],
    (csv, table): (&DumpFile, &str),
    plain: &DumpReport,
) -> Vec<String> {
    let sum = |counts: &Counts| units::plural(counts.tables.values().sum::<u64>(), "row", "rows");
    let mut text = vec![
        "These files were made elsewhere, and no count of that time came with them: what the database held then, nothing says."
            .to_owned(),
        format!("- {} in {} tables; the database now has {} in {}", sum(files), files.tables.len(), sum(now), now.tables.len()),
        format!(
            "- {} has {}, its table has {} now. A CSV file that was cut at the end of a row looks whole: compare this number with \
             what you know",
            csv.name,
            units::plural(files.tables.get(table).copied().unwrap_or(0), "row", "rows"),
            units::count(now.tables.get(table).copied().unwrap_or(0))
        ),
    ];
    if let Some(version) = &plain.server_version {
        text.push(format!("- dumped from PostgreSQL {version}"));
    }
    if !nowhere.is_empty() {
        let more = if nowhere.len() > NAMED { format!(" and {} more", nowhere.len() - NAMED) } else { String::new() };
        text.push(format!(
            "- in neither file, and with rows now: {}{more}. After the restore these are as a new deployment has them",
            nowhere.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ")
        ));
    }
    text.push(
        "The rehearsal restores and counts exactly these files. That they are the right ones, only you can say."
            .to_owned(),
    );
    text
}

/// Copies a file of somebody's into the run, for its owner alone. The same bytes are hashed and written.
async fn copy(cx: &StepCx, from: PathBuf, name: &str) -> Result<DumpFile, Halt> {
    let (driver, to, shown) = (cx.clone(), cx.artifact(name), name.to_owned());
    let copied = tokio::task::spawn_blocking(move || {
        copy_file(&from, &to, &mut |done, total| {
            let row =
                Row { sign: Sign::Running, word: "copying".into(), name: shown.clone(), detail: units::bytes(done) };
            driver.show("The file is copied into the run's folder and hashed.", vec![row], Some((done, total)), None);
            !driver.cancel.is_cancelled()
        })
    })
    .await
    .map_err(|error| Diagnostic::new(format!("cannot copy {name}")).cause(error.to_string()))?;
    match copied {
        Ok(Some((bytes, sha256))) => Ok(DumpFile { name: name.to_owned(), bytes, sha256 }),
        Ok(None) => Err(Halt::Stopped("stopped by the operator".to_owned())),
        Err(problem) => Err(Halt::Failed(Box::new(problem))),
    }
}

/// Size and SHA-256 of what was copied; nothing where `go_on` said no.
fn copy_file(
    from: &Path,
    to: &Path,
    go_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Option<(u64, String)>, Diagnostic> {
    let told = |what: &'static str, path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| Diagnostic::new(format!("cannot {what} {path}")).cause(error.to_string())
    };
    let found = std::fs::metadata(from).map_err(told("read", from))?;
    if !found.is_file() || found.len() == 0 {
        let what = if found.is_file() { "is empty" } else { "is no regular file" };
        return Err(Diagnostic::new(format!("{} {what}", from.display())).proves("there is nothing to restore in it"));
    }
    let mut source = File::open(from).map_err(told("read", from))?;
    if to.exists() {
        std::fs::remove_file(to).map_err(told("remove the old", to))?;
    }
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(told("make", to))?;
    let (mut hash, mut bytes, mut block, mut blocks) = (Sha256::new(), 0u64, vec![0u8; BLOCK], 0u64);
    loop {
        if blocks.is_multiple_of(TOLD) && !go_on(bytes, found.len()) {
            return Ok(None);
        }
        let n = source.read(&mut block).map_err(told("read", from))?;
        if n == 0 {
            break;
        }
        hash.update(&block[..n]);
        copy.write_all(&block[..n]).map_err(told("write", to))?;
        (bytes, blocks) = (bytes + n as u64, blocks + 1);
    }
    copy.sync_all().map_err(told("make durable", to))?;
    Ok(Some((bytes, hex(&hash.finalize()))))
}
