//! A step before it runs: what it would do and what it needs, from the runbook and the target alone. The plan is made of it.

use super::deployment::Deployment;
use crate::{ports::Right, run::StepId, text::Template};

/// What the steps of a plan need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Rights, each once.
    pub rights: Vec<Right>,
    /// Rights without which it goes on in another way, each once.
    pub optional: Vec<Right>,
    /// Programs on this machine, each once.
    pub programs: Vec<String>,
    /// Name of the scratch namespace, where one is made.
    pub scratch: Option<String>,
    /// Name of the namespace beside the target that the deployment is installed in, where it is.
    pub beside: Option<String>,
    /// Steps that let others rest who act on the deployment.
    pub pausing: Vec<StepId>,
}

/// What planning knows.
pub struct PlanCx<'a> {
    /// Namespace that the step works in.
    pub namespace: &'a str,
    /// The deployment.
    pub deployment: Option<&'a Deployment>,
    /// Renders a template, or says what is not known yet.
    pub render: &'a (dyn Fn(&Template) -> Result<String, String> + Sync),
}

impl PlanCx<'_> {
    /// A template's value, or `<not known yet: …>`.
    pub fn show(&self, template: &Template) -> String {
        (self.render)(template).unwrap_or_else(|unknown| format!("<not known yet: {unknown}>"))
    }
}

/// A step before it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// What it would do; equivalent commands begin with `$ `.
    pub commands: Vec<String>,
    /// What is not known yet, and which step will tell.
    pub unknown: Vec<String>,
    /// Rights it needs in the target namespace (or cluster).
    pub rights: Vec<Right>,
    /// Rights without which it does it in another way, which it asks for then.
    pub optional: Vec<Right>,
    /// Programs it runs on this machine.
    pub programs: Vec<String>,
}

/// A right in `namespace` (or, with none, in the cluster): `right("get", "", "pods", "log", Some(ns))`.
pub fn right(verb: &str, group: &str, resource: &str, subresource: &str, namespace: Option<&str>) -> Right {
    Right {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        namespace: namespace.map(str::to_owned),
    }
}
