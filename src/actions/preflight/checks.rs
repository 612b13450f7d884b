//! The checks themselves: each asks one thing and says what it found and what helps.

use super::{admission, beside, check::Scope, images, others, rights};
use crate::{
    actions::{
        context::{Halt, StepCx},
        data::{
            database,
            scratch_look::{self, Way},
        },
        deploy::{chart, release},
        forms::{api::Api, settings},
        objects::{
            bind, keep,
            pods::{ask_container, ready_pod, text},
        },
        programs::host::{Call, answer},
        spec::{CheckKind, CheckSpec},
    },
    ports::{PortErrorKind, kinds},
    postgres::version::{Version, can_dump},
    run::{Check, CheckResult, StepId, StepState},
    text::{Diagnostic, units},
};

/// Room on this machine that a run needs at least, in bytes, however small the database is.
const ROOM: u64 = 1 << 30;

/// Steps of the run whose doing again can mend what a check found.
pub fn again(cx: &StepCx, spec: &CheckSpec, kind: CheckKind) -> Vec<String> {
    match kind {
        CheckKind::Quiet => spec.dump.iter().cloned().collect(),
        CheckKind::SettingsUnchanged => forms(cx, &spec.captured),
        CheckKind::Captured => spec.captured.iter().filter(|step| is_capture(cx, step)).cloned().collect(),
        CheckKind::Chart => cx.deployment().map(|deployment| deployment.helm.captured.clone()).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Those of the steps that captured what the application says: only there can it say something else now.
pub fn forms(cx: &StepCx, steps: &[String]) -> Vec<String> {
    let state = cx.driver.state();
    let is_found =
        |id: &&String| state.facts.get(&StepId((*id).clone())).is_some_and(|facts| facts["found"].is_object());
    steps.iter().filter(is_found).cloned().collect()
}

/// What was compared when the place is the same one.
pub fn same_place(cx: &StepCx) -> &'static str {
    match (&cx.target.cluster_uid, cx.target.is_namespace_read()) {
        (Some(_), _) => "three ids as at the start, read now",
        (None, true) => "two ids as at the start, read now; the cluster's own may not be read here",
        (None, false) => {
            "two ids as at the start, read now; the cluster's own may not be read here, nor the namespace: its ConfigMap \
             kube-root-ca.crt stands in for it"
        }
    }
}

/// Asks one check. A port that fails is a failed check, not a failed step.
pub async fn ask(cx: &StepCx, spec: &CheckSpec, kind: CheckKind, scope: Scope) -> Result<Check, Halt> {
    let asked = match kind {
        CheckKind::Identity => cx.same_place().await.map(|()| kind.pass(same_place(cx))),
        CheckKind::Rights => rights::check(cx).await,
        CheckKind::Programs => Ok(programs(cx).await),
        CheckKind::DiskLocal => disk(cx, scope).await,
        CheckKind::PgVersions => versions(cx).await,
        CheckKind::Images => images::pullable(cx).await,
        CheckKind::Storage => storage(cx).await,
        CheckKind::RehearsalRoom => room(cx).await,
        CheckKind::Others => others::check(cx).await,
        CheckKind::Admission => admission::check(cx).await,
        CheckKind::Chart => self::chart(cx).await,
        CheckKind::Quiet => quiet(cx, spec.dump.as_deref().unwrap_or_default()).await,
        CheckKind::SettingsUnchanged => settings::unchanged(cx, &spec.captured)
            .await
            .map(|found| kind.from(found, "put the application back as it was, or go back and edit what was captured")),
        CheckKind::Captured => captured(cx, &spec.captured).await,
        CheckKind::NewVersion => version(cx, kind, new_version(cx)?).await,
        CheckKind::NewNamespace => beside::room(cx).await,
        CheckKind::CapturedVersion => {
            let captured = cx.facts_of(&cx.deployment()?.helm.captured)?;
            version(cx, kind, Some(text(&captured, "/version").to_owned())).await
        }
        CheckKind::KeptVolumes => {
            let step = spec.kept.as_deref().unwrap_or_default();
            let help = match keep::not_kept(cx, step) {
                Some(_) => {
                    "type the commands of that report, one by one: they bring the version before back, and its rows"
                }
                None => "find out who uses or removed it; without it only the proven dump leads back",
            };
            bind::kept(cx, step).await.map(|found| kind.from(found, help))
        }
    };
    match asked {
        Ok(check) => Ok(check),
        Err(Halt::Failed(problem) | Halt::Refused(problem)) => {
            let sentence = [vec![problem.what.clone()], problem.causes.clone()].concat().join(": ");
            let help: Vec<&str> = problem.help.iter().map(String::as_str).collect();
            Ok(kind.found(CheckResult::Fail, &sentence, &help))
        }
        Err(other) => Err(other),
    }
}

async fn programs(cx: &StepCx) -> Check {
    let mut missing = Vec::new();
    for program in &cx.needs.programs {
        if cx.world.host.which(program).await.is_none() {
            missing.push(program.as_str());
        }
    }
    if missing.is_empty() {
        return CheckKind::Programs.pass(&format!("{} here", cx.needs.programs.join(", ")));
    }
    CheckKind::Programs.found(
        CheckResult::Fail,
        &format!("not here: {}", missing.join(", ")),
        &["install it, or put it into the PATH"],
    )
}

/// The two files of a dump are at most about as large as their database, which has its indexes beside the rows.
async fn disk(cx: &StepCx, scope: Scope) -> Result<Check, Halt> {
    let free = cx.world.host.free_bytes(cx.artifacts()).await?;
    let (needed, of) = match scope {
        // who only reads may not ask the database
        Scope::ReadOnly => (ROOM, String::new()),
        Scope::Probing => {
            let size = database::server(cx, cx.namespace()).await?.size;
            (size.max(ROOM), format!(" of a database of {}", units::bytes(size)))
        }
    };
    let sentence = format!("{} free for the dump{of}", units::bytes(free));
    Ok(if free >= needed {
        CheckKind::DiskLocal.pass(&sentence)
    } else {
        CheckKind::DiskLocal.found(
            CheckResult::Fail,
            &format!("{sentence}, {} needed at least", units::bytes(needed)),
            &["free some, or use --state-dir"],
        )
    })
}

async fn versions(cx: &StepCx) -> Result<Check, Halt> {
    let (pod, _) = ready_pod(cx, cx.namespace(), &cx.deployment()?.core).await?;
    let (_, server) = database::source(cx, cx.namespace()).await?;
    let (code, said) = ask_container(cx, &pod, &["pg_dump", "--version"]).await?;
    if code != 0 {
        let sentence = format!("pg_dump --version ended with status {code} in {}", pod.pod);
        return Ok(CheckKind::PgVersions.found(CheckResult::Fail, &sentence, &[]));
    }
    let (Some(tool), Some(known)) = (Version::parse(&said), server.series()) else {
        let sentence =
            format!("cannot tell the versions: pg_dump says {:?}, the server {:?}", said.trim(), server.version);
        return Ok(CheckKind::PgVersions.found(CheckResult::Fail, &sentence, &[]));
    };
    Ok(match can_dump(tool, known) {
        Ok(()) => CheckKind::PgVersions.pass(&format!("dump tool {tool}, server {}", server.version)),
        Err(reason) => CheckKind::PgVersions.found(
            CheckResult::Fail,
            &reason.to_string(),
            &["use an image whose pg_dump is not older than the server"],
        ),
    })
}

async fn storage(cx: &StepCx) -> Result<Check, Halt> {
    let claims = cx.world.objects.list(&kinds::claim(), Some(cx.namespace()), "").await?;
    let classes = match cx.world.objects.list(&kinds::storage_class(), None, "").await {
        Ok(classes) => classes,
        // they belong to the whole cluster; a rehearsal makes a claim of the same class
        Err(error) if error.kind == PortErrorKind::Forbidden => {
            let claims = units::plural(claims.len(), "claim", "claims");
            return Ok(CheckKind::Storage.pass(&format!(
                "{claims}; storage classes may not be read here: whether theirs still exists is seen when a claim is made"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let names: Vec<&str> = classes.iter().map(|class| text(class, "/metadata/name")).collect();
    for claim in &claims {
        let class = text(claim, "/spec/storageClassName");
        if !class.is_empty() && !names.contains(&class) {
            let sentence =
                format!("claim {} uses storage class {class}, which does not exist", text(claim, "/metadata/name"));
            return Ok(CheckKind::Storage.found(
                CheckResult::Fail,
                &sentence,
                &["a new claim would wait for ever: make the class, or change the values"],
            ));
        }
    }
    Ok(CheckKind::Storage
        .pass(&format!("{}; every storage class exists", units::plural(claims.len(), "claim", "claims"))))
}

async fn room(cx: &StepCx) -> Result<Check, Halt> {
    let kind = CheckKind::RehearsalRoom;
    let Some(name) = &cx.needs.scratch else { return Ok(kind.pass("no rehearsal in this plan")) };
    Ok(match scratch_look::way(cx, name).await? {
        Way::Made => kind.pass(&format!("namespace {name} is made for it, and removed again")),
        Way::Given => kind.pass(&format!(
            "namespace {name} is there and empty: only what the rehearsal makes there is removed again, and the namespace stays"
        )),
        Way::Taken(why) => kind.found(CheckResult::Fail, &why, &["choose another with --set rehearsal=NAME"]),
        Way::Refused => {
            let sentence =
                format!("no namespace may be made here, and {name} is not there, or nothing of it may be read");
            let ways = scratch_look::ways(cx);
            kind.found(CheckResult::Fail, &sentence, &ways.iter().map(String::as_str).collect::<Vec<_>>())
        }
    })
}

async fn chart(cx: &StepCx) -> Result<Check, Halt> {
    let deployment = cx.deployment()?;
    let name = cx.render(&deployment.helm.release)?;
    let found = release::release(cx, &cx.target, &name).await?;
    let status = found.as_ref().map_or("absent", |release| text(release, "/status"));
    if status != "deployed" {
        return Err(release::not_deployed(cx, &name, status).await.into());
    }
    if cx.driver.state().facts.contains_key(&StepId(deployment.helm.captured.clone()))
        && let Err(sentence) = release::unchanged(cx).await?
    {
        return Ok(CheckKind::Chart.found(CheckResult::Fail, &sentence, &[&release::record_again(cx)?]));
    }
    let held = chart::take(cx).await?;
    let call = Call::new(cx, "helm", &["show", "chart", &held.path.display().to_string()]);
    answer(cx, &cx.target, call).await?;
    Ok(CheckKind::Chart.pass(&format!("release {name} is deployed; {}", held.sentence)))
}

async fn quiet(cx: &StepCx, dump: &str) -> Result<Check, Halt> {
    let found = database::quiet(cx, dump, &mut None).await?;
    Ok(CheckKind::Quiet.from(found, "stop whoever writes, then dump and rehearse again"))
}

/// Whether every step of the list is complete, and helm's release still what was captured of it.
async fn captured(cx: &StepCx, steps: &[String]) -> Result<Check, Halt> {
    let state = cx.driver.state();
    let open: Vec<String> = steps
        .iter()
        .filter_map(|step| state.planned(&StepId(step.clone())))
        .filter(|step| !matches!(state.step(&step.id), StepState::Done { .. } | StepState::Skipped { .. }))
        .map(|step| step.number.clone())
        .collect();
    if !open.is_empty() {
        return Ok(CheckKind::Captured.found(CheckResult::Fail, &format!("not complete: {}", open.join(", ")), &[]));
    }
    if !steps.iter().any(|step| is_capture(cx, step)) {
        return Ok(CheckKind::Captured.pass("every item is complete"));
    }
    Ok(match release::unchanged(cx).await? {
        Ok(sentence) => CheckKind::Captured.pass(&format!("every item is complete; {sentence}")),
        Err(sentence) => CheckKind::Captured.found(CheckResult::Fail, &sentence, &[&release::record_again(cx)?]),
    })
}

/// Whether a step is the one that captured the release.
pub fn is_capture(cx: &StepCx, step: &str) -> bool {
    cx.deployment().is_ok_and(|deployment| deployment.helm.captured == step)
}

/// The version that this run leads to, where the runbook says so.
fn new_version(cx: &StepCx) -> Result<Option<String>, Halt> {
    cx.deployment()?.helm.set.get("version").map(|version| cx.render(version)).transpose()
}

/// Whether the new version answers in the namespace where `cx` is at work, which is the one that was made; in words either way.
pub async fn serves(cx: &StepCx) -> Result<Result<String, String>, Halt> {
    let asked = async {
        cx.same_place().await?;
        version(cx, CheckKind::NewVersion, new_version(cx)?).await
    };
    match asked.await {
        Ok(found) => Ok(Ok(format!("in {} {}", cx.namespace(), found.sentence))),
        Err(Halt::Failed(problem) | Halt::Refused(problem)) => {
            Ok(Err(format!("in {}: {}", cx.namespace(), problem.what)))
        }
        Err(other) => Err(other),
    }
}

async fn version(cx: &StepCx, kind: CheckKind, wanted: Option<String>) -> Result<Check, Halt> {
    let deployment = cx.deployment()?;
    let answer = Api::open(cx, cx.namespace()).await?.get(&deployment.api.version).await?;
    let said = text(&answer, "/version").to_owned();
    if wanted.as_deref().is_none_or(|wanted| wanted == said) {
        return Ok(kind.pass(&format!("the application answers as {said}")));
    }
    Err(Diagnostic::new(format!("the application answers as {said}, not as {}", wanted.unwrap_or_default())).into())
}
