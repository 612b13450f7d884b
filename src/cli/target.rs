//! From arguments to a runbook, a connection, an identity and inputs.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};

use super::{
    Exit, Failure,
    reach::{self, ReachArgs},
    scratch,
};
use crate::{
    cluster::Cluster,
    ports::{Acting, Identity, Objects},
    run::Environment,
    runbook::{EMBEDDED, InputKind, Intent, Loaded, Runbook, load},
    runner::{Source, source},
    store::Runs,
    text::Diagnostic,
};

/// Which procedure, and where.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TargetArgs {
    /// Name of an embedded runbook
    #[arg(default_value = "pixelcore")]
    pub runbook: String,
    /// A runbook file instead
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// What to do with it
    #[arg(long, default_value = "")]
    pub intent: String,
    /// Run that it goes on from, where it goes on from one; the newest on this target without it
    #[arg(long = "of", value_name = "RUN")]
    pub of: Option<String>,
    #[command(flatten)]
    pub reach: ReachArgs,
    /// Namespace of the target
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Counts the target as PROD, whatever the label of its namespace says
    #[arg(long)]
    pub prod: bool,
    /// Files made by hand that are taken over, in the order of the runbook: for pixelcore the dump and its CSV file
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub adopt: Vec<PathBuf>,
    /// An input of the runbook
    #[arg(long = "set", value_name = "INPUT=VALUE")]
    pub set: Vec<String>,
}

/// A chosen target.
pub struct Target {
    /// The runbook.
    pub loaded: Loaded,
    /// The connection; none for a runbook without a deployment.
    pub cluster: Option<Cluster>,
    /// Who it is.
    pub identity: Identity,
    /// What it counts as.
    pub environment: Environment,
    /// Inputs, rendered.
    pub inputs: Value,
    /// The run that it goes on from, where the intent does.
    pub source: Option<Source>,
}

impl Target {
    /// The intent that was asked for, or the first.
    pub fn intent(&self, id: &str) -> Result<&Intent, Failure> {
        intent(&self.loaded.runbook, id)
    }

    /// What templates may name before the start.
    pub fn known(&self) -> Value {
        json!({"inputs": self.inputs, "target": target_values(&self.identity, self.context(), self.environment)})
    }

    /// Whom the run acts as there.
    pub fn acting(&self) -> Acting {
        self.cluster.as_ref().map(Cluster::acting).unwrap_or_default()
    }

    /// Name of the context, or nothing.
    pub fn context(&self) -> &str {
        self.cluster.as_ref().map_or("", |cluster| cluster.context.as_str())
    }
}

/// The intent of that id, or the first.
pub fn intent<'a>(runbook: &'a Runbook, id: &str) -> Result<&'a Intent, Failure> {
    let intents = &runbook.intents;
    let found = if id.is_empty() { intents.first() } else { intents.iter().find(|intent| intent.id == id) };
    found.ok_or_else(|| {
        let known: Vec<&str> = intents.iter().map(|intent| intent.id.as_str()).collect();
        Failure::usage(format!("the runbook has no intent {id}; it has {}", known.join(", ")))
    })
}

fn target_values(identity: &Identity, context: &str, environment: Environment) -> Value {
    json!({"namespace": identity.namespace, "context": context, "environment": environment})
}

/// Reads the runbook that the arguments name.
pub fn runbook(args: &TargetArgs) -> Result<Loaded, Failure> {
    let (name, text) = match &args.file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            let text = read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
            (path.display().to_string(), text)
        }
        None => {
            if let Some((id, text)) = EMBEDDED.iter().find(|(id, _)| *id == args.runbook) {
                ((*id).to_owned(), (*text).to_owned())
            } else {
                let known: Vec<&str> = EMBEDDED.iter().map(|(id, _)| *id).collect();
                return Err(Failure::usage(format!(
                    "there is no runbook {}; there are {}",
                    args.runbook,
                    known.join(", ")
                )));
            }
        }
    };
    load(&name, &text).map_err(|problems| Failure { exit: Exit::Usage, problems })
}

/// Inputs as they were given, `INPUT=VALUE`.
pub fn chosen(args: &TargetArgs, answers: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = answers.clone();
    for pair in &args.set {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::usage(format!("--set {pair}: write INPUT=VALUE")));
        };
        all.insert(key.to_owned(), value.to_owned());
    }
    Ok(all)
}

/// Chooses the target. Only reads.
pub async fn choose(
    args: &TargetArgs,
    answers: &BTreeMap<String, String>,
    cluster: Option<Cluster>,
    runs: &Runs,
) -> Result<Target, Failure> {
    let loaded = runbook(args)?;
    let continues = intent(&loaded.runbook, &args.intent)?.continues.clone();
    if let (None, Some(run)) = (&continues, &args.of) {
        return Err(Failure::usage(format!("--of {run}: this intent goes on from no other run")));
    }
    if loaded.runbook.deployment.is_none() {
        let identity = Identity {
            cluster_uid: None,
            ca_sha256: String::new(),
            namespace_uid: String::new(),
            root_uid: String::new(),
            namespace: String::new(),
            server_version: String::new(),
            labels: Vec::new(),
        };
        let inputs = inputs(&loaded, args, answers, &identity, "", Environment::None)?;
        return Ok(Target { loaded, cluster: None, identity, environment: Environment::None, inputs, source: None });
    }
    // what is real never counts as practice, whatever its labels say
    let (cluster, practice) = match cluster {
        Some(cluster) => (cluster, true),
        None => (Cluster::connect(&args.reach.route()).map_err(reach::no_context)?, false),
    };
    let Some(namespace) = &args.namespace else {
        let problem = Diagnostic::new("which namespace? the kubeconfig's default is never taken")
            .safe("everything: nothing was begun")
            .help("name it with -n NAMESPACE; at a terminal drydock asks")
            .help("`kubectl get namespaces` shows which there are");
        return Err(Failure::new(Exit::Usage, problem));
    };
    let identity = cluster.identity(namespace).await.map_err(|error| reach::no_answer(error, &cluster, namespace))?;
    let environment = match (practice, args.prod) {
        (true, _) => Environment::Practice,
        (false, true) => Environment::Prod,
        (false, false) => Environment::of(&identity.labels),
    };
    let Some(continues) = continues else {
        let inputs = inputs(&loaded, args, answers, &identity, &cluster.context, environment)?;
        let intent = intent(&loaded.runbook, &args.intent)?;
        refuse_scratch((&loaded.runbook, intent), &inputs, namespace, &cluster).await?;
        return Ok(Target { loaded, cluster: Some(cluster), identity, environment, inputs, source: None });
    };
    let source = source(runs, &loaded.runbook.id, &continues, &identity, args.of.as_deref())
        .map_err(|problem| Failure::new(Exit::Refused, problem))?;
    if args.file.is_some() && source.state.runbook.as_ref().is_none_or(|of| of.digest != loaded.digest) {
        let problem = Diagnostic::new(format!("run {} was made by another runbook than this file", source.state.run))
            .proves("its captures and secrets are for the runbook that took them")
            .safe("everything: nothing was begun")
            .help("go on with the very file that it was begun with");
        return Err(Failure::new(Exit::Refused, problem));
    }
    // what was PROD there need not be PROD here
    let is_here = source.state.target.as_ref().is_some_and(|of| of.same_place(&identity));
    let environment = if is_here { environment.since(source.state.environment) } else { environment };
    // another chart or release than that run's would be another upgrade, not the same one continued
    if let Some(input) = chosen(args, answers)?.keys().next() {
        return Err(Failure::usage(format!(
            "input {input} is not chosen here: it is that of run {}",
            source.state.run
        )));
    }
    let inputs = source.state.inputs.clone();
    Ok(Target { loaded, cluster: Some(cluster), identity, environment, inputs, source: Some(source) })
}

fn inputs(
    loaded: &Loaded,
    args: &TargetArgs,
    answers: &BTreeMap<String, String>,
    identity: &Identity,
    context: &str,
    environment: Environment,
) -> Result<Value, Failure> {
    let target = target_values(identity, context, environment);
    let chosen = chosen(args, answers)?;
    let inputs = loaded
        .runbook
        .inputs(intent(&loaded.runbook, &args.intent)?, &chosen, &target)
        .map_err(|fault| Failure::new(Exit::Usage, Diagnostic::new(fault)))?;
    for input in loaded.runbook.inputs.iter().filter(|input| input.kind.is_path()) {
        let path = inputs.get(&input.id).and_then(Value::as_str).unwrap_or_default();
        if !path.is_empty()
            && let Err(error) = input.kind.look(std::path::Path::new(path))
        {
            let problem = Diagnostic::new(format!("cannot use the {} {path}: {error}", input.title))
                .safe("everything: nothing was begun")
                .help(format!("give another with --set {}=PATH", input.id));
            return Err(Failure::new(Exit::Usage, problem));
        }
    }
    Ok(inputs)
}

/// Refuses a scratch namespace that the preflight would refuse: by then the inputs of the run cannot be changed any more.
async fn refuse_scratch(
    (runbook, intent): (&Runbook, &Intent),
    inputs: &Value,
    target: &str,
    cluster: &Cluster,
) -> Result<(), Failure> {
    let asked = runbook.inputs.iter().filter(|input| input.is_asked_by(intent));
    for input in asked.filter(|input| input.kind == InputKind::ScratchNamespace) {
        let name = inputs.get(&input.id).and_then(Value::as_str).unwrap_or_default();
        let refuse = |exit: Exit, fault: &str| {
            let problem = Diagnostic::new(format!("cannot use {name} as the {}: {fault}", input.title))
                .safe("everything: nothing was begun")
                .help(format!("give another with --set {}=NAME", input.id));
            Err(Failure::new(exit, problem))
        };
        if let Some(fault) = scratch::misnamed(name, target) {
            return refuse(Exit::Usage, &fault);
        }
        let looked = scratch::taken(name, cluster).await;
        if let Some(fault) = looked.map_err(|error| reach::no_answer(error, cluster, target))? {
            return refuse(Exit::Refused, &fault);
        }
    }
    Ok(())
}
