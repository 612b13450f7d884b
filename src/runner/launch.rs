//! Beginning a run, and taking one up again.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, Zoned};
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::{sync::mpsc, task::JoinHandle};

use super::ledger::FileLedger;
use crate::{
    engine::{Engine, Front, Plan, Start},
    ports::World,
    run::{Command, Event, Record, RunState, SecretHandle, Stopped},
    runbook::{Loaded, load},
    store::{Before, Entry, Journal, Lock, Paths, new_run_id, private_folder, read_only, replace},
    text::Diagnostic,
};

/// A front end's side of a run.
pub struct Link {
    /// What the run tells.
    pub events: mpsc::Receiver<Event>,
    /// What it is asked.
    pub commands: mpsc::Sender<Command>,
    /// Secrets that commands name.
    pub secrets: mpsc::Sender<(SecretHandle, SecretString)>,
    /// The run's folder.
    pub folder: PathBuf,
}

/// A run that is open in this process, locked against others.
pub struct Opened {
    /// The run so far.
    pub state: RunState,
    /// Its records so far, for a front end.
    pub records: Vec<(Timestamp, Record)>,
    /// Its runbook, as it was at the start.
    pub runbook: Loaded,
    /// Bytes of a torn last line that were cut off.
    pub torn: Option<u64>,
    folder: PathBuf,
    journal: Journal,
    drafts: Map<String, Value>,
    lock: Lock,
}

/// What a launched run is.
pub struct Launch {
    /// The front end's side.
    pub link: Link,
    /// The engine; ends with why it stopped.
    pub engine: JoinHandle<Stopped>,
}

fn fault(what: impl Into<String>, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new(what).cause(error.to_string())
}

/// Makes the folder and journal of a new run with its first records.
///
/// # Errors
/// What could not be made or written.
pub fn open(
    paths: &Paths,
    runbook: Loaded,
    first: impl FnOnce(&str) -> Vec<Record>,
    host: &str,
) -> Result<Opened, Diagnostic> {
    let wrong = |error: std::io::Error| fault("cannot make the run's folder", &error);
    let id = new_run_id(&paths.runs(), &runbook.runbook.id, &Zoned::now()).map_err(wrong)?;
    let folder = paths.run(&id);
    for inner in [folder.clone(), folder.join("artifacts"), folder.join("output"), folder.join("evidence")] {
        private_folder(&inner).map_err(wrong)?;
    }
    replace(&folder.join("runbook.yaml"), runbook.text.as_bytes(), Before::Gone).map_err(wrong)?;
    let lock = Lock::take(&folder.join("lock"), host).map_err(|error| fault("cannot lock the run", &error))?;
    let opened = Journal::open::<Record>(&folder.join("journal.jsonl"))
        .map_err(|error| fault("cannot begin the run", &error))?;
    let (mut journal, mut state, mut records) = (opened.journal, RunState::default(), Vec::new());
    for record in first(&id) {
        let at = Timestamp::now();
        journal.append(at, &record).map_err(|error| fault("cannot begin the run", &error))?;
        state.apply(at, &record);
        records.push((at, record));
    }
    Ok(Opened { state, records, runbook, torn: None, folder, journal, drafts: Map::new(), lock })
}

/// Opens the run in `folder` again: lock, read, fold, compare the runbook's digest.
///
/// # Errors
/// `held by …`, a changed journal, a changed runbook, or unreadable files.
pub fn reopen(folder: &Path, host: &str) -> Result<Opened, Diagnostic> {
    let lock = Lock::take(&folder.join("lock"), host).map_err(|error| {
        fault("this run is in other hands", &error)
            .safe("everything: nothing was sent from here")
            .help("end it there, or wait until it ends")
    })?;
    let opened = Journal::open::<Record>(&folder.join("journal.jsonl"))
        .map_err(|error| fault("this run cannot be resumed", &error).safe("everything: nothing was sent from here"))?;
    let mut state = RunState::default();
    for Entry { at, record, .. } in &opened.entries {
        state.apply(*at, record);
    }
    let path = folder.join("runbook.yaml");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| fault("the run's own copy of its runbook cannot be read", &error))?;
    let runbook = load("runbook.yaml", &text).map_err(|faults| {
        faults.into_iter().next().unwrap_or_else(|| Diagnostic::new("the run's own copy of its runbook has faults"))
    })?;
    if state.runbook.as_ref().is_none_or(|of| of.digest != runbook.digest) {
        return Err(Diagnostic::new("the run's own copy of its runbook is not the one it began with")
            .proves("runbook.yaml in the run's folder was changed")
            .help("put the text back; a run follows the runbook that was approved"));
    }
    let drafts = match std::fs::read(folder.join("answers.json")) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| fault("answers.json of the run cannot be understood", &error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(fault("answers.json of the run cannot be read", &error)),
    };
    let records = opened.entries.into_iter().map(|entry| (entry.at, entry.record)).collect();
    Ok(Opened {
        state,
        records,
        runbook,
        torn: opened.torn,
        folder: folder.to_owned(),
        journal: opened.journal,
        drafts,
        lock,
    })
}

/// Records of a run, without touching it.
///
/// # Errors
/// A journal that cannot be read or was changed.
pub fn records(folder: &Path) -> Result<Vec<Entry<Record>>, Diagnostic> {
    read_only(&folder.join("journal.jsonl")).map_err(|error| fault("the run cannot be read", &error))
}

/// Starts the engine on an open run.
pub fn launch(opened: Opened, plan: Plan, world: World) -> Launch {
    let (to_front, events) = mpsc::channel(1024);
    let (commands, from_front) = mpsc::channel(64);
    let (secrets, secrets_in) = mpsc::channel(64);
    let folder = opened.folder;
    let ledger = FileLedger { journal: opened.journal, drafts: folder.join("answers.json") };
    let engine = Engine::new(Start {
        plan,
        state: opened.state,
        drafts: opened.drafts,
        world,
        ledger: Box::new(ledger),
        front: Front { events: to_front, commands: from_front, secrets: secrets_in },
        folder: folder.clone(),
    });
    let lock = opened.lock;
    let engine = tokio::spawn(async move {
        let stopped = engine.run().await;
        drop(lock);
        stopped
    });
    Launch { link: Link { events, commands, secrets, folder }, engine }
}
