//! `abandon`: a run is given up. What it changed is put back first, each read back; or it stays as it is, where that is asked
//! for or cannot be undone any more, and is named.

use std::{io::Write, path::PathBuf};

use jiff::Timestamp;

use super::{
    Exit, Failure, Global, Outcome,
    runs::{find, fold},
    start::{ResumeArgs, load_answers, take_up},
};
use crate::{
    actions::leftover,
    run::{Outage, PlannedStep, Risk, RunState, StepState},
    runner::reopen,
    store::{Paths, RunFolder},
    text::Diagnostic,
};

/// Letters that a reason has at least.
const REASON: usize = 10;

/// A run and a reason.
#[derive(Debug, clap::Args)]
pub struct AbandonArgs {
    /// Id of the run, or its unique ending
    pub run: String,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// Puts nothing back: what the run changed stays, and is named
    #[arg(long)]
    pub as_is: bool,
    /// A kubeconfig instead of that of KUBECONFIG or the home folder
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Answers for an unattended run
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
}

/// `drydock abandon RUN --reason WHY`
pub async fn abandon(global: &Global, args: AbandonArgs) -> Outcome {
    let run = find(global, &args.run)?;
    if args.reason.chars().count() < REASON {
        let fault = format!("the reason needs at least {REASON} letters; it stays in the run for ever");
        return Err(Failure::usage(fault));
    }
    let (state, _) = fold(&run)?;
    if state.is_at_end() {
        let show = global.typed().command(&format!("show {}", state.run));
        return Err(Failure::usage(format!("run {} is at its end; look at it with: {show}", state.run)));
    }
    // a change is written down before it is made: without one there is nothing to put back
    if args.as_is || state.effects.is_empty() {
        return leave(&run, args.reason);
    }
    if state.removal_begun() || state.taken.is_some() {
        return Err(Failure::new(Exit::Refused, not_undone(global, &state)));
    }
    Box::pin(put_back(global, &run, args)).await
}

/// There is nothing to put back that would help.
fn not_undone(global: &Global, state: &RunState) -> Diagnostic {
    let (typed, short) = (global.typed(), state.short());
    let (what, safe) = if state.taken.is_some() {
        (
            format!("run {short} goes on from another one, and what it has changed so far is not put back by itself"),
            "the proven dump here, the vault; nothing was sent",
        )
    } else {
        (
            format!("the removal of run {short} was begun: putting back what came before it would not bring it back"),
            "the proven dump here, the volumes that were set to keep, the vault; nothing was sent",
        )
    };
    Diagnostic::new(what)
        .proves("only going on, or the way back, leads to a deployment that works")
        .safe(safe)
        .help(format!("go on, or be shown the way back: {}", typed.command(&format!("resume {short}"))))
        .help(format!(
            "to end the run where it stands: {}",
            typed.command(&format!("abandon {short} --as-is --reason WHY"))
        ))
}

async fn put_back(global: &Global, run: &RunFolder, args: AbandonArgs) -> Outcome {
    let paths = Paths::resolve(global.state_dir.clone())?;
    let answers = load_answers(args.answers.as_deref())?;
    let opened = reopen(run.clone()).map_err(|problem| Failure::new(Exit::Environment, problem))?;
    let typed = global.typed().command(&format!("abandon {} --as-is --reason WHY", args.run));
    let resume = ResumeArgs { kubeconfig: args.kubeconfig.clone(), ..ResumeArgs::default() };
    let taken = Box::pin(take_up(global, &paths, opened.giving_up(args.reason), &resume, answers)).await;
    let exit = taken.map_err(|failure| Failure {
        problems: failure
            .problems
            .into_iter()
            .map(|problem| {
                problem.help(format!("where the cluster is gone for good, end the run as it stands: {typed}"))
            })
            .collect(),
        ..failure
    })?;
    let (state, _) = fold(run)?;
    if !state.rolled_back {
        return Ok(exit);
    }
    let mut out = std::io::stdout();
    writeln!(out, "given up. {}; the dump and the vault stay here.", run.id)?;
    tell_leftover(&mut out, &state)?;
    Ok(Exit::Done)
}

/// Ends the run and changes nothing; says what stays changed.
fn leave(run: &RunFolder, reason: String) -> Outcome {
    crate::runner::abandon(run, crate::ports::operator(), reason)
        .map_err(|problem| Failure::new(Exit::Environment, problem))?;
    let (state, _) = fold(run)?;
    let mut out = std::io::stdout();
    writeln!(out, "abandoned. {}; this itself changed nothing in the cluster.", run.id)?;
    if !state.effects.is_empty() {
        writeln!(out, "By the journal; nothing was read from the cluster now:")?;
    }
    // the scratch place of a rehearsal that is done is gone
    let stays = |step: &&PlannedStep| step.risk != Risk::None && step.kind != "rehearse";
    for step in state.plan.iter().filter(stays) {
        if let StepState::Done { summary, .. } = state.step(&step.id) {
            writeln!(out, "stays. {} {}: {summary}; undo: {}", step.number, step.title, step.undo)?;
        }
    }
    if let Some(sentence) = Outage::sentence(&state, Timestamp::now()) {
        writeln!(out, "stays. {sentence}")?;
    }
    tell_leftover(&mut out, &state)?;
    Ok(Exit::Done)
}

fn tell_leftover(out: &mut dyn Write, state: &RunState) -> std::io::Result<()> {
    for thing in leftover(state) {
        writeln!(out, "left by this run. {}; to remove it: {}", thing.what, thing.command)?;
    }
    Ok(())
}
