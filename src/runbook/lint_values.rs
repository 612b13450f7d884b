//! Templates and conditions: every name that they use is known where they stand.

use super::lint::{At, Lint};
use crate::text::{Template, names, names_of_condition};

/// The steps before one, which it may name.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    /// Those that could be read.
    pub steps: &'a [At<'a>],
    /// Whether there may be others.
    pub hidden: bool,
}

/// Faults outside of steps: in defaults of inputs and in the deployment. These are filled in before the first step.
pub(super) fn of_file(lint: &mut Lint) {
    let all = &lint.runbook.inputs;
    for (index, input) in all.iter().enumerate() {
        let path = format!("/inputs/{index}/default");
        if let Some(default) = &input.default {
            let known = Known {
                inputs: inputs(lint, index),
                steps: None,
                help: "an input may name inputs before it, and `target`",
            };
            told(lint, &path, &names(&default.0), &known);
        }
    }
    let Some(deployment) = &lint.runbook.deployment else { return };
    let known = Known {
        inputs: inputs(lint, all.len()),
        steps: None,
        help: "the deployment may name `inputs` and `target`: it is looked at before the first step",
    };
    for (path, template) in deployment.helm.templates() {
        told(lint, &format!("/deployment/helm/{path}"), &names(&template.0), &known);
    }
}

/// Faults in a step.
pub(super) fn of_step(lint: &mut Lint, at: &At, before: Before) {
    let known = Known {
        inputs: inputs(lint, lint.runbook.inputs.len()),
        steps: Some((before.steps.iter().map(|at| at.step.id.0.clone()).collect(), before.hidden)),
        help: "there are `inputs`, `target`, `run` and `steps` before this one",
    };
    let mut templates: Vec<&Template> = at.step.action.templates();
    templates.extend(&at.step.consent);
    templates.sort_by(|a, b| a.0.cmp(&b.0));
    templates.dedup();
    for template in templates {
        let used = names(&template.0);
        for place in ["do", "consent"] {
            for path in lint.tree.texts(&format!("{}/{place}", at.path), &|_, text| text == template.0) {
                told(lint, &path, &used, &known);
            }
        }
    }
    if let Some(when) = &at.step.when {
        told(lint, &format!("{}/when", at.path), &names_of_condition(when), &known);
    }
}

/// What may be named.
struct Known {
    /// Ids of inputs; nothing where one could not be read.
    inputs: Option<Vec<String>>,
    /// Ids of steps, where steps may be named, and whether there may be others.
    steps: Option<(Vec<String>, bool)>,
    help: &'static str,
}

/// Ids of the first `count` inputs.
fn inputs(lint: &Lint, count: usize) -> Option<Vec<String>> {
    (!lint.hides_one("/inputs")).then(|| lint.runbook.inputs[..count].iter().map(|input| input.id.clone()).collect())
}

fn told(lint: &mut Lint, path: &str, used: &Result<Vec<String>, String>, known: &Known) {
    let used = match used {
        Ok(used) => used,
        Err(error) => {
            let what = format!("cannot be understood: {error}");
            return lint.fault(path, &[], what, "a value stands as `{{ inputs.name }}`");
        }
    };
    for name in used {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let first = rest.split('.').next().unwrap_or_default().to_owned();
        let holds = match root {
            "inputs" => known.inputs.as_ref().is_none_or(|inputs| inputs.contains(&first)),
            "target" => ["namespace", "context", "environment"].contains(&first.as_str()),
            "steps" => known.steps.as_ref().is_some_and(|(steps, hidden)| *hidden || steps.contains(&first)),
            "run" => known.steps.is_some() && ["id", "short"].contains(&first.as_str()),
            _ => false,
        };
        if root == "secret" {
            let help = "a secret may only go to stdin, a file descriptor, or an http body";
            lint.fault(path, &[], "secret() is not allowed here".to_owned(), help);
        } else if !holds {
            lint.fault(path, &[], format!("{name} is not defined here"), known.help);
        }
    }
}
