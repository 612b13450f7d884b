//! What is there before anything begins: runs, procedures, contexts. Plain data that `cli` reads together.

use crate::{run::Environment, text::Typed};

/// What is to be done: an intent of a runbook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Procedure {
    /// Id of the runbook.
    pub runbook: String,
    /// Id of the intent; empty for the first.
    pub intent: String,
}

/// A run that is not at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its id.
    pub id: String,
    /// Its runbook's title.
    pub title: String,
    /// Namespace, context, environment.
    pub place: String,
    /// Where it stands.
    pub now: String,
}

/// What can be done after a run, on its own target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Further {
    /// Id of the runbook.
    pub runbook: String,
    /// The intent that goes on from it.
    pub intent: String,
    /// The runbook's title and the intent's.
    pub title: String,
    /// The run.
    pub run: String,
    /// Its context.
    pub context: String,
    /// Its namespace.
    pub namespace: String,
    /// What it counted as.
    pub environment: Environment,
}

/// A context of the kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Address of its server.
    pub server: String,
    /// Whether the kubeconfig names it as the current one.
    pub current: bool,
}

/// What is there before anything begins.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// Runs that are not at their end, the newest first.
    pub runs: Vec<Unfinished>,
    /// What can be begun, with the runbook's title and what the intent is for.
    pub procedures: Vec<(Procedure, String, String)>,
    /// What can be done after a run.
    pub further: Vec<Further>,
    /// How the vault stands, in a few words.
    pub vault: String,
    /// Runs that are over, a line each.
    pub past: Vec<String>,
    /// Contexts of the kubeconfig.
    pub contexts: Vec<Context>,
    /// Why there is none, in lines.
    pub no_context: Vec<String>,
    /// Whether anything was written here, a practice world as well.
    pub used: bool,
    /// How a command that finds all this is typed.
    pub typed: Typed,
}
