//! The run that another goes on from: which one it is, and what of it is taken over. Only reads, but for the end of a run
//! that another one supersedes.

use serde_json::{Map, Value};

use super::launch::{drafts_of, records};
use crate::{
    ports::Identity,
    run::{Record, RunState, StepId, StepState, TakenStep},
    runbook::Continues,
    store::{RunFolder, Runs},
    text::Diagnostic,
};

/// A run, and what another takes over from it.
#[derive(Clone)]
pub struct Source {
    /// Its folder.
    pub folder: RunFolder,
    /// How it stands.
    pub state: RunState,
    /// What is taken over, as the other run's journal has it.
    pub record: Record,
    /// The forms among that.
    pub drafts: Map<String, Value>,
}

/// The newest run on `target` from which an intent of `runbook` can go on, or the one that is named.
///
/// # Errors
/// There is none, and why the newest, or the named one, will not do.
pub fn source(
    runs: &Runs,
    runbook: &str,
    continues: &Continues,
    target: &Identity,
    named: Option<&str>,
) -> Result<Source, Diagnostic> {
    let unreadable =
        |error: &dyn std::fmt::Display| Diagnostic::new("cannot look for other runs").cause(error.to_string());
    let folders = match named {
        Some(name) => vec![runs.find(name).map_err(|error| Diagnostic::new(error.to_string()))?],
        None => runs.list().map_err(|error| unreadable(&error))?,
    };
    let mut why = None;
    for folder in folders.into_iter().rev().filter(|folder| folder.journal().exists()) {
        let state = match records(&folder) {
            Ok(entries) => RunState::of(entries.iter().map(|entry| (entry.at, &entry.record))),
            Err(problem) if named.is_some() => return Err(problem),
            Err(_) => continue,
        };
        match fits(&state, runbook, continues, target) {
            Ok(()) => return taken(folder, state, continues),
            Err(reason) => why = why.or_else(|| reason.map(|reason| format!("{}: {reason}", folder.id))),
        }
    }
    let (intent, place) = (&continues.intent, &target.namespace);
    let problem = Diagnostic::new(match named {
        Some(name) => format!("run {name} is not one that this can go on from"),
        None => format!("there is no run here that this can go on from: {runbook}, {intent}, on {place}"),
    })
    .safe("everything: nothing was begun")
    .help("it must be a run of this state folder, on this very namespace; `drydock runs` lists them");
    Err(why.into_iter().fold(problem, Diagnostic::cause))
}

/// Whether an intent of `runbook` can go on from a run, where that is still about the place that it was about.
pub fn leads_on(state: &RunState, runbook: &str, continues: &Continues) -> bool {
    state.target.as_ref().is_some_and(|target| fits(state, runbook, continues, target).is_ok())
}

/// Whether a run will do; why not, where that is worth telling: one of another kind or place is no news.
fn fits(state: &RunState, runbook: &str, continues: &Continues, target: &Identity) -> Result<(), Option<String>> {
    let Some(of) = &state.runbook else { return Err(None) };
    if of.id != runbook || of.intent != continues.intent {
        return Err(Some(format!("it is of {} ({})", of.id, of.intent)).filter(|_| of.id == runbook));
    }
    if state.target.as_ref().is_none_or(|other| !other.same_place(target)) {
        return Err(Some(format!("it is about another namespace or cluster than {} is now", target.namespace)));
    }
    let done = |id: &&String| matches!(state.step(&StepId((*id).clone())), StepState::Done { .. });
    match continues.steps.iter().find(|id| !done(id)) {
        None => Ok(()),
        Some(id) => {
            let step = state.planned(&StepId(id.clone()));
            let name = step.map_or_else(|| id.clone(), |step| format!("{} {}", step.number, step.title));
            Err(Some(format!("its step {name} is not done, or was put back")))
        }
    }
}

fn taken(folder: RunFolder, state: RunState, continues: &Continues) -> Result<Source, Diagnostic> {
    let of_these = |id: &StepId| continues.steps.contains(&id.0);
    let steps = state.plan.iter().filter(|step| of_these(&step.id)).filter_map(|step| {
        let StepState::Done { at, summary } = state.step(&step.id) else { return None };
        let facts = state.facts.get(&step.id).cloned().unwrap_or_default();
        let mut step = step.clone();
        step.number = format!("{} {}", state.short(), step.number);
        Some(TakenStep { step, at: *at, summary: summary.clone(), facts })
    });
    let mut drafts = drafts_of(&folder, &state)?;
    drafts.retain(|step, _| continues.steps.contains(step));
    let record = Record::TakenOver {
        run: state.run.clone(),
        intent: continues.intent.clone(),
        steps: steps.collect(),
        evidence: state.evidence.iter().filter(|evidence| of_these(&evidence.step)).cloned().collect(),
    };
    Ok(Source { folder, state, record, drafts })
}
