//! `start` and `resume`: a run, a front end, and how it ended.

use std::{
    collections::BTreeMap,
    io::{Write, stderr},
    path::PathBuf,
    sync::Arc,
};

use super::{
    Exit, Failure, Global, Outcome, adopted,
    attend::{Attended, Behind, Realm, attend, has_screen},
    home::choose_target,
    log,
    place::choose_place,
    reach::{self, ReachArgs},
    target::{Target, TargetArgs, choose},
    vault::asker,
};
use crate::{
    cluster::{Cluster, NoCluster},
    engine::Plan,
    host::{self, LocalHost},
    plain::{Answers, wrapped},
    ports::{Exec, Host, Identity, Logs, Objects, SystemClock, World},
    run::{Purpose, Record, RunbookRef},
    runner::{Opened, launch, open, refuse_second, reopen},
    store::{Paths, Torn},
    text::{Diagnostic, Typed, printable},
    vault::{Generation, Keeper, Unlock, Vault},
};

/// `start`
#[derive(Debug, clap::Args)]
pub struct StartArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Answers for an unattended run
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
}

/// `resume`
#[derive(Debug, Default, clap::Args)]
pub struct ResumeArgs {
    /// Id of the run, or its unique ending; the newest without one
    #[arg(default_value = "")]
    pub run: String,
    /// A kubeconfig instead of that of KUBECONFIG or the home folder
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Open the generation before the vault's last save, when that is damaged; the next save puts it in its place
    #[arg(long)]
    pub previous_vault: bool,
    /// Answers for an unattended run
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
}

/// The ports of a run on this machine; hints name commands as `typed` has them. What killed runs left here, secrets and
/// programs, is ended and removed; what others use stays.
pub fn ports(paths: &Paths, cluster: Option<&Cluster>, typed: &Typed) -> Result<World, Failure> {
    let swept = host::sweep(&paths.private())?;
    for left in &swept.ended {
        let line = format!("ended what a killed drydock had left running: {}, since {:.0}", left.program, left.since);
        tracing::warn!("{line}");
        let _ = writeln!(stderr(), "notice. {}", printable(&line));
    }
    let (objects, exec, logs): (Arc<dyn Objects>, Arc<dyn Exec>, Arc<dyn Logs>) = if let Some(cluster) = cluster {
        let cluster = Arc::new(cluster.clone());
        (cluster.clone(), cluster.clone(), cluster)
    } else {
        let none = Arc::new(NoCluster);
        (none.clone(), none.clone(), none)
    };
    Ok(World {
        objects,
        exec,
        logs,
        host: Arc::new(LocalHost::new(paths.private())),
        secrets: Arc::new(keeper(paths, Generation::Current, typed)?),
        clock: Arc::new(SystemClock),
    })
}

/// Who answers, and whether anything is real.
pub struct Answered {
    /// Answers for an unattended run.
    pub answers: Option<Answers>,
    /// Whether anything is real.
    pub realm: Realm,
    /// Where Back at the plan leads.
    pub behind: Behind,
}

fn keeper(paths: &Paths, generation: Generation, typed: &Typed) -> Result<Keeper, Failure> {
    let vault = Vault::new(paths.data.clone()).with_typed(typed.clone());
    Ok(Keeper::new(vault, Unlock::in_child()?).with(generation))
}

/// The first records of a run.
pub fn first_records(
    target: &Target,
    plan: &Plan,
    intent: &str,
    host: &dyn Host,
    id: &str,
    realm: Realm,
) -> Vec<Record> {
    let runbook = &target.loaded.runbook;
    let begun = [
        Record::Started {
            format: 1,
            run: id.to_owned(),
            runbook: RunbookRef {
                id: runbook.id.clone(),
                title: runbook.title.clone(),
                version: runbook.version.clone(),
                digest: target.loaded.digest.clone(),
                intent: intent.to_owned(),
            },
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            target: Box::new(target.identity.clone()),
            context: target.context().to_owned(),
            acting: target.acting(),
            environment: target.environment,
            operator: host.operator(),
            host: host.name(),
            practice: realm == Realm::Practice,
            inputs: target.inputs.clone(),
        },
        Record::Planned {
            phases: plan.phases.clone(),
            steps: plan.steps.iter().map(|step| step.planned.clone()).collect(),
        },
    ];
    begun.into_iter().chain(target.source.iter().map(|source| source.record.clone())).collect()
}

/// `drydock start`
pub async fn start(global: &Global, mut args: StartArgs) -> Outcome {
    let paths = Paths::resolve(global.state_dir.clone())?;
    paths.ensure()?;
    let _log = log::begin(&paths.log_file());
    adopted::settle(&mut args.target)?;
    let answers = load_answers(args.answers.as_deref())?;
    let inputs = answers.as_ref().map(|answers| answers.inputs.clone()).unwrap_or_default();
    let of = &args.target;
    // the door begins with nothing chosen: what was given here would be lost there
    let is_open = of.namespace.is_none() && of.file.is_none() && of.set.is_empty() && !of.reach.is_special();
    if answers.is_none() && is_open && has_screen(global) {
        // boxed: it holds a whole run, as this does
        return Box::pin(choose_target(global, &args.target)).await;
    }
    if answers.is_none() {
        choose_place(global, &mut args.target).await?;
    }
    let target = choose(&args.target, &inputs, None, &paths.runs()).await?;
    let world = ports(&paths, target.cluster.as_ref(), &global.typed())?;
    let by = Answered { answers, realm: Realm::Real, behind: Behind::Shell };
    Ok(begin(global, &paths, &target, &args.target.intent, world, by).await?.exit)
}

/// Begins what was chosen at the door, which stays open behind the plan.
pub async fn start_from_door(global: &Global, paths: &Paths, args: &TargetArgs) -> Result<Attended, Failure> {
    let target = choose(args, &BTreeMap::new(), None, &paths.runs()).await?;
    let world = ports(paths, target.cluster.as_ref(), &global.typed())?;
    let by = Answered { answers: None, realm: Realm::Real, behind: Behind::Door };
    begin(global, paths, &target, &args.intent, world, by).await
}

/// Refuses at once what would be refused when the plan is approved.
fn claim(global: &Global, paths: &Paths, target: &Identity, own: &[&str]) -> Result<(), Failure> {
    refuse_second(&paths.runs(), target, own, &global.typed()).map_err(|problem| Failure::new(Exit::Refused, problem))
}

/// Begins a run on a chosen target.
pub async fn begin(
    global: &Global,
    paths: &Paths,
    target: &Target,
    intent: &str,
    world: World,
    by: Answered,
) -> Result<Attended, Failure> {
    let intent = target.intent(intent)?.clone();
    // what goes on from a run ends it with its first change; a backup has to be at its end by itself
    let own = target.source.as_ref().filter(|source| source.purpose() != Purpose::Restore);
    let own = own.map(|source| source.state.run.as_str());
    claim(global, paths, &target.identity, own.as_slice())?;
    let plan = Plan::new(&target.loaded.runbook, &intent, &target.identity, &target.known());
    let host = Arc::clone(&world.host);
    let first = |id: &str| first_records(target, &plan, &intent.id, host.as_ref(), id, by.realm);
    unlock(global, &plan, &world).await?;
    let drafts = target.source.as_ref().map(|source| source.drafts.clone()).unwrap_or_default();
    let opened = open(&paths.runs(), target.loaded.clone(), drafts, first)
        .map_err(|problem| Failure::new(Exit::Environment, problem))?
        .with_typed(global.typed());
    let before = opened.records.clone();
    announce(global, &opened);
    let vault = plan.needs_vault().then(|| Vault::new(paths.data.clone()));
    attend(global, launch(opened, plan, world), before, by, vault).await
}

/// `drydock resume`
pub async fn resume(global: &Global, args: ResumeArgs) -> Outcome {
    let paths = Paths::resolve(global.state_dir.clone())?;
    paths.ensure()?;
    let _log = log::begin(&paths.log_file());
    let answers = load_answers(args.answers.as_deref())?;
    let run = super::runs::find(global, &args.run)?;
    let opened = reopen(run).map_err(|problem| Failure::new(Exit::Environment, problem))?;
    let (id, typed) = (&opened.state.run, global.typed());
    if opened.state.is_at_end() {
        let show = typed.command(&format!("show {id}"));
        return Err(Failure::usage(format!("run {id} is at its end; look at it with: {show}")));
    }
    Box::pin(take_up(global, &paths, opened, &args, answers)).await
}

/// Takes a run of a real target up again, by the context that it began with.
pub async fn take_up(
    global: &Global,
    paths: &Paths,
    opened: Opened,
    args: &ResumeArgs,
    answers: Option<Answers>,
) -> Outcome {
    let typed = global.typed();
    let cluster = match opened.runbook.runbook.deployment {
        Some(_) => {
            let way = ReachArgs::of(&opened.state.context, &opened.state.acting);
            let route = ReachArgs { kubeconfig: args.kubeconfig.clone(), ..way }.route();
            Some(Cluster::connect(&route).map_err(reach::no_context)?)
        }
        None => None,
    };
    let mut world = ports(paths, cluster.as_ref(), &typed)?;
    if args.previous_vault {
        world.secrets = Arc::new(keeper(paths, Generation::Previous, &typed)?);
    }
    let by = Answered { answers, realm: Realm::Real, behind: Behind::Shell };
    Box::pin(go_on(global, paths, opened, cluster.as_ref(), world, by)).await
}

/// Takes an open run up again, on the target it began with.
pub async fn go_on(
    global: &Global,
    paths: &Paths,
    opened: Opened,
    cluster: Option<&Cluster>,
    world: World,
    by: Answered,
) -> Outcome {
    let id = &opened.state.run;
    let (Some(identity), Some(of)) = (opened.state.target.clone(), opened.state.runbook.clone()) else {
        return Err(Failure::usage(format!("run {id} has no first record")));
    };
    // one that was left before its plan was approved has no claim on the target: another may have begun meanwhile
    if !opened.state.approved {
        let other = opened.state.taken.as_ref().map_or("", |taken| &taken.run);
        claim(global, paths, &identity, &[id, other])?;
    }
    if let Some(cluster) = cluster {
        let place = &identity.namespace;
        if cluster.acting() != opened.state.acting {
            let (then, now) = (&opened.state.acting, cluster.acting());
            let problem =
                Diagnostic::new(format!("run {id} acts as {then}, and context {} now as {now}", cluster.context))
                    .safe("everything: nothing was sent")
                    .help("let the user of the context act as the run did (`as` and `as-groups` in the kubeconfig)");
            return Err(Failure::new(Exit::Refused, problem));
        }
        let now = cluster.identity(place).await.map_err(|error| reach::no_answer(error, cluster, place))?;
        if !now.same_place(&identity) {
            let problem = Diagnostic::new(format!(
                "context {} leads to another cluster or namespace than the run's",
                opened.state.context
            ))
            .safe("both: nothing was sent")
            .help("point the context at the run's cluster again");
            return Err(Failure::new(Exit::Refused, problem));
        }
    }
    let known = crate::engine::values(&opened.state);
    let Some(intent) = opened.runbook.runbook.intents.iter().find(|intent| intent.id == of.intent).cloned() else {
        return Err(Failure::usage(format!("the run's runbook has no intent {}", of.intent)));
    };
    let plan = Plan::new(&opened.runbook.runbook, &intent, &identity, &known);
    unlock(global, &plan, &world).await?;
    let opened = opened.with_typed(global.typed());
    let before = opened.records.clone();
    announce(global, &opened);
    let vault = plan.needs_vault().then(|| Vault::new(paths.data.clone()));
    Ok(attend(global, launch(opened, plan, world), before, by, vault).await?.exit)
}

/// Opens the vault with the passphrase of `--passphrase-fd`, so that the run has nothing to ask.
async fn unlock(global: &Global, plan: &Plan, world: &World) -> Result<(), Failure> {
    let (Some(_), true) = (global.passphrase_fd, plan.needs_vault()) else { return Ok(()) };
    let passphrase = asker(global.passphrase_fd)
        .known("Vault passphrase")
        .map_err(|error| Failure::new(error.exit(), Diagnostic::new(error.to_string())))?;
    Ok(world.secrets.open(&passphrase).await?)
}

/// Reads an answers file, where one was given.
pub fn load_answers(path: Option<&std::path::Path>) -> Result<Option<Answers>, Failure> {
    path.map(|path| Answers::load(path, None)).transpose().map_err(|problem| Failure::new(Exit::Usage, problem))
}

fn announce(global: &Global, opened: &Opened) {
    use std::io::IsTerminal;
    if global.json {
        return;
    }
    let state = &opened.state;
    let title = state.runbook.as_ref().map_or("", |of| of.title.as_str());
    let mut lines = vec![format!("drydock. Run {}: {title}.", state.run)];
    if let Some(target) = state.target.as_ref().filter(|target| !target.namespace.is_empty()) {
        let ids = target.ids();
        lines.push(format!(
            "Target: {}, namespace {}, context {}, cluster {} ({ids}, {}).",
            state.environment,
            target.namespace,
            state.context,
            target.cluster8(),
            target.server_version
        ));
        if !state.acting.is_oneself() {
            lines.push(format!("Acts there as {}.", state.acting));
        }
    }
    if let Some(Torn { line, bytes }) = opened.torn {
        lines.push(format!(
            "notice. The last line of the journal, {line}, was torn ({bytes} bytes) and is cut off; nobody was shown it."
        ));
    }
    let mut out = std::io::stdout();
    let rows = |line: &String| if out.is_terminal() { wrapped(line) } else { vec![printable(line)] };
    let rows: Vec<String> = lines.iter().flat_map(rows).collect();
    let _ = writeln!(out, "{}", rows.join("\n"));
}
