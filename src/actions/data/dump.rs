//! `dump`: the two files of a backup, made natively in a client pod or by the admin's own scripts, hashed on both sides.

use std::path::Path;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    artifacts::{DumpFacts, DumpFile, digest, to_facts},
    client,
    database::{UNCOUNTED, no_open_transaction, settled_source, source, writers},
    jobs::{self, Measure},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        objects::pods::{psql_command, ready_pod},
        programs::host::{Call, follow},
        spec::DumpSpec,
    },
    ports::{JobState, PodRef, remote},
    postgres::{
        counts::{Counts, compare},
        facts::ServerFacts,
        restore::export_csv,
    },
    run::{Repeat, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

/// The word for the native way.
pub const POD: &str = "pod";
/// The word for the way by scripts.
pub const SCRIPTS: &str = "scripts";

/// What the source was before the dump of one attempt, kept beside its job: a job that outlived drydock is measured by the
/// moment at which it began, not by the one at which it was found again.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    attempt: u32,
    counts: Counts,
    server: ServerFacts,
}

impl Before {
    async fn read(cx: &StepCx) -> Result<Self, Halt> {
        // first, since what is open now ends behind the counts, and would be in none of them
        no_open_transaction(cx).await?;
        let (counts, server) = source(cx, cx.namespace()).await?;
        Ok(Self { attempt: cx.attempt, counts, server })
    }

    /// Of this attempt, if it was kept.
    fn kept(cx: &StepCx) -> Option<Self> {
        let draft = cx.driver.draft(&cx.step)?;
        serde_json::from_value(draft).ok().filter(|before: &Self| before.attempt == cx.attempt)
    }

    async fn keep(&self, cx: &StepCx) -> Result<(), Halt> {
        let draft = serde_json::to_value(self)
            .map_err(|error| Diagnostic::new("cannot keep what the source was").cause(error.to_string()))?;
        cx.driver.save_draft(&cx.step, draft).await
    }
}

/// File names of a dump: plain dump and CSV.
pub fn names(cx: &StepCx) -> Result<(String, String), Halt> {
    let layout = &cx.deployment()?.dump;
    let name = |pattern: &str| pattern.replace("{namespace}", cx.namespace());
    Ok((name(&layout.dump_file), name(&layout.csv_file)))
}

#[async_trait]
impl Action for DumpSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let Some(deployment) = cx.deployment else { return Described::default() };
        let ns = cx.namespace;
        let way = cx.show(&self.way);
        let mut described = Described {
            unknown: vec!["size of the dump".to_owned()],
            rights: vec![
                right("get", "", "pods", "exec", Some(ns)),
                right("create", "", "pods", "exec", Some(ns)),
                right("create", "", "pods", "", Some(ns)),
                right("delete", "", "pods", "", Some(ns)),
            ],
            ..Described::default()
        };
        if way == SCRIPTS {
            let script = format!("{}/pix-dump-data.sh", cx.show(&self.scripts));
            described.commands.push(format!("$ {script} -k POD {ns}"));
            described.programs = vec![script, "kubectl".to_owned(), "bash".to_owned()];
        } else {
            let exclude: String = deployment.dump.exclude.iter().map(|table| format!(" -T '{table}'")).collect();
            described.commands = vec![
                "in a client pod of ours, with the core's image and environment:".to_owned(),
                format!("$ pg_dump --data-only --disable-triggers{exclude}"),
                format!(
                    "$ psql -c \"COPY (SELECT * FROM {}) TO STDOUT WITH (FORMAT csv, HEADER)\"",
                    deployment.dump.csv_table
                ),
            ];
        }
        described
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let (dump, csv) = names(cx)?;
        let here = [dump, csv].iter().filter(|name| cx.artifact(name).exists()).count();
        if cx.render(&self.way)? == POD
            && Before::kept(cx).is_some()
            && let Some(there) = in_pod(cx).await?
        {
            let here = if here == 0 { "none is here yet".to_owned() } else { format!("{here} of 2 is here") };
            return Ok(Probed::new(Verdict::Partly, format!("{there}, {here}; the dump is taken up there")));
        }
        Ok(match here {
            0 => Probed::new(Verdict::NotDone, "no file of the dump is here"),
            n => Probed::new(Verdict::Partly, format!("{n} of 2 files are here; the dump is taken up where it is")),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let proves = "the dump did not come to its end: what it wrote counts as no dump";
        let (safe, help) = ("production: it was only read", "mend the cause, then try again: the dump begins anew");
        match self.dump(cx).await {
            Ok(done) => Ok(done),
            Err(halt) => Err(told_what_is_left(cx, halt.told(|problem| problem.or(proves, safe, help))).await),
        }
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        let left = client::left(cx, cx.namespace()).await?;
        Ok(left.map(|_| format!("pod {} removed", client::name(cx))).into_iter().collect())
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let name = client::name(cx);
        if let Some(pod) = client::left(cx, cx.namespace()).await? {
            client::remove_pod(cx, cx.namespace(), &pod).await?;
        }
        Ok(format!("client pod {name} is gone, with what it wrote"))
    }
}

/// Which files this attempt has made in the client pod, and which it makes; nothing where no job of it is there.
async fn in_pod(cx: &StepCx) -> Result<Option<String>, Halt> {
    let Some(pod) = client::left_ready(cx, cx.namespace()).await? else { return Ok(None) };
    let (mut made, mut under_way) = (0, 0);
    for job in ["dump", "csv"] {
        match cx.world.exec.poll(&pod, client::FOLDER, &format!("{job}-{}", cx.attempt)).await? {
            JobState::Ended { code: 0, .. } => made += 1,
            JobState::Running { .. } => under_way += 1,
            JobState::Ended { .. } | JobState::Absent | JobState::Lost => {}
        }
    }
    let verb = if made == 1 { "is" } else { "are" };
    let more = if under_way == 0 { "" } else { " and one is under way" };
    Ok((made + under_way > 0).then(|| format!("{made} of 2 files {verb} made{more} in the client pod {}", pod.pod)))
}

/// A dump that did not come to its end, with the client pod that it leaves: it holds rows, and the password of the database.
async fn told_what_is_left(cx: &StepCx, halt: Halt) -> Halt {
    // the cluster need not answer any more: what went wrong is told in any case
    let Ok(Some(_)) = client::left(cx, cx.namespace()).await else { return halt };
    let name = client::name(cx);
    let command = format!("kubectl -n {} delete pod {name}", cx.namespace());
    match halt {
        Halt::Stopped(reason) => {
            Halt::Stopped(format!("{reason}; the client pod {name} stays with what it wrote, `{command}` removes it"))
        }
        other => other.told(|problem| {
            problem.help(format!(
                "pod {name} is left with what it wrote: the next try and a roll back remove it, and so does `{command}`"
            ))
        }),
    }
}

impl DumpSpec {
    async fn dump(&self, cx: &StepCx) -> Result<Done, Halt> {
        let way = cx.render(&self.way)?;
        let (Before { counts: before, server, .. }, dump, csv) = match way.as_str() {
            POD => self.natively(cx).await?,
            SCRIPTS => {
                let before = Before::read(cx).await?;
                let (dump, csv) = self.by_scripts(cx).await?;
                (before, dump, csv)
            }
            other => {
                return Err(Diagnostic::new(format!("a dump is made by `pod` or `scripts`, not by `{other}`")).into());
            }
        };
        let (after, later) = settled_source(cx, cx.namespace(), &server, &mut None).await?;
        no_open_transaction(cx).await?;
        let restarted = server.postmaster_start != later.postmaster_start;
        if before != after || restarted || !server.is_quiet_until(&later) {
            let comparison = compare(&before, &after, |_| true);
            if before == after && !restarted && !server.counts_until(&later) {
                return Err(Diagnostic::new(format!("transactions ended during the dump, and {UNCOUNTED}"))
                    .proves("the two files may come from two moments and not fit together; they count as no dump")
                    .safe("production: it was only read")
                    .into());
            }
            let who = writers(cx, cx.namespace()).await;
            let problem = Diagnostic::new(format!("the database was written to, or restarted, during the dump{who}"))
                .proves("the two files come from two moments and may not fit together; they count as no dump")
                .safe("production: it was only read")
                .help("stop whoever writes, then dump again");
            let causes = comparison.differs.iter().take(5).map(|d| {
                format!(
                    "{}: {} before, {} after",
                    d.table,
                    units::plural(d.before, "row", "rows"),
                    units::count(d.after)
                )
            });
            return Err(causes.fold(problem, Diagnostic::cause).into());
        }
        let sentence = format!("two files, {} and {}", units::bytes(dump.bytes), units::bytes(csv.bytes));
        let facts = DumpFacts { dump, csv, counts: before, server, way };
        cx.evidence(&facts.subject(), 1, &sentence, serde_json::json!({"dump": facts.dump, "csv": facts.csv})).await?;
        Ok(Done::with(sentence, to_facts(&facts)?))
    }

    async fn natively(&self, cx: &StepCx) -> Result<(Before, DumpFile, DumpFile), Halt> {
        let deployment = cx.deployment()?;
        let layout = &deployment.dump;
        let (dump_name, csv_name) = names(cx)?;
        let job = format!("dump-{}", cx.attempt);
        let mut pod = client::ensure(cx, cx.namespace()).await?;
        let is_new = matches!(cx.world.exec.poll(&pod, client::FOLDER, &job).await?, JobState::Absent);
        let before = if let (false, Some(before)) = (is_new, Before::kept(cx)) {
            before
        } else {
            // what an earlier attempt left, there or here, is of another moment and takes room; so is a job of whose
            // beginning nothing is known
            if cx.attempt > 1 || !is_new {
                client::remove(cx, cx.namespace()).await?;
                pod = client::ensure(cx, cx.namespace()).await?;
            }
            for name in [&dump_name, &csv_name] {
                remove_file(&cx.artifact(name)).await?;
                remove_file(&cx.artifact(&format!("{name}.part"))).await?;
            }
            let before = Before::read(cx).await?;
            before.keep(cx).await?;
            before
        };
        let mut command = ["pg_dump", "--verbose", "--data-only", "--disable-triggers"].map(str::to_owned).to_vec();
        for table in &layout.exclude {
            command.extend(["-T".to_owned(), table.clone()]);
        }
        let command = remote::environment_command(&deployment.connection.pairs(), &command);
        jobs::run(cx, &pod, &job, &command, &dump_name, Measure::Writes(None)).await?;
        let dump = fetch(cx, &pod, &format!("{}/{job}.out", client::FOLDER), &dump_name).await?;
        let query = export_csv(&layout.large()?);
        let command = psql_command(&deployment.connection, &["-Xq", "-v", "ON_ERROR_STOP=1", "-c", &query]);
        let job = format!("csv-{}", cx.attempt);
        jobs::run(cx, &pod, &job, &command, &csv_name, Measure::Writes(None)).await?;
        let csv = fetch(cx, &pod, &format!("{}/{job}.out", client::FOLDER), &csv_name).await?;
        client::remove(cx, cx.namespace()).await?;
        Ok((before, dump, csv))
    }

    async fn by_scripts(&self, cx: &StepCx) -> Result<(DumpFile, DumpFile), Halt> {
        let (pod, _) = ready_pod(cx, cx.namespace(), &cx.deployment()?.core).await?;
        let (dump_name, csv_name) = names(cx)?;
        // the script writes to its folder under these names whatever happens: an old file must not be taken for a new one
        for name in [&dump_name, &csv_name] {
            remove_file(&cx.artifact(name)).await?;
        }
        let script = format!("{}/pix-dump-data.sh", cx.render(&self.scripts)?);
        let call = Call::new(cx, &script, &["-k", &pod.pod, cx.namespace()]);
        let (exit, _, errors) = follow(cx, &cx.target, call).await?;
        if exit.code != 0 || !errors.is_empty() {
            let problem = Diagnostic::new(format!(
                "the dump script ended with status {} and {}",
                exit.code,
                units::plural(errors.len(), "error line", "error lines")
            ))
            .proves("the files count as cut, whatever the script said at its end")
            .safe("production: it was only read");
            // where a script throws its errors away, what it left tells most
            let left = [&dump_name, &csv_name].into_iter().filter_map(|name| match cx.artifact(name).metadata() {
                Ok(file) if file.len() > 0 => None,
                Ok(_) => Some(format!("{name} is empty")),
                Err(_) => Some(format!("there is no file {name}")),
            });
            return Err(errors.into_iter().chain(left).fold(problem, Diagnostic::cause).into());
        }
        Ok((file_here(cx, &dump_name).await?, file_here(cx, &csv_name).await?))
    }
}

async fn remove_file(path: &Path) -> Result<(), Halt> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Diagnostic::new(format!("cannot remove the old {}", path.display())).cause(error.to_string()).into())
        }
        _ => Ok(()),
    }
}

async fn file_here(cx: &StepCx, name: &str) -> Result<DumpFile, Halt> {
    if !cx.artifact(name).exists() {
        return Err(Diagnostic::new(format!("the script ended with status 0 and left no file {name}"))
            .proves("its status says nothing: there is no dump")
            .help("the script must write this file into the folder it is started in; mend it, then try again")
            .into());
    }
    let (bytes, sha256) = digest(&cx.artifact(name)).await?;
    if bytes == 0 {
        return Err(Diagnostic::new(format!("{name} is empty"))
            .proves("the script said it was done and wrote nothing: its connection to the database failed")
            .safe("production: it was only read")
            .into());
    }
    Ok(DumpFile { name: name.to_owned(), bytes, sha256 })
}

/// Fetches a finished file of the client pod; hash and size are equal on both sides when it returns.
async fn fetch(cx: &StepCx, pod: &PodRef, from: &str, name: &str) -> Result<DumpFile, Halt> {
    let total = cx.world.exec.digest(pod, from).await?.map(|file| file.bytes);
    let driver = cx.clone();
    let shown = name.to_owned();
    let progress = move |bytes: u64| {
        let row = Row { sign: Sign::Running, word: "copying".into(), name: shown.clone(), detail: units::bytes(bytes) };
        driver.show(
            "The file is copied here and hashed on both sides.",
            vec![row],
            total.map(|total| (bytes, total)),
            None,
        );
    };
    let file = cx.world.exec.download(pod, from, &cx.artifact(name), &progress, &cx.cancel).await?;
    Ok(DumpFile { name: name.to_owned(), bytes: file.bytes, sha256: file.sha256 })
}
