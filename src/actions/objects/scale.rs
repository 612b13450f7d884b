//! `scale`: the number of replicas of Deployments and StatefulSets, with the number before written down so that it can come back.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{
    events::Events,
    owners,
    pods::{is_ready, object, text},
    reasons, rest,
    stopped::{self, workloads},
    suspend,
};
use crate::{
    actions::{
        agree::{Who, agrees},
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        data::{database::source, foreign::FRESH},
        spec::ScaleSpec,
    },
    ports::{Kind, kinds},
    run::{Repeat, Row, Sign, Verdict},
    text::{Diagnostic, units},
};

/// Longest wait for the pods of what was stopped to end.
const PATIENCE: Duration = Duration::from_secs(180);
/// The field that is changed, for who owns it.
const REPLICAS: [&str; 2] = ["spec", "replicas"];

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
        let before = if self.others { suspend::commands(cx.namespace) } else { Vec::new() };
        Described {
            commands: before
                .into_iter()
                .chain(workloads(self).map(|(kind, name)| {
                    let kind = kind.kind.to_lowercase();
                    format!("$ kubectl -n {} scale {kind}/{name} --replicas={wanted}", cx.namespace)
                }))
                .collect(),
            rights: workloads(self)
                .flat_map(|(kind, _)| {
                    [right("get", "apps", &kind.plural, "", ns), right("patch", "apps", &kind.plural, "scale", ns)]
                })
                .chain([right("list", "", "pods", "", ns)])
                .collect(),
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let (mut reached, all) = (0, workloads(self).count());
        for (kind, name) in workloads(self) {
            let found = cx.world.objects.get(&object(kind, cx.namespace(), name)).await?;
            let now = found.as_ref().and_then(|d| d.pointer("/spec/replicas")).and_then(Value::as_u64);
            reached += usize::from(now == Some(u64::from(self.wanted(cx, name)?)));
        }
        Ok(match reached {
            n if n == all => Probed::new(Verdict::Done, "all have the wanted number"),
            0 => Probed::new(Verdict::NotDone, "none has the wanted number"),
            n => Probed::new(Verdict::Partly, format!("{n} of {all} have the wanted number")),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let idle = self.stays_at_none(cx)?;
        if !idle.is_empty() {
            agree_to_none(cx, &idle).await?;
        }
        // who would start them again rests before they stop
        let paused = if self.others { rest::pause(cx).await? } else { Vec::new() };
        // taken up again after a crash, what is found may be our own number: the draft holds the ones before, and keeps
        // those of Deployments that this attempt has not come to yet
        let mut before: Map<String, Value> =
            cx.driver.draft(&cx.step).and_then(|draft| draft.as_object().cloned()).unwrap_or_default();
        for (kind, name) in workloads(self) {
            let word = kind.kind.to_lowercase();
            let reference = object(kind, cx.namespace(), name);
            let Some(now) = cx.world.objects.get(&reference).await? else {
                return Err(Diagnostic::new(format!("{word} {name} is not in namespace {}", cx.namespace())).into());
            };
            let wanted = self.wanted(cx, name)?;
            let found = now.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
            // a number that is not ours was given since by a human, and is the one that counts
            if found != u64::from(wanted) || !before.contains_key(name) {
                before.insert(name.to_owned(), json!(found));
            }
            cx.driver.save_draft(&cx.step, Value::Object(before.clone())).await?;
            if found != u64::from(wanted) {
                let effect = format!("scale {word} {name} from {found} to {wanted}");
                owners::remember(cx, &now).await?;
                cx.effect(&effect).await?;
                cx.world.objects.scale(&reference, text(&now, "/metadata/uid"), wanted).await?;
                cx.effected(&effect, "accepted").await?;
            }
        }
        let wanted = workloads(self).map(|(kind, name)| Ok((kind, name.to_owned(), self.wanted(cx, name)?)));
        settle(cx, &wanted.collect::<Result<Vec<_>, Halt>>()?).await?;
        let mut acting = Vec::new();
        if self.as_before.is_some() {
            self.owned_as_before(cx).await?;
            acting = suspend::let_act(cx).await?;
        }
        let names = workloads(self).map(|(_, name)| name).collect::<Vec<_>>().join(", ");
        let mut summary = match self.replicas {
            Some(0) => format!("{names} stopped"),
            None if !idle.is_empty() => format!("{} left at 0, as it was before", idle.join(", ")),
            _ => format!("{names} scaled"),
        };
        if !paused.is_empty() {
            acting = vec![suspend::told(&paused)];
        }
        summary = [vec![summary], acting].concat().join("; ");
        let mut facts = json!({ "before": before });
        if !paused.is_empty() {
            facts["others"] = json!(paused);
        }
        if self.replicas == Some(0) {
            stopped::write_down(cx, self, &mut facts).await?;
        }
        if self.counts {
            let (counts, _) = source(cx, cx.namespace()).await?;
            facts[FRESH] = json!(counts);
        }
        Ok(Done::with(summary, facts))
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        let changed = self.changed(cx).await?;
        let names = changed.iter().map(|(_, _, name, before)| format!("{name} back to {before}"));
        let standing = rest::standing(cx, &rest::noted(cx)).await?;
        Ok(names.chain(standing.iter().map(rest::Paused::undone)).collect())
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let mut changed = Vec::new();
        for (kind, found, name, before) in self.changed(cx).await? {
            let effect = format!("scale {} {name} back to {before}", kind.kind.to_lowercase());
            cx.effect(&effect).await?;
            let reference = object(kind.clone(), cx.namespace(), &name);
            cx.world.objects.scale(&reference, text(&found, "/metadata/uid"), before).await?;
            cx.effected(&effect, "accepted").await?;
            changed.push((kind, name, before));
        }
        settle(cx, &changed).await?;
        self.owned_as_before(cx).await?;
        let acting = rest::resume(cx, &rest::noted(cx)).await?;
        let names = changed.iter().map(|(_, name, before)| format!("{name} has {before} again"));
        let names: Vec<String> = names.chain(acting).collect();
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
        for (_, name) in workloads(self) {
            if self.wanted(cx, name)? == 0 {
                idle.push(name.to_owned());
            }
        }
        Ok(idle)
    }

    /// Gives the number of each workload back to whoever owned it before this run changed it.
    async fn owned_as_before(&self, cx: &StepCx) -> Result<(), Halt> {
        for (kind, name) in workloads(self) {
            let reference = object(kind, cx.namespace(), name);
            if let Some(found) = cx.get(&reference).await? {
                owners::give_back(cx, &reference, text(&found, "/metadata/uid"), &REPLICAS).await?;
            }
        }
        Ok(())
    }

    /// Workloads that have the number this step gave them, each as it is, with its name and the number before. One that somebody
    /// else has given another number since is not ours to put back.
    async fn changed(&self, cx: &StepCx) -> Result<Vec<(Kind, Value, String, u32)>, Halt> {
        let before = cx.driver.draft(&cx.step);
        let mut changed = Vec::new();
        for (kind, name) in workloads(self) {
            let before = before.as_ref().and_then(|all| all.get(name)).and_then(Value::as_u64);
            let Some(before) = before.and_then(|number| u32::try_from(number).ok()) else { continue };
            let found = cx.world.objects.get(&object(kind.clone(), cx.namespace(), name)).await?;
            let Some(found) = found else { continue };
            let ours = u64::from(self.wanted(cx, name)?);
            let now = found.pointer("/spec/replicas").and_then(Value::as_u64);
            if now == Some(ours) && ours != u64::from(before) {
                changed.push((kind, found, name.to_owned(), before));
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
    if agrees(cx, text, &format!("Leave {names} at 0"), Who::Anybody).await? {
        return Ok(());
    }
    Err(Halt::Stopped("the operator went back".to_owned()))
}

/// Waits until the pods are as many as wanted: a stopped writer that still ends can still write. Says of each that is not there yet
/// what holds it.
async fn settle(cx: &StepCx, all: &[(Kind, String, u32)]) -> Result<(), Halt> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let names: Vec<&str> = all.iter().map(|(_, name, _)| name.as_str()).collect();
    let mut events = Events::new(cx, cx.namespace());
    loop {
        let said = events.read().await?;
        events.tell(&said, &names).await;
        let mut rows = Vec::new();
        for (kind, name, wanted) in all {
            rows.push(standing(cx, (kind, name), *wanted, &said).await?);
        }
        let open: Vec<&Row> = rows.iter().filter(|row| row.sign != Sign::Done).collect();
        cx.show("", rows.clone(), None, None);
        if open.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            let problem = Diagnostic::new(format!(
                "{} not the wanted number of pods after {} s",
                units::plural(open.len(), "part has", "parts have"),
                PATIENCE.as_secs()
            ));
            let causes = open.iter().map(|row| format!("{}: {}", row.name, row.detail));
            return Err(causes
                .fold(problem, Diagnostic::cause)
                .help("mend what holds their pods, then try again; drydock never strips finalizers")
                .into());
        }
        cx.pause(Duration::from_secs(1)).await?;
    }
}

/// How many pods a workload has, ending ones included, and what holds the first that is not as wanted.
async fn standing(cx: &StepCx, (kind, name): (&Kind, &str), wanted: u32, events: &[Value]) -> Result<Row, Halt> {
    let found = cx.get(&object(kind.clone(), cx.namespace(), name)).await?;
    let pods = match &found {
        Some(workload) => pods_of(cx, workload).await?,
        None => Vec::new(),
    };
    let wanted = wanted as usize;
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let is_good = pods.len() == wanted && (wanted == 0 || ready == wanted);
    let counts = format!("{}, {ready} ready, {wanted} wanted", units::plural(pods.len(), "pod", "pods"));
    let row = |sign, word: &str, detail| Row { sign, word: word.to_owned(), name: name.to_owned(), detail };
    if is_good {
        return Ok(row(Sign::Done, "done", counts));
    }
    let now = cx.world.clock.now();
    // what is too many goes, and what ends is named before what has not been asked to yet
    let leaves = pods.iter().find(|pod| pod.pointer("/metadata/deletionTimestamp").is_some()).or(pods.first());
    let (sign, word, why) = match (leaves, &found) {
        (Some(pod), _) if pods.len() > wanted => {
            (Sign::Running, "waiting", format!("{} {}", text(pod, "/metadata/name"), reasons::ending(pod)))
        }
        (_, None) => (Sign::Careful, "not there", "it is gone".to_owned()),
        _ => {
            let part = reasons::part(name, found.as_ref(), &pods, events, now);
            match part.sign {
                Sign::Careful => (Sign::Careful, "stuck", part.detail),
                _ => (Sign::Running, "waiting", part.detail),
            }
        }
    };
    Ok(row(sign, word, format!("{counts}: {why}")))
}

/// Pods of a workload that have not run to their end.
async fn pods_of(cx: &StepCx, workload: &Value) -> Result<Vec<Value>, Halt> {
    let labels = workload.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let selector = labels.map_or_else(String::new, |all| {
        all.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect::<Vec<_>>().join(",")
    });
    let pods = cx.list(&kinds::pod(), cx.namespace(), &selector).await?;
    Ok(pods.into_iter().filter(|pod| !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")).collect())
}
