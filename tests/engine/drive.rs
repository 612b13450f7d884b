//! A desk: a run's folder, a world, and a clerk. Runs an engine on it and keeps what was said.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use drydock::{
    engine::{Engine, Front, Ledger, Plan, Start, values},
    ports::{Clock, Identity, Objects},
    run::{Event, Link, Question, Record, RunState, RunbookRef, SecretHandle, Stopped},
    runbook::{Loaded, load},
    runner::{Opened, launch, reopen},
    store::{Entry, Journal, Keep, RunFolder, RunId, read_journal, write_atomic},
    text::{Diagnostic, Typed},
};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::clerk::attend;
pub use crate::clerk::{Act, Clerk};
use crate::world::{Fake, Moment, PASSPHRASE, PLANT};

const PIXELCORE: &str = include_str!("../../assets/runbooks/pixelcore.yaml");

/// The upgrade of PixelCore with a second writer, and one step that must never be repeated. The other intents are left out:
/// the text is read again at every of the hundreds of kills.
pub fn pixelcore() -> String {
    let (head, intents) = PIXELCORE.split_once("\nintents:\n").unwrap();
    let upgrade = intents.find("\n  - id: ").map_or(intents, |end| &intents[..=end]);
    // an input may name no intent that is not there
    edited(&format!("{head}\nintents:\n{upgrade}").replace("intents: [backup]", "intents: [upgrade]"))
}

/// The same with every intent.
pub fn pixelcore_with_all() -> String {
    edited(PIXELCORE)
}

fn edited(text: &str) -> String {
    let announce = "          - id: announce
            title: Announce it
            why: Everybody is told once.
            do: {run: {on: here, command: [announce, \"{{ target.namespace }}\"]}}
            estimate: 1 s
          - id: compare\n";
    let text = text.replacen("          - id: compare\n", announce, 1);
    text.replace("deployments: [pix-worker]", "deployments: [pix-worker, pix-feed]")
}

/// Four steps that need no cluster; `strike` must never be repeated.
pub const SMALL: &str = include_str!("../data/four-steps.yaml");

/// Folder of the new version's chart.
pub const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/chart");

/// Name of every run.
const RUN: &str = "2026-11-20-test-7f3a";

/// How a drive ended.
pub struct Ride {
    pub stopped: Stopped,
    pub events: Vec<Event>,
    /// Secrets that were shown, which is beside the events.
    pub shown: Vec<(SecretHandle, SecretString)>,
}

impl Ride {
    /// Questions in order.
    pub fn questions(&self) -> Vec<&Question> {
        fn asked(event: &Event) -> Option<&Question> {
            match event {
                Event::Asking { question, .. } => Some(question),
                _ => None,
            }
        }
        self.events.iter().filter_map(asked).collect()
    }
}

/// A ledger that keeps the world's moments around each append, and can fail from one append on.
struct Own {
    journal: Journal<Record>,
    drafts: PathBuf,
    fake: Arc<Fake>,
    left: usize,
    late: Arc<Mutex<Vec<usize>>>,
}

impl Own {
    fn use_up(&mut self) -> Result<(), Diagnostic> {
        if self.left == 0 {
            let calls = self.fake.state().calls.len();
            self.late.lock().unwrap().push(calls);
            return Err(Diagnostic::new("the journal cannot be written"));
        }
        self.left -= 1;
        Ok(())
    }
}

impl Ledger for Own {
    fn claim(&mut self, _: &Identity) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn append(&mut self, at: Timestamp, record: &Record) -> Result<(), Diagnostic> {
        self.use_up()?;
        self.fake.moment();
        self.journal.append(at, record).unwrap();
        self.fake.moment();
        Ok(())
    }

    fn save_drafts(&mut self, drafts: &Map<String, Value>) -> Result<(), Diagnostic> {
        self.use_up()?;
        self.fake.moment();
        write_atomic(&self.drafts, &serde_json::to_vec_pretty(drafts).unwrap(), Keep::Nothing).unwrap();
        self.fake.moment();
        Ok(())
    }
}

/// A run on this machine.
pub struct Desk {
    home: TempDir,
    pub fake: Arc<Fake>,
    /// Every write that the ledger refused: the number of changes of the world before it.
    pub late: Arc<Mutex<Vec<usize>>>,
    /// How a command that finds the run is typed.
    pub typed: Typed,
}

impl Desk {
    /// A new run of a runbook, with its first two records.
    pub async fn begin(text: &str, fake: Arc<Fake>) -> Self {
        Self::begin_with(text, fake, CHART).await
    }

    /// The same with another chart.
    pub async fn begin_with(text: &str, fake: Arc<Fake>, chart: &str) -> Self {
        let desk = Self::empty(fake);
        let loaded = load("runbook.yaml", text).unwrap_or_else(|faults| panic!("{faults:?}"));
        let target = match loaded.runbook.deployment {
            Some(_) => desk.fake.identity(PLANT).await.unwrap(),
            None => Identity {
                cluster_uid: None,
                ca_sha256: String::new(),
                namespace_uid: String::new(),
                root_uid: String::new(),
                namespace: String::new(),
                server_version: String::new(),
                labels: Vec::new(),
            },
        };
        let chart = loaded.runbook.deployment.iter().map(|_| ("chart".to_owned(), chart.to_owned()));
        let chosen: BTreeMap<String, String> = chart.collect();
        let environment = if target.labels.contains(&"env=test".to_owned()) { "TEST" } else { "PROD" };
        let place = json!({"namespace": target.namespace, "context": "c", "environment": environment});
        let inputs = loaded.runbook.inputs(&loaded.runbook.intents[0], &chosen, &place).unwrap();
        let plan = plan(&loaded, &target, &json!({"inputs": inputs, "target": place}));
        write_atomic(&desk.folder().join("runbook.yaml"), text.as_bytes(), Keep::Nothing).unwrap();
        let first = [
            Record::Started {
                format: 1,
                run: RUN.into(),
                runbook: RunbookRef {
                    id: loaded.runbook.id.clone(),
                    title: loaded.runbook.title.clone(),
                    version: "1".into(),
                    digest: loaded.digest.clone(),
                    intent: loaded.runbook.intents[0].id.clone(),
                },
                tool: "0".into(),
                target: Box::new(target),
                context: "c".into(),
                acting: drydock::ports::Acting::default(),
                environment: environment.into(),
                operator: "ann".into(),
                host: "desk".into(),
                practice: false,
                inputs,
            },
            Record::Planned {
                phases: plan.phases.clone(),
                steps: plan.steps.iter().map(|step| step.planned.clone()).collect(),
            },
        ];
        let mut journal = Journal::create(&desk.folder().join("journal.jsonl")).unwrap();
        for record in &first {
            journal.append(desk.fake.now(), record).unwrap();
        }
        desk
    }

    /// What a crash at this moment leaves behind; `journal` in place of the moment's own where it is given.
    pub fn after(moment: &Moment, journal: Option<&[u8]>) -> Self {
        let desk = Self::empty(Fake::new(moment.state.clone()));
        for (path, bytes) in &moment.files {
            let bytes = journal.filter(|_| path == Path::new("journal.jsonl")).unwrap_or(bytes);
            let path = desk.folder().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        desk
    }

    fn empty(fake: Arc<Fake>) -> Self {
        // hundreds of runs sync every line: in memory where the machine has such a folder
        let memory = Path::new("/dev/shm");
        let home = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let desk = Self { home, fake, late: Arc::default(), typed: Typed::default() };
        for inner in ["artifacts", "output", "evidence"] {
            std::fs::create_dir_all(desk.folder().join(inner)).unwrap();
        }
        desk
    }

    /// The run's folder.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("runs").join(RUN)
    }

    fn run(&self) -> RunFolder {
        RunFolder { id: RunId::try_from(RUN.to_owned()).unwrap(), path: self.folder() }
    }

    /// Whether the program would open it again.
    pub fn reopened(&self) -> Result<(), Diagnostic> {
        reopen(self.run()).map(|_| ())
    }

    /// Records so far; the chain is proven on the way.
    pub fn entries(&self) -> Vec<Entry<Record>> {
        read_journal(&self.folder().join("journal.jsonl")).unwrap().entries
    }

    /// The same run in a new process: the vault is locked again.
    pub fn again(self) -> Self {
        let state = self.fake.state().clone();
        Self { fake: Fake::new(state), late: Arc::default(), ..self }
    }

    /// Runs it as the program does, on the real journal and lock.
    pub async fn go(&self, clerk: Clerk) -> Ride {
        self.ride(reopen(self.run()).unwrap(), clerk).await
    }

    /// Gives it up as the program does.
    pub async fn give_up(&self, clerk: Clerk) -> Ride {
        self.ride(reopen(self.run()).unwrap().giving_up("the window is over".into()), clerk).await
    }

    async fn ride(&self, opened: Opened, clerk: Clerk) -> Ride {
        let plan = plan_of(&opened.runbook, &opened.state);
        let launched = launch(opened.with_typed(self.typed.clone()), plan, self.fake.world());
        let link = launched.link;
        let (events, shown) = attend(link, clerk).await;
        Ride { stopped: launched.engine.await.unwrap(), events, shown }
    }

    /// Runs it behind the line prompts, with answers from a script; returns what they printed, too.
    pub async fn go_plain(&self, answers: Value) -> (Stopped, String) {
        let opened = reopen(self.run()).unwrap();
        let plan = plan_of(&opened.runbook, &opened.state);
        let before = opened.records.clone();
        let launched = launch(opened, plan, self.fake.world());
        let link = launched.link;
        let mut out = Vec::new();
        let input = drydock::plain::Input::Scripted(Box::new(Clerk::new(answers).script));
        let mut front = drydock::plain::Front::new(&mut out, input);
        front.take_over(drydock::app::Handover::of(before));
        front.run(link).await;
        drop(front);
        (launched.engine.await.unwrap(), String::from_utf8(out).unwrap())
    }

    /// Runs it on a ledger of the test's, which fails after `left` writes.
    pub async fn go_watched(&self, clerk: Clerk, left: usize) -> Ride {
        let folder = self.folder();
        let (journal, opened) = Journal::<Record>::open(&folder.join("journal.jsonl")).unwrap();
        let mut state = RunState::default();
        for entry in &opened.entries {
            state.apply(entry.at, &entry.record);
        }
        let loaded = load("runbook.yaml", &std::fs::read_to_string(folder.join("runbook.yaml")).unwrap()).unwrap();
        let plan = plan_of(&loaded, &state);
        let drafts = folder.join("answers.json");
        let (events, from_engine) = mpsc::channel(1024);
        let (to_engine, commands) = mpsc::channel(64);
        let (to_secrets, secrets) = mpsc::channel(64);
        let (show, shown) = mpsc::channel(4);
        let ledger =
            Own { journal, drafts: drafts.clone(), fake: Arc::clone(&self.fake), left, late: Arc::clone(&self.late) };
        let engine = Engine::new(Start {
            plan,
            state,
            drafts: std::fs::read(drafts).map_or_else(|_| Map::new(), |bytes| serde_json::from_slice(&bytes).unwrap()),
            world: self.fake.world(),
            ledger: Box::new(ledger),
            front: Front { events, commands, secrets, shown: show },
            folder,
            giving_up: None,
            typed: self.typed.clone(),
        });
        let engine = tokio::spawn(engine.run());
        let link = Link { events: from_engine, commands: to_engine, secrets: to_secrets, shown };
        let (events, shown) = attend(link, clerk).await;
        Ride { stopped: engine.await.unwrap(), events, shown }
    }
}

fn plan(loaded: &Loaded, target: &Identity, known: &Value) -> Plan {
    Plan::new(&loaded.runbook, &loaded.runbook.intents[0], target, known)
}

fn plan_of(loaded: &Loaded, state: &RunState) -> Plan {
    plan(loaded, state.target.as_ref().unwrap(), &values(state))
}

/// Answers for the four steps.
pub fn walk() -> Value {
    json!({"format": 1, "approve": true, "resume": "go-on", "steps": {"look": {"go_on": true}, "end": {"go_on": true}}})
}

/// Answers for the whole upgrade; `dotenv` is the path of the environment file.
pub fn upgrade(dotenv: &Path) -> Value {
    json!({
        "format": 1, "approve": true, "passphrase": {"plain": PASSPHRASE}, "resume": "go-on",
        "steps": {
            "environment": {"items": {"1": {"dotenv": dotenv}}},
            "lns": {"secrets": {"lns-eu": {"token": {"plain": "tok-eu-4711"}}}, "confirm": "all"},
            "workers": {"confirm": "all"},
            "other": {"none": "checked every tab against the defaults"},
            "freeze": {"go_on": true},
            "remove": {"phrase": "delete plant of 86ea7bb5"},
            "put_lns": {"by_eye": ["lns-eu"]},
        },
    })
}
