//! Which run a target belongs to: the one whose plan was approved, until it is at its end. Of this installation only; called
//! by `cli` before it begins or goes on, and by the ledger when a plan is approved.

use super::launch::{give_up, own, records};
use crate::{
    ports::Identity,
    run::{Record, RunState},
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
        let same = state.target.as_ref().is_some_and(|of| of.same_place(target));
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

/// Ends the run `other`, from which `own` goes on, unless it is at its end.
///
/// # Errors
/// `held by …`, or its journal cannot be read or written.
pub(super) fn supersede(runs: &Runs, other: &str, own_id: &str) -> Result<(), Diagnostic> {
    let folder = runs.find(other).map_err(|error| {
        Diagnostic::new(format!("the run {other} that this one goes on from is not here any more"))
            .cause(error.to_string())
            .safe("everything: nothing was changed")
    })?;
    if fold(&folder)?.is_at_end() {
        return Ok(());
    }
    let _lock = own(&folder)?;
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
