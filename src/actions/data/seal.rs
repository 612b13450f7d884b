//! `seal`: the run's papers, its dump and its secrets in one encrypted folder that can be carried anywhere: a recovery set.

use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::json;

use super::artifacts::{DumpFacts, proven, rehash};
use crate::{
    actions::{
        context::{Action, Described, Done, Halt, PlanCx, Probed, StepCx},
        objects::pods::text,
        spec::SealSpec,
    },
    ports::Sealing,
    run::{Repeat, Verdict},
    text::{Diagnostic, units},
};

/// What is written last: a set without it was cut.
const MANIFEST: &str = "manifest.json";

impl SealSpec {
    /// The set's own folder, which is named after the run.
    fn folder(&self, cx: &StepCx) -> Result<PathBuf, Halt> {
        let chosen = cx.render(&self.folder)?;
        let run = &cx.driver.state().run;
        Ok(if chosen.is_empty() { cx.artifact("recovery-set") } else { PathBuf::from(chosen).join(run) })
    }
}

#[async_trait]
impl Action for SealSpec {
    fn repeat(&self) -> Repeat {
        Repeat::Guarded
    }

    fn describe(&self, cx: &PlanCx<'_>) -> Described {
        let chosen = cx.show(&self.folder);
        let place = if chosen.is_empty() { "this run's folder".to_owned() } else { chosen };
        Described {
            commands: vec![
                format!("writes into {place}: the dump, this run's papers and its secrets, encrypted (age)"),
                "opens every file again and compares its SHA-256".to_owned(),
            ],
            unknown: vec!["size of the set".to_owned()],
            ..Described::default()
        }
    }

    async fn probe(&self, cx: &StepCx) -> Result<Probed, Halt> {
        let there = tokio::fs::try_exists(self.folder(cx)?.join(MANIFEST)).await.unwrap_or(false);
        Ok(if there {
            Probed::new(Verdict::Partly, "a set is there; it is sealed anew and opened again")
        } else {
            Probed::new(Verdict::NotDone, "there is no whole set")
        })
    }

    async fn run(&self, cx: &StepCx) -> Result<Done, Halt> {
        let refused = |what: String| {
            Halt::Refused(Box::new(
                Diagnostic::new(what)
                    .safe("everything: nothing was sealed")
                    .help("go back to the step that makes and proves the dump, then seal it"),
            ))
        };
        rehash(cx, &self.dump).await?.map_err(refused)?;
        let proof = proven(cx, &self.dump, &self.proven_by).map_err(refused)?;
        let (facts, captured) = (DumpFacts::of(cx, &self.dump)?, cx.facts_of(&self.version)?);
        let state = cx.driver.state();
        let about = json!({
            "runbook": state.runbook, "practice": state.practice, "namespace": cx.namespace(), "cluster": cx.target.cluster8(),
            "version": text(&captured, "/version"), "proof": proof,
        });
        let mut files = Vec::new();
        for paper in &cx.papers {
            // no form was saved where there is none
            if let (Some(name), true) = (paper.file_name(), tokio::fs::try_exists(paper).await.unwrap_or(false)) {
                files.push((name.to_string_lossy().into_owned(), paper.clone()));
            }
        }
        for file in [&facts.dump, &facts.csv] {
            files.push((format!("artifacts/{}", file.name), cx.artifact(&file.name)));
        }
        let folder = self.folder(cx)?;
        let shown = folder.display().to_string();
        let effect = format!("seal the recovery set in {shown}");
        cx.effect(&effect).await?;
        let sealing =
            Sealing { run: state.run.clone(), at: cx.world.clock.now(), about, files, folder: folder.clone() };
        let sealed = cx.world.secrets.seal(sealing).await.map_err(|error| {
            let problem = Diagnostic::new("the recovery set is not whole")
                .cause(error.to_string())
                .safe("the dump and the settings, in this run's folder and in the vault")
                .help("mend the cause, then try again: the set is written anew");
            Halt::from(problem)
        })?;
        cx.effected(&effect, "sealed").await?;
        Ok(Done::with(
            format!(
                "sealed in {shown}: {}, {}; every one opened again, SHA-256 as before",
                units::plural(sealed.files, "file", "files"),
                units::bytes(sealed.bytes)
            ),
            json!({"folder": folder, "files": sealed.files, "bytes": sealed.bytes}),
        ))
    }
}
