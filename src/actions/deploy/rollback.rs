//! `rollback`: the release that was captured, from helm's own record of it: every object as it was, with its chart, values and
//! files. The record was in the namespace and went with the removal; the vault has it.

use async_trait::async_trait;
use serde_json::Value;

use super::{
    helm::{change, clear_pending},
    release::{PENDING, RECORD, history, record_of, release},
};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx, right, secret_name},
        objects::pods::text,
        programs::host::Call,
        spec::RollbackSpec,
    },
    run::{EffectState, Repeat, Verdict},
    text::Diagnostic,
};

/// What was captured of a release.
struct Captured {
    name: String,
    revision: String,
}

impl RollbackSpec {
    fn captured(&self, cx: &StepCx) -> Result<Captured, Halt> {
        let facts = cx.facts_of(&self.to)?;
        let of = |field: &str| text(&facts, &format!("/release/{field}")).to_owned();
        let captured = Captured { name: of("name"), revision: of("revision") };
        if captured.name.is_empty() || of("uid").is_empty() {
            return Err(Halt::Refused(Box::new(
                Diagnostic::new("the run that captured this release did not keep helm's record of it")
                    .safe("everything: nothing was sent")
                    .help("the way back of that run names the commands and files: drydock resume or report shows it"),
            )));
        }
        Ok(captured)
    }

    /// Helm's record is made again where it is gone. Another one of that name is somebody else's release.
    async fn put_record(&self, cx: &StepCx, captured: &Captured) -> Result<(), Halt> {
        let reference = record_of(&cx.target, &captured.name, &captured.revision);
        let effect = format!("create Secret {}, helm's record of revision {}", reference.name, captured.revision);
        let made =
            |effect_: &&EffectState| effect_.step == cx.step && effect_.effect == effect && effect_.result.is_some();
        let kept = cx.secret(&secret_name(&self.to, "1", RECORD)).await?;
        // the cause is left out: it may quote what stands in the vault
        let mut object: Value = serde_json::from_slice(kept.expose_secret())
            .map_err(|_| Diagnostic::new("helm's record in the vault cannot be understood"))?;
        if let Some(there) = cx.get(&reference).await? {
            // once this run made it, helm itself writes into it
            if cx.driver.state().effects.iter().any(|effect| made(&effect)) || there["data"] == object["data"] {
                return Ok(());
            }
            return Err(somebodys(&captured.name, "its record is not the one that was captured"));
        }
        object["metadata"]["namespace"] = cx.namespace().into();
        cx.effect(&effect).await?;
        match cx.world.objects.create(&object).await {
            Ok(_) => cx.effected(&effect, "accepted").await,
            Err(error) => Err(cx.not_made(&effect, error).await),
        }
    }
}

/// A release that this run has nothing to do with.
fn somebodys(name: &str, how: &str) -> Halt {
    Halt::Refused(Box::new(
        Diagnostic::new(format!("release {name} is there, and {how}"))
            .proves("somebody deployed it since the removal")
            .safe("it: nothing was sent")
            .help("find out who works on this release; what is not of this run is left alone"),
    ))
}

/// Whether the newest revision of the release is deployed and is this one, or was rolled back to it.
async fn is_back(cx: &StepCx, captured: &Captured) -> Result<bool, Halt> {
    let newest = history(cx, &cx.target, &captured.name).await?.pop().unwrap_or_default();
    let told = text(&newest, "/description");
    Ok(text(&newest, "/status") == "deployed" && told == format!("Rollback to {}", captured.revision))
}

#[async_trait]
impl Action for RollbackSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let ns = Some(cx.namespace);
        let release = cx.deployment.map_or_else(String::new, |deployment| cx.show(&deployment.helm.release));
        let kinds =
            [("", "secrets"), ("", "configmaps"), ("", "services"), ("apps", "deployments"), ("apps", "statefulsets")];
        Described {
            commands: vec![
                format!("$ kubectl -n {} create -f VAULT   (helm's record of the version before)", cx.namespace),
                format!("$ helm rollback {release} REVISION -n {}", cx.namespace),
            ],
            rights: kinds
                .iter()
                .flat_map(|(group, kind)| ["create", "get", "patch"].map(|verb| right(verb, group, kind, "", ns)))
                .chain([right("update", "", "secrets", "", ns)])
                .collect(),
            programs: vec!["helm".to_owned()],
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let captured = self.captured(cx)?;
        let found = release(cx, &cx.target, &captured.name).await?;
        Ok(match found.as_ref().map(|found| text(found, "/status")) {
            None => Probed::new(Verdict::NotDone, "helm knows no such release"),
            Some("deployed") if is_back(cx, &captured).await? => {
                Probed::new(Verdict::Done, format!("helm says rolled back to revision {}", captured.revision))
            }
            // its record alone makes helm say so
            Some("deployed") => {
                Probed::new(Verdict::Partly, "helm's record is back, and nothing was rolled back to it yet")
            }
            Some(status) => Probed::new(Verdict::Partly, format!("helm says {status}")),
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let captured = self.captured(cx)?;
        let Captured { name, revision } = &captured;
        let done = || Done::plain(format!("release {name} is what it was at revision {revision}"));
        let found = release(cx, &cx.target, name).await?;
        let begun = cx.driver.state().effects.iter().any(|effect| effect.step == cx.step);
        match found.as_ref().map(|found| text(found, "/status")) {
            Some("deployed") if is_back(cx, &captured).await? => return Ok(done()),
            Some(status) if !begun => return Err(somebodys(name, &format!("helm says {status}"))),
            Some(status) if status.starts_with(PENDING) => clear_pending(cx, &cx.target, name).await?,
            // its record alone makes helm say so: nothing of it need be there
            Some(_) | None => {}
        }
        self.put_record(cx, &captured).await?;
        let effect = format!("helm rollback {name} {revision} in {}", cx.namespace());
        let call = Call::new(cx, "helm", &["rollback", name, revision, "-n", cx.namespace()]);
        let (exit, errors) = change(cx, &cx.target, call, &effect).await?;
        if exit.code != 0 {
            let problem = Diagnostic::new(format!("helm rollback {name} {revision} ended with status {}", exit.code))
                .proves("what was deployed is not whole again")
                .help("mend the cause, then try again: what it made is taken over");
            return Err(errors.into_iter().fold(problem, Diagnostic::cause).into());
        }
        // status 0 is not enough: helm must also have written it down as deployed
        if !is_back(cx, &captured).await? {
            return Err(
                Diagnostic::new(format!("helm ended with status 0, and release {name} is not rolled back")).into()
            );
        }
        cx.effected(&effect, "deployed").await?;
        Ok(done())
    }
}
