//! What the simulated cluster holds beside its objects: volumes with their databases, and what runs in each pod.
//!
//! Everything but logs and running jobs is saved, so that a practice run outlives the process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{containers::LogBook, database::Database, faults::Faults, objects::Objects};

/// Bytes as base64, as JSON has no bytes.
mod encoded {
    use std::{collections::BTreeMap, sync::Arc};

    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    type Files = BTreeMap<String, Arc<Vec<u8>>>;

    pub fn serialize<S: Serializer>(files: &Files, to: S) -> Result<S::Ok, S::Error> {
        let files: BTreeMap<&String, String> =
            files.iter().map(|(path, bytes)| (path, STANDARD.encode(bytes.as_slice()))).collect();
        files.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Files, D::Error> {
        let decode = |(path, text): (String, String)| {
            STANDARD.decode(text).map(|bytes| (path, Arc::new(bytes))).map_err(D::Error::custom)
        };
        BTreeMap::<String, String>::deserialize(from)?.into_iter().map(decode).collect()
    }
}

/// What runs in one pod.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct PodState {
    /// Files by absolute path.
    #[serde(with = "encoded")]
    pub files: BTreeMap<String, Arc<Vec<u8>>>,
    /// The environment its container was started with.
    pub env: BTreeMap<String, String>,
    /// PixelCore's applications, in the core only.
    pub applications: Option<Map<String, Value>>,
    /// Whether its program serves (its probe would succeed).
    pub serves: bool,
    /// Whether its container runs.
    pub runs: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Its output.
    #[serde(skip)]
    pub log: Option<Arc<LogBook>>,
    /// The output of the start before.
    #[serde(skip)]
    pub log_before: Option<Arc<LogBook>>,
    /// Its detached jobs that run, by folder and name.
    #[serde(skip)]
    pub jobs: HashMap<String, Arc<Job>>,
}

/// A detached command of a container. It ends with this value.
pub struct Job {
    /// How far it has read a file of its folder, in bytes.
    pub read: usize,
    _task: AbortOnDropHandle<()>,
}

impl Job {
    /// A command that `task` runs.
    pub fn new(task: AbortOnDropHandle<()>, read: usize) -> Self {
        Self { read, _task: task }
    }
}

impl PodState {
    /// Appends to a file, which is made when it is not there.
    pub fn append(&mut self, path: &str, bytes: &[u8]) {
        Arc::make_mut(self.files.entry(path.to_owned()).or_default()).extend_from_slice(bytes);
    }

    /// Bytes of a file, 0 if there is none.
    pub fn length(&self, path: &str) -> usize {
        self.files.get(path).map_or(0, |bytes| bytes.len())
    }
}

/// The state beside the objects.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Databases by name of their PersistentVolume. A volume without a database is empty.
    pub volumes: BTreeMap<String, Database>,
    /// Pods by uid.
    pub pods: BTreeMap<String, PodState>,
    /// Uid of the namespace whose worker came back and writes.
    pub writes_in: Option<String>,
    /// Addresses given to pods so far.
    pub addresses: u32,
}

impl State {
    /// What runs in a pod.
    pub fn pod(&mut self, uid: &str) -> &mut PodState {
        self.pods.entry(uid.to_owned()).or_default()
    }
}

/// The simulated cluster, shared by all that play it.
pub struct Shared {
    /// Its objects.
    pub objects: Arc<Objects>,
    /// Its faults.
    pub faults: Arc<Faults>,
    /// Factor on every duration once people watch; 0 in tests.
    pub pace: f64,
    /// Whether the world is made: what is done before that takes no simulated time.
    pub made: AtomicBool,
    /// Cancelled when the world ends.
    pub ended: CancellationToken,
    state: Mutex<State>,
    touched: AtomicU64,
}

impl Shared {
    /// A cluster with this state.
    pub fn new(objects: Arc<Objects>, faults: Arc<Faults>, pace: f64, state: State) -> Self {
        let pace = if pace.is_finite() { pace.clamp(0.0, 100.0) } else { 1.0 };
        Self {
            objects,
            faults,
            pace,
            made: AtomicBool::new(false),
            ended: CancellationToken::new(),
            state: Mutex::new(state),
            touched: AtomicU64::new(0),
        }
    }

    /// Looks at or changes the state; never held across an await.
    pub fn change<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        self.touched.fetch_add(1, Ordering::Relaxed);
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Only looks at the state.
    pub fn look<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        with(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number that moves with every change of state or objects.
    pub fn mark(&self) -> (u64, u64) {
        (self.touched.load(Ordering::Relaxed), self.objects.revision())
    }

    /// Waits so many simulated seconds.
    pub async fn pause(&self, seconds: f64) {
        let pace = if self.made.load(Ordering::Relaxed) { self.pace } else { 0.0 };
        tokio::time::sleep(Duration::from_secs_f64(seconds.max(0.0) * pace)).await;
    }

    /// The log of a pod's container.
    pub fn log(&self, uid: &str) -> Arc<LogBook> {
        self.change(|state| state.pod(uid).log.get_or_insert_default().clone())
    }
}
