//! The gate of a removal in words: locks, what goes, what stays, two typed things and a choice.

use std::collections::BTreeMap;

use super::talk::{Leave, Prompt, Talk};
use crate::{
    run::{Gate, Reply},
    text::units,
};

const BACK: &str = "Go back, delete nothing";

/// Asks at a gate. Each of its three prompts is answered by what was typed after it stood there.
pub(super) async fn ask(talk: &mut Talk<'_>, gate: &Gate) -> Result<Reply, Leave> {
    if !gate.refusal.is_empty() {
        talk.say(&format!("not yet. {}", gate.refusal));
    }
    let open = gate.locks.iter().filter(|lock| lock.open).count();
    talk.say(&format!("Gate: {open} of {} locks are open. Type \"locks\" to hear each.", gate.locks.len()));
    if !gate.is_open() {
        for line in locks(gate).into_iter().filter(|line| line.contains("SHUT")) {
            talk.say(&line);
        }
        let options = [BACK.to_owned(), "Look again".to_owned()];
        let help = "A shut lock says what opens it. Nothing is deleted while one is shut, and no word opens it.";
        return Ok(if talk.number(&options, Some(1), help).await? == 2 { Reply::Again } else { Reply::Back });
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for removal in &gate.goes {
        *kinds.entry(&removal.kind).or_default() += 1;
    }
    let counts: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let place = if gate.prod { " IN PROD" } else { "" };
    talk.say(&format!(
        "DELETES {}{place}: {}.",
        units::plural(gate.goes.len(), "OBJECT", "OBJECTS"),
        counts.join(", ")
    ));
    talk.say(&format!("  Type \"list\" for all {} names.", gate.goes.len()));
    for line in &gate.stays {
        talk.say(&format!("  Stays: {line}"));
    }
    talk.say(&format!("  Undo: {}.", gate.way_back));
    talk.say("  Nothing was deleted so far.");
    let namespace = typed(talk, gate, "Type the namespace to go on (Enter = go back):", &gate.namespace).await?;
    let word = typed(talk, gate, &format!("Type the word \"{}\" (Enter = go back):", gate.word), &gate.word).await?;
    let options = [
        BACK.to_owned(),
        format!("Delete {} in {}", units::plural(gate.goes.len(), "object", "objects"), gate.namespace),
    ];
    forget(talk);
    let help = "This is the last question before the deletion. Each deletion is written down before it is sent.";
    Ok(if talk.number(&options, Some(1), help).await? == 2 { Reply::Gate { namespace, word } } else { Reply::Back })
}

/// What is typed at a gate is compared by the engine, too; here a slip costs nothing but another try.
async fn typed(talk: &mut Talk<'_>, gate: &Gate, text: &str, wanted: &str) -> Result<String, Leave> {
    let names = gate.goes.iter().map(|removal| format!("  goes: {} {}", removal.kind, removal.name)).collect();
    let prompt = Prompt::new(text)
        .help("Type exactly what is asked for. It proves that you know where you are; an empty line goes back.")
        .help("The word is new each time. What was typed before the prompt stood here does not count.")
        .page("locks", locks(gate))
        .page("list", names)
        .expects(wanted);
    loop {
        forget(talk);
        let line = talk.line(&prompt).await?.trim().to_owned();
        if line.is_empty() {
            return Err(Leave::Back);
        }
        if line == wanted {
            talk.say("ok. Same.");
            return Ok(line);
        }
        talk.say("not yet. That is not the same. Nothing was deleted.");
    }
}

fn forget(talk: &mut Talk<'_>) {
    if talk.keyboard.forget_typed_ahead() {
        talk.say("careful. What was typed ahead was thrown away.");
    }
}

fn locks(gate: &Gate) -> Vec<String> {
    let word = |open: bool| if open { "open" } else { "SHUT" };
    gate.locks.iter().map(|lock| format!("  {} {}: {}", word(lock.open), lock.name, lock.sentence)).collect()
}
