//! `wait`: until the parts are ready, or what was deleted is gone; with reasons in words from pods and events.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::{
    events::{Changes, Events},
    live,
    pods::{object, text},
    reasons,
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        forms::api::Api,
        spec::{WaitFor, WaitSpec},
    },
    ports::{Kind, ObjectRef, kinds},
    run::{Repeat, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

/// A deployment counts as ready when it stayed ready for so long.
const STEADY: Duration = Duration::from_secs(5);
/// How often ages and things without a watch are looked at again.
const LOOK: Duration = Duration::from_secs(3);
/// What was deleted and is not gone after so long pauses the run.
const GONE_PATIENCE: Duration = Duration::from_secs(240);
/// What cannot get ready by itself pauses the run after so long.
const STUCK_PATIENCE: Duration = Duration::from_secs(90);
/// What is slow pauses the run after so long, to ask.
const SLOW_PATIENCE: Duration = Duration::from_secs(900);

/// Waits until every part of the deployment in `namespace` is ready and its API answers; what its pods say is shown.
pub async fn ready(cx: &StepCx, namespace: &str) -> Result<(), Halt> {
    live::beside(cx, namespace, until_ready(cx, namespace)).await
}

async fn until_ready(cx: &StepCx, namespace: &str) -> Result<(), Halt> {
    let deployment = cx.deployment()?;
    let names: Vec<&str> = deployment.parts.iter().map(|part| name_of(part)).collect();
    let started = tokio::time::Instant::now();
    let mut changes = Changes::of(cx, namespace).await?;
    let mut events = Events::new(cx, namespace);
    let mut steady_since = None;
    let mut stuck_since: Option<tokio::time::Instant> = None;
    loop {
        let said = events.read().await?;
        let rows = parts(cx, namespace, &said).await?;
        events.tell(&said, &names).await;
        let ready = rows.iter().filter(|row| row.sign == Sign::Done).count();
        let stuck = rows.iter().find(|row| matches!(row.sign, Sign::Careful | Sign::Failed)).cloned();
        cx.show(&format!("{ready} of {} parts are ready", rows.len()), rows.clone(), None, None);
        if ready == deployment.parts.len() {
            let steady = *steady_since.get_or_insert_with(tokio::time::Instant::now);
            if steady.elapsed() >= STEADY && answers(cx, namespace).await {
                return Ok(());
            }
        } else {
            steady_since = None;
        }
        match &stuck {
            Some(row) => {
                let since = *stuck_since.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() >= STUCK_PATIENCE {
                    return Err(Diagnostic::new(format!("{} does not get ready: {}", row.name, row.detail))
                        .proves("it has not changed for 90 s and does not get better by waiting")
                        .safe("the dump, proven; the volumes of the version before; the vault")
                        .help("mend the cause, then try again: what is ready stays")
                        .into());
                }
            }
            None => stuck_since = None,
        }
        if started.elapsed() > SLOW_PATIENCE {
            return Err(Diagnostic::new(format!("{ready} of {} parts are ready after 15 min", rows.len()))
                .help("try again to keep waiting, or look at the parts first")
                .into());
        }
        changes.next(cx, if steady_since.is_some() { Duration::from_secs(1) } else { LOOK }).await?;
    }
}

async fn answers(cx: &StepCx, namespace: &str) -> bool {
    let Ok(deployment) = cx.deployment() else { return false };
    match Api::open(cx, namespace).await {
        Ok(api) => matches!(api.status(&deployment.api.health).await, Ok(200)),
        Err(_) => false,
    }
}

/// One row a part: how its workload stands, and why.
async fn parts(cx: &StepCx, namespace: &str, events: &[Value]) -> Result<Vec<Row>, Halt> {
    let pods = cx.list(&kinds::pod(), namespace, "").await?;
    let parts = &cx.deployment()?.parts;
    let workloads = parts.iter().map(|part| {
        let kind = part.split_once('/').map_or("Deployment", |(kind, _)| kind);
        let reference = object(workload(kind), namespace, name_of(part));
        async move { cx.get(&reference).await }
    });
    let found = futures::future::try_join_all(workloads).await?;
    let now = cx.world.clock.now();
    let rows = parts.iter().zip(&found);
    Ok(rows.map(|(part, found)| reasons::part(name_of(part), found.as_ref(), &pods, events, now)).collect())
}

fn name_of(part: &str) -> &str {
    part.split_once('/').map_or(part, |(_, name)| name)
}

fn workload(kind: &str) -> Kind {
    match kind {
        "StatefulSet" => kinds::stateful_set(),
        "Job" => kinds::job(),
        _ => kinds::deployment(),
    }
}

/// Objects of the kill list of step `delete` that are still there, with their JSON.
async fn remaining(cx: &StepCx, delete: &str) -> Result<Vec<(ObjectRef, Value)>, Halt> {
    let facts = cx.facts_of(delete)?;
    let mut left = Vec::new();
    for entry in facts.pointer("/removed").and_then(Value::as_array).into_iter().flatten() {
        let Ok(reference) = serde_json::from_value::<ObjectRef>(entry["object"].clone()) else { continue };
        if let Some(now) = cx.get(&reference).await?
            && text(&now, "/metadata/uid") == text(entry, "/uid")
        {
            left.push((reference, now));
        }
    }
    // pods are not on the list: their owners are, and they end after them
    for selector in [&cx.deployment()?.core.selector, &cx.deployment()?.database.selector] {
        for pod in cx.list(&kinds::pod(), cx.namespace(), selector).await? {
            let reference = object(kinds::pod(), cx.namespace(), text(&pod, "/metadata/name"));
            left.push((reference, pod));
        }
    }
    Ok(left)
}

async fn gone(cx: &StepCx, delete: &str) -> Result<usize, Halt> {
    let started = tokio::time::Instant::now();
    loop {
        let left = remaining(cx, delete).await?;
        if left.is_empty() {
            let facts = cx.facts_of(delete)?;
            return Ok(facts.pointer("/removed").and_then(Value::as_array).map_or(0, Vec::len));
        }
        let rows: Vec<Row> = left
            .iter()
            .map(|(reference, now)| Row {
                sign: Sign::Running,
                word: "ending".into(),
                name: format!("{} {}", reference.kind.kind, reference.name),
                detail: reasons::ending(now),
            })
            .collect();
        cx.show(&format!("{} still ending", units::plural(left.len(), "object is", "objects are")), rows, None, None);
        if started.elapsed() > GONE_PATIENCE {
            let names: Vec<String> =
                left.iter().map(|(r, now)| format!("{} {}: {}", r.kind.kind, r.name, reasons::ending(now))).collect();
            let problem = Diagnostic::new(units::plural(left.len(), "object does not end", "objects do not end"))
                .proves("Kubernetes keeps an object while a finalizer holds it; that is not an error of the deletion")
                .safe("the volumes are set to keep; the dump is proven; the vault")
                .help("end what holds it, then try again; drydock never strips finalizers");
            return Err(names.into_iter().fold(problem, Diagnostic::cause).into());
        }
        cx.pause(Duration::from_secs(2)).await?;
    }
}

#[async_trait]
impl Action for WaitSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Safe
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let ns = Some(cx.namespace);
        let commands = match self.until {
            WaitFor::Ready => cx.deployment.map_or_else(Vec::new, |deployment| {
                deployment
                    .parts
                    .iter()
                    .map(|part| format!("$ kubectl -n {} rollout status {part}", cx.namespace))
                    .collect()
            }),
            WaitFor::Gone => vec![format!("$ kubectl -n {} get all,claims,secrets,configmaps", cx.namespace)],
        };
        let rights = [("", "pods"), ("", "events"), ("apps", "deployments"), ("apps", "statefulsets")]
            .iter()
            .map(|(group, kind)| {
                right(if *kind == "pods" || *kind == "events" { "list" } else { "get" }, group, kind, "", ns)
            })
            .chain([right("watch", "", "pods", "", ns), right("get", "", "pods", "log", ns)])
            .collect();
        Described { commands, rights, ..Described::default() }
    }

    async fn probe(&self, _: &StepCx) -> Result<Probed, Halt> {
        Ok(Probed::new(Verdict::NotDone, "waiting again costs nothing"))
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        match self.until {
            WaitFor::Ready => {
                ready(cx, cx.namespace()).await?;
                Ok(Done::plain(format!("{} of {0} parts are ready", cx.deployment()?.parts.len())))
            }
            WaitFor::Gone => {
                let removed = gone(cx, self.delete.as_deref().unwrap_or_default()).await?;
                Ok(Done::plain(format!("{removed} of {removed} gone")))
            }
        }
    }
}
