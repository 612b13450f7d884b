//! A run that was made elsewhere, from its papers: whole under its own id, or not there at all.

use std::{fs, path::Path};

use jiff::Timestamp;

use super::launch::records;
use crate::{
    run::Record,
    runbook::load,
    store::{Journal, RunFolder, Runs, ensure_private_folder, sync_folder},
    text::Diagnostic,
};

/// Makes the run `id` here. `fill` writes its papers and artifacts into the folder that it is given; `from` says in words where
/// they come from.
///
/// # Errors
/// There is such a run, its papers are not those of that run, or they cannot be written. Then nothing of it is left here.
pub fn take_in(
    runs: &Runs,
    id: &str,
    from: String,
    fill: impl FnOnce(&Path) -> Result<(), Diagnostic>,
) -> Result<RunFolder, Diagnostic> {
    let folder = runs.place_of(id).map_err(|error| Diagnostic::new(error.to_string()))?;
    if folder.path.exists() {
        return Err(Diagnostic::new(format!("run {id} is here already")).safe("it: nothing was taken in"));
    }
    // no run is named like this, so a cut import is never taken for one
    let part = RunFolder { id: folder.id.clone(), path: folder.path.with_extension("part") };
    let made = make(&part, id, from, fill);
    if made.is_err() {
        let _ = fs::remove_dir_all(&part.path);
    }
    made?;
    let wrong =
        |error: std::io::Error| Diagnostic::new(format!("run {id} cannot be taken in")).cause(error.to_string());
    fs::rename(&part.path, &folder.path).map_err(wrong)?;
    let above = folder.path.parent().unwrap_or(&folder.path);
    sync_folder(above).map_err(|error| Diagnostic::new(error.to_string()))?;
    Ok(folder)
}

fn make(
    part: &RunFolder,
    id: &str,
    from: String,
    fill: impl FnOnce(&Path) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    let wrong = |error: &dyn std::fmt::Display| {
        Diagnostic::new(format!("run {id} cannot be taken in")).cause(error.to_string())
    };
    if part.path.exists() {
        fs::remove_dir_all(&part.path).map_err(|error| wrong(&error))?;
    }
    for folder in [part.path.clone(), part.artifacts(), part.evidence(), part.outputs()] {
        ensure_private_folder(&folder).map_err(|error| wrong(&error))?;
    }
    fill(&part.path)?;
    let entries = records(part)?;
    let is_it = matches!(entries.first().map(|entry| &entry.record), Some(Record::Started { run, .. }) if run == id);
    if !is_it {
        return Err(
            Diagnostic::new(format!("the papers are not those of run {id}")).safe("everything: nothing was taken in")
        );
    }
    let text = fs::read_to_string(part.runbook()).map_err(|error| wrong(&error))?;
    load("runbook.yaml", &text).map_err(|faults| {
        faults.into_iter().next().unwrap_or_else(|| Diagnostic::new("the runbook of that run has faults"))
    })?;
    let (mut journal, _) = Journal::<Record>::open(&part.journal()).map_err(|error| wrong(&error))?;
    let imported = Record::Imported { by: crate::ports::operator(), from };
    journal.append(Timestamp::now(), &imported).map_err(|error| wrong(&error))?;
    Ok(())
}
