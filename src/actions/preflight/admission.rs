//! Whether the cluster lets our own objects in: each is asked of the server as a dry run while everything still runs. Quota, limits,
//! pod security, policies and webhooks refuse now, not when production stores nothing.

use serde_json::{Map, Value, json};

use super::matching;
use crate::{
    actions::{
        context::{Halt, StepCx},
        data::{
            client, egress,
            scratch_look::{self, Way},
        },
        deploy::rendered::Rendered,
        objects::{
            pods::{ready_pod, text},
            rooms::Room,
        },
        spec::CheckKind,
    },
    ports::{PortError, PortErrorKind, kinds},
    run::{Check, CheckResult},
    text::units,
};

/// What a server says where a policy, a webhook or pod security does not want an object, whatever else stands in its way.
const DENIED: [&str; 3] = ["denied the request", "denied request", "violates PodSecurity"];

/// What it says where a pod does not keep a bound by itself, however much room there is.
const BOUNDED: [&str; 2] = ["usage per ", "must specify "];

/// Limits of a container of a pod.
fn bounds_of(pod: &Value, container: &str) -> Vec<(String, Value)> {
    let all = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let own = all
        .filter(|one| text(one, "/name") == container)
        .filter_map(|one| one.pointer("/resources/limits")?.as_object());
    own.flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Objects that were asked for, and what was refused.
#[derive(Default)]
struct Asked {
    count: usize,
    refused: Vec<String>,
    /// Why something could not be asked.
    untold: Option<String>,
}

impl Asked {
    /// Asks for an object as it will be made: every refusal counts.
    async fn exactly(&mut self, cx: &StepCx, object: &Value) -> Result<(), Halt> {
        self.count += 1;
        match cx.world.objects.would_create(object).await {
            Ok(_) => Ok(()),
            // it is there already, and so it was let in
            Err(error) if error.kind == PortErrorKind::Conflict => Ok(()),
            Err(error) if error.is_refusal() => {
                self.refuse(object, &error);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for an object of a namespace that does not exist yet, here and under a name of ours: only what a rule says of it
    /// counts, not what this namespace has or bounds.
    async fn elsewhere(&mut self, cx: &StepCx, object: &Value) -> Result<(), Halt> {
        let mut copy = object.clone();
        copy["metadata"]["namespace"] = json!(cx.namespace());
        copy["metadata"]["name"] = json!(format!("drydock-asked-{}", cx.short()));
        self.count += 1;
        match cx.world.objects.would_create(&copy).await {
            Err(error) if error.is_refusal() && DENIED.iter().any(|word| error.detail.contains(word)) => {
                self.refuse(object, &error);
                Ok(())
            }
            // a webhook that cannot be asked without a change refuses a dry run, and nothing is known of the change
            Err(error) if error.detail.contains("does not support dry run") => {
                self.untold = Some(error.detail);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) if error.is_refusal() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for a pod of a workload that is installed in the place of what is removed: afterwards nobody can ask any more whether it
    /// may run. What it would take beside those that run now does not count, a bound that it would get and they have not does.
    async fn pod_of(&mut self, cx: &StepCx, workload: &Value) -> Result<(), Halt> {
        let name = format!("{} {}", text(workload, "/kind"), text(workload, "/metadata/name"));
        let mut pod = workload.pointer("/spec/template").cloned().unwrap_or_default();
        let own = format!("drydock-asked-{}", cx.short());
        (pod["apiVersion"], pod["kind"]) = (json!("v1"), json!("Pod"));
        (pod["metadata"]["name"], pod["metadata"]["namespace"]) = (json!(own), json!(cx.namespace()));
        self.count += 1;
        let would = match cx.world.objects.would_create(&pod).await {
            Ok(would) => would,
            Err(error) if error.is_refusal() => {
                if DENIED.iter().chain(&BOUNDED).any(|word| error.detail.contains(word)) {
                    self.refused.push(format!("a pod of {name} of the new version would be refused: {}", error.detail));
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let labels = workload.pointer("/spec/selector/matchLabels").and_then(Value::as_object).into_iter().flatten();
        let labels: Vec<String> =
            labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        let running = cx.world.objects.list(&kinds::pod(), Some(cx.namespace()), &labels.join(",")).await?;
        let has = |container: &str, bound: &(String, Value)| {
            running.iter().any(|pod| bounds_of(pod, container).contains(bound))
        };
        for container in would.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten() {
            let container = text(container, "/name");
            let asked = bounds_of(&pod, container);
            for bound in bounds_of(&would, container) {
                // where none runs nothing says that it cannot live with that; and the server writes quantities in its own way
                let is_given = !asked.iter().any(|(key, _)| *key == bound.0);
                if is_given && !running.is_empty() && !has(container, &bound) {
                    self.refused.push(format!(
                        "container {container} of {name} would get a limit of {} {} that it does not ask for, and that none has that \
                         runs now",
                        text(&bound.1, ""),
                        bound.0
                    ));
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, object: &Value, error: &PortError) {
        let name = format!("{} {}", text(object, "/kind"), text(object, "/metadata/name"));
        self.refused.push(format!("{name} would be refused: {}", error.detail));
    }
}

/// What helps against a refusal, by the server's own words.
fn help(refused: &str) -> &'static str {
    if refused.contains("exceeded quota") {
        "raise the quota for the time of this run, or free what takes it; kubectl describe quota says what"
    } else if refused.contains("violates PodSecurity") {
        "our pods are as the chart's own: harden the chart's containers, or have the label of the namespace lowered for the time of this run"
    } else if refused.contains("would get a limit of") {
        "a LimitRange gives it to every new pod: change it, or give the chart's containers the limits that they need"
    } else if BOUNDED.iter().any(|word| refused.contains(word)) {
        "our pods take the resources of the chart's own containers: give these limits, or change the LimitRange"
    } else if refused.contains("cannot create resource") {
        "ask for the right to create it"
    } else {
        "ask whoever keeps that rule for an exception by the label app.kubernetes.io/managed-by=drydock"
    }
}

/// Asks for every object of ours that this plan makes.
pub async fn check(cx: &StepCx) -> Result<Check, Halt> {
    let mut asked = Asked::default();
    let plan = cx.driver.state();
    let has = |kind: &str| plan.plan.iter().any(|step| step.kind == kind);
    if has("dump") || has("restore") {
        match ready_pod(cx, cx.namespace(), &cx.deployment()?.core).await {
            Ok((_, core)) => asked.exactly(cx, &client::manifest(cx, cx.namespace(), &core)?).await?,
            // what brings an application back must not ask that it runs
            Err(Halt::Failed(_)) => asked.untold = Some("no core runs, as which our client pod would be".to_owned()),
            Err(halt) => return Err(halt),
        }
    }
    if let Some(scratch) = cx.needs.scratch.as_deref() {
        let rendered = Rendered::read_in(cx, scratch).await?;
        let deployment = cx.deployment()?;
        let copy = rendered
            .scratch(scratch, &deployment.writers, &deployment.parts)
            .map_err(|problem| Halt::Refused(Box::new(problem)))?;
        let own = [egress::policy(cx, scratch), egress::probe(cx, scratch, &rendered)?];
        let objects = own.iter().chain(&copy.still).chain(&copy.running);
        match scratch_look::way(cx, scratch).await? {
            Way::Made => {
                asked.exactly(cx, &Room::Scratch.manifest(cx, scratch, Map::new())).await?;
                for object in objects {
                    asked.elsewhere(cx, object).await?;
                }
            }
            Way::Given => {
                for object in objects {
                    asked.exactly(cx, object).await?;
                }
            }
            // another check refuses that, and says what helps
            Way::Taken(_) | Way::Refused => asked.untold = Some(format!("nothing can be asked of {scratch}")),
        }
    }
    if has("helm") {
        let rendered = Rendered::read(cx).await?;
        let workloads =
            rendered.documents().iter().filter(|one| ["Deployment", "StatefulSet"].contains(&text(one, "/kind")));
        for workload in workloads {
            asked.pod_of(cx, workload).await?;
        }
    }
    let kind = CheckKind::Admission;
    let rules = matching::rules(cx).await?;
    if asked.refused.is_empty() {
        let mut told = vec![format!(
            "{} of ours asked as a dry run, none refused",
            units::plural(asked.count, "object", "objects")
        )];
        told.extend(asked.untold);
        told.extend(rules);
        if cx.needs.scratch.is_some() {
            told.push("rules of the rehearsal's own namespace are told once it is there".to_owned());
        }
        return Ok(kind.pass(&told.join("; ")));
    }
    let help: Vec<&str> = asked.refused.iter().map(|refused| help(refused)).collect();
    let sentence = [asked.refused.clone(), rules].concat().join("; ");
    Ok(kind.found(CheckResult::Fail, &sentence, &help))
}
