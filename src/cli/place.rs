//! Which context, namespace and inputs, where the arguments leave them open and a person is there to say it. Only reads.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, stderr, stdin},
    path::Path,
};

use super::{
    Exit, Failure, Global, reach,
    target::{TargetArgs, chosen, intent, runbook},
};
use crate::{
    cluster::{Cluster, Route, contexts},
    plain::{Picked, Picker},
    ports::{Objects, kinds},
    run::Environment,
    text::Diagnostic,
};

/// Asks for what is left open. Without a terminal nothing is asked: what is missing is refused later, with its name.
pub async fn choose_place(global: &Global, args: &mut TargetArgs) -> Result<(), Failure> {
    let person = !global.json && stdin().is_terminal() && stderr().is_terminal();
    if !person {
        return Ok(());
    }
    let runbook = runbook(args)?.runbook;
    // the answer of `plan` and `check` may go into a file
    let mut picker = Picker::new(stderr());
    if runbook.deployment.is_some() {
        if args.reach.context.is_none() {
            args.reach.context = context(&mut picker, args.reach.kubeconfig.as_deref()).await?;
        }
        if args.namespace.is_none() {
            args.namespace = Some(namespace(&mut picker, &args.reach.route()).await?);
        }
    }
    // where it goes on from another run, the inputs are that one's
    let intent = intent(&runbook, &args.intent)?;
    if intent.continues.is_some() {
        return Ok(());
    }
    let given = chosen(args, &BTreeMap::new())?;
    let asked = runbook.inputs.iter().filter(|input| input.is_asked_by(intent));
    for input in asked.filter(|input| input.default.is_none() && !given.contains_key(&input.id)) {
        let options: Vec<(String, String)> = input.choices.iter().map(|one| (one.clone(), String::new())).collect();
        let help =
            format!("An input of the runbook that has no default; --set {}=VALUE gives it beforehand.", input.id);
        match picker.pick(&format!("Input {}: {}.", input.id, input.title), &options, "Value:", &help).await {
            Picked::Name(value) => args.set.push(format!("{}={value}", input.id)),
            Picked::Left => return Err(left()),
        }
    }
    Ok(())
}

fn left() -> Failure {
    let problem = Diagnostic::new("no target was chosen").safe("everything: nothing was begun");
    Failure::new(Exit::Stopped, problem)
}

/// One of several contexts; the only one needs no question.
async fn context(picker: &mut Picker<std::io::Stderr>, file: Option<&Path>) -> Result<Option<String>, Failure> {
    let known = contexts(file).map_err(reach::no_context)?;
    if known.len() < 2 {
        return Ok(known.into_iter().next().map(|only| only.name));
    }
    let options: Vec<(String, String)> = known
        .into_iter()
        .map(|context| {
            let current = if context.current { "  current" } else { "" };
            (context.name, format!("{}{current}", context.server))
        })
        .collect();
    let help = "A context of the kubeconfig says which cluster, and as whom. The current one is not taken by itself.";
    match picker.pick("Which context?", &options, "Number or name of the context:", help).await {
        Picked::Name(name) => Ok(Some(name)),
        Picked::Left => Err(left()),
    }
}

/// A namespace that is there; where the list is refused, a name that is read afterwards.
async fn namespace(picker: &mut Picker<std::io::Stderr>, route: &Route) -> Result<String, Failure> {
    let cluster = Cluster::connect(route).map_err(reach::no_context)?;
    let listed = cluster.list(&kinds::namespace(), None, "").await;
    let (title, options) = match &listed {
        Ok(found) => {
            let mut options: Vec<(String, String)> = found.iter().filter_map(option).collect();
            options.sort();
            (format!("Which namespace of context {}, at {}?", cluster.context, cluster.server()), options)
        }
        Err(error) if matches!(error.kind, crate::ports::PortErrorKind::Forbidden) => {
            (format!("Which namespace of context {}? They may not be listed here.", cluster.context), Vec::new())
        }
        Err(error) => return Err(reach::no_answer(error.clone(), &cluster, "")),
    };
    let help =
        "The namespace of the deployment that is upgraded. It counts as PROD unless its label env says otherwise.";
    let prompt = if options.is_empty() { "Name of the namespace:" } else { "Number or name of the namespace:" };
    match picker.pick(&title, &options, prompt, help).await {
        Picked::Name(name) => Ok(name),
        Picked::Left => Err(left()),
    }
}

/// A namespace with what it counts as; the cluster's own are no targets.
fn option(object: &serde_json::Value) -> Option<(String, String)> {
    let name = object.pointer("/metadata/name")?.as_str()?;
    if name.starts_with("kube-") {
        return None;
    }
    let labels = object.pointer("/metadata/labels").and_then(serde_json::Value::as_object);
    let labels: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let ending = object.pointer("/metadata/deletionTimestamp").map_or("", |_| "  ending");
    Some((name.to_owned(), format!("{}{ending}", Environment::of(&labels))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_namespace_is_shown_with_what_it_counts_as() {
        let of = |metadata: serde_json::Value| option(&json!({"metadata": metadata}));
        let shown = |name: &str, about: &str| Some((name.to_owned(), about.to_owned()));
        assert_eq!(of(json!({"name": "plant"})), shown("plant", "PROD"));
        assert_eq!(of(json!({"name": "lab", "labels": {"env": "test"}})), shown("lab", "TEST"));
        assert_eq!(
            of(json!({"name": "old", "deletionTimestamp": "2026-11-20T20:00:00Z"})),
            shown("old", "PROD  ending")
        );
        assert_eq!(of(json!({"name": "kube-system"})), None);
    }
}
