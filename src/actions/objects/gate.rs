//! The gate before whatever cannot be undone: locks, the list, and words that a human types. Nothing here removes anything, and
//! nothing here knows what stands behind it: that is [`Gated`].

use async_trait::async_trait;
use serde_json::Value;

use super::removal::{Found, Target, entry_of};
use crate::{
    actions::{
        context::{Halt, StepCx},
        data::database::Waited,
        preflight::checks,
    },
    run::{Environment, Gate, Lock, Question, Record, Removal, Reply},
    text::{Diagnostic, units},
};

/// What stands behind a gate.
#[async_trait]
pub trait Gated: Sync {
    /// What goes and what does not, read now.
    async fn found(&self, cx: &StepCx) -> Result<Found, Halt>;
    /// Every lock, asked now, but for the one that asks for the place.
    async fn locks(&self, cx: &StepCx, found: &Found, waited: &mut Waited) -> Result<Vec<Lock>, Halt>;
    /// What stays, one line a thing.
    fn stays(&self, cx: &StepCx, found: &Found, locks: &[Lock]) -> Vec<String>;
    /// How to come back, in words.
    fn way_back(&self, cx: &StepCx) -> String;
    /// What an object of the list takes along that is nowhere else, in words; mostly nothing.
    fn takes(&self, cx: &StepCx, target: &Target) -> Option<&'static str> {
        let _ = (cx, target);
        None
    }
}

/// A lock with what was found, opened by step number `step`.
pub fn lock(name: &str, checked: Result<String, String>, step: String) -> Lock {
    let open = checked.is_ok();
    let (Ok(sentence) | Err(sentence)) = checked;
    Lock { name: name.to_owned(), open, sentence, step, again: Vec::new() }
}

/// Words that are easy to type, hard to mistake and say nothing.
const WORDS: [&str; 16] = [
    "heron", "maple", "cedar", "otter", "amber", "tulip", "raven", "lemon", "birch", "coral", "finch", "hazel",
    "linen", "olive", "quartz", "walnut",
];

fn word() -> Result<String, Halt> {
    let mut byte = [0u8; 1];
    getrandom::fill(&mut byte)
        .map_err(|error| Diagnostic::new("this machine gives no randomness").cause(error.to_string()))?;
    Ok(WORDS[usize::from(byte[0]) % WORDS.len()].to_owned())
}

/// Puts the gate until its words are typed with every lock open; returns the list that was shown, kept for resume.
///
/// # Errors
/// A refusal when the operator leaves it with a lock shut, the way back when they leave it open.
pub async fn pass(cx: &StepCx, of: &dyn Gated) -> Result<Found, Halt> {
    let (mut refusal, mut waited) = (String::new(), None);
    loop {
        let found = of.found(cx).await?;
        let locks = locks(cx, of, &found, &mut waited).await?;
        let gate = gate(cx, of, &found, locks, std::mem::take(&mut refusal))?;
        let question = Question::Gate { step: cx.step.clone(), gate: Box::new(gate.clone()) };
        let reply = cx.driver.ask(question).await?;
        match reply {
            Reply::Back if !gate.is_open() => return Err(shut(cx, &gate)),
            Reply::Back => return Err(Halt::Back),
            Reply::Again => {}
            Reply::Gate { .. } | Reply::Phrase { .. } if !gate.is_open() => {
                let shut = gate.locks.iter().find(|lock| !lock.open);
                refusal = shut
                    .map_or_else(String::new, |lock| format!("the lock `{}` is shut: {}", lock.name, lock.sentence));
            }
            Reply::Gate { namespace, word } => {
                if namespace == gate.namespace && word == gate.word {
                    return open(cx, of, &gate, found, &mut waited).await;
                }
                refusal = "the words are not the same as shown; there is a new word".to_owned();
            }
            Reply::Phrase { phrase } => {
                if gate.prod {
                    return Err(Halt::NeedsAnswer(
                        "the gate of a target marked PROD is opened by a person only".to_owned(),
                    ));
                }
                if phrase == gate.phrase() {
                    return open(cx, of, &gate, found, &mut waited).await;
                }
                return Err(Halt::Refused(Box::new(Diagnostic::new(format!(
                    "the phrase of the answers file is not the one of this gate, which is: {}",
                    gate.phrase()
                )))));
            }
            _ => refusal = "the gate asks for the two words only".to_owned(),
        }
    }
}

/// A gate that somebody left while locks were shut, with the steps that can open them.
fn shut(cx: &StepCx, gate: &Gate) -> Halt {
    let problem = if cx.driver.state().removal_begun() {
        Diagnostic::new("the gate is shut, and nothing more was deleted")
    } else {
        Diagnostic::new("the gate is shut, and nothing was deleted").safe("everything: nothing was deleted")
    };
    let problem = problem.proves("what would be removed is not proven to come back");
    let problem = gate.locks.iter().filter(|lock| !lock.open).fold(problem, |problem, lock| {
        lock.again.iter().fold(problem.cause(format!("{}: {}", lock.name, lock.sentence)), |problem, step| {
            if problem.again.contains(step) { problem } else { problem.again(step.clone()) }
        })
    });
    Halt::Refused(Box::new(
        problem.help("open each lock at its cause, or go back to the step that does, then try again"),
    ))
}

/// Between the words and the first deletion everything is read once more: the place, the locks, the list.
async fn open(cx: &StepCx, of: &dyn Gated, gate: &Gate, shown: Found, waited: &mut Waited) -> Result<Found, Halt> {
    cx.same_place().await?;
    let now = of.found(cx).await?;
    if now.goes != shown.goes {
        return Err(Halt::Refused(Box::new(
            Diagnostic::new(format!(
                "the list changed while the words were typed: {}, now {}",
                units::plural(shown.goes.len(), "object", "objects"),
                now.goes.len()
            ))
            .safe("everything: nothing was deleted")
            .help("look at the new list and type the words again"),
        )));
    }
    // what was open when the question was put may have been shut for hours
    let mut again = gate.clone();
    again.locks = locks(cx, of, &now, waited).await?;
    if !again.is_open() {
        return Err(shut(cx, &again));
    }
    let entries: Vec<Value> = shown.goes.iter().map(entry_of).collect();
    let mut kept: Vec<Value> = cx.driver.draft(&cx.step).and_then(|d| d.as_array().cloned()).unwrap_or_default();
    kept.extend(entries.into_iter().filter(|entry| !kept.contains(entry)).collect::<Vec<_>>());
    cx.driver.save_draft(&cx.step, Value::Array(kept)).await?;
    let by = cx.world.host.operator();
    cx.driver.record(Record::GateOpened { step: cx.step.clone(), by, removals: gate.goes.len() }).await?;
    Ok(shown)
}

/// Every lock, the place last.
async fn locks(cx: &StepCx, of: &dyn Gated, found: &Found, waited: &mut Waited) -> Result<Vec<Lock>, Halt> {
    let mut locks = of.locks(cx, found, waited).await?;
    let place = match cx.same_place().await {
        Ok(()) => Ok(checks::same_place(cx).to_owned()),
        Err(Halt::Refused(problem) | Halt::Failed(problem)) => Err(problem.what),
        Err(other) => return Err(other),
    };
    locks.push(lock("same place", place, String::new()));
    Ok(locks)
}

fn gate(cx: &StepCx, of: &dyn Gated, found: &Found, locks: Vec<Lock>, refusal: String) -> Result<Gate, Halt> {
    let removal = |target: &Target| {
        let (object, uid) = (&target.object, target.uid.clone());
        let name = of.takes(cx, target).map_or_else(|| object.name.clone(), |along| format!("{} {along}", object.name));
        Removal { kind: object.kind.kind.clone(), name, uid }
    };
    Ok(Gate {
        namespace: cx.namespace().to_owned(),
        cluster8: cx.target.cluster8().to_owned(),
        word: word()?,
        prod: cx.driver.state().environment == Environment::Prod,
        stays: of.stays(cx, found, &locks),
        locks,
        goes: found.goes.iter().map(removal).collect(),
        way_back: of.way_back(cx),
        refusal,
    })
}
