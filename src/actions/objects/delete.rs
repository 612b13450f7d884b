//! `delete`: the deployment's objects, one by one, by uid, behind the gate. The namespace stays.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    gate,
    removal::{effect_of, entry_of, find},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        spec::DeleteSpec,
    },
    ports::Deleted,
    run::{Repeat, Row, Sign, Verdict},
    text::units,
};

#[async_trait]
impl Action for DeleteSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Never
    }

    fn has_gate(&self) -> bool {
        true
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let ns = Some(cx.namespace);
        let release = cx.deployment.map_or_else(String::new, |d| cx.show(&d.helm.release));
        let kinds = [
            ("", "secrets"),
            ("", "configmaps"),
            ("", "services"),
            ("", "persistentvolumeclaims"),
            ("apps", "deployments"),
            ("apps", "statefulsets"),
        ];
        Described {
            commands: vec![
                format!("deletes every object of release {release} in {}, each by its uid:", cx.namespace),
                format!(
                    "$ kubectl -n {} delete deployment,statefulset,service,configmap,secret,persistentvolumeclaim NAME…",
                    cx.namespace
                ),
            ],
            unknown: vec!["which objects there are by then".to_owned()],
            rights: kinds
                .iter()
                .flat_map(|(group, kind)| [right("list", group, kind, "", ns), right("delete", group, kind, "", ns)])
                .collect(),
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let state = cx.driver.state();
        let sent = state.effects.iter().filter(|e| e.step == cx.step).count();
        let answered = state.effects.iter().filter(|e| e.step == cx.step && e.result.is_some()).count();
        let left = find(cx).await?.goes.len();
        let sentence = format!(
            "{} written down, {answered} answered; {} still there",
            units::plural(sent, "deletion", "deletions"),
            units::plural(left, "object is", "objects are")
        );
        Ok(match (sent, left) {
            (0, _) => Probed::new(Verdict::NotDone, "nothing was deleted"),
            (_, 0) => Probed::new(Verdict::Done, sentence),
            _ => Probed::new(Verdict::Partly, sentence),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        if self.brings_back.is_some() && cx.driver.draft(&cx.step).is_none() && find(cx).await?.goes.is_empty() {
            // no gate stands before nothing
            return Ok(Done::with("nothing stands in the way", json!({"removed": [], "stays": []})));
        }
        let found = gate::pass(cx, self).await?;
        let total = found.goes.len() as u64;
        for (done, target) in found.goes.iter().enumerate() {
            // each deletion names the uid it was shown with, and goes only to the cluster the run is tied to: asked before each
            let effect = effect_of(target);
            cx.effect(&effect).await?;
            let result = match cx.world.objects.delete(&target.object, &target.uid).await {
                Ok(Deleted::Accepted) => "accepted",
                Ok(Deleted::Absent) => "was gone already",
                Err(error) => return Err(cx.not_made(&effect, error).await),
            };
            cx.effected(&effect, result).await?;
            let row = Row {
                sign: Sign::Running,
                word: "deleting".into(),
                name: format!("{} {}", target.object.kind.kind, target.object.name),
                detail: String::new(),
            };
            cx.show(&format!("{} of {total} deleted", done + 1), vec![row], Some((done as u64 + 1, total)), None);
        }
        // after a crash the objects of the earlier attempt belong to the list that has to be gone, too
        let mut removed: Vec<Value> = cx.driver.draft(&cx.step).and_then(|d| d.as_array().cloned()).unwrap_or_default();
        for target in &found.goes {
            let entry = entry_of(target);
            if !removed.contains(&entry) {
                removed.push(entry);
            }
        }
        Ok(Done::with(
            format!("{} deleted", units::plural(removed.len(), "object", "objects")),
            json!({"removed": removed, "stays": found.stays}),
        ))
    }
}
