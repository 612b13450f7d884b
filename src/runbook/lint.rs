//! What a reader cannot see: names that lead nowhere, steps out of order, removals without a way back.

use std::collections::BTreeSet;

use super::{
    load::place,
    model::{Intent, Runbook, Step, parse_duration},
};
use crate::{
    actions::{ActionSpec, CheckKind},
    run::Risk,
    text::{Diagnostic, names, names_of_condition},
};

/// A fault with a text by which its place is found.
pub(super) struct Fault {
    what: String,
    help: String,
    /// The step whose block it is in, or none for the file.
    step: Option<String>,
    /// A text of the line.
    needle: String,
}

impl Fault {
    /// As a diagnostic at the line that holds its text, searched from the step's own `id:` on.
    pub(super) fn placed(self, file: &str, text: &str) -> Diagnostic {
        let lines: Vec<&str> = text.lines().collect();
        let from = self
            .step
            .as_ref()
            .and_then(|step| lines.iter().position(|line| line.trim() == format!("- id: {step}")))
            .unwrap_or(0);
        let found = lines.iter().enumerate().skip(from).find(|(_, line)| line.contains(&self.needle));
        let (line, column) =
            found.map_or((from + 1, 1), |(index, line)| (index + 1, line.find(&self.needle).unwrap_or(0) + 1));
        let fault = Diagnostic::new(self.what).at(place(file, text, line as u64, column as u64));
        if self.help.is_empty() { fault } else { fault.help(self.help) }
    }
}

/// All faults.
pub(super) fn lint(runbook: &Runbook) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut file = |what: String, needle: &str| {
        faults.push(Fault { what, help: String::new(), step: None, needle: needle.to_owned() });
    };
    if runbook.format != 1 {
        file(format!("format {} is not known; this version reads format 1", runbook.format), "format:");
    }
    if runbook.intents.is_empty() {
        file("there is no intent".to_owned(), "intents:");
    }
    let mut seen = BTreeSet::new();
    for input in &runbook.inputs {
        if !seen.insert(&input.id) {
            file(format!("input {} is there twice", input.id), &format!("id: {}", input.id));
        }
    }
    for intent in &runbook.intents {
        steps(runbook, intent, &mut faults);
    }
    faults
}

fn steps(runbook: &Runbook, intent: &Intent, faults: &mut Vec<Fault>) {
    let all: Vec<&Step> = intent.steps().map(|(_, _, step)| step).collect();
    let mut before: Vec<&str> = Vec::new();
    let mut asked = false;
    for step in &all {
        let id = step.id.0.as_str();
        let mut fault = |what: String, needle: &str, help: &str| {
            faults.push(Fault { what, help: help.to_owned(), step: Some(id.to_owned()), needle: needle.to_owned() });
        };
        if before.contains(&id) {
            fault(format!("step {id} is there twice"), id, "each step needs an id of its own");
        }
        if !id.starts_with(|c: char| c.is_ascii_lowercase())
            || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            fault(format!("{id:?} is no step id"), id, "lower-case letters, digits and `_`, a letter first");
        }
        if parse_duration(&step.estimate).is_none() {
            fault(format!("{:?} is no duration", step.estimate), "estimate:", "as `40 s`, `10 min` or `2 h`");
        }
        if runbook.deployment.is_none() && needs_deployment(&step.action) {
            fault(
                format!("`{}` needs the section `deployment`, which is not there", step.action.kind()),
                step.action.kind(),
                "",
            );
        }
        for (key, name) in references(runbook, step) {
            if !before.contains(&name) {
                let known = all.iter().any(|other| other.id.0 == name);
                let what = if known {
                    format!("`{key}` names step {name}, which comes later or is this one")
                } else {
                    format!("`{key}` names step {name}, which is not in this intent")
                };
                fault(what, name, "a step can only rest on steps before it");
            } else if let Some(wanted) = kind_of(key)
                && let Some(other) = all.iter().find(|other| other.id.0 == name)
                && other.action.kind() != wanted
            {
                let what =
                    format!("`{key}` names step {name}, which is of kind `{}`, not `{wanted}`", other.action.kind());
                fault(what, name, "");
            }
        }
        match step.risk {
            Risk::Reversible | Risk::Irreversible if step.undo.is_empty() => {
                fault(format!("step {id} changes something and does not say how it is undone"), "risk:", "add `undo:`");
            }
            Risk::Irreversible if step.requires.proven.is_empty() => {
                fault(
                    format!("step {id} is irreversible and requires no proof"),
                    "risk:",
                    "add `requires: {proven: […]}`",
                );
            }
            Risk::None | Risk::Reversible | Risk::Irreversible => {}
        }
        if matches!(step.action, ActionSpec::Delete(_)) && step.risk != Risk::Irreversible {
            fault(format!("step {id} deletes and is not marked irreversible"), "do:", "add `risk: irreversible`");
        }
        asked |= !step.consent.is_empty() || matches!(step.action, ActionSpec::Confirm(_) | ActionSpec::Delete(_));
        if step.risk != Risk::None && !asked {
            fault(
                format!("step {id} changes something, and nothing up to it asks the operator"),
                "risk:",
                "add `consent: [what begins with it]`, or a `confirm` before it",
            );
        }
        if let ActionSpec::Check(spec) = &step.action {
            let has = |kind| spec.checks.contains(&kind);
            if (has(CheckKind::Captured) || has(CheckKind::SettingsUnchanged)) && spec.captured.is_empty() {
                fault("the check does not say which captures it looks at".to_owned(), "check:", "add `captured: […]`");
            }
            if has(CheckKind::Quiet) && spec.dump.is_none() {
                fault("the check does not say since which dump".to_owned(), "check:", "add `dump: …`");
            }
        }
        for text in step.action.templates().into_iter().chain(&step.consent) {
            variables(runbook, &before, &names(&text.0), &mut |what| fault(what, &text.0, ""));
        }
        if let Some(when) = &step.when {
            variables(runbook, &before, &names_of_condition(when), &mut |what| fault(what, when, ""));
        }
        before.push(id);
    }
}

/// Names that a template or condition uses must be known where it stands.
fn variables(runbook: &Runbook, before: &[&str], names: &Result<Vec<String>, String>, fault: &mut dyn FnMut(String)) {
    let names = match names {
        Ok(names) => names,
        Err(error) => return fault(format!("cannot be understood: {error}")),
    };
    for name in names {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let first = rest.split('.').next().unwrap_or_default();
        let known = match root {
            "inputs" => runbook.inputs.iter().any(|input| input.id == first),
            "target" => ["namespace", "context", "environment"].contains(&first),
            "steps" => before.contains(&first),
            "run" => ["id", "short"].contains(&first),
            _ => false,
        };
        if root == "secret" {
            fault(
                "secret() is not allowed here: a secret may only go to stdin, a file descriptor, or an http body"
                    .to_owned(),
            );
        } else if !known {
            fault(format!("{name} is not defined here"));
        }
    }
}

/// The kind that a step must be of to be named by this key, where only one will do.
fn kind_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "helm.captured" => "capture",
        "set_file" | "from" => "ask",
        "dump" => "dump",
        "proven_by" => "rehearse",
        "keep_volumes" => "patch",
        "checked_by" => "check",
        "as_before" => "scale",
        "delete" => "delete",
        _ => return None,
    })
}

fn needs_deployment(action: &ActionSpec) -> bool {
    match action {
        ActionSpec::Confirm(_) | ActionSpec::Manual(_) => false,
        ActionSpec::Run(spec) => spec.on == crate::actions::Place::Core,
        ActionSpec::Ask(spec) => spec.found.is_some() || spec.agrees_with_core,
        _ => true,
    }
}

/// Steps that a step names, with the key that names them.
fn references<'a>(runbook: &'a Runbook, step: &'a Step) -> Vec<(&'static str, &'a str)> {
    let requires = &step.requires;
    let mut found: Vec<(&'static str, &'a str)> = Vec::new();
    for (key, list) in [("captured", &requires.captured), ("proven", &requires.proven), ("steps", &requires.steps)] {
        found.extend(list.iter().map(|name| (key, name.as_str())));
    }
    found.extend(step.action.references());
    if step.action.installs() {
        found.extend(runbook.deployment.iter().flat_map(|deployment| deployment.helm.references()));
    }
    found
}
