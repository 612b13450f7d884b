//! PixelCore as practice plays it: the core with its API and settings, the worker, the database server, and what its chart
//! renders. After a stand-in that runs on a real Kubernetes; same names, same log lines, same refusals.
//!
//! Called by `kubelet` (the programs), `runtime` (connections) and `machine` (the chart).

mod api;
mod core;
pub mod dotenv;
pub mod render;
mod server;
mod settings;
mod worker;

use std::sync::Arc;

use serde_json::Value;

use super::{
    containers::LogBook,
    database::{self, Reached},
    shell::Place,
};

pub use api::serve;
pub use settings::{of_a_plant, put as put_setting};

/// A container that runs.
#[derive(Clone)]
pub struct Running {
    /// Where.
    pub place: Place,
    /// Its output.
    pub log: Arc<LogBook>,
    /// False when the container ran before the practice world was taken up again.
    pub fresh: bool,
}

/// The programs that are played here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `pix.py core`
    Core,
    /// `pix.py worker`
    Worker,
    /// PostgreSQL, through the image's entry point.
    Server,
}

impl Program {
    /// What a container's spec starts, if it is one of these.
    pub fn of(container: &Value) -> Option<Self> {
        let words = |key: &str| container.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let all: Vec<Value> = [words("command"), words("args")].concat();
        let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
        match all.as_slice() {
            ["python3", "-u", "/app/pix.py", "core"] => Some(Self::Core),
            ["python3", "-u", "/app/pix.py", "worker"] => Some(Self::Worker),
            ["postgres", ..] => Some(Self::Server),
            _ => None,
        }
    }

    /// Runs it to its end.
    pub async fn run(self, me: &Running) -> u8 {
        match self {
            Self::Core => core::run(me).await,
            Self::Worker => worker::run(me).await,
            Self::Server => server::run(me).await,
        }
    }
}

impl Running {
    /// A variable of its environment.
    pub fn var(&self, name: &str) -> &str {
        self.place.env.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Writes a line as `pix.py` does.
    pub fn say(&self, level: &str, part: &str, text: &str) {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3f");
        self.log.write(format!("{now}Z {level:<5} [{part}] {text}"));
    }

    /// Whether its probe would succeed from now on.
    pub fn serves(&self, serves: bool) {
        self.place.shared.change(|state| {
            if let Some(pod) = state.pods.get_mut(&self.place.uid) {
                pod.serves = serves;
            }
        });
    }

    /// Connects to its database as its environment says.
    pub fn database(&self) -> Result<Reached, String> {
        let mut place = self.place.clone();
        place.env.insert("PGPASSWORD".to_owned(), self.var("PIX_DB_PASSWORD").to_owned());
        let given = |name: &str| Some(self.var(name).to_owned());
        let target =
            database::Target { host: given("PIX_DB_HOST"), user: given("PIX_DB_USER"), database: given("PIX_DB_NAME") };
        database::connect(&place, &target)
            .map_err(|problem| format!("psql: error: {}", problem.lines().next().unwrap_or_default()))
    }
}
