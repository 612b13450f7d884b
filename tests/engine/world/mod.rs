//! A world in memory: a small cluster, its containers, this machine, a vault and a clock. It holds what a crash leaves
//! behind, records every change in order, fails or waits where a test says so, and can keep each of its moments.

mod deployment;
mod exec;
mod host;
mod objects;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use drydock::ports::{EntryMeta, PortError, PortErrorKind, World};
use serde_json::{Map, Value};
use tokio::{sync::Semaphore, time::Instant};

pub use deployment::{DOTENV, Database, key};
pub use host::CHART;

/// Namespace of the target.
pub const PLANT: &str = "plant";
/// Passphrase of the vault.
pub const PASSPHRASE: &str = "correct horse";

/// Kind, namespace (or nothing) and name.
pub type Key = (String, String, String);

/// Everything that outlives a process.
#[derive(Clone, Default, PartialEq)]
pub struct State {
    /// Objects of the cluster.
    pub objects: BTreeMap<Key, Value>,
    /// Number of the next uid.
    pub next: u64,
    /// Databases that run, by namespace.
    pub databases: BTreeMap<String, Database>,
    /// Databases on volumes that were kept, by volume.
    pub kept: BTreeMap<String, Database>,
    /// Settings in the core containers, by namespace.
    pub settings: BTreeMap<String, Map<String, Value>>,
    /// Files of containers, by pod uid and path.
    pub files: BTreeMap<(String, String), Vec<u8>>,
    /// Detached jobs by pod uid and name: status and bytes of output.
    pub jobs: BTreeMap<(String, String), (u8, u64)>,
    /// The vault, by run and entry.
    pub vault: BTreeMap<(String, String), (EntryMeta, Vec<u8>)>,
    /// Whether the vault exists.
    pub vault_made: bool,
    /// Every change, in order.
    pub calls: Vec<String>,
    /// Id of the cluster.
    pub cluster: String,
    /// Whether every deployment uses one database outside of its namespace.
    pub outside: bool,
    /// Rows that a writer has made by the time it is stopped, each time one more; 0 for writers that write nothing.
    pub ingested: usize,
    /// Settings of a new version that it takes and does not keep.
    pub refuses: Vec<String>,
    /// Settings that a new version answers with status 400; its error quotes what it was sent.
    pub rejects: Vec<String>,
    /// Status of the pods that only fetch an image; without one they ran.
    pub image_status: Option<Value>,
    /// Status of the client pods; without one they run.
    pub client_status: Option<Value>,
    /// Pods whose uid is known beforehand, by name.
    pub fixed_uids: BTreeMap<String, String>,
    /// Room on this machine in bytes; without a number there is plenty.
    pub room: Option<u64>,
    /// How helm described the newest revision, by namespace.
    pub marks: BTreeMap<String, String>,
    /// Whether the network lets everything through, whatever policies say.
    pub ignores_policies: bool,
    /// What a program here prints, by name.
    pub says: BTreeMap<String, (u8, String)>,
}

/// What the world and the run's folder were at one moment between two changes.
#[derive(Clone, PartialEq)]
pub struct Moment {
    /// Files of the run's folder.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// The world.
    pub state: State,
}

/// A wait inside a call: the test is told that it is reached, and lets it go on.
#[derive(Clone)]
pub struct Hold {
    /// Beginning of the call.
    pub call: String,
    /// Gets a permit when the call is reached.
    pub reached: Arc<Semaphore>,
    /// A permit lets it go on.
    pub go: Arc<Semaphore>,
}

/// What a connection that is lost at a change takes with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lost {
    /// The request: nothing happened.
    Request,
    /// The answer: it happened, and nobody was told.
    Answer,
}

/// Reads that reach nobody.
struct Silent {
    reads: String,
    time: Duration,
    /// Known from the first of them on. Before it time runs by itself while the journal is written on a busy machine.
    until: Option<Instant>,
}

impl Silent {
    fn swallows(&mut self, call: &str) -> bool {
        call.starts_with(&self.reads) && Instant::now() < *self.until.get_or_insert_with(|| Instant::now() + self.time)
    }
}

/// What a job does that does not end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Endless {
    /// It says something on standard error, and reading that takes for ever.
    Speaks,
    /// After its first sign it is not heard of any more.
    Unheard,
}

#[derive(Default)]
struct Script {
    endless: Option<(Endless, usize)>,
    last_words: Vec<(String, String)>,
    open: bool,
    faults: Vec<(String, PortErrorKind)>,
    hold: Option<Hold>,
    lost: Option<(usize, Lost)>,
    reads: usize,
    lost_read: Option<usize>,
    silence: Option<(String, String, Duration)>,
    silent: Option<Silent>,
    reached: Vec<String>,
    follow: Option<PathBuf>,
    moments: Vec<Moment>,
    ticks: i64,
    forbidden: BTreeSet<String>,
}

/// The world; every port is this one thing.
#[derive(Default)]
pub struct Fake {
    state: Mutex<State>,
    script: Mutex<Script>,
}

impl Fake {
    /// A world around a state; the vault is locked, as in a new process.
    pub fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state), script: Mutex::default() })
    }

    /// As the engine wants it.
    pub fn world(self: &Arc<Self>) -> World {
        World {
            objects: Arc::clone(self) as _,
            exec: Arc::clone(self) as _,
            logs: Arc::clone(self) as _,
            host: Arc::clone(self) as _,
            secrets: Arc::clone(self) as _,
            clock: Arc::clone(self) as _,
        }
    }

    /// The state, for looking and for meddling from outside.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// The next call that begins with `call` fails.
    pub fn fail(&self, call: &str, kind: PortErrorKind) {
        self.script().faults.push((call.to_owned(), kind));
    }

    /// Refuses a right, as `delete secrets`.
    pub fn forbid(&self, right: &str) {
        self.script().forbidden.insert(right.to_owned());
    }

    /// The same in one namespace only.
    pub fn forbid_in(&self, right: &str, namespace: &str) {
        self.script().forbidden.insert(format!("{right} in {namespace}"));
    }

    /// Jobs do not end any more.
    pub fn keep_jobs(&self, how: Endless) {
        self.script().endless = Some((how, 0));
    }

    /// What these pods say is on its way when nobody follows their logs any more.
    pub fn says_last(&self, pod: &str, text: &str) {
        self.script().last_words.push((pod.to_owned(), text.to_owned()));
    }

    /// At the change of this number, from 0, the connection is lost.
    pub fn lose(&self, number: usize, lost: Lost) {
        self.script().lost = Some((number, lost));
    }

    /// The read of this number, from 0, reaches nobody.
    pub fn lose_read(&self, number: usize) {
        self.script().lost_read = Some(number);
    }

    /// Once a change that begins with `after` is made, reads that begin with `reads` reach nobody for so long, from the first on.
    pub fn silence(&self, after: &str, reads: &str, time: Duration) {
        self.script().silence = Some((after.to_owned(), reads.to_owned(), time));
    }

    /// Every call so far, changes and reads, in order.
    pub fn reached(&self) -> Vec<String> {
        self.script().reached.clone()
    }

    /// Reads so far.
    pub fn reads(&self) -> usize {
        self.script().reads
    }

    /// The next call that begins with `call` waits until it is let go.
    pub fn hold(&self, call: &str) -> Hold {
        let none = || Arc::new(Semaphore::new(0));
        let hold = Hold { call: call.to_owned(), reached: none(), go: none() };
        self.script().hold = Some(hold.clone());
        hold
    }

    /// Keeps every moment from now on, with the files of `folder`.
    pub fn keep_moments(&self, folder: &Path) {
        self.script().follow = Some(folder.to_owned());
    }

    /// The moments kept.
    pub fn moments(&self) -> Vec<Moment> {
        std::mem::take(&mut self.script().moments)
    }

    /// Keeps this moment, when moments are kept and it differs from the last one.
    pub fn moment(&self) {
        let Some(folder) = self.script().follow.clone() else { return };
        let moment = Moment { files: read_folder(&folder), state: self.state().clone() };
        let mut script = self.script();
        if script.moments.last() != Some(&moment) {
            script.moments.push(moment);
        }
    }

    /// Changes so far that begin with `call`.
    pub fn calls(&self, call: &str) -> Vec<String> {
        self.state().calls.iter().filter(|done| done.starts_with(call)).cloned().collect()
    }

    /// A call that is reached: waits or fails where the test says so.
    async fn reach(&self, call: &str) -> Result<(), PortError> {
        let held = self.script().hold.take_if(|hold| call.starts_with(&hold.call));
        if let Some(hold) = held {
            hold.reached.add_permits(1);
            hold.go.acquire().await.unwrap().forget();
        }
        let mut script = self.script();
        script.reached.push(call.to_owned());
        match script.faults.iter().position(|(begin, _)| call.starts_with(begin)) {
            Some(at) => {
                let (_, kind) = script.faults.remove(at);
                Err(PortError::new(kind, format!("cannot {call}"), "the test says so"))
            }
            None => Ok(()),
        }
    }

    /// A call that changes nothing.
    async fn read(&self, call: &str) -> Result<(), PortError> {
        self.reach(call).await?;
        let mut script = self.script();
        script.reads += 1;
        let silent = script.silent.as_mut().is_some_and(|silent| silent.swallows(call));
        if silent || script.lost_read == Some(script.reads - 1) {
            return error(PortErrorKind::Unreachable, "cannot reach the server", "nobody answers");
        }
        Ok(())
    }

    /// One change of the world: its moments before and after are kept.
    async fn change<T>(
        &self,
        call: String,
        change: impl FnOnce(&mut State) -> Result<T, PortError> + Send,
    ) -> Result<T, PortError> {
        self.reach(&call).await?;
        let silence = self.script().silence.take_if(|(after, ..)| call.starts_with(after.as_str()));
        if let Some((_, reads, time)) = silence {
            self.script().silent = Some(Silent { reads, time, until: None });
        }
        let number = self.state().calls.len();
        let lost = self.script().lost.take_if(|(at, _)| *at == number).map(|(_, lost)| lost);
        let gone =
            || PortError::new(PortErrorKind::ConnectionLost, "cannot reach the server", "the connection is lost");
        if lost == Some(Lost::Request) {
            return Err(gone());
        }
        self.moment();
        let changed = {
            let mut state = self.state();
            state.calls.push(call);
            let changed = change(&mut state);
            state.reconcile();
            changed
        };
        self.moment();
        if lost.is_some() { Err(gone()) } else { changed }
    }
}

/// Files below a folder, but for the lock and outputs, which no resume reads.
pub fn read_folder(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(folder).unwrap().to_owned();
            if inside.starts_with("output") || inside.starts_with("lock") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(inside, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn error<T>(kind: PortErrorKind, what: &str, detail: &str) -> Result<T, PortError> {
    Err(PortError::new(kind, what, detail))
}
