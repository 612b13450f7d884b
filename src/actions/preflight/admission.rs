//! Whether the cluster lets our own objects in: each is asked of the server as a dry run while everything still runs. Quota, limits,
//! pod security, policies and webhooks refuse now, not when production stores nothing.

use serde_json::{Value, json};

use super::matching;
use crate::{
    actions::{
        context::{Halt, StepCx},
        data::{client, egress, rehearse},
        deploy::rendered::Rendered,
        objects::pods::{ready_pod, text},
        spec::CheckKind,
    },
    ports::{PortError, PortErrorKind},
    run::{Check, CheckResult},
    text::units,
};

/// What a server says where a policy, a webhook or pod security does not want an object, whatever else stands in its way.
const DENIED: [&str; 3] = ["denied the request", "denied request", "violates PodSecurity"];

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
            Ok(()) => Ok(()),
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
            Err(error) if error.is_refusal() => Ok(()),
            Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
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
    } else if refused.contains("must specify") || refused.contains("usage per") {
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
        asked.exactly(cx, &rehearse::namespace_of(cx, scratch)).await?;
        let rendered = Rendered::read_in(cx, scratch).await?;
        asked.elsewhere(cx, &egress::policy(cx, scratch)).await?;
        asked.elsewhere(cx, &egress::probe(cx, scratch, &rendered)?).await?;
        let deployment = cx.deployment()?;
        let copy = rendered
            .scratch(scratch, &deployment.writers, &deployment.parts)
            .map_err(|problem| Halt::Refused(Box::new(problem)))?;
        for object in copy.still.iter().chain(&copy.running) {
            asked.elsewhere(cx, object).await?;
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
