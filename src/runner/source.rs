//! The run that another goes on from: which one it is, and what of it is taken over. Only reads.

use serde_json::{Map, Value};

use super::launch::{drafts_of, records};
use crate::{
    ports::Identity,
    run::{Purpose, Record, RunState, StepId, StepState, TakenStep},
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

impl Source {
    /// What it is gone on from for.
    pub fn purpose(&self) -> Purpose {
        match &self.record {
            Record::TakenOver { purpose, .. } => *purpose,
            _ => Purpose::WayBack,
        }
    }
}

/// The newest run on `target` that changed something, where an intent of `runbook` can go on from it. `named`: the one it has
/// to be.
///
/// # Errors
/// There is none, it is another one than the named, or it will not do, and why; or a newer one cannot be read.
pub fn source(
    runs: &Runs,
    runbook: &str,
    continues: &Continues,
    target: &Identity,
    named: Option<&str>,
) -> Result<Source, Diagnostic> {
    let unreadable =
        |error: &dyn std::fmt::Display| Diagnostic::new("cannot look for other runs").cause(error.to_string());
    let wanted = named.map(|name| runs.find(name).map_err(|error| Diagnostic::new(error.to_string()))).transpose()?;
    let refused = |what: String| {
        Diagnostic::new(what)
            .safe("everything: nothing was begun")
            .help("it must be the newest run of this state folder that changed this very namespace; `drydock runs` lists them")
    };
    if continues.purpose == Purpose::Restore {
        return backup(runs, runbook, continues, target, wanted.as_ref());
    }
    for folder in runs.list().map_err(|error| unreadable(&error))?.into_iter().rev() {
        if !folder.journal().exists() {
            continue;
        }
        // one that cannot be read may be the one that changed it last
        let entries = records(&folder)?;
        let state = RunState::of(entries.iter().map(|entry| (entry.at, &entry.record)));
        // what was made elsewhere changed nothing in the name of this installation
        if state.imported || !state.has_changed() || state.target.as_ref().is_none_or(|other| !other.same_place(target))
        {
            continue;
        }
        if let Some(wanted) = wanted.as_ref().filter(|wanted| wanted.id != folder.id) {
            return Err(refused(format!("run {} is not the last one that changed {}", wanted.id, target.namespace))
                .cause(format!("run {} came after it", folder.id)));
        }
        return match fits(&state, runbook, continues) {
            Ok(()) => taken(folder, state, continues),
            Err(reason) => Err(refused(format!("nothing can go on from run {} like this", folder.id)).cause(reason)),
        };
    }
    let (intent, place) = (&continues.intent, &target.namespace);
    Err(refused(format!("there is no run here that this can go on from: {runbook}, {intent}, on {place}")))
}

/// The backup that is put back: the named one, else the newest of this very place. What happened here since does not matter to
/// it; but what it brings back carries the name of its namespace.
fn backup(
    runs: &Runs,
    runbook: &str,
    continues: &Continues,
    target: &Identity,
    named: Option<&RunFolder>,
) -> Result<Source, Diagnostic> {
    let refused = |what: String| Diagnostic::new(what).safe("everything: nothing was begun");
    let listed = runs.list().map_err(|error| Diagnostic::new("cannot look for backups").cause(error.to_string()))?;
    let asked = listed.into_iter().filter(|folder| named.is_none_or(|named| named.id == folder.id));
    let mut newest: Option<(RunFolder, RunState)> = None;
    for folder in asked.filter(|folder| folder.journal().exists()) {
        let entries = match records(&folder) {
            Ok(entries) => entries,
            Err(problem) if named.is_some() => return Err(problem),
            // another backup is no worse for this one that cannot be read
            Err(_) => continue,
        };
        let state = RunState::of(entries.iter().map(|entry| (entry.at, &entry.record)));
        let Some(of) = &state.target else { continue };
        let reason = match fits(&state, runbook, continues) {
            Ok(()) if of.namespace == target.namespace => {
                let is_newer = newest.as_ref().is_none_or(|(_, other)| other.times < state.times);
                if is_newer && (named.is_some() || of.same_place(target)) {
                    newest = Some((folder, state));
                }
                continue;
            }
            Ok(()) => format!("it is of namespace {}, and what it brings back says so in many places", of.namespace),
            Err(reason) => reason,
        };
        if named.is_some() {
            return Err(refused(format!("run {} cannot be restored here", folder.id)).cause(reason));
        }
    }
    if let Some((folder, state)) = newest {
        return taken(folder, state, continues);
    }
    Err(refused(format!("there is no backup here of this very place: {runbook}, namespace {}", target.namespace))
        .help("`drydock backup import FOLDER` takes in a recovery set; one of another cluster is named with --of RUN"))
}

/// Whether an intent of `runbook` can go on from a run; why not, in words.
pub fn fits(state: &RunState, runbook: &str, continues: &Continues) -> Result<(), String> {
    let Some(of) = &state.runbook else { return Err("it has no first record".to_owned()) };
    if of.id != runbook || of.intent != continues.intent {
        return Err(format!("it is of {} ({}), not of {runbook} ({})", of.id, of.intent, continues.intent));
    }
    match continues.purpose {
        Purpose::ClearUp if !state.finished => {
            return Err("it is not finished: what it kept is still its way back".to_owned());
        }
        Purpose::WayBack if !state.removal_begun() => {
            return Err("it removed nothing: a roll back or `abandon` puts back what it changed".to_owned());
        }
        Purpose::WayBack | Purpose::ClearUp | Purpose::Restore => {}
    }
    let done = |id: &&String| matches!(state.step(&StepId((*id).clone())), StepState::Done { .. });
    match continues.steps.iter().find(|id| !done(id)) {
        None => Ok(()),
        Some(id) => {
            let step = state.planned(&StepId(id.clone()));
            let name = step.map_or_else(|| id.clone(), |step| format!("{} {}", step.number, step.title));
            Err(format!("its step {name} is not done, or was put back"))
        }
    }
}

fn taken(folder: RunFolder, state: RunState, continues: &Continues) -> Result<Source, Diagnostic> {
    let of_these = |id: &StepId| continues.steps.contains(&id.0);
    let steps = state.plan.iter().filter(|step| of_these(&step.id)).filter_map(|step| {
        let StepState::Done { at, summary } = state.step(&step.id) else { return None };
        let mut facts = state.facts.get(&step.id).cloned().unwrap_or_default();
        // whoever it paused acts again since its end: what rests by now rests by somebody else's will
        if state.finished
            && let Some(facts) = facts.as_object_mut()
        {
            facts.remove("others");
        }
        let mut step = step.clone();
        step.number = format!("{} {}", state.short(), step.number);
        Some(TakenStep { step, at: *at, summary: summary.clone(), facts })
    });
    let mut drafts = drafts_of(&folder, &state)?;
    drafts.retain(|step, _| continues.steps.contains(step));
    let record = Record::TakenOver {
        run: state.run.clone(),
        intent: continues.intent.clone(),
        purpose: continues.purpose,
        records: state.records,
        steps: steps.collect(),
        evidence: state.evidence.iter().filter(|evidence| of_these(&evidence.step)).cloned().collect(),
    };
    Ok(Source { folder, state, record, drafts })
}
