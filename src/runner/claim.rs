//! Which run a target belongs to: the one whose plan was approved, until it is at its end. Of this installation only; called
//! by `cli` before it begins or goes on, and by the ledger when a plan is approved.

use super::launch::records;
use crate::{
    ports::Identity,
    run::RunState,
    store::{RunFolder, Runs},
    text::Diagnostic,
};

/// Refuses a run on a target that another one, not `own`, has: each would work on what the other changes.
///
/// # Errors
/// Which run has it, and how to go on with it or give it up; or the folder of runs cannot be read.
pub fn refuse_second(runs: &Runs, target: &Identity, own: &str) -> Result<(), Diagnostic> {
    if target.namespace_uid.is_empty() {
        return Ok(());
    }
    let listed = runs.list().map_err(|error| Diagnostic::new("cannot look for other runs").cause(error.to_string()))?;
    for run in listed.into_iter().filter(|run| run.id.as_str() != own && run.journal().exists()) {
        // a run that cannot be read says so when it is resumed
        let Ok(state) = fold(&run) else { continue };
        let same = state.target.as_ref().is_some_and(|of| of.same_place(target));
        if same && state.approved && !state.is_at_end() {
            let (id, namespace) = (state.short(), &target.namespace);
            return Err(Diagnostic::new(format!("run {} on {namespace} is not at its end", run.id))
                .proves("two runs on one target would each work on what the other changes")
                .safe("everything: nothing was changed")
                .help(format!("go on with it: drydock resume {id}"))
                .help(format!("or give it up: drydock abandon {id} --reason WHY")));
        }
    }
    Ok(())
}

fn fold(run: &RunFolder) -> Result<RunState, Diagnostic> {
    let mut state = RunState::default();
    for entry in records(run)? {
        state.apply(entry.at, &entry.record);
    }
    Ok(state)
}
