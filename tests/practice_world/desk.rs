//! A desk: a practice world behind its server, a folder of runs, a vault in memory, and a run that goes on until it stops
//! or is cut off as a kill would.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use drydock::{
    cluster::Cluster,
    engine::{Plan, values},
    plain::{Answers, Front, Input, Scripted},
    ports::{
        EntryMeta, EntryName, Identity, Objects, PortError, Sealed, Sealing, SecretBytes, Secrets, SystemClock,
        VaultState, World as Ports,
    },
    practice::{ApiServer, Fault, NAMESPACE, Options, World},
    run::{Event, Link, Record, RunbookRef, Stopped},
    runbook::{EMBEDDED, InputKind, Intent, Loaded, load},
    runner::{launch, open, reopen, source},
    store::{RunFolder, Runs},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A vault that forgets at its end.
#[derive(Default)]
pub struct Vault {
    open: Mutex<bool>,
    entries: Mutex<BTreeMap<(String, EntryName), (EntryMeta, SecretBytes)>>,
}

#[async_trait]
impl Secrets for Vault {
    fn state(&self) -> VaultState {
        if *self.open.lock().unwrap() { VaultState::Open } else { VaultState::Absent }
    }

    async fn open(&self, passphrase: &SecretString) -> Result<(), PortError> {
        assert!(!passphrase.expose_secret().is_empty());
        *self.open.lock().unwrap() = true;
        Ok(())
    }

    async fn get(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, PortError> {
        let entries = self.entries.lock().unwrap();
        Ok(entries.get(&(run.to_owned(), name.clone())).map(|(_, value)| value.clone()))
    }

    async fn put(&self, mut meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, PortError> {
        meta.length = value.expose_secret().len();
        meta.check = drydock::store::sha256_hex(value.expose_secret())[..4].to_owned();
        self.entries.lock().unwrap().insert((meta.run.clone(), meta.name.clone()), (meta.clone(), value));
        Ok(meta)
    }

    async fn list(&self, run: &str) -> Result<Vec<EntryMeta>, PortError> {
        let entries = self.entries.lock().unwrap();
        Ok(entries.values().filter(|(meta, _)| meta.run == run).map(|(meta, _)| meta.clone()).collect())
    }

    async fn seal(&self, sealing: Sealing) -> Result<Sealed, PortError> {
        std::fs::create_dir_all(&sealing.folder).unwrap();
        let mut bytes = 0;
        for (name, path) in &sealing.files {
            bytes += std::fs::copy(path, sealing.folder.join(name.replace('/', "."))).unwrap();
        }
        Ok(Sealed { files: sealing.files.len(), bytes })
    }

    async fn keyed_digest(&self, bytes: &[u8]) -> Result<String, PortError> {
        Ok(drydock::store::sha256_hex(bytes))
    }
}

/// Everything of one practice run.
pub struct Desk {
    pub folder: TempDir,
    pub world: World,
    pub server: ApiServer,
    pub cluster: Arc<Cluster>,
    pub vault: Arc<Vault>,
    faults: Vec<Fault>,
    pace: f64,
}

/// How a drive ended and what it told.
pub struct Ride {
    /// None when it was cut off.
    pub stopped: Option<Stopped>,
    pub said: String,
    pub events: Vec<Event>,
}

impl Ride {
    /// Whether this was said, wherever the prompts wrapped their lines.
    pub fn says(&self, words: &str) -> bool {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        flat(&self.said).contains(&flat(words))
    }
}

impl Ride {
    /// What was recorded in this drive.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.events.iter().filter_map(|event| match event {
            Event::Recorded { record, .. } => Some(record.as_ref()),
            _ => None,
        })
    }
}

async fn serve(folder: &TempDir, faults: &[Fault], pace: f64, rows: u64) -> (World, ApiServer, Arc<Cluster>) {
    let saved = Some(folder.path().join("world.json"));
    let world = World::begin(Options { faults: faults.to_vec(), saved, pace, rows }).await.unwrap();
    let server = ApiServer::start(Arc::clone(&world.objects), Arc::clone(&world.containers), Arc::clone(&world.faults))
        .await
        .unwrap();
    let text = String::from_utf8(server.kubeconfig().expose_secret().to_vec()).unwrap();
    let cluster = Arc::new(Cluster::from_text(&text).unwrap());
    (world, server, cluster)
}

impl Desk {
    /// A new world with these faults, as quick as it can be.
    pub async fn new(faults: &[Fault], rows: u64) -> Self {
        Self::paced(faults, rows, 0.0).await
    }

    /// A new world at a pace.
    pub async fn paced(faults: &[Fault], rows: u64, pace: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (world, server, cluster) = serve(&folder, faults, pace, rows).await;
        world.lay_files(folder.path()).unwrap();
        Self { folder, world, server, cluster, vault: Arc::default(), faults: faults.to_vec(), pace }
    }

    /// The same world, taken up from its file by a new process.
    pub async fn again(self) -> Self {
        self.edited(|_| ()).await
    }

    /// The same, with its file edited in between: what no interface of the world would take.
    pub async fn edited(self, edit: impl FnOnce(&mut Value)) -> Self {
        let Self { folder, world, server, vault, faults, pace, .. } = self;
        drop((world, server));
        let file = folder.path().join("world.json");
        let mut saved: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let unchanged = saved.clone();
        edit(&mut saved);
        if saved != unchanged {
            std::fs::write(&file, saved.to_string()).unwrap();
        }
        let (world, server, cluster) = serve(&folder, &faults, pace, 0).await;
        Self { folder, world, server, cluster, vault, faults, pace }
    }

    fn ports(&self) -> Ports {
        Ports {
            objects: Arc::clone(&self.cluster) as Arc<dyn drydock::ports::Objects>,
            exec: Arc::clone(&self.cluster) as Arc<dyn drydock::ports::Exec>,
            logs: Arc::clone(&self.cluster) as Arc<dyn drydock::ports::Logs>,
            host: Arc::clone(&self.world.host),
            secrets: Arc::clone(&self.vault) as Arc<dyn Secrets>,
            clock: Arc::new(SystemClock),
        }
    }

    pub fn runs(&self) -> Runs {
        Runs::new(self.folder.path().join("runs"))
    }

    /// The newest run.
    pub fn run(&self) -> RunFolder {
        self.runs().newest().unwrap().unwrap()
    }

    /// Where a file lies that was made by hand and is given for an input.
    pub fn by_hand(&self, input: &str) -> PathBuf {
        self.folder.path().join(input)
    }

    /// Answers of an administrator who knows the plant.
    pub fn answers(&self, more: &Value) -> Value {
        let mut answers = json!({
            "format": 1, "approve": true, "passphrase": {"plain": "practice makes perfect"}, "resume": "go-on",
            "steps": {
                "environment": {"items": {"1": {"dotenv": self.world.dotenv(self.folder.path())}}},
                "lns": {"confirm": "all"}, "workers": {"confirm": "all"},
                "other": {"none": "checked every tab against the defaults"},
                "freeze": {"go_on": true},
                "remove": {"phrase": "practice"},
            },
        });
        for (step, answer) in more.as_object().into_iter().flatten() {
            for (key, value) in answer.as_object().into_iter().flatten() {
                answers["steps"][step][key] = value.clone();
            }
        }
        answers
    }

    /// A new run of the embedded runbook, dumping in this way, until it stops.
    pub async fn upgrade(&self, way: &str, more: &Value) -> Ride {
        self.start(way, more, |_| false).await
    }

    /// A new run until it stops, or is cut off once `cut` has seen its moment.
    pub async fn start(&self, way: &str, more: &Value, cut: impl Fn(&Event) -> bool) -> Ride {
        self.begin("upgrade", way, more, cut).await
    }

    /// The same of an intent.
    pub async fn begin(&self, intent: &str, way: &str, more: &Value, cut: impl Fn(&Event) -> bool) -> Ride {
        let (_, text) = EMBEDDED.iter().find(|(id, _)| *id == "pixelcore").unwrap();
        let loaded = load("pixelcore", text).unwrap();
        let identity = self.cluster.identity(NAMESPACE).await.unwrap();
        let place = json!({"namespace": NAMESPACE, "context": "practice", "environment": "PRACTICE"});
        let intent = loaded.runbook.intents.iter().find(|known| known.id == intent).unwrap();
        let mut chosen = self.world.inputs(self.folder.path());
        chosen.retain(|id, _| loaded.runbook.inputs.iter().any(|input| input.id == *id && input.is_asked_by(intent)));
        chosen.insert("way".to_owned(), way.to_owned());
        // what was made by hand lies where the input says
        for input in loaded.runbook.inputs.iter().filter(|i| i.kind == InputKind::Adopted && i.is_asked_by(intent)) {
            chosen.insert(input.id.clone(), self.by_hand(&input.id).display().to_string());
        }
        let inputs = loaded.runbook.inputs(intent, &chosen, &place).unwrap();
        let known = json!({"inputs": inputs, "target": place});
        let plan = Plan::new(&loaded.runbook, intent, &identity, &known);
        let first = |id: &str| first_records(id, (&loaded, intent), &identity, &inputs, &plan);
        let opened = open(&self.runs(), loaded.clone(), serde_json::Map::new(), first).unwrap();
        let plan = Plan::new(&loaded.runbook, intent, &identity, &known);
        self.attend(launch(opened, plan, self.ports()), &[], more, cut).await
    }

    /// A new run that goes on from the newest one, until it stops, or is cut off once `cut` has seen its moment.
    pub async fn go_on(&self, intent: &str, more: &Value, cut: impl Fn(&Event) -> bool) -> Ride {
        let (_, text) = EMBEDDED.iter().find(|(id, _)| *id == "pixelcore").unwrap();
        let loaded = load("pixelcore", text).unwrap();
        let identity = self.cluster.identity(NAMESPACE).await.unwrap();
        let intent = loaded.runbook.intents.iter().find(|known| known.id == intent).unwrap();
        let from = source(&self.runs(), "pixelcore", intent.continues.as_ref().unwrap(), &identity, None).unwrap();
        let plan = Plan::new(&loaded.runbook, intent, &identity, &values(&from.state));
        let first = |id: &str| {
            let mut first = first_records(id, (&loaded, intent), &identity, &from.state.inputs, &plan);
            if let Record::Started { runbook, .. } = &mut first[0] {
                runbook.intent.clone_from(&intent.id);
            }
            first.push(from.record.clone());
            first
        };
        let opened = open(&self.runs(), loaded.clone(), from.drafts.clone(), first).unwrap();
        let plan = Plan::new(&loaded.runbook, intent, &identity, &values(&opened.state));
        self.attend(launch(opened, plan, self.ports()), &[], more, cut).await
    }

    /// The newest run taken up again.
    pub async fn resume(&self, more: &Value, cut: impl Fn(&Event) -> bool) -> Ride {
        let opened = reopen(self.run()).unwrap();
        let (target, of) = (opened.state.target.as_ref().unwrap(), opened.state.runbook.as_ref().unwrap());
        let intent = opened.runbook.runbook.intents.iter().find(|known| known.id == of.intent).unwrap();
        let plan = Plan::new(&opened.runbook.runbook, intent, target, &values(&opened.state));
        let before = opened.records.clone();
        self.attend(launch(opened, plan, self.ports()), &before, more, cut).await
    }

    /// The newest run given up: what it changed is put back.
    pub async fn give_up(&self, more: &Value) -> Ride {
        let opened = reopen(self.run()).unwrap().giving_up("the window is over".to_owned());
        let (target, of) = (opened.state.target.as_ref().unwrap(), opened.state.runbook.as_ref().unwrap());
        let intent = opened.runbook.runbook.intents.iter().find(|known| known.id == of.intent).unwrap();
        let plan = Plan::new(&opened.runbook.runbook, intent, target, &values(&opened.state));
        let before = opened.records.clone();
        self.attend(launch(opened, plan, self.ports()), &before, more, |_| false).await
    }

    async fn attend(
        &self,
        launched: drydock::runner::Launch,
        before: &[(jiff::Timestamp, Record)],
        more: &Value,
        cut: impl Fn(&Event) -> bool,
    ) -> Ride {
        let drydock::runner::Launch { mut link, engine, .. } = launched;
        let (tell, hear) = tokio::sync::mpsc::channel(64);
        let answers: Answers = serde_json::from_value(self.answers(more)).unwrap();
        let records = before.to_vec();
        let front = tokio::spawn(async move {
            let mut out = Vec::new();
            let mut front = Front::new(&mut out, Input::Scripted(Box::new(Scripted::new(answers, true))));
            front.take_over(drydock::app::Handover::of(records));
            front.run(Link { events: hear, commands: link.commands, secrets: link.secrets, shown: link.shown }).await;
            drop(front);
            String::from_utf8(out).unwrap()
        });
        let mut events = Vec::new();
        let mut whole = true;
        while let Some(event) = link.events.recv().await {
            let now = cut(&event);
            events.push(event.clone());
            let last = matches!(event, Event::Stopped { .. });
            // a front end that left is the engine's to find out
            let _ = tell.send(event).await;
            if now {
                engine.abort();
                whole = false;
                break;
            }
            if last {
                break;
            }
        }
        drop((tell, link.events));
        let ended = engine.await;
        let said = tokio::time::timeout(Duration::from_secs(5), front).await.unwrap().unwrap();
        Ride { stopped: whole.then(|| ended.unwrap()), said, events }
    }
}

fn first_records(
    id: &str,
    (loaded, intent): (&Loaded, &Intent),
    identity: &Identity,
    inputs: &Value,
    plan: &Plan,
) -> Vec<Record> {
    let started = Record::Started {
        format: 1,
        run: id.to_owned(),
        runbook: RunbookRef {
            id: loaded.runbook.id.clone(),
            title: loaded.runbook.title.clone(),
            version: loaded.runbook.version.clone(),
            digest: loaded.digest.clone(),
            intent: intent.id.clone(),
        },
        tool: "0".to_owned(),
        target: Box::new(identity.clone()),
        context: "practice".to_owned(),
        acting: drydock::ports::Acting::default(),
        environment: "PRACTICE".into(),
        operator: "ann".to_owned(),
        host: "desk".to_owned(),
        practice: true,
        inputs: inputs.clone(),
    };
    let planned = Record::Planned {
        phases: plan.phases.clone(),
        steps: plan.steps.iter().map(|step| step.planned.clone()).collect(),
    };
    vec![started, planned]
}
