//! What there is before anything begins, read together for the door: runs, procedures, contexts, the vault.

use super::{
    Failure, Global, reach,
    runs::{fold, holder, word},
};
use crate::{
    app::door::{Context, Further, Procedure, Shelf, Unfinished},
    cluster::contexts,
    ports::Identity,
    run::{Purpose, RunState},
    runbook::{EMBEDDED, Intent, Runbook, load},
    runner::fits,
    store::{Paths, RunFolder},
    text::Diagnostic,
    vault::{Vault, VaultError},
};

/// Every run that can be read, oldest first.
pub fn states(global: &Global) -> Result<Vec<(RunFolder, RunState)>, Failure> {
    let runs = Paths::resolve(global.state_dir.clone())?.runs().list()?;
    let read = |run: RunFolder| fold(&run).ok().map(|(state, _)| (run, state));
    Ok(runs.into_iter().filter(|run| run.journal().exists()).filter_map(read).collect())
}

pub fn shelf(global: &Global, known: &[(RunFolder, RunState)]) -> Result<Shelf, Failure> {
    let paths = Paths::resolve(global.state_dir.clone())?;
    let (mut runs, mut past) = (Vec::new(), Vec::new());
    for (run, state) in known.iter().rev() {
        let (id, word) = (run.id.to_string(), word(state, holder(run).as_ref()));
        let namespace = state.target.as_ref().map_or("", |target| target.namespace.as_str());
        if state.is_at_end() {
            past.push(format!("{id}   {namespace}   {word}"));
            continue;
        }
        runs.push(Unfinished {
            title: state.runbook.as_ref().map_or_else(String::new, |of| format!("{}, {}", of.title, of.intent)),
            place: format!("{namespace} @ {} · {}", state.context, state.environment),
            now: word,
            id,
        });
    }
    let (contexts, no_context) = match contexts(None) {
        Ok(found) => (found, Vec::new()),
        Err(error) => (Vec::new(), reach::no_context(error).problems.iter().flat_map(Diagnostic::lines).collect()),
    };
    let contexts = contexts
        .into_iter()
        .map(|context| Context { name: context.name, server: context.server, current: context.current })
        .collect();
    // a world that was practised in, or a run that cannot be read, is something that was written here
    let practised = Paths::practice(global.state_dir.clone())?.state.exists();
    let used = practised || paths.runs().list()?.iter().any(|run| run.journal().exists());
    Ok(Shelf {
        runs,
        procedures: runbooks().iter().flat_map(|(_, runbook)| procedures(runbook, known)).collect(),
        further: further(known),
        vault: vault(&paths),
        past,
        contexts,
        no_context,
        used,
        typed: global.typed(),
    })
}

/// What of a runbook can be begun: what goes on from a run is offered after that one, but a backup can be restored anywhere.
fn procedures(runbook: &Runbook, known: &[(RunFolder, RunState)]) -> impl Iterator<Item = (Procedure, String, String)> {
    let is_offered = |intent: &&Intent| match &intent.continues {
        None => true,
        Some(of) => of.purpose == Purpose::Restore && known.iter().any(|(_, run)| fits(run, &runbook.id, of).is_ok()),
    };
    runbook.intents.iter().filter(is_offered).map(|intent| {
        let of = Procedure { runbook: runbook.id.clone(), intent: intent.id.clone() };
        (of, runbook.title.clone(), intent.title.to_lowercase())
    })
}

/// What can be done after the newest run of each target.
fn further(known: &[(RunFolder, RunState)]) -> Vec<Further> {
    let (mut found, mut seen) = (Vec::new(), Vec::<&Identity>::new());
    for (run, state) in
        known.iter().rev().filter(|(_, state)| state.has_changed() && !state.practice && !state.imported)
    {
        let (Some(target), Some(of)) = (&state.target, &state.runbook) else { continue };
        if seen.iter().any(|other| other.same_place(target)) {
            continue;
        }
        seen.push(target);
        let Some(runbook) = self::of(&of.id) else { continue };
        let leads = |intent: &&Intent| {
            let of = intent.continues.as_ref().filter(|of| of.purpose != Purpose::Restore);
            of.is_some_and(|of| fits(state, &runbook.id, of).is_ok())
        };
        found.extend(runbook.intents.iter().filter(leads).map(|intent| Further {
            runbook: runbook.id.clone(),
            intent: intent.id.clone(),
            title: format!("{}: {}", runbook.title, intent.title),
            run: run.id.to_string(),
            context: state.context.clone(),
            namespace: target.namespace.clone(),
            environment: state.environment,
        }));
    }
    found
}

pub fn runbooks() -> Vec<(&'static str, Runbook)> {
    EMBEDDED.iter().filter_map(|(id, text)| Some((*id, load(id, text).ok()?.runbook))).collect()
}

fn vault(paths: &Paths) -> String {
    match Vault::new(paths.data.clone()).inspect() {
        Ok(_) => "locked".to_owned(),
        Err(VaultError::Missing { .. }) => "none yet; the first run makes it".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// An embedded runbook.
pub fn of(id: &str) -> Option<Runbook> {
    runbooks().into_iter().find(|(known, _)| *known == id).map(|(_, runbook)| runbook)
}
