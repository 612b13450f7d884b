//! `plan`: every step and what it would do. It reads, and changes nothing.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::{
    Exit, Failure, Global, Outcome, adopted,
    inspect::object,
    place::choose_place,
    target::{Target, TargetArgs, choose},
};
use crate::{
    actions::{ActionSpec, Place},
    engine::Plan,
    runbook::Intent,
    store::{Paths, StoreError, write_new},
    text::{Diagnostic, printable, units},
};

/// `plan`
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// A new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// `drydock plan`
pub async fn plan(global: &Global, args: PlanArgs) -> Outcome {
    let PlanArgs { target: mut args, output } = args;
    adopted::settle(&mut args)?;
    let runs = Paths::resolve(global.state_dir.clone())?.runs();
    choose_place(global, &mut args).await?;
    let target = choose(&args, &std::collections::BTreeMap::new(), None, &runs).await?;
    let intent = target.intent(&args.intent)?;
    let plan = Plan::new(&target.loaded.runbook, intent, &target.identity, &target.known());
    let mut text = Vec::new();
    if global.json {
        for step in &plan.steps {
            object(&mut text, "step", &step.planned)?;
        }
    } else {
        steps(&mut text, &target, intent, &plan)?;
        needed(&mut text, &target, &plan)?;
    }
    let Some(path) = output else {
        io::stdout().write_all(&text)?;
        return Ok(Exit::Done);
    };
    write_new(&path, &text).map_err(|error| match error {
        StoreError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
            let problem = Diagnostic::new(format!("{} is there already, and was left as it is", path.display()));
            Failure::new(Exit::Usage, problem.help("name another file, or move that one away"))
        }
        other => other.into(),
    })?;
    writeln!(io::stderr(), "saved. The plan is in {}.", path.display())?;
    Ok(Exit::Done)
}

/// Every step, phase by phase.
fn steps(out: &mut dyn Write, target: &Target, intent: &Intent, plan: &Plan) -> io::Result<()> {
    let runbook = &target.loaded.runbook;
    writeln!(
        out,
        "{} {}, {}, runbook {} ({}).",
        runbook.title,
        intent.title,
        target.environment,
        runbook.version,
        &target.loaded.digest[..8]
    )?;
    for (index, phase) in plan.phases.iter().enumerate() {
        writeln!(out, "\n{} {}: {}", index + 1, phase.title, phase.purpose)?;
        for step in plan.steps.iter().filter(|step| step.planned.phase == index) {
            let step = &step.planned;
            writeln!(out, "  {} {} [{}]", step.number, step.title, step.id)?;
            writeln!(out, "      why: {}", step.why)?;
            let (changes, undo) = (&step.changes, &step.undo);
            writeln!(out, "      changes: {changes} · undo: {undo} · {}", units::about(step.estimate_s))?;
            for line in &step.commands {
                writeln!(out, "      {}", printable(line))?;
            }
            for line in &step.unknown {
                writeln!(out, "      not known yet: {}", printable(line))?;
            }
        }
    }
    Ok(())
}

/// What all of it needs beside rights: programs, secrets, hosts.
fn needed(out: &mut dyn Write, target: &Target, plan: &Plan) -> io::Result<()> {
    let listed = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    writeln!(out)?;
    if !target.acting().is_oneself() {
        writeln!(out, "acts there as: {}", printable(&target.acting().to_string()))?;
    }
    writeln!(out, "programs run here: {}", listed(&plan.needs.programs))?;
    writeln!(out, "secrets read: {}", printable(&listed(&secrets(plan))))?;
    let mut hosts: Vec<String> = target
        .cluster
        .iter()
        .map(|cluster| format!("{} (the API server of context {})", cluster.server(), cluster.context))
        .collect();
    hosts.extend(plan.steps.iter().filter_map(|step| match &step.spec {
        ActionSpec::Run(spec) if spec.on == Place::Here => {
            Some(format!("whatever the command of {} contacts by itself", step.planned.number))
        }
        _ => None,
    }));
    writeln!(out, "hosts contacted: {}", printable(&listed(&hosts)))
}

/// Secrets that the steps read, by where they stand; never their values.
fn secrets(plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    for step in &plan.steps {
        let id = &step.planned.id;
        match &step.spec {
            ActionSpec::Ask(spec) => {
                found.extend(
                    spec.form.fields.iter().filter(|field| field.is_secret()).map(|field| format!("{id}/{}", field.id)),
                );
            }
            ActionSpec::Capture(_) => found.push("helm's record of the release".to_owned()),
            _ => {}
        }
    }
    if let Some(deployment) = &plan.deployment {
        let variables = [&deployment.connection.password, &deployment.api.password];
        found.extend(variables.map(|variable| format!("{variable} of container {}", deployment.core.container)));
    }
    found
}
