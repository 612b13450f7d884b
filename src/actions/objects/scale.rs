//! `scale`: the number of replicas of Deployments, with the number before written down so that it can come back.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::pods::{is_ready, object, text};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        data::{database::source, foreign::FRESH},
        spec::ScaleSpec,
    },
    ports::kinds,
    run::{Question, Repeat, Reply, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

/// Longest wait for the pods of a stopped Deployment to end.
const PATIENCE: Duration = Duration::from_secs(180);

impl ScaleSpec {
    /// Wanted number of replicas of `name`; where it comes back, the one that the named step found.
    fn wanted(&self, cx: &StepCx, name: &str) -> Result<u32, Halt> {
        if let Some(replicas) = self.replicas {
            return Ok(replicas);
        }
        let step = self.as_before.as_deref().unwrap_or_default();
        let facts = cx.facts_of(step)?;
        let before = facts.pointer("/before").and_then(|all| all.get(name)).and_then(Value::as_u64);
        before.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
            Diagnostic::new(format!("step {step} has not written down how many replicas {name} had")).into()
        })
    }
}

#[async_trait]
impl Action for ScaleSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let wanted = self.replicas.map_or_else(|| "AS-BEFORE".to_owned(), |n| n.to_string());
        let ns = Some(cx.namespace);
        Described {
            commands: self
                .deployments
                .iter()
                .map(|name| format!("$ kubectl -n {} scale deployment/{name} --replicas={wanted}", cx.namespace))
                .collect(),
            rights: vec![
                right("get", "apps", "deployments", "scale", ns),
                right("patch", "apps", "deployments", "scale", ns),
            ],
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let mut reached = 0;
        for name in &self.deployments {
            let found = cx.world.objects.get(&object(kinds::deployment(), cx.namespace(), name)).await?;
            let now = found.as_ref().and_then(|d| d.pointer("/spec/replicas")).and_then(Value::as_u64);
            reached += usize::from(now == Some(u64::from(self.wanted(cx, name)?)));
        }
        Ok(match reached {
            n if n == self.deployments.len() => Probed::new(Verdict::Done, "all have the wanted number"),
            0 => Probed::new(Verdict::NotDone, "none has the wanted number"),
            n => Probed::new(Verdict::Partly, format!("{n} of {} have the wanted number", self.deployments.len())),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let idle = self.stays_at_none(cx)?;
        if !idle.is_empty() {
            agree_to_none(cx, &idle).await?;
        }
        // taken up again after a crash, what is found may be our own number: the draft holds the ones before, and keeps
        // those of Deployments that this attempt has not come to yet
        let mut before: Map<String, Value> =
            cx.driver.draft(&cx.step).and_then(|draft| draft.as_object().cloned()).unwrap_or_default();
        for name in &self.deployments {
            let reference = object(kinds::deployment(), cx.namespace(), name);
            let Some(now) = cx.world.objects.get(&reference).await? else {
                return Err(Diagnostic::new(format!("deployment {name} is not in namespace {}", cx.namespace())).into());
            };
            let wanted = self.wanted(cx, name)?;
            let found = now.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
            // a number that is not ours was given since by a human, and is the one that counts
            if found != u64::from(wanted) || !before.contains_key(name) {
                before.insert(name.clone(), json!(found));
            }
            cx.driver.save_draft(&cx.step, Value::Object(before.clone())).await?;
            if found != u64::from(wanted) {
                let effect = format!("scale deployment {name} from {found} to {wanted}");
                cx.effect(&effect).await?;
                cx.world.objects.scale(&reference, wanted).await?;
                cx.effected(&effect, "accepted").await?;
            }
        }
        let wanted = self.deployments.iter().map(|name| Ok((name.clone(), self.wanted(cx, name)?)));
        settle(cx, &wanted.collect::<Result<Vec<_>, Halt>>()?).await?;
        let summary = match self.replicas {
            Some(0) => format!("{} stopped", self.deployments.join(", ")),
            None if !idle.is_empty() => format!("{} left at 0, as it was before", idle.join(", ")),
            _ => format!("{} scaled", self.deployments.join(", ")),
        };
        let mut facts = json!({ "before": before });
        if self.counts {
            let (counts, _) = source(cx, cx.namespace()).await?;
            facts[FRESH] = json!(counts);
        }
        Ok(Done::with(summary, facts))
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        Ok(self.changed(cx).await?.iter().map(|(name, before)| format!("{name} back to {before}")).collect())
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let changed = self.changed(cx).await?;
        for (name, before) in &changed {
            let effect = format!("scale deployment {name} back to {before}");
            cx.effect(&effect).await?;
            cx.world.objects.scale(&object(kinds::deployment(), cx.namespace(), name), *before).await?;
            cx.effected(&effect, "accepted").await?;
        }
        settle(cx, &changed).await?;
        let names: Vec<String> = changed.iter().map(|(name, before)| format!("{name} has {before} again")).collect();
        Ok(if names.is_empty() { "the replicas are as before".to_owned() } else { names.join(", ") })
    }
}

impl ScaleSpec {
    /// Deployments that had no replicas when the named step looked, so that putting them back starts nothing.
    fn stays_at_none(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        if self.replicas.is_some() {
            return Ok(Vec::new());
        }
        let mut idle = Vec::new();
        for name in &self.deployments {
            if self.wanted(cx, name)? == 0 {
                idle.push(name.clone());
            }
        }
        Ok(idle)
    }

    /// Deployments that have the number this step gave them, each with the number before. One that somebody else has given
    /// another number since is not ours to put back.
    async fn changed(&self, cx: &StepCx) -> Result<Vec<(String, u32)>, Halt> {
        let before = cx.driver.draft(&cx.step);
        let mut changed = Vec::new();
        for name in &self.deployments {
            let before = before.as_ref().and_then(|all| all.get(name)).and_then(Value::as_u64);
            let Some(before) = before.and_then(|number| u32::try_from(number).ok()) else { continue };
            let found = cx.world.objects.get(&object(kinds::deployment(), cx.namespace(), name)).await?;
            let now = found.as_ref().and_then(|found| found.pointer("/spec/replicas")).and_then(Value::as_u64);
            let ours = u64::from(self.wanted(cx, name)?);
            if now == Some(ours) && ours != u64::from(before) {
                changed.push((name.clone(), before));
            }
        }
        Ok(changed)
    }
}

/// Whoever had stopped them before has to say that they stay so: else nothing is stored from now on, and nobody was told.
async fn agree_to_none(cx: &StepCx, idle: &[String]) -> Result<(), Halt> {
    let names = idle.join(", ");
    let text = vec![
        format!("{names} had 0 replicas already when this run stopped the writers: somebody had stopped it before."),
        "As it was before means 0 again: nothing new is stored until it is started.".to_owned(),
        format!(
            "To start it: kubectl --context {} -n {} scale deployment {} --replicas=NUMBER",
            cx.driver.state().context,
            cx.namespace(),
            idle.join(" ")
        ),
    ];
    let question =
        Question::Confirm { step: cx.step.clone(), text, button: format!("Leave {names} at 0"), person: false };
    loop {
        match cx.driver.ask(question.clone()).await? {
            Reply::Continue => return Ok(()),
            Reply::Back => return Err(Halt::Stopped("the operator went back".to_owned())),
            _ => {}
        }
    }
}

/// Waits until the pods are as many as wanted: a stopped writer that still ends can still write.
async fn settle(cx: &StepCx, all: &[(String, u32)]) -> Result<(), Halt> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (mut rows, mut open) = (Vec::new(), 0);
        for (name, wanted) in all {
            let wanted = u64::from(*wanted);
            let (pods, ready) = pods_of(cx, name).await?;
            let good = pods == wanted && (wanted == 0 || ready == wanted);
            open += usize::from(!good);
            rows.push(Row {
                sign: if good { Sign::Done } else { Sign::Running },
                word: if good { "done" } else { "waiting" }.to_owned(),
                name: name.clone(),
                detail: format!("{}, {ready} ready, {wanted} wanted", units::plural(pods, "pod", "pods")),
            });
        }
        cx.show("", rows, None, None);
        if open == 0 {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(Diagnostic::new(format!(
                "{} not the wanted number of pods after {} s",
                units::plural(open, "deployment has", "deployments have"),
                PATIENCE.as_secs()
            ))
            .help("look at their pods and events, then try again")
            .into());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = cx.cancel.cancelled() => return Err(Halt::Stopped("stopped by the operator".into())),
        }
    }
}

/// Number of pods of a Deployment, ending ones included, and how many are ready.
async fn pods_of(cx: &StepCx, name: &str) -> Result<(u64, u64), Halt> {
    let Some(deployment) = cx.world.objects.get(&object(kinds::deployment(), cx.namespace(), name)).await? else {
        return Ok((0, 0));
    };
    let labels = deployment.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let selector = labels.map_or_else(String::new, |all| {
        all.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect::<Vec<_>>().join(",")
    });
    let pods = cx.world.objects.list(&kinds::pod(), Some(cx.namespace()), &selector).await?;
    let alive = pods.iter().filter(|pod| !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed"));
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    Ok((alive.count() as u64, ready as u64))
}
