//! The application in the small cluster: what Helm makes, what controllers make of that, its database and its settings.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Key, PLANT, State};

/// A database, by its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    /// Rows by table.
    pub tables: BTreeMap<String, Vec<String>>,
    /// Last value of the large table's sequence.
    pub sequence: Option<i64>,
    /// Row changes.
    pub writes: u64,
    /// When the last of them is counted, where that comes late.
    pub counted: Option<tokio::time::Instant>,
    /// Transactions of other databases of the server.
    pub elsewhere: u64,
    /// Which server it is.
    pub identifier: String,
    /// Whether another client has written something and not ended its transaction.
    pub open_writer: bool,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it counts no row changes.
    pub uncounted: bool,
    /// How often its name still has no answer.
    pub unreached: usize,
}

/// The large table.
pub const HISTORY: &str = "object_properties_history";

/// The environment file of the deployment.
pub const DOTENV: &str = "PIX_DB_HOST=pix-db\nPIX_DB_NAME=pixelcore\nPIX_DB_USER=pix\nPIX_DB_PASSWORD=hunter-of-rows\n\
                          PIX_API_USER=admin\nPIX_API_PASSWORD=door-opener-77\n";

/// Kind, namespace and name as a key.
pub fn key(kind: &str, namespace: &str, name: &str) -> Key {
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

impl State {
    /// A cluster with the old version running in `plant`, with rows, settings, and a neighbour's object.
    pub fn with_deployment(environment: &str) -> Self {
        let mut state = Self { cluster: "86ea7bb5-0000-4000-8000-000000000001".into(), ..Self::default() };
        state.put(json!({"kind": "StorageClass", "metadata": {"name": "fast"}}));
        state.put(json!({"kind": "Namespace", "metadata": {"name": PLANT, "labels": {"env": environment}}}));
        state.install(PLANT, "4.2.0", DOTENV.as_bytes());
        state.put(json!({"kind": "ConfigMap", "metadata": {"name": "notes", "namespace": PLANT}}));
        let database = state.database();
        let rows = |all: &[&str]| all.iter().map(|&row| row.to_owned()).collect::<Vec<_>>();
        database.tables.insert("objects".into(), rows(&["1\tpump", "2\tvalve", "3\tmeter"]));
        database.tables.insert(HISTORY.into(), rows(&["1,on", "2,off", "3,on", "4,off"]));
        database.sequence = Some(4);
        database.writes = 70;
        let settings = json!({
            "lns-eu": {"kind": "lns", "api_url": "https://lns-eu.example.net/api", "owner": "eu", "token": "tok-eu-4711"},
            "lns-us": {"kind": "lns", "api_url": "https://lns-us.example.net/api", "owner": "us", "token": "tok-us-0815",
                "region": {"key": "extra-us-99"}},
            "geo": {"kind": "worker", "active": true, "source": "git+https://git.example.net/geo#v1", "settings": {"s": 30, "smtp": {"pass": "mail-of-geo-31"}}},
        });
        state.settings.insert(PLANT.into(), settings.as_object().unwrap().clone());
        state
    }

    /// The database of the target.
    pub fn database(&mut self) -> &mut Database {
        self.databases.get_mut(PLANT).unwrap()
    }

    /// A uid that was never given.
    pub fn uid(&mut self) -> String {
        self.next += 1;
        format!("uid-{:04}", self.next)
    }

    /// Stores an object, as a server does: a new one gets a uid.
    pub fn put(&mut self, mut object: Value) -> Value {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let at = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
        let known = self.objects.get(&at).map(|old| old["metadata"]["uid"].clone());
        let known = known.or_else(|| self.fixed_uids.get(&at.2).map(|uid| json!(uid)));
        object["metadata"]["uid"] = known.unwrap_or_else(|| json!(self.uid()));
        self.objects.insert(at, object.clone());
        object
    }

    fn put_new(&mut self, object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        if !self.objects.contains_key(&(text("/kind"), text("/metadata/namespace"), text("/metadata/name"))) {
            self.put(object);
        }
    }

    /// What `helm upgrade --install` does.
    pub fn install(&mut self, ns: &str, version: &str, dotenv: &[u8]) {
        let meta = |name: &str| json!({"name": name, "namespace": ns, "annotations": {"meta.helm.sh/release-name": "pixelcore"}});
        let variables: Map<String, Value> = std::str::from_utf8(dotenv)
            .unwrap()
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), json!(STANDARD.encode(value))))
            .collect();
        self.put(json!({"kind": "Secret", "metadata": meta("pix-env"), "data": variables}));
        self.put_new(json!({"kind": "Service", "metadata": meta("pix-core")}));
        for (kind, name, container) in [
            ("StatefulSet", "pix-db", "postgres"),
            ("Deployment", "pix-core", "pix-core"),
            ("Deployment", "pix-worker", "pix-worker"),
            ("Deployment", "pix-feed", "pix-feed"),
        ] {
            self.put(json!({"kind": kind, "metadata": meta(name), "spec": {
                "replicas": if name == "pix-feed" { 2 } else { 1 }, "selector": {"matchLabels": {"app": name}}, "version": version,
                "template": {"spec": {"containers": [{"name": container, "image": format!("reg/{name}:{version}"),
                    "envFrom": [{"secretRef": {"name": "pix-env"}}],
                    "securityContext": {"allowPrivilegeEscalation": false}, "resources": {"requests": {"memory": "64Mi"}}}]}},
                "volumeClaimTemplates": if kind == "StatefulSet" { json!([{"metadata": {"name": "data"}}]) } else { json!([]) }}}));
        }
        let revision = 1 + self
            .objects
            .keys()
            .filter(|(kind, of, name)| {
                kind == "Secret" && of == ns && name.starts_with("sh.helm.release.v1.pixelcore.v")
            })
            .count();
        let record = format!("sh.helm.release.v1.pixelcore.v{revision}");
        let labels =
            json!({"owner": "helm", "name": "pixelcore", "status": "deployed", "version": revision.to_string()});
        self.put(json!({"kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": record, "namespace": ns, "labels": labels},
            "data": {"release": STANDARD.encode(format!("chart and values of {version}"))}}));
        self.settings.entry(ns.to_owned()).or_default();
        self.reconcile();
    }

    /// What the controllers make of it, at once.
    pub fn reconcile(&mut self) {
        let workloads: Vec<(Key, Value)> = self
            .objects
            .iter()
            .filter(|((kind, ..), _)| kind == "Deployment" || kind == "StatefulSet")
            .map(|(at, object)| (at.clone(), object.clone()))
            .collect();
        let wanted: BTreeMap<Key, (Key, Value)> = workloads
            .iter()
            .flat_map(|(at, object)| {
                let count = object["spec"]["replicas"].as_u64().unwrap();
                (0..count).map(move |n| (key("Pod", &at.1, &format!("{}-{n}", at.2)), (at.clone(), object.clone())))
            })
            .collect();
        let owned = |object: &Value| object["metadata"].get("ownerReferences").is_some();
        self.objects.retain(|at, object| at.0 != "Pod" || !owned(object) || wanted.contains_key(at));
        for (at, (owner, object)) in wanted {
            if owner.0 == "StatefulSet" {
                let labels = &object["spec"]["volumeClaimTemplates"][0]["metadata"]["labels"];
                let name = format!("data-{}", at.2);
                self.claim(&owner.1, &name, object["spec"]["version"].as_str().unwrap(), labels);
            }
            self.put_new(json!({"kind": "Pod", "metadata": {"name": at.2, "namespace": at.1,
                "labels": object["spec"]["selector"]["matchLabels"], "ownerReferences": [{"name": owner.2}]},
                "spec": {"containers": object["spec"]["template"]["spec"]["containers"]}}));
        }
        for (at, object) in &mut self.objects {
            match at.0.as_str() {
                "Pod" if self.image_status.is_some() && at.2.starts_with("drydock-image-") => {
                    object["status"] = self.image_status.clone().unwrap_or_default();
                }
                "Pod" if self.client_status.is_some() && at.2.starts_with("drydock-client-") => {
                    object["status"] = self.client_status.clone().unwrap_or_default();
                }
                "Pod" => {
                    object["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                        "containerStatuses": [{"name": "c", "image": "i", "imageID": "sha256:1"}]});
                }
                "Deployment" | "StatefulSet" => {
                    let replicas = object["spec"]["replicas"].clone();
                    object["status"] = json!({"readyReplicas": replicas, "updatedReplicas": replicas});
                }
                _ => {}
            }
        }
    }

    /// A claim with its volume, and a new database of that version on it.
    fn claim(&mut self, ns: &str, name: &str, version: &str, labels: &Value) {
        if self.objects.contains_key(&key("PersistentVolumeClaim", ns, name)) {
            return;
        }
        let volume = format!("pv-{}", self.uid());
        self.put(json!({"kind": "PersistentVolume", "metadata": {"name": volume},
            "spec": {"persistentVolumeReclaimPolicy": "Delete", "capacity": {"storage": "1Gi"}}}));
        self.put(
            json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": ns, "labels": labels},
            "spec": {"volumeName": volume, "storageClassName": "fast"}}),
        );
        let identifier = match self.databases.get(PLANT).filter(|_| self.outside) {
            Some(source) => source.identifier.clone(),
            None => self.uid(),
        };
        let mut database = Database { identifier, writes: 2, ..Database::default() };
        database.tables.insert("schema_version".into(), vec![version.to_owned()]);
        database.tables.insert("objects".into(), vec!["1\tdefault".into()]);
        database.tables.insert(HISTORY.into(), Vec::new());
        if version != "4.2.0" {
            database.tables.insert("edge_nodes".into(), Vec::new());
        }
        self.databases.insert(ns.to_owned(), database);
    }

    /// Takes one object away, with what hangs on it.
    pub fn take(&mut self, at: &Key) {
        let Some(object) = self.objects.remove(at) else { return };
        match at.0.as_str() {
            "Deployment" if at.2 == "pix-core" => {
                self.settings.remove(&at.1);
            }
            "PersistentVolumeClaim" => {
                let volume = key("PersistentVolume", "", object["spec"]["volumeName"].as_str().unwrap());
                let database = self.databases.remove(&at.1).unwrap();
                if self.objects[&volume]["spec"]["persistentVolumeReclaimPolicy"] == "Retain" {
                    self.kept.insert(volume.2, database);
                } else {
                    self.objects.remove(&volume);
                }
            }
            "Namespace" => {
                let inside: Vec<Key> = self.objects.keys().filter(|(_, ns, _)| *ns == at.2).cloned().collect();
                for at in &inside {
                    self.take(at);
                }
            }
            _ => {}
        }
    }

    /// Version that runs in a namespace, when its core runs.
    pub fn version(&self, ns: &str) -> Option<String> {
        let core = self.objects.get(&key("Deployment", ns, "pix-core"))?;
        self.objects.get(&key("Pod", ns, "pix-core-0"))?;
        Some(core["spec"]["version"].as_str()?.to_owned())
    }

    /// The application's answer to a request.
    pub fn answer(&mut self, ns: &str, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let Some(version) = self.version(ns) else { return (503, Value::Null) };
        let settings = self.settings.entry(ns.to_owned()).or_default();
        // the application shows one token in full and masks the other, as real ones do
        let shown = |name: &str, value: &Value| {
            let mut value = value.clone();
            if name == "lns-eu" {
                value["token"] = json!("********");
            }
            value
        };
        match (method, path) {
            ("GET", "/health") => (200, json!({})),
            ("GET", "/api/version") => (200, json!({"version": version})),
            ("GET", "/api/applications") => {
                (200, Value::Object(settings.iter().map(|(name, value)| (name.clone(), shown(name, value))).collect()))
            }
            (method, path) => {
                let name = path.trim_start_matches("/api/applications/");
                let name = &*percent_encoding::percent_decode_str(name).decode_utf8_lossy();
                if method == "PUT" && version == "5.0.0" && self.rejects.iter().any(|rejected| rejected == name) {
                    let sent: Value = serde_json::from_slice(body).unwrap();
                    return (400, json!({"error": format!("token {}: not taken", sent["token"].as_str().unwrap())}));
                }
                if method == "PUT" && !(version == "5.0.0" && self.refuses.iter().any(|refused| refused == name)) {
                    settings.insert(name.to_owned(), serde_json::from_slice(body).unwrap());
                }
                settings.get(name).map_or((404, Value::Null), |value| (200, shown(name, value)))
            }
        }
    }
}
