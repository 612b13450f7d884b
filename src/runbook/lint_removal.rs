//! What a step that takes something away must rest on, so that its gate has something to ask.

use std::collections::BTreeSet;

use super::lint::{At, Lint};
use crate::{actions::ActionSpec, run::Risk};

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
    if spec.checked_by.is_some() == spec.brings_back.is_some() {
        let what = format!("step {id} deletes, and says not, or twice, what becomes of it");
        let help = "`checked_by` where it comes back from what was captured and dumped, `brings_back` where kept volumes or a dump take its place";
        lint.fault(&under("do/delete"), &[&under("do/delete/checked_by"), &under("do/delete/brings_back")], what, help);
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
