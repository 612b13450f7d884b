//! `check` and `plan`: they read, and change nothing. Also the absent cluster of runbooks that need none.

use std::{io::Write, path::Path, sync::Arc};

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Exit, Failure, Global, Outcome,
    attend::Realm,
    start::{first_records, ports},
    target::{TargetArgs, choose},
};
use crate::{
    actions::{ActionSpec, Driver, Halt, Scope, StepCx},
    engine::{Plan, values},
    ports::{
        Access, Deleted, Exec, ExitStatus, Identity, JobState, Kind, LogLine, Logs, ObjectRef, Objects, OutputSink,
        PodRef, PodTools, PortError, PortErrorKind, Right, SecretBytes, Transferred,
    },
    run::{CheckResult, OutputLine, Progress, Question, Record, Reply, RunState, SecretHandle, StepId},
    store::Paths,
    text::{Diagnostic, Template, render},
};

/// A driver that cannot write anything down, and so lets nothing be done.
struct Looking(Arc<RunState>);

fn refused() -> Halt {
    Halt::Refused(Box::new(Diagnostic::new("this command only reads")))
}

#[async_trait]
impl Driver for Looking {
    async fn record(&self, _: Record) -> Result<(), Halt> {
        Err(refused())
    }
    fn state(&self) -> Arc<RunState> {
        Arc::clone(&self.0)
    }
    async fn ask(&self, _: Question) -> Result<Reply, Halt> {
        Err(refused())
    }
    fn progress(&self, _: Progress) {}
    async fn line(&self, _: OutputLine) {}
    async fn take_secret(&self, _: SecretHandle) -> Option<SecretString> {
        None
    }
    fn draft(&self, _: &StepId) -> Option<Value> {
        None
    }
    async fn save_draft(&self, _: &StepId, _: Value) -> Result<(), Halt> {
        Err(refused())
    }
    fn render(&self, template: &Template) -> Result<String, Halt> {
        render(template, &values(&self.0)).map_err(|fault| Diagnostic::new(fault).into())
    }
}

/// `drydock plan`
pub async fn plan(global: &Global, args: TargetArgs) -> Outcome {
    let target = choose(&args, &std::collections::BTreeMap::new(), None).await?;
    let intent = target.intent(&args.intent)?;
    let plan = Plan::new(&target.loaded.runbook, intent, &target.identity, &target.known());
    let mut out = std::io::stdout();
    if global.json {
        for step in &plan.steps {
            serde_json::to_writer(&mut out, &step.planned).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        return Ok(Exit::Done);
    }
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
            writeln!(
                out,
                "      changes: {} · undo: {} · {}",
                step.changes,
                step.undo,
                crate::text::units::about(step.estimate_s)
            )?;
            for line in step.commands.iter().chain(step.unknown.iter()) {
                writeln!(out, "      {}", crate::text::printable(line))?;
            }
        }
    }
    writeln!(out, "\nprograms run here: {}", plan.needs.programs.join(", "))?;
    Ok(Exit::Done)
}

/// `drydock check`
pub async fn check(global: &Global, args: TargetArgs) -> Outcome {
    let paths = Paths::resolve(global.state_dir.clone())?;
    paths.ensure()?;
    let target = choose(&args, &std::collections::BTreeMap::new(), None).await?;
    let intent = target.intent(&args.intent)?.clone();
    let plan = Plan::new(&target.loaded.runbook, &intent, &target.identity, &target.known());
    let world = ports(&paths, target.cluster.as_ref())?;
    let mut state = RunState::default();
    for record in first_records(&target, &plan, &intent.id, world.host.as_ref(), "check-0000", Realm::Real) {
        state.apply(Timestamp::now(), &record);
    }
    let driver: Arc<dyn Driver> = Arc::new(Looking(Arc::new(state)));
    let (mut failed, mut out) = (0, std::io::stdout());
    for step in &plan.steps {
        let ActionSpec::Check(spec) = &step.spec else { continue };
        let cx = StepCx {
            step: step.planned.id.clone(),
            number: step.planned.number.clone(),
            attempt: 1,
            world: world.clone(),
            deployment: plan.deployment.clone(),
            target: target.identity.clone(),
            artifacts: paths.state.clone(),
            expect: Arc::new(Vec::new()),
            needs: Arc::clone(&plan.needs),
            driver: Arc::clone(&driver),
            cancel: CancellationToken::new(),
        };
        let checks = spec.ask(&cx, Scope::ReadOnly).await.map_err(|halt| match halt {
            Halt::Failed(problem) | Halt::Refused(problem) | Halt::Fault(problem) => {
                Failure::new(Exit::Environment, *problem)
            }
            Halt::Stopped(reason) | Halt::NeedsAnswer(reason) => Failure::usage(reason),
        })?;
        if !global.json {
            writeln!(out, "{} {}", step.planned.number, step.planned.title)?;
        }
        for check in checks {
            failed += usize::from(check.result == CheckResult::Fail);
            if global.json {
                serde_json::to_writer(&mut out, &check).map_err(std::io::Error::from)?;
                writeln!(out)?;
                continue;
            }
            let word = match check.result {
                CheckResult::Pass => "pass",
                CheckResult::Warn => "WARN",
                CheckResult::Fail => "FAIL",
                CheckResult::NotAsked => "not asked yet",
            };
            writeln!(out, "  {word}  {}: {}", check.name, check.sentence)?;
            for help in &check.help {
                writeln!(out, "        help: {help}")?;
            }
        }
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Refused })
}

/// The cluster of a runbook that needs none: every call says so.
pub struct NoCluster;

fn none<T>() -> Result<T, PortError> {
    Err(PortError::new(
        PortErrorKind::Unsupported,
        "cannot reach a cluster",
        "this runbook has no deployment and no target cluster",
    ))
}

#[async_trait]
impl Objects for NoCluster {
    async fn get(&self, _: &ObjectRef) -> Result<Option<Value>, PortError> {
        none()
    }
    async fn list(&self, _: &Kind, _: Option<&str>, _: &str) -> Result<Vec<Value>, PortError> {
        none()
    }
    async fn kinds(&self) -> Result<Vec<Kind>, PortError> {
        none()
    }
    async fn apply(&self, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn dry_run(&self, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn create(&self, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn patch(&self, _: &ObjectRef, _: &str, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn scale(&self, _: &ObjectRef, _: u32) -> Result<u32, PortError> {
        none()
    }
    async fn delete(&self, _: &ObjectRef, _: &str) -> Result<Deleted, PortError> {
        none()
    }
    async fn watch(
        &self,
        _: &Kind,
        _: Option<&str>,
        _: &str,
    ) -> Result<BoxStream<'static, Result<Vec<Value>, PortError>>, PortError> {
        none()
    }
    async fn access(&self, _: &[Right]) -> Result<Vec<Access>, PortError> {
        none()
    }
    async fn identity(&self, _: &str) -> Result<Identity, PortError> {
        none()
    }
    async fn private_kubeconfig(&self, _: &Identity) -> Result<SecretBytes, PortError> {
        none()
    }
    async fn http(&self, _: &PodRef, _: u16, _: http::Request<Vec<u8>>) -> Result<(u16, Vec<u8>), PortError> {
        none()
    }
}

#[async_trait]
impl Exec for NoCluster {
    async fn run(
        &self,
        _: &PodRef,
        _: &[String],
        _: &[u8],
        _: &mut dyn OutputSink,
        _: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        none()
    }
    async fn probe(&self, _: &PodRef, _: &[&str], _: &str) -> Result<PodTools, PortError> {
        none()
    }
    async fn start(&self, _: &PodRef, _: &str, _: &str, _: &[String]) -> Result<(), PortError> {
        none()
    }
    async fn poll(&self, _: &PodRef, _: &str, _: &str) -> Result<JobState, PortError> {
        none()
    }
    async fn stop(&self, _: &PodRef, _: &str, _: &str) -> Result<(), PortError> {
        none()
    }
    async fn digest(&self, _: &PodRef, _: &str) -> Result<Option<Transferred>, PortError> {
        none()
    }
    async fn download(
        &self,
        _: &PodRef,
        _: &str,
        _: &Path,
        _: &(dyn Fn(u64) + Send + Sync),
        _: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        none()
    }
    async fn upload(
        &self,
        _: &PodRef,
        _: &Path,
        _: &str,
        _: &(dyn Fn(u64) + Send + Sync),
        _: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        none()
    }
}

#[async_trait]
impl Logs for NoCluster {
    async fn follow(&self, _: &str, _: &str, _: Timestamp, _: mpsc::Sender<LogLine>, cancel: CancellationToken) {
        cancel.cancelled().await;
    }
}
