//! `release`: volumes that were kept are given back to their storage, behind the gate. With them goes the fast way back.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    bind,
    gate::{Gated, lock, pass},
    pods::text,
    removal::{Found, Target},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right},
        data::{artifacts, database::Waited},
        preflight::rights,
        spec::ReleaseSpec,
    },
    ports::{ObjectRef, kinds},
    run::{Lock, Repeat, Row, Sign, StepId, Verdict},
    text::{Diagnostic, units},
};

/// Longest wait for a volume's storage to take it back.
const PATIENCE: Duration = Duration::from_secs(240);

fn volume(name: &str) -> ObjectRef {
    ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() }
}

fn effect_of(target: &Target) -> String {
    format!("release volume {} uid {}", target.object.name, target.uid)
}

impl ReleaseSpec {
    /// Volumes of the list that are there still: name and uid as they were kept.
    async fn there(&self, cx: &StepCx) -> Result<Vec<(Target, Value)>, Halt> {
        let facts = cx.facts_of(&self.volumes)?;
        let mut found = Vec::new();
        for kept in facts["volumes"].as_array().into_iter().flatten() {
            let (name, uid) = (text(kept, "/volume"), text(kept, "/uid"));
            let now = cx.get(&volume(name)).await?.filter(|now| text(now, "/metadata/uid") == uid);
            found.extend(now.map(|now| (Target { object: volume(name), uid: uid.to_owned() }, now)));
        }
        Ok(found)
    }
}

#[async_trait]
impl Gated for ReleaseSpec {
    async fn found(&self, cx: &StepCx) -> Result<Found, Halt> {
        Ok(Found { goes: self.there(cx).await?.into_iter().map(|(target, _)| target).collect(), stays: Vec::new() })
    }

    async fn locks(&self, cx: &StepCx, _: &Found, _: &mut Waited) -> Result<Vec<Lock>, Halt> {
        let state = cx.driver.state();
        let number =
            |step: &str| state.planned(&StepId(step.to_owned())).map_or_else(String::new, |p| p.number.clone());
        let may = rights::may(cx, vec![right("patch", "", "persistentvolumes", "", None)]).await?;
        Ok(vec![
            lock("complete", artifacts::rehash(cx, &self.dump).await?, number(&self.dump)),
            lock("proven", artifacts::proven(cx, &self.dump, &self.proven_by), number(&self.proven_by)),
            lock("unused", bind::unused(cx, &self.volumes).await?, number(&self.volumes)),
            lock("allowed", may.map(|()| "volumes may be changed, asked now".to_owned()), String::new()),
        ])
    }

    fn stays(&self, _: &StepCx, _: &Found, _: &[Lock]) -> Vec<String> {
        ["what is deployed now, with its own volumes", "the dump, proven", "what is in the vault"]
            .map(str::to_owned)
            .to_vec()
    }

    fn way_back(&self, _: &StepCx) -> String {
        "only by restoring the dump; the volumes are gone for good".to_owned()
    }
}

#[async_trait]
impl Action for ReleaseSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Never
    }

    fn has_gate(&self) -> bool {
        true
    }

    fn describe(&self, _: &PlanCx<'_>) -> Described {
        Described {
            commands: vec![
                "$ kubectl patch persistentvolume VOLUME -p '{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Delete\"}}'".to_owned(),
                "the storage then deletes the volume with its data".to_owned(),
            ],
            rights: ["get", "patch"].map(|verb| right(verb, "", "persistentvolumes", "", None)).to_vec(),
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let sent = cx.driver.state().effects.iter().filter(|effect| effect.step == cx.step).count();
        let left = self.there(cx).await?.len();
        let sentence = format!(
            "{} written down; {} there",
            units::plural(sent, "release", "releases"),
            units::plural(left, "volume is", "volumes are")
        );
        Ok(match (sent, left) {
            (0, _) => Probed::new(Verdict::NotDone, "nothing was released"),
            (_, 0) => Probed::new(Verdict::Done, sentence),
            _ => Probed::new(Verdict::Partly, sentence),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let all = cx.facts_of(&self.volumes)?["volumes"].as_array().map_or(0, Vec::len);
        let done = || Done::plain(format!("{} given back", units::plural(all, "volume", "volumes")));
        // taken up again after a crash: what was asked for may have come to its end
        if self.there(cx).await?.is_empty() {
            return Ok(done());
        }
        let found = pass(cx, self).await?;
        for target in &found.goes {
            // a claim may have come while another volume went
            if let Err(reason) = bind::unused(cx, &self.volumes).await? {
                return Err(Diagnostic::new(reason).safe("that volume: it is kept").into());
            }
            let effect = effect_of(target);
            cx.effect(&effect).await?;
            let fields = json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}});
            match cx.world.objects.apply(&target.object, &target.uid, &fields).await {
                Ok(_) => cx.effected(&effect, "accepted").await?,
                Err(error) => return Err(cx.not_made(&effect, error).await),
            }
        }
        self.gone(cx).await?;
        Ok(done())
    }
}

impl ReleaseSpec {
    async fn gone(&self, cx: &StepCx) -> Result<(), Halt> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let left = self.there(cx).await?;
            let row = |(target, now): &(Target, Value)| Row {
                sign: Sign::Running,
                word: text(now, "/status/phase").to_owned(),
                name: target.object.name.clone(),
                detail: text(now, "/status/message").to_owned(),
            };
            cx.show("The storage takes its volumes back.", left.iter().map(row).collect(), None, None);
            let Some((target, now)) = left.first() else { return Ok(()) };
            let failed = text(now, "/status/phase") == "Failed";
            if failed || tokio::time::Instant::now() > deadline {
                let problem = Diagnostic::new(format!(
                    "volume {} is {} and not gone",
                    target.object.name,
                    text(now, "/status/phase")
                ));
                let said = Some(text(now, "/status/message")).filter(|said| !said.is_empty());
                return Err(said
                    .into_iter()
                    .fold(problem, |problem, said| problem.cause(crate::text::printable(said)))
                    .proves("the cluster was told to delete it, and its storage did not")
                    .safe("what is deployed now; the dump; the vault")
                    .help("whoever runs the storage can say why; then try again")
                    .into());
            }
            cx.pause(Duration::from_secs(1)).await?;
        }
    }
}
