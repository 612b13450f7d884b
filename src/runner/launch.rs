//! Beginning a run, and taking one up again.

use jiff::{Timestamp, Zoned};
use serde_json::{Map, Value};
use tokio::{sync::mpsc, task::JoinHandle};

use super::ledger::FileLedger;
use crate::{
    engine::{Engine, Front, Plan, Start},
    ports::World,
    run::{Link, PlannedStep, Record, RunState, StepState, Stopped},
    runbook::{Loaded, load},
    store::{
        Entry, FileLock, Journal, JournalError, Keep, RunFolder, Runs, StoreError, Torn, Wait, read_journal,
        write_atomic,
    },
    text::{Diagnostic, Typed},
};

/// A run that is open in this process, locked against others.
pub struct Opened {
    /// The run so far.
    pub state: RunState,
    /// Its records so far, for a front end.
    pub records: Vec<(Timestamp, Record)>,
    /// Its runbook, as it was at the start.
    pub runbook: Loaded,
    /// A torn last line that was cut off.
    pub torn: Option<Torn>,
    folder: RunFolder,
    journal: Journal<Record>,
    drafts: Map<String, Value>,
    lock: FileLock,
    typed: Typed,
    giving_up: Option<String>,
}

impl Opened {
    /// The same run, which is given up for this reason: what it changed is put back, and nothing else is done.
    #[must_use]
    pub fn giving_up(self, reason: String) -> Self {
        Self { giving_up: Some(reason), ..self }
    }

    /// The same run, whose hints name commands as they are typed here.
    #[must_use]
    pub fn with_typed(self, typed: Typed) -> Self {
        Self { typed, ..self }
    }
}

/// What a launched run is.
pub struct Launch {
    /// The front end's side.
    pub link: Link,
    /// The run's folder.
    pub folder: RunFolder,
    /// The engine; ends with why it stopped.
    pub engine: JoinHandle<Stopped>,
}

fn fault(what: impl Into<String>, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new(what).cause(error.to_string())
}

/// Makes the folder and journal of a new run with its first records, and with the forms that it takes over from another.
///
/// # Errors
/// What could not be made or written.
pub fn open(
    runs: &Runs,
    runbook: Loaded,
    drafts: Map<String, Value>,
    first: impl FnOnce(&str) -> Vec<Record>,
) -> Result<Opened, Diagnostic> {
    let wrong = |error: StoreError| fault("cannot make the run's folder", &error);
    let folder = runs.create(Zoned::now().date(), &runbook.runbook.id).map_err(wrong)?;
    let lock = FileLock::acquire(&folder.lock(), Wait::No).map_err(|error| fault("cannot lock the run", &error))?;
    write_atomic(&folder.runbook(), runbook.text.as_bytes(), Keep::Nothing).map_err(wrong)?;
    let mut journal = Journal::create(&folder.journal()).map_err(|error| fault("cannot begin the run", &error))?;
    let mut records = Vec::new();
    if !drafts.is_empty() {
        let text = serde_json::to_vec_pretty(&drafts).map_err(|error| fault("cannot begin the run", &error))?;
        write_atomic(&folder.answers(), &text, Keep::Nothing).map_err(wrong)?;
    }
    for record in first(folder.id.as_str()) {
        let at = Timestamp::now();
        journal.append(at, &record).map_err(|error| fault("cannot begin the run", &error))?;
        records.push((at, record));
    }
    let state = RunState::of(records.iter().map(|(at, record)| (*at, record)));
    let typed = Typed::default();
    Ok(Opened { state, records, runbook, torn: None, folder, journal, drafts, lock, typed, giving_up: None })
}

/// Opens the run in `folder` again: lock, read, fold, compare the runbook's digest.
///
/// # Errors
/// `held by …`, a changed journal, a changed runbook, or unreadable files.
pub fn reopen(folder: RunFolder) -> Result<Opened, Diagnostic> {
    let lock = own(&folder)?;
    let (journal, opened) = Journal::<Record>::open(&folder.journal())
        .map_err(|error| fault("this run cannot be resumed", &error).safe("everything: nothing was sent from here"))?;
    let state = RunState::of(opened.entries.iter().map(|Entry { at, record, .. }| (*at, record)));
    let text = std::fs::read_to_string(folder.runbook())
        .map_err(|error| fault("the run's own copy of its runbook cannot be read", &error))?;
    let runbook = load("runbook.yaml", &text).map_err(|faults| {
        faults.into_iter().next().unwrap_or_else(|| Diagnostic::new("the run's own copy of its runbook has faults"))
    })?;
    if state.runbook.as_ref().is_none_or(|of| of.digest != runbook.digest) {
        return Err(Diagnostic::new("the run's own copy of its runbook is not the one it began with")
            .proves("runbook.yaml in the run's folder was changed")
            .help("put the text back; a run follows the runbook that was approved"));
    }
    let drafts = drafts_of(&folder, &state)?;
    let records = opened.entries.into_iter().map(|entry| (entry.at, entry.record)).collect();
    let (torn, typed) = (opened.torn, Typed::default());
    Ok(Opened { state, records, runbook, torn, folder, journal, drafts, lock, typed, giving_up: None })
}

/// The forms of a run, as they were saved last.
pub(super) fn drafts_of(folder: &RunFolder, state: &RunState) -> Result<Map<String, Value>, Diagnostic> {
    match std::fs::read(folder.answers()) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| fault("answers.json of the run cannot be understood", &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match confirmed(state) {
                // no form was saved yet: there is nothing to lose
                None => Ok(Map::new()),
                Some(form) => Err(Diagnostic::new("answers.json of the run is gone")
                    .proves(format!("what was confirmed in {form} cannot be read any more"))
                    .safe("the secrets, in the vault; the dump; nothing was sent from here")
                    .help(
                        "put answers.json back from a copy of the run's folder; before the removal, begin a new run",
                    )),
            }
        }
        Err(error) => Err(fault("answers.json of the run cannot be read", &error)),
    }
}

/// A form that was confirmed, if any.
fn confirmed(state: &RunState) -> Option<String> {
    let done = |step: &&PlannedStep| step.kind == "ask" && matches!(state.step(&step.id), StepState::Done { .. });
    let taken = state.taken.iter().flat_map(|taken| &taken.steps);
    state.plan.iter().chain(taken).find(done).map(|step| format!("{} {}", step.number, step.title))
}

/// Records of a run, without touching it.
///
/// # Errors
/// A journal that cannot be read or was changed.
pub fn records(folder: &RunFolder) -> Result<Vec<Entry<Record>>, Diagnostic> {
    let read = read_journal(&folder.journal()).map_err(|error| fault("the run cannot be read", &error))?;
    Ok(read.entries)
}

/// Takes the run's lock: whoever holds it is the one that may write.
pub(super) fn own(folder: &RunFolder) -> Result<FileLock, Diagnostic> {
    FileLock::acquire(&folder.lock(), Wait::No).map_err(|error| {
        fault("this run is in other hands", &error)
            .safe("everything: nothing was sent from here")
            .help("end it there, or wait until it ends")
    })
}

/// Gives a run up; nothing in the cluster is changed.
///
/// # Errors
/// `held by …`, or a journal that cannot be written.
pub fn abandon(folder: &RunFolder, by: String, reason: String) -> Result<(), Diagnostic> {
    let _lock = own(folder)?;
    give_up(folder, by, reason)
}

pub(super) fn give_up(folder: &RunFolder, by: String, reason: String) -> Result<(), Diagnostic> {
    let wrong = |error: JournalError| fault("the run cannot be given up", &error);
    let (mut journal, _) = Journal::<Record>::open(&folder.journal()).map_err(wrong)?;
    journal.append(Timestamp::now(), &Record::Abandoned { by, reason }).map_err(wrong)?;
    Ok(())
}

/// Takes a run back whose plan was not approved: nothing was done in it, so nothing of it is kept. One that holds more than
/// its beginning, as a plan that was saved, is given up and stays.
///
/// # Errors
/// `held by …`, or a folder that cannot be read, removed or written.
pub fn take_back(folder: &RunFolder, by: String) -> Result<(), Diagnostic> {
    let _lock = own(folder)?;
    let begins =
        |record: &Record| matches!(record, Record::Started { .. } | Record::Planned { .. } | Record::TakenOver { .. });
    let begun = records(folder)?.iter().all(|entry| begins(&entry.record));
    let wrong = |error: std::io::Error| fault("the run cannot be taken back", &error);
    if !begun || holds_more(folder).map_err(wrong)? {
        return give_up(folder, by, "its plan was not approved".to_owned());
    }
    // without its journal a folder counts as no run, should this be cut off here
    std::fs::remove_file(folder.journal()).map_err(wrong)?;
    std::fs::remove_dir_all(folder.path()).map_err(wrong)
}

/// Whether a run's folder holds anything that was not laid there when it began.
fn holds_more(folder: &RunFolder) -> std::io::Result<bool> {
    let own = [folder.journal(), folder.runbook(), folder.answers(), folder.lock()];
    let places = [folder.artifacts(), folder.evidence(), folder.outputs()];
    for entry in std::fs::read_dir(folder.path())? {
        let path = entry?.path();
        let empty = places.contains(&path) && std::fs::read_dir(&path)?.next().is_none();
        if !empty && !own.contains(&path) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Starts the engine on an open run.
pub fn launch(opened: Opened, plan: Plan, world: World) -> Launch {
    let (to_front, events) = mpsc::channel(1024);
    let (commands, from_front) = mpsc::channel(64);
    let (secrets, secrets_in) = mpsc::channel(64);
    // few: what is not taken is not read from the vault
    let (show, shown) = mpsc::channel(4);
    let folder = opened.folder;
    let ledger = FileLedger {
        journal: opened.journal,
        drafts: folder.answers(),
        runs: folder.siblings(),
        run: folder.id.to_string(),
        supersedes: opened.state.taken.clone(),
        typed: opened.typed.clone(),
        claiming: None,
    };
    let engine = Engine::new(Start {
        plan,
        state: opened.state,
        drafts: opened.drafts,
        world,
        ledger: Box::new(ledger),
        front: Front { events: to_front, commands: from_front, secrets: secrets_in, shown: show },
        folder: folder.path.clone(),
        giving_up: opened.giving_up,
        typed: opened.typed,
    });
    let lock = opened.lock;
    let engine = tokio::spawn(async move {
        let stopped = engine.run().await;
        drop(lock);
        stopped
    });
    Launch { link: Link { events, commands, secrets, shown }, folder, engine }
}
