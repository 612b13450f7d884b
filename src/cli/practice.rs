//! `practice`: the same run, the same code, against a simulated cluster in this process.

use std::{
    io::{Write, stdout},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    Exit, Failure, Global, Outcome,
    attend::{Behind, Realm, has_screen, no_terminal, theme},
    log,
    start::{Answered, begin, go_on, ports},
    target::{self, TargetArgs, choose, intent},
};
use crate::{
    cluster::Cluster,
    plain::Answers,
    ports::World as Ports,
    practice::{ApiServer, Fault, NAMESPACE, Options, World},
    runner::{abandon, reopen},
    store::{FileLock, Keep, Paths, RunFolder, Wait, ensure_private_folder, write_atomic},
    text::{Diagnostic, Typed},
    tui::{Opening, while_opening},
};

/// Rows of the plant's large table: a dump takes a few seconds, so that there is something to watch.
const ROWS: u64 = 20_000;
/// The procedure that the practice world can be upgraded with.
const RUNBOOK: &str = "pixelcore";

/// `practice`
#[derive(Debug, Clone, clap::Args)]
pub struct PracticeArgs {
    /// Name of the runbook
    #[arg(default_value = RUNBOOK)]
    pub runbook: String,
    /// What to do with it; one that goes on from another run does so with the practice run before
    #[arg(long, default_value = "")]
    pub intent: String,
    /// An input of the runbook
    #[arg(long = "set", value_name = "INPUT=VALUE")]
    pub set: Vec<String>,
    /// Answers for an unattended run; `{practice}` in it is the folder of the practice files
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Something that goes wrong; may be repeated
    #[arg(long = "fault", value_name = "NAME")]
    pub fault: Vec<String>,
    /// Lists what can go wrong
    #[arg(long, conflicts_with_all = ["answers", "fault", "serve"])]
    pub faults: bool,
    /// Begins anew: an unfinished practice run is given up
    #[arg(long)]
    pub new: bool,
    /// Serves the simulated cluster for kubectl, until Ctrl-C
    #[arg(long, conflicts_with = "answers")]
    pub serve: bool,
    /// With --serve: writes the kubeconfig there
    #[arg(long, value_name = "FILE", requires = "serve")]
    pub kubeconfig: Option<PathBuf>,
}

impl Default for PracticeArgs {
    fn default() -> Self {
        Self {
            runbook: RUNBOOK.to_owned(),
            intent: String::new(),
            set: Vec::new(),
            answers: None,
            fault: Vec::new(),
            faults: false,
            new: false,
            serve: false,
            kubeconfig: None,
        }
    }
}

/// Where practice lies.
struct Folder {
    paths: Paths,
    /// The admin's files: environment file, values, chart, scripts, kubeconfig.
    files: PathBuf,
    /// The world as it was saved.
    world: PathBuf,
    /// One practice at a time: two processes would save over each other.
    _lock: FileLock,
}

impl Folder {
    fn open(global: &Global) -> Result<Self, Failure> {
        let paths = Paths::practice(global.state_dir.clone())?;
        paths.ensure()?;
        let files = paths.state.join("files");
        ensure_private_folder(&files)?;
        let lock = FileLock::acquire(&paths.state.join("practice.lock"), Wait::No).map_err(|error| {
            let problem = Diagnostic::new("a practice is under way already").cause(error.to_string());
            Failure::new(Exit::Environment, problem.help("end it there, or use another --state-dir"))
        })?;
        Ok(Self { world: paths.state.join("world.json"), files, paths, _lock: lock })
    }

    /// The run that is not at its end, and its intent.
    fn unfinished(&self) -> Result<Option<(RunFolder, String)>, Failure> {
        let Some(run) = self.paths.runs().newest()? else { return Ok(None) };
        let records = crate::runner::records(&run).map_err(|problem| Failure::new(Exit::Environment, problem))?;
        let state = crate::run::RunState::of(records.iter().map(|entry| (entry.at, &entry.record)));
        let intent = state.runbook.as_ref().map(|of| of.intent.clone()).unwrap_or_default();
        Ok((!state.is_at_end()).then_some((run, intent)))
    }

    /// Forgets the world, and gives up the run that went on in it.
    fn clear(&self, unfinished: Option<&RunFolder>) -> Result<(), Failure> {
        if let Some(run) = unfinished {
            let by = crate::ports::operator();
            abandon(run, by, "a new practice begins".to_owned())
                .map_err(|problem| Failure::new(Exit::Environment, problem))?;
        }
        match std::fs::remove_file(&self.world) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The running world and the way to it.
struct Stage {
    world: World,
    server: ApiServer,
    cluster: Cluster,
}

impl Stage {
    async fn set(folder: &Folder, faults: Vec<Fault>, typed: &Typed) -> Result<Self, Failure> {
        let broken = |error: std::io::Error| {
            let problem = Diagnostic::new("the practice world cannot be taken up").cause(error.to_string());
            Failure::new(Exit::Environment, problem.help(format!("begin anew: {}", typed.command("practice --new"))))
        };
        let options = Options { faults, saved: Some(folder.world.clone()), pace: 1.0, rows: ROWS };
        let world = World::begin(options).await.map_err(broken)?;
        let server =
            ApiServer::start(Arc::clone(&world.objects), Arc::clone(&world.containers), Arc::clone(&world.faults))
                .await?;
        let config = server.kubeconfig();
        let cluster = Cluster::from_text(&String::from_utf8_lossy(config.expose_secret()))?;
        world.lay_files(&folder.files)?;
        Ok(Self { world, server, cluster })
    }

    /// Lays a kubeconfig for a second window. It leads to loopback and holds as long as this process.
    fn lay_kubeconfig(&self, path: &Path) -> Result<(), Failure> {
        Ok(write_atomic(path, self.server.kubectl_config().expose_secret(), Keep::Nothing)?)
    }

    fn ports(&self, global: &Global, paths: &Paths) -> Result<Ports, Failure> {
        // the practice vault lies in a folder of its own
        let ports = ports(paths, Some(&self.cluster), &global.typed().within("practice"))?;
        Ok(Ports { host: Arc::clone(&self.world.host), ..ports })
    }
}

fn faults(names: &[String]) -> Result<Vec<Fault>, Failure> {
    let named = |name: &String| {
        Fault::named(name).ok_or_else(|| {
            Failure::usage(format!("there is no fault {name}; see what there is with: drydock practice --faults"))
        })
    };
    names.iter().map(named).collect()
}

/// `drydock practice`
pub async fn practice(global: &Global, args: PracticeArgs) -> Outcome {
    if args.faults {
        let mut out = stdout();
        for (_, name, what) in Fault::ALL {
            writeln!(out, "{name:<18}  {what}")?;
        }
        return Ok(Exit::Done);
    }
    if args.runbook != RUNBOOK {
        return Err(Failure::usage(format!(
            "the practice world has a plant for the runbook {RUNBOOK} only, not for {}",
            args.runbook
        )));
    }
    let faults = faults(&args.fault)?;
    let folder = Folder::open(global)?;
    let _log = log::begin(&folder.paths.log_file());
    let answers = args.answers.as_deref().map(|path| Answers::load(path, Some(&folder.files))).transpose();
    let answers = answers.map_err(|problem| Failure::new(Exit::Usage, problem))?;
    let unfinished = folder.unfinished()?;
    let goes_on = goes_on(&args.intent)?;
    if goes_on && (args.new || !folder.world.exists()) {
        let problem = Failure::usage(format!("{} goes on from a practice run, and there is none", args.intent));
        return Err(problem);
    }
    let stays = args.serve || goes_on || (unfinished.is_some() && folder.world.exists());
    if args.new || !stays {
        folder.clear(unfinished.as_ref().map(|(run, _)| run))?;
    }
    let typed = global.typed();
    let set = Stage::set(&folder, faults, &typed);
    let stage = if answers.is_none() && !args.serve && has_screen(global) {
        // making the plant takes a moment, and nobody shall look at nothing meanwhile
        let made = while_opening(Opening::PRACTICE, theme(global), set).await.map_err(|error| no_terminal(&error))?;
        let Some(stage) = made else { return Ok(Exit::Done) };
        stage?
    } else {
        set.await?
    };
    if args.serve {
        return serve(&stage, &args.kubeconfig.unwrap_or_else(|| folder.files.join("kubeconfig"))).await;
    }
    stage.lay_kubeconfig(&folder.files.join("kubeconfig"))?;
    // so that ./plant.env is what an admin would type
    std::env::set_current_dir(&folder.files)?;
    // one that goes on from the run which is not at its end begins anew
    let is_it = |intent: &String| !goes_on || *intent == args.intent;
    let ended = match unfinished.filter(|(_, intent)| stays && !args.new && is_it(intent)) {
        Some((run, _)) => {
            let opened = reopen(run).map_err(|problem| Failure::new(Exit::Environment, problem))?;
            let ports = stage.ports(global, &folder.paths)?;
            let by = Answered { answers, realm: Realm::Practice, behind: Behind::Shell };
            Box::pin(go_on(global, &folder.paths, opened, Some(&stage.cluster), ports, by)).await
        }
        // boxed: it holds a whole run, as this does
        None => Box::pin(new_run(global, &folder, &stage, args, answers)).await,
    };
    stage.world.save().await?;
    ended
}

/// Whether an intent goes on from another run.
fn goes_on(of: &str) -> Result<bool, Failure> {
    let args = TargetArgs { runbook: RUNBOOK.to_owned(), ..TargetArgs::default() };
    Ok(intent(&target::runbook(&args)?.runbook, of)?.continues.is_some())
}

async fn new_run(
    global: &Global,
    folder: &Folder,
    stage: &Stage,
    chosen: PracticeArgs,
    answers: Option<Answers>,
) -> Outcome {
    let args = TargetArgs {
        runbook: RUNBOOK.to_owned(),
        namespace: Some(NAMESPACE.to_owned()),
        intent: chosen.intent,
        set: chosen.set,
        ..TargetArgs::default()
    };
    let runbook = target::runbook(&args)?.runbook;
    let of = intent(&runbook, &args.intent)?;
    let mut inputs = stage.world.inputs(&folder.files);
    // where it goes on from another run, the inputs are that one's
    let is_asked = |id: &str| of.continues.is_none() && runbook.inputs.iter().any(|i| i.id == id && i.is_asked_by(of));
    inputs.retain(|id, _| is_asked(id));
    inputs.extend(answers.iter().flat_map(|answers| answers.inputs.clone()));
    let target = choose(&args, &inputs, Some(stage.cluster.clone()), &folder.paths.runs()).await?;
    let ports = stage.ports(global, &folder.paths)?;
    let by = Answered { answers, realm: Realm::Practice, behind: Behind::Shell };
    Ok(begin(global, &folder.paths, &target, &args.intent, ports, by).await?.exit)
}

async fn serve(stage: &Stage, kubeconfig: &Path) -> Outcome {
    stage.lay_kubeconfig(kubeconfig)?;
    let mut out = stdout();
    writeln!(out, "The practice cluster listens on {}. In another window:", stage.server.address())?;
    writeln!(out, "  export KUBECONFIG={}", kubeconfig.display())?;
    writeln!(out, "  kubectl get pods -n {NAMESPACE}")?;
    writeln!(out, "Ctrl-C ends it; what was changed is kept.")?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    stage.world.save().await?;
    Ok(Exit::Done)
}
