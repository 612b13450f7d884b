//! `check`: it reads, and changes nothing.

use std::{
    io::{self, Write},
    sync::Arc,
};

use jiff::Timestamp;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    Exit, Failure, Global, Outcome, adopted,
    attend::Realm,
    looking::Looking,
    place::choose_place,
    start::{first_records, ports},
    target::{TargetArgs, choose},
};
use crate::{
    actions::{ActionSpec, Driver, Halt, Scope, StepCx},
    engine::Plan,
    run::{Check, CheckResult, RunState},
    store::Paths,
    text::printable,
};

/// `drydock check`
pub async fn check(global: &Global, mut args: TargetArgs) -> Outcome {
    let paths = Paths::resolve(global.state_dir.clone())?;
    paths.ensure()?;
    adopted::settle(&mut args)?;
    choose_place(global, &mut args).await?;
    let target = choose(&args, &std::collections::BTreeMap::new(), None, &paths.runs()).await?;
    let intent = target.intent(&args.intent)?.clone();
    let plan = Plan::new(&target.loaded.runbook, &intent, &target.identity, &target.known());
    let world = ports(&paths, target.cluster.as_ref(), &global.typed())?;
    let first = first_records(&target, &plan, &intent.id, world.host.as_ref(), "check-0000", Realm::Real);
    let now = Timestamp::now();
    let driver: Arc<dyn Driver> = Arc::new(Looking::at(RunState::of(first.iter().map(|record| (now, record)))));
    let (mut failed, mut out) = (0, io::stdout());
    for step in &plan.steps {
        // of a namespace that is not made yet nothing can be asked
        let (ActionSpec::Check(spec), None) = (&step.spec, &step.place) else { continue };
        let cx = StepCx {
            step: step.planned.id.clone(),
            number: step.planned.number.clone(),
            attempt: 1,
            world: world.clone(),
            deployment: plan.deployment.clone(),
            target: target.identity.clone(),
            artifacts: paths.state.clone(),
            papers: Vec::new(),
            lent: None,
            expect: Arc::new(Vec::new()),
            requires: Arc::new(step.requires.clone()),
            needs: Arc::clone(&plan.needs),
            driver: Arc::clone(&driver),
            cancel: CancellationToken::new(),
        };
        let checks = spec.ask(&cx, Scope::ReadOnly).await.map_err(|halt| match halt {
            Halt::Failed(problem) | Halt::Refused(problem) | Halt::Fault(problem) => {
                Failure::new(Exit::Environment, *problem)
            }
            Halt::Stopped(reason) | Halt::NeedsAnswer(reason) => Failure::usage(reason),
            Halt::Back => Failure::usage("there is nothing to go back to".to_owned()),
        })?;
        if !global.json {
            writeln!(out, "{} {}", step.planned.number, step.planned.title)?;
        }
        failed += checks.iter().filter(|check| check.result == CheckResult::Fail).count();
        show(global, &mut out, &checks)?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Refused })
}

/// Writes checks, a line or an object each.
pub(super) fn show(global: &Global, out: &mut dyn Write, checks: &[Check]) -> io::Result<()> {
    for check in checks {
        if global.json {
            object(out, "check", check)?;
            continue;
        }
        let word = match check.result {
            CheckResult::Pass => "pass",
            CheckResult::Warn => "WARN",
            CheckResult::Fail => "FAIL",
            CheckResult::NotAsked => "not asked yet",
        };
        writeln!(out, "  {word}  {}: {}", check.name, printable(&check.sentence))?;
        for help in &check.help {
            writeln!(out, "        help: {}", printable(help))?;
        }
    }
    Ok(())
}

/// Writes one object with its type, a line.
pub(super) fn object(out: &mut dyn Write, kind: &'static str, body: &impl Serialize) -> io::Result<()> {
    #[derive(Serialize)]
    struct Object<'a, T> {
        #[serde(rename = "type")]
        kind: &'static str,
        #[serde(flatten)]
        body: &'a T,
    }
    serde_json::to_writer(&mut *out, &Object { kind, body }).map_err(io::Error::from)?;
    writeln!(out)
}
