//! Others who act on the deployment rest while a run works, and act again afterwards. Each rests by one field of its object, whose
//! value of before is written down first and put back exactly, absent where it was absent, and owned by whoever owned it. What
//! somebody has changed meanwhile is never overwritten. Called by `scale` and `suspend`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{others, owners, pods::text};
use crate::{
    actions::context::{Halt, StepCx},
    ports::{Kind, ObjectRef, PortErrorKind},
    run::{OutputLine, StepId, Tag},
    text::{Diagnostic, quoted},
};

/// Annotations by which KEDA leaves a workload alone.
const KEDA_PAUSED: &str = "autoscaling.keda.sh/paused";
const KEDA_HELD: &str = "autoscaling.keda.sh/paused-replicas";
/// How often an object that changes meanwhile is read again.
const TRIES: u32 = 5;

/// The one field by which somebody rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// `spec.suspend: true`
    Suspend,
    /// No `spec.syncPolicy.automated`
    Automated,
    /// The annotation of KEDA
    Annotation,
}

impl Rest {
    /// Where the field is.
    pub fn path(self) -> &'static [&'static str] {
        match self {
            Self::Suspend => &["spec", "suspend"],
            Self::Automated => &["spec", "syncPolicy", "automated"],
            Self::Annotation => &["metadata", "annotations", KEDA_PAUSED],
        }
    }

    /// What it is while resting; null for a field that is not there.
    pub fn value(self) -> Value {
        match self {
            Self::Suspend => json!(true),
            Self::Automated => Value::Null,
            Self::Annotation => json!("true"),
        }
    }

    /// What it is in an object; null where it is not there.
    pub fn of(self, object: &Value) -> Value {
        self.path().iter().try_fold(object, |value, key| value.get(key)).cloned().unwrap_or_default()
    }

    /// A document with this field only.
    pub fn fields(self, value: &Value) -> Value {
        self.path().iter().rev().fold(value.clone(), |inner, key| json!({ *key: inner }))
    }

    /// Whether an object rests, by whoever's will.
    pub fn is_resting(self, object: &Value) -> bool {
        let value = self.of(object);
        let held = || object.pointer("/metadata/annotations").is_some_and(|all| all.get(KEDA_HELD).is_some());
        match self {
            Self::Suspend => value == self.value(),
            Self::Automated => value.is_null() || value.get("enabled") == Some(&json!(false)),
            Self::Annotation => value == self.value() || held(),
        }
    }
}

/// Whether an object deploys: it has a version of its own in mind, and puts it in the place of what runs.
pub fn deploys(kind: &Kind) -> bool {
    kind.group == "argoproj.io" || kind.group.ends_with("fluxcd.io")
}

/// An object in words: `CronJob tidy in plant`.
pub fn named(object: &ObjectRef) -> String {
    let place = object.namespace.as_ref().map_or_else(String::new, |namespace| format!(" in {namespace}"));
    format!("{} {}{place}", object.kind.kind, object.name)
}

/// The command that pauses somebody.
pub fn command(object: &ObjectRef, rest: Rest) -> String {
    let place = object.namespace.as_ref().map_or_else(String::new, |namespace| format!(" -n {namespace}"));
    let Kind { group, plural, .. } = &object.kind;
    format!("kubectl{place} patch {plural}.{group} {} --type merge -p '{}'", object.name, rest.fields(&rest.value()))
}

/// Somebody whom this run has paused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paused {
    /// Exactly this object.
    pub object: ObjectRef,
    uid: String,
    rest: Rest,
    before: Value,
}

impl Paused {
    /// Which, in words.
    pub fn name(&self) -> String {
        named(&self.object)
    }

    /// Whether it deploys by itself.
    pub fn deploys(&self) -> bool {
        deploys(&self.object.kind)
    }

    /// What is undone, in a few words.
    pub fn undone(&self) -> String {
        format!("{} acts as before", self.name())
    }
}

fn memo_of(step: &StepId) -> StepId {
    StepId(format!("{step}@others"))
}

fn memo(cx: &StepCx) -> StepId {
    memo_of(&cx.step)
}

/// Those whom a step has paused by now, its own end written or not.
pub fn noted(cx: &StepCx) -> Vec<Paused> {
    cx.driver.draft(&memo(cx)).and_then(|all| serde_json::from_value(all).ok()).unwrap_or_default()
}

/// Everybody whom steps of this run have paused, their own end written or not, and those of a run that it goes on from, if that
/// one did not come to its end.
pub fn of_run(cx: &StepCx) -> Vec<Paused> {
    let state = cx.driver.state();
    let done = state.facts.values().map(|facts| facts["others"].clone());
    let begun = state.plan.iter().filter_map(|step| cx.driver.draft(&memo_of(&step.id)));
    let mut all: Vec<Paused> = Vec::new();
    for paused in done.chain(begun) {
        let paused: Vec<Paused> = serde_json::from_value(paused).unwrap_or_default();
        let known: Vec<String> = all.iter().map(|one| one.uid.clone()).collect();
        all.extend(paused.into_iter().filter(|one| !known.contains(&one.uid)));
    }
    all
}

async fn note(cx: &StepCx, all: &[Paused]) -> Result<(), Halt> {
    let text = serde_json::to_value(all)
        .map_err(|error| Diagnostic::new("cannot write down who was paused").cause(error.to_string()))?;
    cx.driver.save_draft(&memo(cx), text).await
}

async fn tell(cx: &StepCx, text: String) {
    let (at, source) = (cx.world.clock.now(), "others".to_owned());
    cx.driver.line(OutputLine { at, source, tag: Tag::Plain, text }).await;
}

/// A value in words.
fn said(value: &Value) -> String {
    if value.is_null() { "absent".to_owned() } else { value.to_string() }
}

/// Pauses everybody who acts on the deployment; who was paused, in the order in which it was.
///
/// # Errors
/// A refusal, where somebody would come in the way and cannot be paused; a failure, where a change was refused.
pub async fn pause(cx: &StepCx) -> Result<Vec<Paused>, Halt> {
    let found = others::find(cx).await?;
    if let Some(stuck) = found.stuck.iter().find(|stuck| stuck.certain) {
        let problem = Diagnostic::new(stuck.acts.clone())
            .proves("what this run stops or removes would be put back while it works")
            .safe("everything: nobody was paused by this attempt")
            .help(stuck.help.clone());
        return Err(Halt::Refused(Box::new(problem)));
    }
    for line in &found.harmless {
        tell(cx, line.clone()).await;
    }
    let mut paused = noted(cx);
    for other in found.active {
        stop(cx, &other, &mut paused).await?;
    }
    Ok(paused)
}

async fn stop(cx: &StepCx, other: &others::Other, paused: &mut Vec<Paused>) -> Result<(), Halt> {
    let (object, rest) = (&other.object, other.rest);
    for _ in 0..TRIES {
        let Some(now) = cx.get(object).await?.filter(|now| !rest.is_resting(now)) else { return Ok(()) };
        let (uid, before) = (text(&now, "/metadata/uid").to_owned(), rest.of(&now));
        let effect = format!("pause {}, {} was {}", named(object), rest.path().join("."), said(&before));
        owners::remember(cx, &now).await?;
        paused.retain(|one| one.uid != uid);
        paused.push(Paused { object: object.clone(), uid: uid.clone(), rest, before });
        note(cx, paused).await?;
        cx.effect(&effect).await?;
        let fields = rest.fields(&rest.value());
        match cx.world.objects.merge(object, &uid, text(&now, "/metadata/resourceVersion"), &fields).await {
            Ok(after) if rest.is_resting(&after) => {
                cx.effected(&effect, "accepted").await?;
                tell(cx, format!("{}; it rests now", other.acts)).await;
                return Ok(());
            }
            Ok(_) => {
                cx.effected(&effect, "accepted, and not kept").await?;
                return Err(Diagnostic::new(format!("{} does not keep that it shall rest", named(object)))
                    .help(format!("pause it by hand, then try again: {}", command(object, rest)))
                    .into());
            }
            Err(error) => {
                // what was refused was not made: it is not ours to put back
                if error.is_refusal() {
                    paused.retain(|one| one.uid != uid);
                    note(cx, paused).await?;
                }
                let changed = error.kind == PortErrorKind::Conflict;
                let halt = cx.not_made(&effect, error).await;
                if !changed || matches!(halt, Halt::Fault(_)) {
                    let help = format!("pause it by hand, then try again: {}", command(object, rest));
                    return Err(halt.told(|problem| problem.help(help)));
                }
            }
        }
    }
    Err(Diagnostic::new(format!("{} changes all the time: it could not be paused in {TRIES} tries", named(object)))
        .help(format!("pause it by hand, then try again: {}", command(object, rest)))
        .into())
}

/// Those among them that rest by this run's will now.
///
/// # Errors
/// A failure, when the cluster does not answer.
pub async fn standing(cx: &StepCx, paused: &[Paused]) -> Result<Vec<Paused>, Halt> {
    let mut standing = Vec::new();
    for one in paused {
        let now = cx.world.objects.get(&one.object).await?;
        if now.is_some_and(|now| text(&now, "/metadata/uid") == one.uid && one.rest.of(&now) == one.rest.value()) {
            standing.push(one.clone());
        }
    }
    Ok(standing)
}

/// Lets everybody act again, the last one paused first, and reads it back; what became of each, one line each.
///
/// # Errors
/// A failure, where a change was refused or was not kept.
pub async fn resume(cx: &StepCx, paused: &[Paused]) -> Result<Vec<String>, Halt> {
    let mut all = Vec::new();
    for one in paused.iter().rev() {
        let line = start(cx, one).await?;
        tell(cx, line.clone()).await;
        all.push(line);
    }
    Ok(all)
}

/// The commands by which a human lets those act again that rest by this run's will, the last one paused first. Where the cluster
/// does not answer they are all that it has paused.
pub async fn by_hand(cx: &StepCx, kubectl: &str) -> Vec<String> {
    let paused = of_run(cx);
    let standing = standing(cx, &paused).await.unwrap_or(paused);
    let command = |one: &Paused| {
        let Kind { group, plural, .. } = &one.object.kind;
        let place = one.object.namespace.as_ref().map_or_else(String::new, |namespace| format!(" -n {namespace}"));
        let fields = quoted(&one.rest.fields(&one.before).to_string());
        let name = &one.object.name;
        format!("$ {kubectl}{place} patch {plural}.{group} {name} --type merge -p {fields}   (this run has paused it)")
    };
    standing.iter().rev().map(command).collect()
}

async fn start(cx: &StepCx, one: &Paused) -> Result<String, Halt> {
    let (object, rest, name) = (&one.object, one.rest, named(&one.object));
    for _ in 0..TRIES {
        let Some(now) = cx.get(object).await?.filter(|now| text(now, "/metadata/uid") == one.uid) else {
            return Ok(format!("{name} is gone; what has its name now has its own value"));
        };
        let is = rest.of(&now);
        if is == one.before {
            owners::give_back(cx, object, &one.uid, rest.path()).await?;
            return Ok(one.undone());
        }
        if is != rest.value() {
            return Ok(format!("{name} says {} by now: somebody has changed it, and it is left so", said(&is)));
        }
        let effect = format!("let {name} act again, {} is {}", rest.path().join("."), said(&one.before));
        cx.effect(&effect).await?;
        let fields = rest.fields(&one.before);
        match cx.world.objects.merge(object, &one.uid, text(&now, "/metadata/resourceVersion"), &fields).await {
            Ok(_) => cx.effected(&effect, "accepted").await?,
            Err(error) => {
                let changed = error.kind == PortErrorKind::Conflict;
                let halt = cx.not_made(&effect, error).await;
                if !changed || matches!(halt, Halt::Fault(_)) {
                    return Err(halt);
                }
            }
        }
    }
    Err(Diagnostic::new(format!("{name} does not keep what it said before: it was put back {TRIES} times"))
        .help("find out who changes it; by hand it is put back as the effects of this step say")
        .into())
}
