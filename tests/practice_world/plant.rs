//! What a plant holds, asked through drydock's own adapter: rows by table and column, sequences, settings, volumes.

use std::collections::BTreeMap;

use drydock::{
    ports::{Collect, Exec, Kind, ObjectRef, Objects, PodRef, kinds},
    practice::NAMESPACE,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;

/// Columns and rows of a table.
type Table = (Vec<String>, Vec<Vec<String>>);

/// A plant at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Plant {
    tables: BTreeMap<String, Table>,
    sequences: BTreeMap<String, String>,
    pub settings: Value,
}

impl Plant {
    /// Only the tables, columns, sequences and settings that `like` has, but for the schema's own version.
    pub fn seen_as(mut self, like: &Self) -> Self {
        self.tables.retain(|name, _| like.tables.contains_key(name));
        for (name, (columns, rows)) in &mut self.tables {
            let wanted = &like.tables[name].0;
            let places: Vec<usize> = wanted.iter().filter_map(|want| columns.iter().position(|c| c == want)).collect();
            *rows = rows.iter().map(|row| places.iter().map(|at| row[*at].clone()).collect()).collect();
            columns.clone_from(wanted);
        }
        self.sequences.retain(|name, _| like.sequences.contains_key(name));
        for (name, setting) in self.settings.as_object_mut().unwrap() {
            let known = like.settings[name].as_object().cloned().unwrap_or_default();
            setting.as_object_mut().unwrap().retain(|key, _| known.contains_key(key));
        }
        self.settings.as_object_mut().unwrap().retain(|_, setting| *setting != serde_json::json!({}));
        self
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.tables.values().map(|(_, rows)| rows.len()).sum()
    }
}

/// Reads what pg_dump printed; rows are put in order.
fn read(dump: &str) -> (BTreeMap<String, Table>, BTreeMap<String, String>) {
    let (mut tables, mut sequences) = (BTreeMap::<String, Table>::new(), BTreeMap::new());
    let mut lines = dump.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("COPY public.") {
            let (name, rest) = rest.split_once(" (").unwrap();
            let columns = rest.trim_end_matches(") FROM stdin;").split(", ").map(str::to_owned).collect();
            let rows = lines.by_ref().take_while(|line| *line != "\\.");
            let rows = rows.map(|row| row.split('\t').map(str::to_owned).collect());
            // partitions stand for their table
            let name = name.split("_20").next().unwrap().trim_end_matches("_default").to_owned();
            let table = tables.entry(name).or_insert_with(|| (columns, Vec::new()));
            table.1.extend(rows);
        } else if let Some(rest) = line.strip_prefix("SELECT pg_catalog.setval(") {
            let (name, value) = rest.split_once(", ").unwrap();
            sequences.insert(name.to_owned(), value.to_owned());
        }
    }
    tables.remove("schema_version");
    for (_, rows) in tables.values_mut() {
        rows.sort_unstable();
    }
    (tables, sequences)
}

impl Desk {
    /// Runs a command in a pod of the plant and returns its standard output.
    pub async fn exec(&self, app: &str, container: &str, command: &[&str]) -> String {
        self.exec_in(NAMESPACE, app, container, command).await
    }

    async fn exec_in(&self, namespace: &str, app: &str, container: &str, command: &[&str]) -> String {
        let pod = self.pod_in(namespace, app, container).await;
        let mut out = Collect::new(64 << 20);
        let words: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        let end = self.cluster.run(&pod, &words, b"", &mut out, &CancellationToken::new()).await.unwrap();
        assert_eq!(end.code, 0, "{command:?}: {}", out.text());
        out.text()
    }

    pub async fn pod(&self, app: &str, container: &str) -> PodRef {
        self.pod_in(NAMESPACE, app, container).await
    }

    pub async fn pod_in(&self, namespace: &str, app: &str, container: &str) -> PodRef {
        let found = self.cluster.list(&kinds::pod(), Some(namespace), &format!("app={app}")).await.unwrap();
        let text = |pointer: &str| found[0].pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        let (pod, uid) = (text("/metadata/name"), text("/metadata/uid"));
        PodRef { namespace: namespace.to_owned(), pod, container: container.to_owned(), uid }
    }

    /// What the plant holds now.
    pub async fn plant(&self) -> Plant {
        self.plant_in(NAMESPACE).await
    }

    /// What the deployment in another namespace holds now.
    pub async fn plant_in(&self, namespace: &str) -> Plant {
        let dump = ["pg_dump", "--data-only", "-U", "pix", "pixelcore"];
        let (tables, sequences) = read(&self.exec_in(namespace, "pix-db", "postgres", &dump).await);
        let pod = self.pod_in(namespace, "pix-core", "pix-core").await;
        let login = "Basic YWRtaW46cHJhY3RpY2UgbWUgIzE=";
        let request = http::Request::get("/api/applications").header("authorization", login).body(Vec::new()).unwrap();
        let (status, body) = self.cluster.http(&pod, 8080, request).await.unwrap();
        assert_eq!(status, 200);
        Plant { tables, sequences, settings: serde_json::from_slice(&body).unwrap() }
    }

    /// Value at `pointer` of every object of a kind, of the plant or of the cluster.
    pub async fn every(&self, kind: Kind, pointer: &str) -> Vec<String> {
        let namespace = kind.namespaced.then_some(NAMESPACE);
        let found = self.cluster.list(&kind, namespace, "").await.unwrap();
        found
            .iter()
            .map(|object| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned())
            .collect()
    }

    /// The volume that no claim holds any more.
    pub async fn released(&self) -> Value {
        let all = self.cluster.list(&kinds::volume(), None, "").await.unwrap();
        all.into_iter().find(|volume| volume["status"]["phase"] == "Released").unwrap()
    }

    /// Lets a volume name a claim of this uid.
    pub async fn hold(&self, volume: &Value, claim: &str) {
        let name = volume["metadata"]["name"].as_str().unwrap().to_owned();
        let (kind, uid) = (kinds::volume(), volume["metadata"]["uid"].as_str().unwrap());
        let fields = serde_json::json!({"spec": {"claimRef": {"uid": claim}}});
        self.cluster.apply(&ObjectRef { kind, namespace: None, name }, uid, &fields).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
}
