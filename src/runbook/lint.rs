//! What a reader cannot see: names that lead nowhere, steps out of order, removals without a way back. What could not be read
//! is left alone: whoever mends it looks again.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fault::Fault,
    lint_removal::removal,
    lint_values::{Before, of_file, of_step},
    model::{Intent, Runbook, Step, parse_duration},
    tree::Node,
};
use crate::{
    actions::{ActionSpec, CheckKind, PatchObjects, VerifyWhat, WaitFor},
    run::Risk,
};

/// All faults; of what stands at or below `unread` nothing is known.
pub(super) fn lint(runbook: &Runbook, tree: &Node, unread: &[String]) -> Vec<Fault> {
    let mut lint = Lint { runbook, tree, unread, faults: Vec::new() };
    if runbook.format != 1 {
        lint.fault("/format", &[], format!("format {} is not known", runbook.format), "this version reads format 1");
    }
    if runbook.intents.is_empty() {
        lint.fault("/intents", &[], "there is no intent".to_owned(), "add one thing that can be done, with its phases");
    }
    let ids = runbook.inputs.iter().enumerate().map(|(at, input)| (format!("/inputs/{at}/id"), input.id.as_str()));
    lint.once("input", ids.collect());
    let ids = runbook.intents.iter().enumerate().map(|(at, intent)| (format!("/intents/{at}/id"), intent.id.as_str()));
    lint.once("intent", ids.collect());
    of_file(&mut lint);
    for (at, intent) in runbook.intents.iter().enumerate() {
        intent_of(&mut lint, &format!("/intents/{at}"), intent);
    }
    lint.faults
}

/// What is looked at, and what was found.
pub(super) struct Lint<'a> {
    /// What could be read.
    pub runbook: &'a Runbook,
    /// Its places.
    pub tree: &'a Node,
    unread: &'a [String],
    faults: Vec<Fault>,
}

impl Lint<'_> {
    /// Whether the node at `path`, or one around it, could not be read.
    pub fn is_unread(&self, path: &str) -> bool {
        self.unread.iter().any(|unread| {
            path.strip_prefix(unread.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether one of a list's members, or its `id`, could not be read: a name that is not known may be that one's.
    pub fn hides_one(&self, list: &str) -> bool {
        self.is_unread(list)
            || self.unread.iter().any(|unread| {
                let rest = unread.strip_prefix(list).and_then(|rest| rest.strip_prefix('/'));
                rest.is_some_and(|rest| !rest.contains('/') || rest.ends_with("/id") && rest.matches('/').count() == 1)
            })
    }

    /// Tells a fault at `path`, unless it or what it rests on could not be read.
    pub fn fault(&mut self, path: &str, rests_on: &[&str], what: String, help: &str) {
        if !self.is_unread(path) && !rests_on.iter().any(|path| self.is_unread(path)) {
            self.faults.push(Fault { at: self.tree.place(path), what, help: help.to_owned() });
        }
    }

    /// Each id of a list is there once.
    fn once(&mut self, of: &str, ids: Vec<(String, &str)>) {
        let mut seen = BTreeSet::new();
        for (path, id) in ids {
            if !self.is_unread(&path) && !seen.insert(id) {
                self.fault(&path, &[], format!("{of} {id} is there twice"), "each needs an id of its own");
            }
        }
    }
}

/// A step and where it stands.
pub(super) struct At<'a> {
    /// Its path.
    pub path: String,
    /// What it is.
    pub step: &'a Step,
}

fn intent_of(lint: &mut Lint, path: &str, intent: &Intent) {
    let phases = intent.phases.iter().enumerate();
    lint.once(
        "phase",
        phases.clone().map(|(at, phase)| (format!("{path}/phases/{at}/id"), phase.id.as_str())).collect(),
    );
    let all: Vec<At> = phases
        .clone()
        .flat_map(|(phase, content)| {
            content
                .steps
                .iter()
                .enumerate()
                .map(move |(at, step)| At { path: format!("{path}/phases/{phase}/steps/{at}"), step })
        })
        .collect();
    let (taken, hides) = taken_by(lint, path, intent);
    let all: Vec<At> = taken.into_iter().chain(all).collect();
    lint.once("step", all.iter().map(|at| (format!("{}/id", at.path), at.step.id.0.as_str())).collect());
    // a step that could not be read may be the one that is named
    let hidden = hides
        || lint.hides_one(&format!("{path}/phases"))
        || phases.clone().any(|(at, _)| lint.hides_one(&format!("{path}/phases/{at}/steps")));
    let mut asked = false;
    // what was taken over was looked at where it is done
    let own = |at: &At| at.path.starts_with(&format!("{path}/"));
    for (index, at) in all.iter().enumerate().filter(|(_, at)| own(at)) {
        step_of(lint, at, &mut asked);
        names_of(lint, at, &all, index, hidden);
        of_step(lint, at, Before { steps: &all[..index], hidden });
        removal(lint, at, &all, index);
    }
}

/// The steps that an intent takes over, where they stand, and whether there may be others among what could not be read.
fn taken_by<'a>(lint: &mut Lint<'a>, path: &str, intent: &Intent) -> (Vec<At<'a>>, bool) {
    let Some(continues) = &intent.continues else { return (Vec::new(), false) };
    let named = format!("{path}/continues/intent");
    let place = lint.runbook.intents.iter().position(|other| other.id == continues.intent);
    let Some(other) = place.filter(|at| format!("/intents/{at}") != path) else {
        let hidden = lint.hides_one("/intents");
        if !hidden {
            let what = format!("it goes on from intent {}, which is not another one of this runbook", continues.intent);
            lint.fault(&named, &[], what, "name an intent whose runs are done before");
        }
        return (Vec::new(), hidden);
    };
    let (before, under) = (&lint.runbook.intents[other], format!("/intents/{other}/phases"));
    let phases = before.phases.iter().enumerate();
    let steps = phases.clone().flat_map(|(phase, content)| {
        let under = &under;
        content.steps.iter().enumerate().map(move |(at, step)| At { path: format!("{under}/{phase}/steps/{at}"), step })
    });
    let taken: Vec<At> = steps.filter(|at| continues.steps.contains(&at.step.id.0)).collect();
    let hidden = lint.hides_one(&under) || phases.clone().any(|(at, _)| lint.hides_one(&format!("{under}/{at}/steps")));
    for (at, name) in continues.steps.iter().enumerate() {
        if !hidden && !taken.iter().any(|taken| taken.step.id.0 == *name) {
            let what = format!("it takes over step {name}, which is not in intent {}", continues.intent);
            lint.fault(&format!("{path}/continues/steps/{at}"), &[], what, "name a step of that intent");
        }
    }
    (taken, hidden)
}

/// What a step says of itself.
fn step_of(lint: &mut Lint, at: &At, asked: &mut bool) {
    let (step, id) = (at.step, at.step.id.0.as_str());
    let under = |key: &str| format!("{}/{key}", at.path);
    let (action, risk, undo) = (under("do"), under("risk"), under("undo"));
    if !id.starts_with(|c: char| c.is_ascii_lowercase())
        || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    {
        let help = "lower-case letters, digits and `_`, a letter first";
        lint.fault(&under("id"), &[], format!("{id:?} is no step id"), help);
    }
    if parse_duration(&step.estimate).is_none() {
        let what = format!("{:?} is no duration", step.estimate);
        lint.fault(&under("estimate"), &[], what, "as `40 s`, `10 min` or `2 h`");
    }
    if lint.runbook.deployment.is_none() && needs_deployment(&step.action) {
        let what = format!("`{}` needs the section `deployment`, which is not there", step.action.kind());
        lint.fault(&action, &["/deployment"], what, "add `deployment:`, as in `drydock runbook schema`");
    }
    if step.risk != Risk::None && step.undo.is_empty() {
        let what = format!("step {id} changes something and does not say how it is undone");
        lint.fault(&risk, &[&undo], what, "add `undo:`");
    }
    let removes = matches!(step.action, ActionSpec::Delete(_) | ActionSpec::Release(_));
    if removes && step.risk != Risk::Irreversible {
        let what = format!("step {id} deletes and is not marked irreversible");
        lint.fault(&action, &[&risk], what, "add `risk: irreversible`");
    }
    let consent = under("consent");
    *asked |= !step.consent.is_empty()
        || removes
        || matches!(step.action, ActionSpec::Confirm(_))
        // what it is may have asked
        || lint.is_unread(&action)
        || lint.is_unread(&consent);
    if step.risk != Risk::None && !*asked {
        let what = format!("step {id} changes something, and nothing up to it asks the operator");
        lint.fault(&risk, &[], what, "add `consent: [what begins with it]`, or a `confirm` before it");
    }
    if step.place.is_some() && !works_elsewhere(&step.action) {
        let what = format!("`{}` works in the target's own namespace only", step.action.kind());
        lint.fault(&under("in"), &[&action], what, "leave `in` out");
    }
    if let ActionSpec::Patch(spec) = &step.action
        && (spec.objects == PatchObjects::BindVolumes) != spec.kept.is_some()
    {
        let what = "`kept` belongs to `bind_volumes`, and to nothing else".to_owned();
        lint.fault(
            &under("do/patch"),
            &[&under("do/patch/kept"), &under("do/patch/objects")],
            what,
            "name the step that kept them",
        );
    }
    if let ActionSpec::Check(spec) = &step.action {
        let (captured, dump) = (under("do/check/captured"), under("do/check/dump"));
        let has = |kind| spec.checks.contains(&kind);
        if (has(CheckKind::Captured) || has(CheckKind::SettingsUnchanged)) && spec.captured.is_empty() {
            let what = "the check does not say which captures it looks at".to_owned();
            lint.fault(&under("do/check"), &[&captured], what, "add `captured: […]`");
        }
        if has(CheckKind::Quiet) && spec.dump.is_none() {
            let what = "the check does not say since which dump".to_owned();
            lint.fault(&under("do/check"), &[&dump], what, "add `dump: …`");
        }
        if has(CheckKind::KeptVolumes) && spec.kept.is_none() {
            let what = "the check does not say whose volumes it looks at".to_owned();
            lint.fault(&under("do/check"), &[&under("do/check/kept")], what, "add `kept: …`");
        }
    }
}

/// Steps that a step names: there, before it, and of the kind that will do.
fn names_of(lint: &mut Lint, at: &At, all: &[At], index: usize, hidden: bool) {
    let named: BTreeSet<(&str, &str)> = references(lint.runbook, at.step).into_iter().collect();
    for (key, name) in named {
        let other = all.iter().position(|other| other.step.id.0 == name);
        let (what, help) = match other {
            None if hidden => continue,
            None => (
                format!("`{key}` names step {name}, which is not in this intent"),
                "a step can only rest on steps of its own intent, or on those that it takes over",
            ),
            Some(other) if other >= index => {
                let cycle = other == index || rests_on(lint.runbook, all, other, index);
                let cycle = if cycle { ", and rests on it itself: a cycle" } else { "" };
                (
                    format!("`{key}` names step {name}, which comes later or is this one{cycle}"),
                    "a step can only rest on steps before it",
                )
            }
            Some(other) => {
                let kind = all[other].step.action.kind();
                match kinds_of(key) {
                    Some(wanted) if !wanted.contains(&kind) && !lint.is_unread(&format!("{}/do", all[other].path)) => (
                        format!(
                            "`{key}` names step {name}, which is of kind `{kind}`, not `{}`",
                            wanted.join("` or `")
                        ),
                        "name the step that does it",
                    ),
                    _ => continue,
                }
            }
        };
        for place in places(lint.tree, &at.path, key, name) {
            lint.fault(&place, &[], what.clone(), help);
        }
    }
}

/// Where a step, or the deployment that it installs, names another by this key.
fn places(tree: &Node, step: &str, key: &str, name: &str) -> Vec<String> {
    let (root, key) = match key {
        "helm.captured" => ("/deployment/helm", "captured"),
        "set_file" => ("/deployment/helm/set_file", ""),
        _ => (step, key),
    };
    let holds = |path: &str, text: &str| {
        let under = path.rsplit('/').find(|part| part.parse::<usize>().is_err());
        (key.is_empty() || under == Some(key)) && text.split('/').next() == Some(name)
    };
    let found = tree.texts(root, &holds);
    // a number that stands for a name; what could not be read has none
    if found.is_empty() && !name.is_empty() { vec![root.to_owned()] } else { found }
}

/// Whether the step at `from` names the one at `to`, by itself or through others.
fn rests_on(runbook: &Runbook, all: &[At], from: usize, to: usize) -> bool {
    let index: BTreeMap<&str, usize> = all.iter().enumerate().map(|(at, one)| (one.step.id.0.as_str(), at)).collect();
    let (mut open, mut seen) = (vec![from], BTreeSet::new());
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            open.extend(references(runbook, all[at].step).iter().filter_map(|(_, name)| index.get(name)));
        }
    }
    false
}

/// The kinds that a step must be of to be named by this key, where not any will do.
fn kinds_of(key: &str) -> Option<&'static [&'static str]> {
    Some(match key {
        "helm.captured" | "to" => &["capture"],
        "captured" => &["ask", "capture"],
        "set_file" | "from" | "of" => &["ask"],
        "dump" => &["dump", "adopt"],
        "proven_by" | "or_dump" => &["rehearse"],
        "keep_volumes" | "kept" | "volumes" => &["patch"],
        "brings_back" => &["patch", "dump"],
        "checked_by" => &["check"],
        "as_before" | "held_by" | "stopped_by" => &["scale"],
        "restored_by" => &["restore"],
        "delete" => &["delete"],
        "in" | "serves" => &["namespace"],
        _ => return None,
    })
}

fn needs_deployment(action: &ActionSpec) -> bool {
    match action {
        ActionSpec::Confirm(_) => false,
        ActionSpec::Manual(spec) => spec.of.is_some(),
        ActionSpec::Run(spec) => spec.on == crate::actions::Place::Core,
        ActionSpec::Ask(spec) => spec.found.is_some() || spec.agrees_with_core,
        _ => true,
    }
}

/// Whether it may be done in a namespace that the run made: not what captures, dumps, keeps or removes what is deployed.
fn works_elsewhere(action: &ActionSpec) -> bool {
    match action {
        ActionSpec::Verify(spec) => spec.what != VerifyWhat::Files,
        ActionSpec::Wait(spec) => spec.until == WaitFor::Ready,
        ActionSpec::Check(spec) => {
            spec.checks.iter().all(|kind| [CheckKind::NewVersion, CheckKind::Identity].contains(kind))
        }
        ActionSpec::Helm(_) | ActionSpec::Scale(_) | ActionSpec::Restore(_) | ActionSpec::Http(_) => true,
        _ => false,
    }
}

/// Steps that a step names, with the key that names them.
fn references<'a>(runbook: &'a Runbook, step: &'a Step) -> Vec<(&'static str, &'a str)> {
    let requires = &step.requires;
    let mut found: Vec<(&'static str, &'a str)> = Vec::new();
    for (key, list) in [("captured", &requires.captured), ("proven", &requires.proven), ("steps", &requires.steps)] {
        found.extend(list.iter().map(|name| (key, name.as_str())));
    }
    found.extend(step.place.iter().map(|place| ("in", place.as_str())));
    found.extend(step.action.references());
    if step.action.installs() {
        found.extend(runbook.deployment.iter().flat_map(|deployment| deployment.helm.references()));
    }
    found
}
