//! What a step that takes something away must rest on, so that its gate has something to ask.

use std::collections::BTreeSet;

use super::lint::{At, Lint};
use crate::{
    actions::{ActionSpec, VerifyWhat},
    run::Risk,
};

/// Faults of an irreversible step, the one at `index` of `all`.
pub(super) fn removal(lint: &mut Lint, at: &At, all: &[At], index: usize) {
    let id = &at.step.id;
    let under = |key: &str| format!("{}/{key}", at.path);
    let (risk, action, requires) = (under("risk"), under("do"), &at.step.requires);
    let (captured, proven) = (under("requires/captured"), under("requires/proven"));
    if at.step.risk == Risk::Irreversible && requires.proven.is_empty() {
        let what = format!("step {id} is irreversible and requires no proof");
        lint.fault(&risk, &[&proven], what, "add `requires: {proven: […]}`");
    }
    let ActionSpec::Delete(spec) = &at.step.action else { return };
    let said = [&spec.checked_by, &spec.brings_back, &spec.stopped_by];
    let keys = ["checked_by", "brings_back", "stopped_by", "serves"].map(|key| under(&format!("do/delete/{key}")));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    if said.iter().filter(|said| said.is_some()).count() != 1 {
        let what = format!("step {id} deletes, and says not, or twice, what becomes of it");
        let help = "`checked_by` where it comes back from what was captured and dumped, `brings_back` where kept volumes or a dump \
                    take its place, `stopped_by` where the new version serves elsewhere";
        lint.fault(&under("do/delete"), &keys, what, help);
    }
    if spec.stopped_by.is_some() != spec.serves.is_some() {
        let what = format!(
            "step {id} deletes what was stopped, and says not which namespace serves instead, or the other way round"
        );
        lint.fault(&under("do/delete"), &keys, what, "`stopped_by` and `serves` belong together");
    }
    if let Some(place) = &spec.serves
        && !requires
            .proven
            .iter()
            .any(|name| all[..index].iter().any(|at| at.step.id.0 == *name && compares_in(at, place)))
    {
        let what =
            format!("step {id} deletes, and does not require that the rows in the namespace of {place} were compared");
        let help = "add the `verify` step that did to `requires: {proven: […]}`";
        lint.fault(&proven, &[&under("do/delete/serves")], what, help);
    }
    if requires.captured.is_empty() {
        let what = format!("step {id} deletes and requires no capture: what it removes would be gone");
        lint.fault(
            &action,
            &[&captured],
            what,
            "add `requires: {captured: […]}`, every step that keeps what comes back",
        );
    } else {
        for (name, why) in comes_back(lint, all, index) {
            if !requires.captured.contains(&name) {
                let what = format!("step {id} deletes and does not require that {name} is captured, {why}");
                lint.fault(&captured, &[], what, &format!("add `{name}` to `requires: {{captured: […]}}`"));
            }
        }
    }
    if !requires.proven.is_empty() && !requires.proven.contains(&spec.proven_by) {
        let what = format!("step {id} is proven by {}, and does not require it", spec.proven_by);
        let by = under("do/delete/proven_by");
        lint.fault(&proven, &[&by], what, &format!("add `{}` to `requires: {{proven: […]}}`", spec.proven_by));
    }
}

/// Whether a step compared the database in the namespace that `place` made with the dump.
fn compares_in(at: &At, place: &str) -> bool {
    let compares = matches!(&at.step.action, ActionSpec::Verify(spec) if spec.what == VerifyWhat::Database);
    compares && at.step.place.as_deref() == Some(place)
}

/// Steps before the one at `index` whose captures come back after it, each with what brings it back.
fn comes_back(lint: &Lint, all: &[At], index: usize) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for after in &all[index + 1..] {
        if let ActionSpec::Http(spec) = &after.step.action {
            found.insert((spec.from.clone(), format!("which {} puts back", after.step.id)));
        }
        if let ActionSpec::Rollback(spec) = &after.step.action {
            found.insert((spec.to.clone(), format!("which {} puts back", after.step.id)));
        }
        if matches!(after.step.action, ActionSpec::Helm(_)) {
            let helm = lint.runbook.deployment.iter().flat_map(|deployment| deployment.helm.references());
            found.extend(helm.map(|(_, name)| (name.to_owned(), format!("which {} installs with", after.step.id))));
        }
    }
    found.retain(|(name, _)| all[..index].iter().any(|before| before.step.id.0 == *name));
    found
}
