//! `--adopt FILE…`: files that were made elsewhere become the inputs of the intent that takes such files over.

use super::{
    Failure,
    target::{TargetArgs, intent, runbook},
};
use crate::runbook::{Input, InputKind, Intent, Runbook};

/// Puts the files into the inputs they stand for, in the order of the runbook; without an intent, chooses the one that takes files
/// over.
///
/// # Errors
/// An intent that takes none, or another number of files than it takes.
pub fn settle(args: &mut TargetArgs) -> Result<(), Failure> {
    if args.adopt.is_empty() {
        return Ok(());
    }
    let loaded = runbook(args)?;
    let of = chosen(&loaded.runbook, &args.intent)?;
    let wanted: Vec<&Input> = takes(&loaded.runbook, of).collect();
    if wanted.len() != args.adopt.len() {
        let titles: Vec<&str> = wanted.iter().map(|input| input.title.as_str()).collect();
        let (count, given) = (wanted.len(), args.adopt.len());
        return Err(Failure::usage(format!(
            "--adopt takes {count} files for {}, {given} given; in this order: {}",
            of.id,
            titles.join(", ")
        )));
    }
    let pairs = wanted.iter().zip(&args.adopt).map(|(input, file)| format!("{}={}", input.id, file.display()));
    let pairs: Vec<String> = pairs.collect();
    args.intent.clone_from(&of.id);
    args.set.extend(pairs);
    args.adopt.clear();
    Ok(())
}

fn takes<'a>(runbook: &'a Runbook, of: &'a Intent) -> impl Iterator<Item = &'a Input> {
    runbook.inputs.iter().filter(|input| input.kind == InputKind::Adopted && input.is_asked_by(of))
}

fn chosen<'a>(runbook: &'a Runbook, id: &str) -> Result<&'a Intent, Failure> {
    let takes_some = |of: &&Intent| takes(runbook, of).next().is_some();
    let found = if id.is_empty() {
        runbook.intents.iter().find(takes_some)
    } else {
        Some(intent(runbook, id)?).filter(takes_some)
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = runbook.intents.iter().filter(takes_some).map(|of| of.id.as_str()).collect();
        let known = if known.is_empty() { "none does".to_owned() } else { format!("--intent {}", known.join(", ")) };
        Failure::usage(format!("--adopt: this intent takes no files over; in this runbook {known}"))
    })
}
