//! `drydock` alone, and `start` without a target: the door of the wizard, and what it wants to know from outside.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Exit, Failure, Global, Outcome,
    attend::{no_terminal, theme},
    doctor::{self, DoctorArgs},
    log, login,
    practice::{PracticeArgs, practice},
    reach::{self, ReachArgs},
    scratch,
    shelf::{of, shelf, states},
    start::{ResumeArgs, resume, start_from_door},
    target::{TargetArgs, intent, runbook},
};
use crate::{
    app::{
        door::{Begin, Chosen, Contact, Door, DoorEffect, DoorMsg, Found, InputAsk, Procedure, Seen},
        page::Page,
    },
    cluster::{Cluster, Route},
    ports::{Acting, Identity, Objects, PortErrorKind, kinds},
    run::{CheckResult, Environment, RunState},
    runbook::InputKind,
    runner::take_back,
    store::{Paths, RunFolder},
    text::Diagnostic,
    tui::{Errand, run_door},
};

/// Longest wait for a server that is only looked at.
const PATIENCE: Duration = Duration::from_secs(5);

/// `drydock` alone.
pub async fn home(global: &Global) -> Outcome {
    let known = states(global)?;
    let shelf = shelf(global, &known)?;
    Box::pin(visit(global, Door::home(shelf), Vec::new(), known)).await
}

/// The choice of the target by keys, for a `start` that names none.
pub async fn choose_target(global: &Global, args: &TargetArgs) -> Outcome {
    let intent = intent(&runbook(args)?.runbook, &args.intent)?.id.clone();
    let known = states(global)?;
    let procedure = Procedure { runbook: args.runbook.clone(), intent };
    let (door, effects) = Door::target(shelf(global, &known)?, procedure);
    Box::pin(visit(global, door, effects, known)).await
}

async fn visit(
    global: &Global,
    mut door: Door,
    mut effects: Vec<DoorEffect>,
    known: Vec<(RunFolder, RunState)>,
) -> Outcome {
    let known: Arc<Vec<RunState>> = Arc::new(known.into_iter().map(|(_, state)| state).collect());
    let settings = global.clone();
    let of = Arc::clone(&known);
    let errand: Errand = Arc::new(move |effect| {
        let (known, settings) = (Arc::clone(&of), settings.clone());
        Box::pin(async move { run_errand(&settings, &known, effect).await })
    });
    let paths = Paths::resolve(global.state_dir.clone())?;
    let mut own_log = None;
    loop {
        let shown = run_door(&mut door, effects, theme(global), Arc::clone(&errand)).await;
        let target = match shown.map_err(|error| no_terminal(&error))? {
            Chosen::Leave => return Ok(Exit::Done),
            Chosen::Resume(run) => return Box::pin(resume(global, ResumeArgs { run, ..ResumeArgs::default() })).await,
            Chosen::LogIn(context) => {
                door.notice = Some(login::in_front(&context).await);
                effects = door.look();
                continue;
            }
            Chosen::Practice => return Box::pin(practice(global, PracticeArgs::default())).await,
            Chosen::Begin(begin) => TargetArgs {
                runbook: begin.procedure.runbook,
                intent: begin.procedure.intent,
                reach: ReachArgs::of(&begin.context, &Acting::default()),
                namespace: Some(begin.namespace),
                prod: begin.prod,
                set: begin.inputs.into_iter().map(|(id, value)| format!("{id}={value}")).collect(),
                ..TargetArgs::default()
            },
            Chosen::GoOn(further) => TargetArgs {
                runbook: further.runbook,
                intent: further.intent,
                reach: ReachArgs::of(&further.context, &acting(&known, &further.run)),
                of: Some(further.run),
                namespace: Some(further.namespace),
                prod: further.environment == Environment::Prod,
                ..TargetArgs::default()
            },
        };
        paths.ensure()?;
        // begun once, and kept for every run that follows
        own_log = own_log.or_else(|| log::begin(&paths.log_file()));
        let attended = start_from_door(global, &paths, &target).await?;
        let Some(run) = attended.back else { return Ok(attended.exit) };
        // nothing was done in it, and the next plan is another run's: the inputs are open again as they were typed
        take_back(&run, crate::ports::operator()).map_err(|problem| Failure::new(Exit::Environment, problem))?;
        door.shelf = shelf(global, &states(global)?)?;
        door.notice = Some("That plan was not approved; nothing was changed.".to_owned());
        effects = Vec::new();
    }
}

/// Whom a run acted as: what goes on from it does, too.
fn acting(known: &[RunState], run: &str) -> Acting {
    known.iter().find(|state| state.run == run).map(|state| state.acting.clone()).unwrap_or_default()
}

async fn run_errand(global: &Global, known: &[RunState], effect: DoorEffect) -> Option<DoorMsg> {
    match effect {
        DoorEffect::Look(context) => {
            let looked = tokio::time::timeout(PATIENCE, look(&context)).await;
            let silent = || DoorMsg::Contact {
                context: context.clone(),
                contact: Err(format!("no answer in {} s", PATIENCE.as_secs())),
            };
            Some(looked.unwrap_or_else(|_| silent()))
        }
        DoorEffect::Identify { procedure, context, namespace } => {
            let found = identify(known, &procedure, &context, &namespace).await.map(Box::new);
            Some(DoorMsg::Found { context, namespace, found })
        }
        DoorEffect::Check(asked) => {
            let checked = check(&asked).await;
            Some(DoorMsg::Checked { asked, checked })
        }
        DoorEffect::Doctor => Some(DoorMsg::Page(Page::new("This machine", machine(global).await))),
        DoorEffect::Choose(_) | DoorEffect::Repaint | DoorEffect::Suspend => None,
    }
}

async fn look(context: &str) -> DoorMsg {
    let answer = |contact| DoorMsg::Contact { context: context.to_owned(), contact };
    let cluster = match Cluster::connect(&Route::context(context)) {
        Ok(cluster) => cluster,
        Err(error) => return answer(Err(error.detail)),
    };
    let asked = Instant::now();
    let listed = cluster.list(&kinds::namespace(), None, "").await;
    let ms = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
    let name = |object: &serde_json::Value| object.pointer("/metadata/name")?.as_str().map(str::to_owned);
    let mut namespaces: Vec<String> = match listed {
        // the cluster's own are no targets
        Ok(found) => found.iter().filter_map(name).filter(|name| !name.starts_with("kube-")).collect(),
        Err(error) if error.kind == PortErrorKind::Forbidden => Vec::new(),
        Err(error) => match cluster.plugin().filter(|_| error.kind == PortErrorKind::Unauthorized) {
            Some(plugin) => {
                let why = format!(
                    "Enter here logs in: {plugin} runs on this terminal, and this screen comes back. {}",
                    error.detail
                );
                return DoorMsg::Unknown { context: context.to_owned(), why };
            }
            None => return answer(Err(error.to_string())),
        },
    };
    namespaces.sort();
    answer(Ok(Contact { ms, namespaces }))
}

async fn identify(
    known: &[RunState],
    procedure: &Procedure,
    context: &str,
    namespace: &str,
) -> Result<Found, Vec<String>> {
    let lines = |failure: Failure| failure.problems.iter().flat_map(Diagnostic::lines).collect::<Vec<_>>();
    let cluster = Cluster::connect(&Route::context(context)).map_err(|error| lines(reach::no_context(error)))?;
    let read = cluster.identity(namespace).await;
    let identity = read.map_err(|error| lines(reach::no_answer(error, &cluster, namespace)))?;
    let environment = Environment::of(&identity.labels);
    let unlabelled =
        if identity.is_namespace_read() { "no label env says otherwise" } else { "its labels may not be read" };
    let because = Environment::label(&identity.labels)
        .map_or_else(|| unlabelled.to_owned(), |label| format!("the namespace carries the label {label}"));
    let holds = match cluster.list(&kinds::pod(), Some(namespace), "").await {
        Ok(pods) => format!("{} pods", pods.len()),
        Err(_) => "its pods may not be listed".to_owned(),
    };
    let inputs = asks(procedure, &identity, context, environment)?;
    Ok(Found { seen: seen(known, context, &identity), identity, environment, because, holds, inputs })
}

/// Whether a run here worked on a target of these names.
fn seen(known: &[RunState], context: &str, identity: &Identity) -> Seen {
    let same_names = known.iter().rev().find_map(|state| {
        let target = state.target.as_ref()?;
        let day = state.times?.0.strftime("%Y-%m-%d").to_string();
        (state.context == context && target.namespace == identity.namespace).then_some((target, day))
    });
    match same_names {
        None => Seen::Never,
        Some((target, day)) if target.same_place(identity) => Seen::Same(day),
        Some((_, day)) => Seen::Other(day),
    }
}

/// The inputs of a procedure with the values they have for this target.
fn asks(
    procedure: &Procedure,
    identity: &Identity,
    context: &str,
    environment: Environment,
) -> Result<Vec<InputAsk>, Vec<String>> {
    let id = &procedure.runbook;
    let Some(runbook) = of(id) else { return Err(vec![format!("there is no runbook {id}")]) };
    let intent = intent(&runbook, &procedure.intent)
        .map_err(|failure| failure.problems.iter().flat_map(Diagnostic::lines).collect::<Vec<_>>())?;
    if intent.continues.is_some() {
        // they are those of the run that it goes on from
        return Ok(Vec::new());
    }
    let asked = || runbook.inputs.iter().filter(|input| input.is_asked_by(intent));
    let target = json!({"namespace": identity.namespace, "context": context, "environment": environment});
    // what must be given has no value yet; for the others' sake it stands in for itself
    let open = asked().filter(|input| input.default.is_none());
    let chosen: BTreeMap<String, String> = open.map(|input| (input.id.clone(), "-".to_owned())).collect();
    let values = runbook.inputs(intent, &chosen, &target).map_err(|fault| vec![fault])?;
    let ask = |input: &crate::runbook::Input| {
        let required = input.default.is_none();
        let value = values.get(&input.id).and_then(|value| value.as_str()).filter(|_| !required);
        InputAsk {
            id: input.id.clone(),
            title: input.title.clone(),
            choices: input.choices.clone(),
            value: value.unwrap_or_default().to_owned(),
            required,
        }
    };
    Ok(asked().map(ask).collect())
}

/// Looks at paths on this machine, makes them independent of where the program was started, and looks in the cluster whether
/// a scratch namespace is free.
async fn check(begin: &Begin) -> Result<BTreeMap<String, String>, BTreeMap<String, String>> {
    let Some(runbook) = of(&begin.procedure.runbook) else { return Ok(begin.inputs.clone()) };
    let (mut whole, mut faults) = (BTreeMap::new(), BTreeMap::new());
    for (id, value) in &begin.inputs {
        let kind = runbook.inputs.iter().find(|input| input.id == *id).map(|input| input.kind).unwrap_or_default();
        let looked = match kind {
            kind if kind.is_path() && !value.is_empty() => std::path::absolute(value)
                .map_err(|error| error.to_string())
                .and_then(|path| kind.look(&path).map(|()| Path::display(&path).to_string())),
            InputKind::ScratchNamespace => free(begin, value).await.map(|()| value.clone()),
            _ => Ok(value.clone()),
        };
        match looked {
            Ok(value) => {
                whole.insert(id.clone(), value);
            }
            Err(error) => {
                faults.insert(id.clone(), format!("cannot use {value}: {error}"));
            }
        }
    }
    if faults.is_empty() { Ok(whole) } else { Err(faults) }
}

/// Whether a namespace can be the scratch place beside the target, or why not.
async fn free(begin: &Begin, name: &str) -> Result<(), String> {
    if let Some(fault) = scratch::misnamed(name, &begin.namespace) {
        return Err(fault);
    }
    let look = async {
        let cluster = Cluster::connect(&Route::context(&begin.context))?;
        scratch::taken(name, &cluster).await
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(None)) => Ok(()),
        Ok(Ok(Some(fault))) => Err(fault),
        Ok(Err(error)) => Err(format!("nobody knows whether it is free: {error}")),
        Err(_) => Err(format!("nobody knows whether it is free: no answer in {} s", PATIENCE.as_secs())),
    }
}

async fn machine(global: &Global) -> Vec<String> {
    let parts = match doctor::look(global, &DoctorArgs::default()).await {
        Ok(parts) => parts,
        Err(failure) => return failure.problems.iter().flat_map(Diagnostic::lines).collect(),
    };
    let mut lines = Vec::new();
    for (title, checks) in parts {
        lines.push(title.to_owned());
        for check in checks {
            let mark = match check.result {
                CheckResult::Pass => "✓",
                CheckResult::Warn => "!",
                CheckResult::Fail => "✗",
                CheckResult::NotAsked => "·",
            };
            lines.push(format!("  {mark} {:<12} {}", check.name, check.sentence));
            lines.extend(check.help.iter().map(|help| format!("                 {help}")));
        }
        lines.push(String::new());
    }
    lines
}
