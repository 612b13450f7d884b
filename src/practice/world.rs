//! The practice world: begun anew with a plant to upgrade, or taken up where it was left.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::{
    containers::Containers,
    controllers, database,
    faults::{Fault, Faults},
    kubelet::NODE,
    machine::{self, Machine},
    objects::{Key, Objects},
    pixelcore,
    runtime::Runtime,
    state::{Shared, State},
};
use crate::ports::Host;

/// Name of the plant's namespace.
pub const NAMESPACE: &str = "plant";
/// Its namespace for rehearsals, which is there from the start for an account that may make none.
pub const REHEARSAL: &str = "plant-rehearsal";
/// Name of its Helm release.
pub const RELEASE: &str = "pixelcore";
/// Name of its environment file among the laid files.
const ENVIRONMENT: &str = "plant.env";
/// Least time between two saves.
const SAVE: Duration = Duration::from_millis(500);
/// Longest wait for a new plant to get ready.
const PATIENCE: Duration = Duration::from_secs(30);

const DOTENV: &str = "# Environment of one PixelCore deployment.\nPIX_INSTANCE_NAME=\"PixelCore practice plant\"\nPIX_TIMEZONE=Europe/Rome\nPIX_DB_NAME=pixelcore\nPIX_DB_USER=pix\nPIX_DB_PASSWORD=practice-db\n# Basic authentication of /api; leave both out to have none\nPIX_API_USER=admin\nPIX_API_PASSWORD='practice me #1'\nPIX_SESSION_SECRET=0f1e2d3c4b5a69788796a5b4c3d2e1f0\nPIX_RETENTION_MONTHS=24\n# true: GET /api/applications shows tokens as asterisks\nPIX_API_MASK_TOKENS=false\n";
const VALUES: &str = "version: 4.2.0\nstorage:\n  size: 5Gi\n";
const CHART: &str = "apiVersion: v2\nname: pixelcore\ndescription: Stand-in for the PixelCore IoT platform, for upgrade tests\nversion: 1.0.0\nappVersion: \"5.0.0\"\n";

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Faults that happen.
    pub faults: Vec<Fault>,
    /// The file that keeps it; a world that is there is taken up again.
    pub saved: Option<PathBuf>,
    /// Factor on every duration; 1 for people, 0 for tests.
    pub pace: f64,
    /// Rows of the large table in a new world.
    pub rows: u64,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    objects: Value,
    state: State,
}

/// The world.
pub struct World {
    /// Its objects, for the API server.
    pub objects: Arc<Objects>,
    /// Its containers, for the API server.
    pub containers: Arc<dyn Containers>,
    /// Its host.
    pub host: Arc<dyn Host>,
    /// Its faults.
    pub faults: Arc<Faults>,
    shared: Arc<Shared>,
    file: Option<PathBuf>,
    tasks: Vec<AbortOnDropHandle<()>>,
}

fn invalid(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

impl World {
    /// Begins a world with a running PixelCore 4.2.0, or takes up the saved one.
    ///
    /// # Errors
    /// The saved file cannot be read or understood, or the new plant does not get ready.
    pub async fn begin(options: Options) -> io::Result<Self> {
        let faults = Arc::new(Faults::new(options.faults));
        let saved = match &options.saved {
            Some(path) if path.exists() => Some(std::fs::read(path)?),
            _ => None,
        };
        let fresh = saved.is_none();
        let (objects, state) = match saved {
            Some(bytes) => {
                let saved: Saved = serde_json::from_slice(&bytes).map_err(invalid)?;
                (Objects::load(saved.objects).map_err(invalid)?, saved.state)
            }
            None => (Objects::default(), State::default()),
        };
        let objects = Arc::new(objects);
        let shared = Arc::new(Shared::new(Arc::clone(&objects), Arc::clone(&faults), options.pace, state));
        shared.made.store(!fresh, Ordering::Relaxed);
        if fresh {
            furnish(&shared);
        }
        let mut world = Self {
            containers: Arc::new(Runtime(Arc::clone(&shared))),
            host: Arc::new(Machine::new(Runtime(Arc::clone(&shared)))),
            objects,
            faults,
            file: options.saved,
            tasks: vec![AbortOnDropHandle::new(tokio::spawn(controllers::run(Arc::clone(&shared))))],
            shared,
        };
        if fresh {
            world.plant(options.rows).await?;
            world.save().await?;
        }
        world.shared.made.store(true, Ordering::Relaxed);
        if let Some(path) = world.file.clone() {
            let keeper = keep(Arc::clone(&world.shared), path);
            world.tasks.push(AbortOnDropHandle::new(tokio::spawn(keeper)));
        }
        Ok(world)
    }

    /// Installs PixelCore 4.2.0, fills its database and configures its applications.
    async fn plant(&self, rows: u64) -> io::Result<()> {
        let given = json!({"version": "4.2.0", "storage": {"size": "5Gi"}, "dotenv": DOTENV});
        machine::install(&self.shared, NAMESPACE, RELEASE, &given).map_err(invalid)?;
        let deadline = tokio::time::Instant::now() + PATIENCE.mul_f64(self.shared.pace.max(1.0));
        let core = loop {
            if let Some(core) = self.ready("pix-core").filter(|_| self.ready("pix-worker").is_some()) {
                break core;
            }
            if tokio::time::Instant::now() > deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the practice plant did not get ready"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        self.shared.change(|state| {
            for database in state.volumes.values_mut() {
                database::fill(database, rows);
            }
            let all = state.pod(&core).applications.get_or_insert_default();
            for (name, change) in pixelcore::of_a_plant().as_object().into_iter().flatten() {
                let change = change.as_object().cloned().unwrap_or_default();
                pixelcore::put_setting(all, "4.2.0", name, &change).map_err(invalid)?;
            }
            Ok(())
        })
    }

    /// Uid of the ready pod of an application in the plant.
    fn ready(&self, app: &str) -> Option<String> {
        let (_, pods) = self.objects.list("", "pods", Some(NAMESPACE));
        let pod = pods.iter().find(|pod| pod["metadata"]["labels"]["app"] == app && controllers::is_ready(pod))?;
        pod["metadata"]["uid"].as_str().map(str::to_owned)
    }

    /// Lays the files that a runbook's inputs name into `folder`: `plant.env`, `values.yaml`, `chart/`, `scripts/`.
    ///
    /// # Errors
    /// A file or folder that cannot be written.
    pub fn lay_files(&self, folder: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let lay = |path: PathBuf, text: &str, mode: u32| {
            write(&path, text.as_bytes())?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
        };
        std::fs::create_dir_all(folder.join("chart"))?;
        std::fs::create_dir_all(folder.join("scripts"))?;
        lay(folder.join(ENVIRONMENT), DOTENV, 0o600)?;
        lay(folder.join("values.yaml"), VALUES, 0o600)?;
        lay(folder.join("chart/Chart.yaml"), CHART, 0o644)?;
        for (name, text) in machine::SCRIPTS {
            lay(folder.join("scripts").join(name), text, 0o755)?;
        }
        Ok(())
    }

    /// Inputs of the runbook that lead to the files laid into `folder`; whoever chooses the way lays it over them.
    pub fn inputs(&self, folder: &Path) -> BTreeMap<String, String> {
        let at = |name: &str| folder.join(name).display().to_string();
        [("chart", at("chart")), ("scripts", at("scripts")), ("release", RELEASE.to_owned())]
            .map(|(input, value)| (input.to_owned(), value))
            .into()
    }

    /// Path of the environment file among the files laid into `folder`.
    pub fn dotenv(&self, folder: &Path) -> PathBuf {
        folder.join(ENVIRONMENT)
    }

    /// Writes the world to its file now.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn save(&self) -> io::Result<()> {
        match &self.file {
            Some(path) => save(&self.shared, path.clone()).await,
            None => Ok(()),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shared.ended.cancel();
    }
}

/// Writes a file of mode 0600 whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

async fn save(shared: &Arc<Shared>, path: PathBuf) -> io::Result<()> {
    let shared = Arc::clone(shared);
    let work = tokio::task::spawn_blocking(move || {
        // state and objects of one moment as nearly as two locks allow; a pod without state starts anew
        let state = shared.look(State::clone);
        let objects = shared.objects.save().map_err(invalid)?;
        let bytes = serde_json::to_vec(&Saved { format: 1, objects, state }).map_err(invalid)?;
        write(&path, &bytes)
    });
    work.await.map_err(io::Error::other)?
}

async fn keep(shared: Arc<Shared>, path: PathBuf) {
    let mut kept = shared.mark();
    loop {
        tokio::time::sleep(SAVE).await;
        let now = shared.mark();
        if now != kept && save(&shared, path.clone()).await.is_ok() {
            kept = now;
        }
    }
}

/// What every cluster has: its node, its storage class, its namespaces, and the plant's.
fn furnish(shared: &Shared) {
    let create = |key: Key, object: Value| {
        // a new world is empty
        let _ = shared.objects.create(&key, object);
    };
    let given = shared.faults.holds(Fault::OneNamespace).then_some(REHEARSAL);
    for name in ["kube-system", "default", "kube-public", "kube-node-lease", NAMESPACE].into_iter().chain(given) {
        let mut labels = json!({"kubernetes.io/metadata.name": name});
        if name == NAMESPACE {
            labels["env"] = json!("practice");
        }
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"labels": labels}, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
        let key = Key::new("", "namespaces", None, name);
        create(key.clone(), namespace);
        if let Some(namespace) = shared.objects.get(&key) {
            controllers::furnish(shared, &namespace);
        }
    }
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": controllers::PROVISIONER, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"});
    create(Key::new("storage.k8s.io", "storageclasses", None, controllers::CLASS), class);
    let conditions = json!([{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}]);
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"labels": {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}},
        "spec": {}, "status": {"conditions": conditions, "addresses": [{"type": "InternalIP", "address": "10.244.0.1"}, {"type": "Hostname", "address": NODE}],
        "nodeInfo": {"kubeletVersion": "v1.36.0+practice", "osImage": "drydock practice", "containerRuntimeVersion": "practice://1", "kernelVersion": "practice", "architecture": "amd64", "operatingSystem": "linux"},
        "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}, "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}});
    create(Key::new("", "nodes", None, NODE), node);
}
