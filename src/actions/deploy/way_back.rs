//! The way back once a removal was begun: the version before, on the volumes that were kept. As the commands a human types,
//! with the names of this run; nothing here is sent.

use serde_json::Value;

use super::release::{RECORD, VALUES, record_of};
use crate::{
    actions::{
        context::{Halt, StepCx, secret_name},
        data::artifacts::DumpFacts,
        objects::{
            keep,
            pods::{object, text},
            rest,
        },
        spec::DeleteSpec,
    },
    ports::kinds,
    run::{StepId, short_of},
    text::{Typed, quoted},
};

impl DeleteSpec {
    /// One command a line, in order; those that read the vault as `vault` has them typed. What stands in the way now is read from the cluster; where that does not answer, each
    /// line says when it is needed.
    ///
    /// # Errors
    /// What was not written down by the steps that this one rests on.
    pub async fn way_back(&self, cx: &StepCx, vault: &Typed) -> Result<Vec<String>, Halt> {
        let helm = &cx.deployment()?.helm;
        let (ns, state) = (cx.namespace(), cx.driver.state());
        let short = short_of(state.keeper_of(&helm.captured));
        // pasted into a shell whose current context is another, each line must still lead here
        let (kubectl, helm_there) = tools(cx);
        let (release, chart) = (cx.render(&helm.release)?, cx.render(&helm.chart)?);
        let restores = self.brings_back.as_ref() == Some(&self.dump);
        if restores || self.brings_back.is_some() && state.next().is_none() {
            // what this run put aside is no version before, and no record of helm leads to it
            let kept = cx.facts_of(&self.keep_volumes)?;
            let volumes: Vec<&Value> = kept["volumes"].as_array().into_iter().flatten().collect();
            if volumes.is_empty() {
                return Ok(Vec::new());
            }
            return Ok(vec![format!(
                "what stood there before is gone; what was written to it is on {} kept, and nowhere else",
                volumes_named(&volumes)
            )]);
        }
        let kept = cx.facts_of(self.brings_back.as_ref().unwrap_or(&self.keep_volumes))?;
        let volumes: Vec<&Value> = kept["volumes"].as_array().into_iter().flatten().collect();
        let given_up = self.keeps_nothing(cx);
        let mut lines = vec![if given_up {
            "go back to what was deployed, by hand; no volume was kept: its database begins empty, and the proven dump fills it".to_owned()
        } else {
            format!("go back to what was deployed, by hand; the data are on {} kept", volumes_named(&volumes))
        }];
        lines.push(format!(
            "$ {helm_there} uninstall {release} -n {ns} --ignore-not-found --wait   (what is there of the new version)"
        ));
        lines.extend(self.claims_in_the_way(cx, &kubectl).await);
        for volume in &volumes {
            let (claim, name) = (text(volume, "/claim"), text(volume, "/volume"));
            let now = cx.world.objects.get(&object(kinds::claim(), ns, claim)).await;
            let holds =
                now.as_ref().map(|claim| claim.as_ref().map(|claim| text(claim, "/spec/volumeName").to_owned()));
            match holds {
                // the old claim is there still: its volume is where it was
                Ok(Some(held)) if held == name => continue,
                Ok(None) => {}
                Ok(Some(_)) => lines.push(format!("$ {kubectl} -n {ns} delete pvc {claim}   (the new version's; its data go)")),
                Err(_) => lines.push(format!(
                    "$ {kubectl} -n {ns} delete pvc {claim}   (only where it is not on {name}: the new version's; its data go)"
                )),
            }
            lines.push(format!(
                "$ {kubectl} patch pv {name} --type merge -p '{{\"spec\":{{\"claimRef\":{{\"uid\":null,\"resourceVersion\":null}}}}}}'   \
                 (kept for {ns}/{claim} only)"
            ));
        }
        let facts = state.facts.get(&StepId(helm.captured.clone())).cloned().unwrap_or_default();
        let (entry, revision) = (secret_name(&helm.captured, "1", RECORD), text(&facts, "/release/revision"));
        if !text(&facts, "/release/uid").is_empty() {
            let record = record_of(&cx.target, &release, revision).name;
            lines.push(format!(
                "$ {} | {kubectl} -n {ns} create -f -   \
                 (helm's record {record}: chart, values and .env of the version before)",
                vault.command(&format!("vault show --reveal {short}/{entry}"))
            ));
            lines.push(format!(
                "$ {helm_there} rollback {release} {revision} -n {ns}   (every object as it was; needs no other file)"
            ));
            if given_up {
                lines.extend(self.refilled(cx)?);
            }
            lines.push(format!("put the settings back from the vault: {}", vault.command("vault list")));
            lines.extend(rest::by_hand(cx, &kubectl).await);
            return Ok(lines);
        }
        // a run begun before that record was captured
        let (version, of) = (text(&facts, "/version"), text(&facts, "/release/chart"));
        let mut files = vec![(secret_name(&helm.captured, "1", VALUES), "values.yaml".to_owned())];
        let mut install = vec![format!("$ {helm_there} install {release} {chart} -n {ns} -f values.yaml")];
        for (value, item) in &helm.set_file {
            let file = item.replace('/', ".");
            install.push(format!("--set-file {value}={file}"));
            files.push((item.clone(), file));
        }
        for (key, value) in &helm.set {
            // of what the upgrade sets only the version is known as it was; all else is in the values
            if key == "version" && !version.is_empty() && cx.render(value)? != version {
                install.push(format!("--set-string version={version}"));
            }
        }
        lines.extend(files.iter().map(|(entry, file)| {
            format!("$ (umask 077; {} > {file})", vault.command(&format!("vault show --reveal {short}/{entry}")))
        }));
        lines.push(format!(
            "{}   (it was chart {of}: take that one where this folder holds another)",
            install.join(" ")
        ));
        if given_up {
            lines.extend(self.refilled(cx)?);
        }
        lines
            .push(format!("remove these files; put the settings back from the vault: {}", vault.command("vault list")));
        lines.extend(rest::by_hand(cx, &kubectl).await);
        Ok(lines)
    }
}

impl DeleteSpec {
    /// Whether it was agreed that no volume is kept: then no volume leads back.
    pub fn keeps_nothing(&self, cx: &StepCx) -> bool {
        self.without_volumes(cx).is_some()
    }

    /// Claims that were not kept, where something is left under their names: the old one with its data, or the new version's.
    async fn claims_in_the_way(&self, cx: &StepCx, kubectl: &str) -> Vec<String> {
        let (ns, mut lines) = (cx.namespace(), Vec::new());
        for (claim, uid) in keep::claims(cx, &self.keep_volumes) {
            let now = cx.world.objects.get(&object(kinds::claim(), ns, &claim)).await;
            match now.map(|now| now.map(|now| text(&now, "/metadata/uid") == uid)) {
                Ok(None) => {}
                Ok(Some(true)) => lines.push(format!(
                    "claim {claim} is still the one of before, with all its data: leave it, and leave out what empties or fills its \
                     database"
                )),
                Ok(Some(false)) => {
                    lines.push(format!("$ {kubectl} -n {ns} delete pvc {claim}   (the new version's; its data go)"));
                }
                Err(_) => lines.push(format!(
                    "$ {kubectl} -n {ns} delete pvc {claim}   (only where its uid is no more {uid}, which is the old one with its data)"
                )),
            }
        }
        lines
    }

    /// How the proven dump gets into a database that began empty.
    fn refilled(&self, cx: &StepCx) -> Result<Vec<String>, Halt> {
        let (deployment, ns) = (cx.deployment()?, cx.namespace());
        let facts = DumpFacts::of(cx, &self.dump)?;
        let (kubectl, _) = tools(cx);
        let context = cx.driver.state().context.clone();
        let folder = cx.kept(&facts.dump.name).parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        let writers = deployment.writers.join(" ");
        let is_writer = |part: &&String| deployment.writers.iter().any(|writer| part.ends_with(&format!("/{writer}")));
        let ready = deployment.parts.iter().filter(|part| !is_writer(part));
        let mut lines = vec![format!(
            "$ {kubectl} -n {ns} scale deployment {writers} --replicas=0   (nothing may write before the rows are back)"
        )];
        lines.extend(ready.map(|part| format!("$ {kubectl} -n {ns} rollout status {}", part.to_lowercase())));
        lines.push(format!(
            "$ cd {} && pix-restore-data.sh -k POD {ns} {} {}   (POD: the pod of {}; the script calls kubectl: its current context \
             must be {})",
            quoted(&folder),
            quoted(&facts.dump.name),
            quoted(&facts.csv.name),
            deployment.core.selector,
            quoted(&context)
        ));
        lines.push(format!("scale {writers} back to what it was"));
        Ok(lines)
    }
}

/// kubectl and helm as a human types them, tied to the run's own context.
fn tools(cx: &StepCx) -> (String, String) {
    let state = cx.driver.state();
    let context = quoted(&state.context);
    (format!("kubectl --context {context}"), format!("helm --kube-context {context}"))
}

fn volumes_named(volumes: &[&Value]) -> String {
    let names: Vec<&str> = volumes.iter().map(|volume| text(volume, "/volume")).collect();
    names.join(", ")
}
