//! `namespace`: a namespace for a deployment beside the one that is there. It is taken back by a roll back, with all that this
//! run has put into it, until a human was asked to let others use it; from then on it stays.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{
    pods::text,
    removal,
    rooms::{self, Room},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        deploy::{helm::installation, release},
        places,
        spec::{NamespaceSpec, ScaleSpec},
    },
    run::{Repeat, Verdict},
    text::{Diagnostic, quoted},
};

const NEW: Room = Room::New;
/// Labels of the target's namespace that the new one gets, too: what it counts as, and which pods it lets in.
const TAKEN_OVER: [&str; 2] = ["env", "environment"];
const ADMISSION: &str = "pod-security.kubernetes.io/";
/// Most foreign objects that are named.
const NAMED: usize = 5;

fn taken_over(labels: &[String]) -> Map<String, Value> {
    let all = labels.iter().filter_map(|label| label.split_once('='));
    all.filter(|(key, _)| TAKEN_OVER.contains(key) || key.starts_with(ADMISSION))
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect()
}

impl NamespaceSpec {
    /// Whether a namespace of this name is the one that this step made: by its mark, and by what was written down before.
    fn is_own(cx: &StepCx, name: &str, found: &Value) -> bool {
        let (uid, creation) = (text(found, "/metadata/uid"), rooms::creation(name));
        let state = cx.driver.state();
        let mut made = state.effects.iter().filter(|effect| effect.step == cx.step && effect.effect == creation);
        // a request whose answer was lost may have made it
        NEW.is_ours(cx, found) && made.any(|effect| effect.result.as_deref().is_none_or(|made| made == uid))
    }

    /// What this step made and is there still, with its name.
    async fn left(&self, cx: &StepCx) -> Result<Option<(String, Value)>, Halt> {
        let name = cx.render(&self.name)?;
        let found = cx.get(&rooms::reference(&name)).await?.filter(|found| Self::is_own(cx, &name, found));
        Ok(found.map(|found| (name, found)))
    }

    fn refuse_name(cx: &StepCx, name: &str) -> Result<(), Halt> {
        let why = if name == cx.namespace() {
            "it is the target's own"
        } else if cx.needs.scratch.as_deref() == Some(name) {
            "the rehearsal has that name, and empties it"
        } else {
            return Ok(());
        };
        let problem = Diagnostic::new(format!("{name} cannot be the new namespace: {why}"));
        Err(Halt::Refused(Box::new(problem.safe("everything: nothing was sent"))))
    }
}

#[async_trait]
impl Action for NamespaceSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let name = cx.show(&self.name);
        Described {
            commands: vec![
                format!("$ kubectl create namespace {name}"),
                format!("with the labels of {} that say what it counts as and which pods it lets in", cx.namespace),
            ],
            rights: ["get", "create", "delete"].map(|verb| right(verb, "", "namespaces", "", None)).to_vec(),
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let name = cx.render(&self.name)?;
        Ok(match cx.get(&rooms::reference(&name)).await? {
            None => Probed::new(Verdict::NotDone, format!("namespace {name} is not there")),
            Some(found) if Self::is_own(cx, &name, &found) => {
                Probed::new(Verdict::Done, format!("namespace {name} is there, made by this run"))
            }
            Some(_) => {
                let sentence = format!("namespace {name} exists and is not of this run: it is left alone");
                Probed::new(Verdict::NotDone, sentence)
            }
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let name = cx.render(&self.name)?;
        Self::refuse_name(cx, &name)?;
        let place = match cx.get(&rooms::reference(&name)).await? {
            Some(found) if Self::is_own(cx, &name, &found) => {
                let uid = text(&found, "/metadata/uid");
                let place = NEW.identity(cx, &name, uid).await?;
                cx.effected(&rooms::creation(&name), uid).await?;
                place
            }
            Some(_) => {
                return Err(Halt::Refused(Box::new(
                    Diagnostic::new(format!("namespace {name} exists and is not of this run"))
                        .safe("everything in it: drydock installs nothing beside what it has not made")
                        .help("find out whose it is; give this run up and name another, or remove it yourself, then try again"),
                )));
            }
            None => NEW.make(cx, &name, taken_over(&cx.target.labels)).await?,
        };
        Ok(Done::with(format!("namespace {name} is there, and empty"), places::facts_of(&place)))
    }

    async fn undoable(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        let left = self.left(cx).await?;
        Ok(left
            .map(|(name, _)| {
                let stays = cx.driver.state().handed_over();
                if stays {
                    format!("namespace {name} stays, its writers stopped")
                } else {
                    format!("namespace {name} removed")
                }
            })
            .into_iter()
            .collect())
    }

    async fn undo(&self, cx: &StepCx) -> Result<String, Halt> {
        let Some((name, found)) = self.left(cx).await? else { return Ok("the new namespace is gone".to_owned()) };
        let uid = text(&found, "/metadata/uid").to_owned();
        if found.pointer("/metadata/deletionTimestamp").is_some() {
            NEW.remove(cx, &name, &uid).await?;
            return Ok(format!("namespace {name} is gone"));
        }
        let there = StepCx { target: NEW.identity(cx, &name, &uid).await?, ..cx.clone() };
        if cx.driver.state().handed_over() {
            stop_writers(&there).await?;
            return Ok(format!(
                "namespace {name} stays, its writers stopped: what came to it since the switch is in no dump"
            ));
        }
        refuse_foreign(&there).await?;
        NEW.remove(cx, &name, &uid).await?;
        Ok(format!("namespace {name} is gone, with what this run had put into it"))
    }
}

async fn stop_writers(there: &StepCx) -> Result<(), Halt> {
    let deployments = there.deployment()?.writers.clone();
    let stop = ScaleSpec {
        deployments,
        stateful_sets: Vec::new(),
        replicas: Some(0),
        as_before: None,
        counts: false,
        others: false,
    };
    stop.run(there).await.map(|_| ())
}

/// Refuses to remove a namespace in which somebody else has put something.
async fn refuse_foreign(there: &StepCx) -> Result<(), Halt> {
    let release = there.render(&there.deployment()?.helm.release)?;
    if release::release(there, &there.target, &release).await?.is_some() {
        release::refuse_another(there, &there.target, &release, &installation(&there.target, &release)).await?;
    }
    let foreign = removal::find(there).await?.stays;
    if foreign.is_empty() {
        return Ok(());
    }
    let (name, more) = (there.namespace(), foreign.len().saturating_sub(NAMED));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = foreign.into_iter().take(NAMED).collect::<Vec<_>>().join(", ") + &more;
    Err(Halt::Refused(Box::new(
        Diagnostic::new(format!("namespace {name} holds what this run did not make: {named}"))
            .proves("somebody else works there; removing it would take theirs along")
            .safe("everything: nothing of it was removed")
            .help(format!("find out whose that is and take it out of {name}, then go on"))
            .help(format!(
                "where all of it may go: kubectl --context {} delete namespace {name}, then go on",
                quoted(&there.driver.state().context)
            )),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_that_decide_are_taken_over() {
        let labels = ["env=test", "team=plant", "pod-security.kubernetes.io/enforce=baseline", "drydock.run=7f3a"];
        let found = taken_over(&labels.map(str::to_owned));
        assert_eq!(Value::Object(found), json!({"env": "test", "pod-security.kubernetes.io/enforce": "baseline"}));
    }
}
