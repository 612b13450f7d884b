//! Which calls the plan will make, and whether the server allows them: those known beforehand, those of the kill list as it
//! is now, and those of the rendered chart, here and in the scratch namespace.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    actions::{
        context::{Halt, StepCx, right},
        data::scratch_look::{self, Way},
        deploy::rendered::{Rendered, kinds_of},
        objects::{
            keep,
            removal::{Found, find_in, removable},
        },
        spec::CheckKind,
    },
    ports::{Access, Kind, Right},
    run::{Check, CheckResult, StepId},
    text::units,
};

/// What helm asks for each object of a chart.
const INSTALLS: [&str; 3] = ["create", "get", "patch"];

/// The right to do `verb` with objects of a kind in `namespace`.
fn of_kind(verb: &str, kind: &Kind, namespace: &str) -> Right {
    right(verb, &kind.group, &kind.plural, "", kind.namespaced.then_some(namespace))
}

/// Rights in words and as rules, those of one resource and place together.
pub struct Told {
    /// As `get, delete statefulsets in namespace plant`.
    pub what: String,
    /// As rules of a Role, and where.
    pub rules: Vec<String>,
}

/// Tells these rights.
pub fn told(rights: &[Right]) -> Told {
    let mut grouped: BTreeMap<(&Option<String>, &str, String), Vec<&str>> = BTreeMap::new();
    for right in rights {
        let slash = if right.subresource.is_empty() { "" } else { "/" };
        let resource = format!("{}{slash}{}", right.resource, right.subresource);
        grouped.entry((&right.namespace, &right.group, resource)).or_default().push(&right.verb);
    }
    let place = |namespace: &Option<String>| {
        namespace.as_deref().map_or_else(|| "in the cluster".to_owned(), |ns| format!("in namespace {ns}"))
    };
    let what =
        grouped.iter().map(|((ns, _, resource), verbs)| format!("{} {resource} {}", verbs.join(", "), place(ns)));
    let rules = grouped.iter().map(|((ns, group, resource), verbs)| {
        format!(
            "ask for: {{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{}\"]}} {}",
            verbs.join("\", \""),
            place(ns)
        )
    });
    Told { what: what.collect::<Vec<_>>().join("; "), rules: rules.collect() }
}

/// Those of the rights that the server refuses.
pub async fn refused(cx: &StepCx, rights: &BTreeSet<Right>) -> Result<Vec<Right>, Halt> {
    let asked: Vec<Right> = rights.iter().cloned().collect();
    let answers = cx.world.objects.access(&asked).await?;
    Ok(answers.into_iter().filter(|answer: &Access| !answer.allowed).map(|answer| answer.right).collect())
}

/// Asks for every right that a step of the plan will need.
pub async fn check(cx: &StepCx) -> Result<Check, Halt> {
    let mut rights: BTreeSet<Right> = cx.needs.rights.iter().cloned().collect();
    let plan = &cx.driver.state().plan;
    let has = |kinds: &[&str]| plan.iter().any(|step| kinds.contains(&step.kind.as_str()));
    if has(&["delete"]) {
        rights.extend(of_removal(cx).await?);
    }
    if let Some(beside) = &cx.needs.beside {
        // what was put there is looked at before it is taken back
        rights.extend(removable(cx).await?.iter().map(|kind| of_kind("list", kind, beside)));
    }
    if has(&["helm", "rollback", "rehearse"]) && is_captured(cx) {
        rights.extend(of_chart(cx).await?);
    }
    if let Some(scratch) = &cx.needs.scratch {
        in_scratch(cx, scratch, &mut rights).await?;
    }
    let refused = refused(cx, &rights).await?;
    let found = |result, sentence: &str, rules: Vec<String>| {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        CheckKind::Rights.found(result, sentence, &rules)
    };
    if !refused.is_empty() {
        let told = told(&refused);
        let sentence = format!("{} of {} calls are refused: {}", refused.len(), rights.len(), told.what);
        return Ok(found(CheckResult::Fail, &sentence, told.rules));
    }
    let missing = if cx.needs.optional.is_empty() { Vec::new() } else { keep::missing(cx).await? };
    if missing.is_empty() {
        let sentence = format!("all {} calls of all steps are allowed", rights.len());
        return Ok(found(CheckResult::Pass, &sentence, Vec::new()));
    }
    let told = told(&missing);
    let sentence = format!(
        "volumes cannot be kept: {} is refused. The removal would take the data along; only the proven dump would lead back, and a \
         later step asks about that",
        told.what
    );
    Ok(found(CheckResult::Warn, &sentence, told.rules))
}

/// What is asked for the namespace of the rehearsal depends on how it can be had; where it cannot, its own check says so.
async fn in_scratch(cx: &StepCx, scratch: &str, rights: &mut BTreeSet<Right>) -> Result<(), Halt> {
    match scratch_look::way(cx, scratch).await? {
        Way::Made => {}
        Way::Given => {
            // a namespace beside the target is made whatever the rehearsal has
            rights.retain(|right| right.resource != "namespaces" || cx.needs.beside.is_some());
            let more = scratch_look::rights_in(cx, scratch, rights).await?;
            rights.extend(more);
        }
        Way::Taken(_) | Way::Refused => {
            rights.retain(|right| {
                let made = right.resource == "namespaces" && cx.needs.beside.is_none();
                !made && right.namespace.as_deref() != Some(scratch)
            });
        }
    }
    Ok(())
}

/// To read every kind that may belong to the deployment, and to delete those of which there is something on the list now.
async fn of_removal(cx: &StepCx) -> Result<BTreeSet<Right>, Halt> {
    let kinds = removable(cx).await?;
    let lists: BTreeSet<Right> = kinds.iter().map(|kind| of_kind("list", kind, cx.namespace())).collect();
    // a kind that may not be listed is named as such, and must not hide the others
    let unread = refused(cx, &lists).await?;
    let read = kinds.into_iter().filter(|kind| !unread.contains(&of_kind("list", kind, cx.namespace()))).collect();
    let found = find_in(cx, read).await?;
    Ok(lists.into_iter().chain(of_list(cx, &found)).collect())
}

fn of_list(cx: &StepCx, found: &Found) -> BTreeSet<Right> {
    found.goes.iter().map(|target| of_kind("delete", &target.object.kind, cx.namespace())).collect()
}

/// Whether the values are there with which the chart can be rendered.
fn is_captured(cx: &StepCx) -> bool {
    let captured = cx.deployment().map(|deployment| StepId(deployment.helm.captured.clone()));
    captured.is_ok_and(|step| cx.driver.state().facts.contains_key(&step))
}

/// To install every kind of the rendered chart, in the target and in the scratch namespace.
async fn of_chart(cx: &StepCx) -> Result<BTreeSet<Right>, Halt> {
    let place = cx.needs.beside.as_deref().unwrap_or(cx.namespace());
    let rendered = Rendered::read_in(cx, place).await?;
    let served = cx.world.objects.kinds().await?;
    let of = |wanted: BTreeSet<(String, String)>, verbs: &[&str], place: &str| -> Vec<Right> {
        let kinds = served.iter().filter(|kind| wanted.contains(&(kind.group.clone(), kind.kind.clone())));
        kinds.flat_map(|kind| verbs.iter().map(|verb| of_kind(verb, kind, place)).collect::<Vec<_>>()).collect()
    };
    // a backup installs nothing in the target
    let installs = cx.driver.state().plan.iter().any(|step| ["helm", "rollback"].contains(&step.kind.as_str()));
    let here = if installs { rendered.kinds() } else { BTreeSet::new() };
    let mut rights: BTreeSet<Right> = of(here, &INSTALLS, place).into_iter().collect();
    if let Some(scratch) = &cx.needs.scratch {
        // a copy is made anew each time, of what may be in one
        let copied = rendered.copied(cx.namespace(), &cx.deployment()?.parts);
        rights.extend(of(kinds_of(copied), &["create"], scratch));
    }
    Ok(rights)
}

/// Whether everything on the list may be deleted, asked now: for the gate.
pub async fn allowed(cx: &StepCx, found: &Found) -> Result<Result<String, String>, Halt> {
    let rights: Vec<Right> = of_list(cx, found).into_iter().collect();
    let sentence = format!("{} of the list may be deleted, asked now", units::plural(rights.len(), "kind", "kinds"));
    Ok(may(cx, rights).await?.map(|()| sentence))
}

/// Whether all of this is allowed, asked now; what is not, with the rule to ask for.
pub async fn may(cx: &StepCx, rights: Vec<Right>) -> Result<Result<(), String>, Halt> {
    let refused = refused(cx, &rights.into_iter().collect()).await?;
    if refused.is_empty() {
        return Ok(Ok(()));
    }
    let told = told(&refused);
    Ok(Err(format!("{} is refused; {}", told.what, told.rules.join("; "))))
}
