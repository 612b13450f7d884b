//! Which run a target belongs to: the one whose plan was approved, until it is at its end. Of this installation only; called
//! by `cli` before it begins or goes on, and by the ledger when a plan is approved.

use super::launch::{give_up, own, records};
use crate::{
    ports::Identity,
    run::{Purpose, Record, RunState, Taken},
    store::{RunFolder, Runs},
    text::{Diagnostic, Typed},
};

/// Refuses a run on a target that another one, none of `own`, has: each would work on what the other changes. `typed` is how a
/// command that finds the other is typed.
///
/// # Errors
/// Which run has it, and how to go on with it or give it up; or the folder of runs cannot be read.
pub fn refuse_second(runs: &Runs, target: &Identity, own: &[&str], typed: &Typed) -> Result<(), Diagnostic> {
    if target.namespace_uid.is_empty() {
        return Ok(());
    }
    let listed = runs.list().map_err(|error| Diagnostic::new("cannot look for other runs").cause(error.to_string()))?;
    for run in listed.into_iter().filter(|run| !own.contains(&run.id.as_str()) && run.journal().exists()) {
        let state = match fold(&run) {
            Ok(state) => state,
            Err(problem) if first_target(&run).is_none_or(|of| of.same_place(target)) => {
                return Err(Diagnostic::new(format!("run {} may be at work on {}", run.id, target.namespace))
                    .cause(problem.what)
                    .proves("its journal cannot be read to its end, so nobody can say that it is over")
                    .safe("everything: nothing was changed")
                    .help(format!("look at it, then move its folder elsewhere: {}", run.path.display())));
            }
            Err(_) => continue,
        };
        let same = state.target.iter().any(|of| of.same_place(target)) || state.works_in(target);
        if same && state.approved && !state.is_at_end() {
            let (id, namespace) = (state.short(), &target.namespace);
            return Err(Diagnostic::new(format!("run {} on {namespace} is not at its end", run.id))
                .proves("two runs on one target would each work on what the other changes")
                .safe("everything: nothing was changed")
                .help(format!("go on with it: {}", typed.command(&format!("resume {id}"))))
                .help(format!("or give it up: {}", typed.command(&format!("abandon {id} --reason WHY")))));
        }
    }
    Ok(())
}

/// Ends the run `other`, from which `own_id` goes on and is about to change something, unless it is at its end.
///
/// # Errors
/// It went on since, is at work in another process, or its journal cannot be read or written.
pub(super) fn supersede(runs: &Runs, other: &Taken, own_id: &str) -> Result<(), Diagnostic> {
    let safe = "everything: nothing was changed";
    // a backup stays what it is, and whatever happened since is no concern of it
    if other.purpose == Purpose::Restore {
        return Ok(());
    }
    let folder = runs.find(&other.run).map_err(|error| {
        Diagnostic::new(format!("the run {} that this one goes on from is not here any more", other.run))
            .cause(error.to_string())
            .safe(safe)
    })?;
    let _lock = own(&folder)?;
    let state = fold(&folder)?;
    // given up by this very run before it was killed
    let by_us = state.abandoned && state.records == other.records + 1;
    if state.records != other.records && !by_us {
        return Err(Diagnostic::new(format!("the run {} went on since this one took over from it", other.run))
            .proves("what was taken over need not be true any more")
            .safe(safe)
            .help("give this run up, and begin it again from what that one has done by now"));
    }
    // one at its end writes nothing more, whatever others did on its target since
    for run in runs.list().map_err(|error| Diagnostic::new("cannot look for other runs").cause(error.to_string()))? {
        if [other.run.as_str(), own_id].contains(&run.id.as_str()) || !run.journal().exists() {
            continue;
        }
        let later = fold(&run)?;
        let same = state.target.as_ref().zip(later.target.as_ref()).is_some_and(|(ours, of)| ours.same_place(of));
        if same
            && !later.imported
            && later.has_changed()
            && later.times.map(|(_, last)| last) > state.times.map(|(_, last)| last)
        {
            return Err(Diagnostic::new(format!("run {} changed the target after {} did", run.id, other.run))
                .proves("what was taken over need not be true any more")
                .safe(safe)
                .help("give this run up; what can be done now is offered at home"));
        }
    }
    if state.is_at_end() {
        return Ok(());
    }
    give_up(&folder, crate::ports::operator(), format!("run {own_id} goes on from it"))
}

/// The target that the first line names, if that much can be read.
fn first_target(run: &RunFolder) -> Option<Identity> {
    let text = std::fs::read_to_string(run.journal()).ok()?;
    let mut first: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
    match serde_json::from_value(first["record"].take()).ok()? {
        Record::Started { target, .. } => Some(*target),
        _ => None,
    }
}

fn fold(run: &RunFolder) -> Result<RunState, Diagnostic> {
    let entries = records(run)?;
    Ok(RunState::of(entries.iter().map(|entry| (entry.at, &entry.record))))
}
