//! The plan and the gate of a removal in words.

use std::collections::BTreeMap;

use super::{answers::Say, ask::Talk};
use crate::{
    run::{Gate, Reply, Risk, RunState},
    text::units,
};

/// The plan: phases, steps, what is hard to undo, what is not known.
pub(super) fn plan(talk: &mut Talk<'_>, state: &RunState) {
    let total: u64 = state.plan.iter().map(|step| step.estimate_s).sum();
    talk.say(&format!("The plan: {}, {}.", units::plural(state.plan.len(), "step", "steps"), units::about(total)));
    for (index, phase) in state.phases.iter().enumerate() {
        let steps: Vec<_> = state.plan.iter().filter(|step| step.phase == index).collect();
        let hard = if steps.iter().any(|step| step.risk == Risk::Irreversible) { "   HARD TO UNDO" } else { "" };
        talk.say(&format!("  {} {}: {}. Changes {}.{hard}", index + 1, phase.title, phase.purpose, phase.changes));
        for step in steps {
            talk.say(&format!("    {} {} ({})", step.number, step.title, units::about(step.estimate_s)));
            for line in &step.unknown {
                talk.say(&format!("      not known yet: {line}"));
            }
        }
    }
}

/// The gate: locks, what goes, what stays, two typed things and a choice.
pub(super) fn ask(talk: &mut Talk<'_>, gate: &Gate) -> Option<Say> {
    if !gate.refusal.is_empty() {
        talk.say(&format!("not yet. {}", gate.refusal));
    }
    let open = gate.locks.iter().filter(|lock| lock.open).count();
    talk.say(&format!("Gate: {open} of {} locks are open.", gate.locks.len()));
    for lock in &gate.locks {
        let word = if lock.open { "open" } else { "SHUT" };
        talk.say(&format!("  {word} {}: {}", lock.name, lock.sentence));
    }
    if !gate.is_open() {
        talk.say("  1. Go back, delete nothing (default)");
        talk.say("  2. Look again");
        let chosen = talk.number("Choose 1 or 2:", 2, 1)?;
        return Some(Say::Reply(if chosen == 2 { Reply::Again } else { Reply::Back }));
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for removal in &gate.goes {
        *kinds.entry(&removal.kind).or_default() += 1;
    }
    let counts: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let place = if gate.prod { " IN PROD" } else { "" };
    talk.say(&format!("DELETES {} OBJECTS{place}: {}.", gate.goes.len(), counts.join(", ")));
    for removal in &gate.goes {
        talk.say(&format!("  goes: {} {}", removal.kind, removal.name));
    }
    for line in &gate.stays {
        talk.say(&format!("  stays: {line}"));
    }
    talk.say(&format!("  Undo: {}.", gate.way_back));
    let namespace = talk.line("Type the namespace to go on (Enter = go back):")?;
    if namespace.is_empty() {
        return Some(Say::Reply(Reply::Back));
    }
    let word = talk.line(&format!("Type the word \"{}\" (Enter = go back):", gate.word))?;
    if word.is_empty() {
        return Some(Say::Reply(Reply::Back));
    }
    talk.say("  1. Go back, delete nothing (default)");
    talk.say(&format!("  2. Delete {} in {}", units::plural(gate.goes.len(), "object", "objects"), gate.namespace));
    let chosen = talk.number("Choose 1 or 2:", 2, 1)?;
    Some(Say::Reply(if chosen == 2 { Reply::Gate { namespace, word } } else { Reply::Back }))
}
