//! A run that was made elsewhere, from its papers: whole under its own id, or not there at all.

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;

use super::launch::records;
use crate::{
    run::Record,
    runbook::load,
    store::{FileLock, Journal, RunFolder, Runs, Wait, ensure_private_folder, sync_folder},
    text::Diagnostic,
};

/// Ending of a run's folder until it is whole: no run is named like this.
const PART: &str = "part";
/// Longest wait for another import, or for a run that claims its target.
const CLAIM: Duration = Duration::from_secs(30);

/// Makes the run `id` here. `fill` writes its papers and artifacts into the folder that it is given; `from` says in words where
/// they come from.
///
/// # Errors
/// There is such a run, its papers are not those of that run, it is one of the practice world, or it cannot be written. Then
/// nothing of it is left here.
pub fn take_in(
    runs: &Runs,
    id: &str,
    from: String,
    fill: impl FnOnce(&Path) -> Result<(), Diagnostic>,
) -> Result<RunFolder, Diagnostic> {
    let folder = runs.place_of(id).map_err(|error| Diagnostic::new(error.to_string()))?;
    let all = folder.path.parent().unwrap_or(&folder.path);
    ensure_private_folder(all).map_err(|error| wrong(id, &error))?;
    let _lock = FileLock::acquire(&runs.claims(), Wait::UpTo(CLAIM)).map_err(|error| wrong(id, &error))?;
    if folder.path.exists() {
        return Err(Diagnostic::new(format!("run {id} is here already")).safe("it: nothing was taken in"));
    }
    // what a killed import left goes first: a dump in the clear is among it
    for entry in fs::read_dir(all).map_err(|error| wrong(id, &error))?.flatten() {
        if entry.path().extension().is_some_and(|ending| ending == PART) {
            fs::remove_dir_all(entry.path()).map_err(|error| wrong(id, &error))?;
        }
    }
    let part = RunFolder { id: folder.id.clone(), path: all.join(format!("{id}.{PART}")) };
    let made = make(&part, id, from, fill);
    if made.is_err() {
        let _ = fs::remove_dir_all(&part.path);
    }
    made?;
    fs::rename(&part.path, &folder.path).map_err(|error| wrong(id, &error))?;
    sync_folder(all).map_err(|error| wrong(id, &error))?;
    Ok(folder)
}

fn wrong(id: &str, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new(format!("run {id} cannot be taken in"))
        .cause(error.to_string())
        .safe("the runs that are here already")
}

fn make(
    part: &RunFolder,
    id: &str,
    from: String,
    fill: impl FnOnce(&Path) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    for folder in [part.path.clone(), part.artifacts(), part.evidence(), part.outputs()] {
        ensure_private_folder(&folder).map_err(|error| wrong(id, &error))?;
    }
    fill(&part.path)?;
    let entries = records(part)?;
    let refused = |what: String| Diagnostic::new(what).safe("everything: nothing was taken in");
    match entries.first().map(|entry| &entry.record) {
        Some(Record::Started { practice: true, .. }) => {
            return Err(refused(format!("run {id} is of the practice world"))
                .proves("its dump and its proofs are simulated: they say nothing of anything real"));
        }
        Some(Record::Started { run, .. }) if run == id => {}
        _ => return Err(refused(format!("the papers are not those of run {id}"))),
    }
    let text = fs::read_to_string(part.runbook()).map_err(|error| wrong(id, &error))?;
    load("runbook.yaml", &text).map_err(|faults| {
        faults.into_iter().next().unwrap_or_else(|| Diagnostic::new("the runbook of that run has faults"))
    })?;
    let (mut journal, _) = Journal::<Record>::open(&part.journal()).map_err(|error| wrong(id, &error))?;
    let imported = Record::Imported { by: crate::ports::operator(), from };
    journal.append(Timestamp::now(), &imported).map_err(|error| wrong(id, &error))?;
    for folder in [part.artifacts(), part.path.clone()] {
        sync_folder(&folder).map_err(|error| wrong(id, &error))?;
    }
    Ok(())
}
