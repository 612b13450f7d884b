//! The gate of a removal: locks, the list, and words that a human types. Nothing here deletes.

use serde_json::Value;

use super::{
    bind,
    pods::text,
    removal::{Found, entry_of, find},
};
use crate::{
    actions::{
        context::{Halt, StepCx},
        data::{
            artifacts,
            database::{self, Waited},
        },
        deploy::release,
        forms::{form_state::load_of, settings},
        preflight::{checks, rights},
        spec::DeleteSpec,
    },
    ports::{ObjectRef, kinds},
    run::{Environment, Gate, Lock, Question, Record, Removal, Reply, StepId, StepState},
    text::{Diagnostic, units},
};

/// Words that are easy to type, hard to mistake and say nothing.
const WORDS: [&str; 16] = [
    "heron", "maple", "cedar", "otter", "amber", "tulip", "raven", "lemon", "birch", "coral", "finch", "hazel",
    "linen", "olive", "quartz", "walnut",
];

/// The lock that asks for a restored dump.
const PROVEN: &str = "proven";

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
pub async fn pass(cx: &StepCx, spec: &DeleteSpec) -> Result<Found, Halt> {
    let (mut refusal, mut waited) = (String::new(), None);
    loop {
        let found = find(cx).await?;
        let locks = locks(cx, spec, &found, &mut waited).await?;
        let gate = gate(cx, spec, &found, locks, std::mem::take(&mut refusal))?;
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
                    return open(cx, spec, &gate, found, &mut waited).await;
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
                    return open(cx, spec, &gate, found, &mut waited).await;
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
async fn open(cx: &StepCx, spec: &DeleteSpec, gate: &Gate, shown: Found, waited: &mut Waited) -> Result<Found, Halt> {
    cx.same_place().await?;
    let now = find(cx).await?;
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
    again.locks = locks(cx, spec, &now, waited).await?;
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

fn gate(cx: &StepCx, spec: &DeleteSpec, found: &Found, locks: Vec<Lock>, refusal: String) -> Result<Gate, Halt> {
    let state = cx.driver.state();
    let mut stays = volumes(cx, &spec.keep_volumes, "kept");
    stays.extend(spec.brings_back.iter().flat_map(|step| volumes(cx, step, "comes back")));
    stays.push("the namespace itself".to_owned());
    if locks.iter().any(|lock| lock.name == PROVEN && lock.open) {
        stays.push("the dump, proven".to_owned());
    }
    stays.push("what is in the vault".to_owned());
    stays.extend(found.stays.iter().cloned());
    Ok(Gate {
        namespace: cx.namespace().to_owned(),
        cluster8: cx.target.cluster8().to_owned(),
        word: word()?,
        prod: state.environment == Environment::Prod,
        locks,
        goes: found
            .goes
            .iter()
            .map(|t| Removal { kind: t.object.kind.kind.clone(), name: t.object.name.clone(), uid: t.uid.clone() })
            .collect(),
        stays,
        way_back: match spec.brings_back {
            None => "the version before, on the kept volumes",
            Some(_) => "what goes now, on the volumes it leaves; by hand",
        }
        .to_owned(),
        refusal,
    })
}

/// The volumes of a step that set them to be kept, each with what becomes of it.
fn volumes(cx: &StepCx, step: &str, becomes: &str) -> Vec<String> {
    let facts = cx.facts_of(step).unwrap_or_default();
    let volumes = facts["volumes"].as_array().into_iter().flatten();
    volumes
        .map(|volume| {
            let of = |field: &str| text(volume, &format!("/{field}"));
            format!("volume of {} {}, {becomes} ({})", of("claim"), of("size"), of("volume"))
        })
        .collect()
}

/// Every lock, asked now.
async fn locks(cx: &StepCx, spec: &DeleteSpec, found: &Found, waited: &mut Waited) -> Result<Vec<Lock>, Halt> {
    let state = cx.driver.state();
    let number = |step: &str| state.planned(&StepId(step.to_owned())).map_or_else(String::new, |p| p.number.clone());
    let lock = |name: &str, checked: Result<String, String>, step: String| {
        let open = checked.is_ok();
        let (Ok(sentence) | Err(sentence)) = checked;
        Lock { name: name.to_owned(), open, sentence, step, again: Vec::new() }
    };
    // a dump of another run cannot be made again here
    let own = spec.checked_by.as_ref().map(|_| spec.dump.clone());
    let dumped = |lock: Lock| Lock { again: own.iter().cloned().collect(), ..lock };
    let captured = &cx.requires.captured;
    let (complete, opens) = gathered(cx, captured);
    let mut locks = vec![lock("gathered", complete, opens)];
    if let Some(checked_by) = &spec.checked_by {
        let (same, again) = unchanged(cx, captured).await?;
        locks.push(Lock { again, ..lock("unchanged", same, number(checked_by)) });
    }
    let files = artifacts::rehash(cx, &spec.dump).await?;
    locks.push(dumped(lock("complete", files, number(&spec.dump))));
    let restored = artifacts::proven(cx, &spec.dump, &spec.proven_by);
    locks.push(dumped(lock(PROVEN, restored, number(&spec.proven_by))));
    if spec.checked_by.is_some() {
        locks.push(dumped(lock("quiet", database::quiet(cx, &spec.dump, waited).await?, number(&spec.dump))));
    }
    if let Some(step) = &spec.brings_back {
        locks.push(lock("comes back", bind::kept(cx, step).await?, number(step)));
    }
    let kept = match settings::volumes_kept(cx, &spec.keep_volumes).await? {
        Ok(sentence) => claims_kept(cx, found).await?.map(|()| sentence),
        shut => shut,
    };
    locks.push(lock("kept", kept, number(&spec.keep_volumes)));
    locks.push(lock("allowed", rights::allowed(cx, found).await?, String::new()));
    let place = match cx.same_place().await {
        Ok(()) => Ok(checks::same_place(cx).to_owned()),
        Err(Halt::Refused(problem) | Halt::Failed(problem)) => Err(problem.what),
        Err(other) => return Err(other),
    };
    locks.push(lock("same place", place, String::new()));
    Ok(locks)
}

/// Whether helm's release and the application's settings are still what was captured, and the steps that capture what is not.
async fn unchanged(cx: &StepCx, captured: &[String]) -> Result<(Result<String, String>, Vec<String>), Halt> {
    let recorded: Vec<String> = captured.iter().filter(|step| checks::is_capture(cx, step)).cloned().collect();
    let mut release = String::new();
    if !recorded.is_empty() {
        match release::unchanged(cx).await? {
            Ok(sentence) => release = format!("; {sentence}"),
            Err(sentence) => return Ok((Err(format!("{sentence}; {}", release::record_again(cx)?)), recorded)),
        }
    }
    let settings = settings::unchanged(cx, captured).await?.map(|settings| format!("{settings}{release}"));
    Ok((settings, checks::forms(cx, captured)))
}

/// Whether every claim on the list is on a volume that says keep now: one may have come since the volumes were set.
async fn claims_kept(cx: &StepCx, found: &Found) -> Result<Result<(), String>, Halt> {
    for target in found.goes.iter().filter(|target| target.object.kind.kind == "PersistentVolumeClaim") {
        let Some(claim) = cx.world.objects.get(&target.object).await? else { continue };
        let name = text(&claim, "/spec/volumeName");
        if name.is_empty() {
            // without a volume it holds nothing
            continue;
        }
        let reference = ObjectRef { kind: kinds::volume(), namespace: None, name: name.to_owned() };
        let volume = cx.world.objects.get(&reference).await?;
        if volume.is_none_or(|volume| text(&volume, "/spec/persistentVolumeReclaimPolicy") != "Retain") {
            return Ok(Err(format!("claim {}: its volume {name} does not say keep", target.object.name)));
        }
    }
    Ok(Ok(()))
}

/// Whether each of these steps is complete, and the number of the one that is not, else of the last.
fn gathered(cx: &StepCx, steps: &[String]) -> (Result<String, String>, String) {
    let state = cx.driver.state();
    let forms: Vec<_> = steps.iter().filter_map(|step| state.planned(&StepId(step.clone()))).collect();
    let last = forms.last().map_or_else(String::new, |step| step.number.clone());
    let open =
        forms.iter().find(|step| !matches!(state.step(&step.id), StepState::Done { .. } | StepState::Skipped { .. }));
    if let Some(open) = open {
        return (Err(format!("{} {} is not complete", open.number, open.title)), open.number.clone());
    }
    let mut items = 0;
    for step in forms.iter().filter(|step| step.kind == "ask" && matches!(state.step(&step.id), StepState::Done { .. }))
    {
        match load_of(cx, &step.id.0) {
            Ok(form) => items += form.items.len(),
            Err(Halt::Failed(problem)) => return (Err(problem.what), step.number.clone()),
            Err(_) => return (Err(format!("{} {} cannot be read", step.number, step.title)), step.number.clone()),
        }
    }
    (Ok(format!("{}, confirmed", units::plural(items, "item", "items"))), last)
}
