//! The objects of the simulated cluster: JSON documents with uid, resource version and finalizers, and every change told.
//!
//! Knows nothing of kinds beyond group and plural. The API server and the controllers are its only writers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;

/// Changes that a slow watcher may be behind before it must list again.
const BACKLOG: usize = 4096;
/// Changes that are kept, so that a watch can begin in the past.
const HISTORY: usize = 2048;

/// Where an object lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// API group, empty for the core group.
    pub group: String,
    /// Plural, as in URLs.
    pub plural: String,
    /// Namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl Key {
    /// A key from its parts.
    pub fn new(group: &str, plural: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            group: group.to_owned(),
            plural: plural.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is another than before.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change, in the order of revisions.
#[derive(Debug, Clone)]
pub struct Change {
    /// The store's revision after it.
    pub revision: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// Where.
    pub key: Key,
    /// The object after it; before it, when it is gone.
    pub object: Arc<Value>,
}

/// Why the store refuses. The API server turns it into the status a real one would send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such object.
    #[error("not found")]
    NotFound,
    /// There is one of that name already.
    #[error("already exists")]
    Exists,
    /// It is another object, or another version of it, than the caller expects.
    #[error("{0}")]
    Conflict(String),
    /// The document cannot be stored.
    #[error("{0}")]
    Invalid(String),
}

#[derive(Default, Serialize, Deserialize)]
struct Inner {
    revision: u64,
    #[serde(with = "pairs")]
    objects: BTreeMap<Key, Arc<Value>>,
    #[serde(skip)]
    history: std::collections::VecDeque<Change>,
}

/// JSON has no maps with keys that are no strings.
mod pairs {
    use std::{collections::BTreeMap, sync::Arc};

    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    use super::Key;

    pub fn serialize<S: Serializer>(map: &BTreeMap<Key, Arc<Value>>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map.iter().map(|(key, object)| (key, object.as_ref())))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Key, Arc<Value>>, D::Error> {
        let pairs = Vec::<(Key, Value)>::deserialize(from)?;
        Ok(pairs.into_iter().map(|(key, object)| (key, Arc::new(object))).collect())
    }
}

/// The store.
pub struct Objects {
    inner: Mutex<Inner>,
    changes: broadcast::Sender<Change>,
}

impl Default for Objects {
    fn default() -> Self {
        Self { inner: Mutex::new(Inner::default()), changes: broadcast::channel(BACKLOG).0 }
    }
}

/// A fresh uid in the usual shape.
pub fn uid() -> String {
    let mut bytes = [0u8; 16];
    // without randomness of the system nothing else would work either; the time is enough for a simulated uid
    if getrandom::fill(&mut bytes).is_err() {
        bytes = Timestamp::now().as_nanosecond().cast_unsigned().to_be_bytes();
    }
    let hex = crate::text::hex(&bytes);
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

fn map(value: &mut Value) -> Option<&mut Map<String, Value>> {
    value.get_mut("metadata").and_then(Value::as_object_mut)
}

fn finalizers(object: &Value) -> usize {
    object.pointer("/metadata/finalizers").and_then(Value::as_array).map_or(0, Vec::len)
}

impl Objects {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, inner: &mut Inner, kind: ChangeKind, key: &Key, mut object: Value) -> Arc<Value> {
        inner.revision += 1;
        if let Some(meta) = map(&mut object) {
            meta.insert("resourceVersion".to_owned(), json!(inner.revision.to_string()));
        }
        let object = Arc::new(object);
        if kind == ChangeKind::Deleted {
            inner.objects.remove(key);
        } else {
            inner.objects.insert(key.clone(), Arc::clone(&object));
        }
        let change = Change { revision: inner.revision, kind, key: key.clone(), object: Arc::clone(&object) };
        inner.history.push_back(change.clone());
        if inner.history.len() > HISTORY {
            inner.history.pop_front();
        }
        // nobody may be watching
        let _ = self.changes.send(change);
        object
    }

    /// One object.
    pub fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.lock().objects.get(key).cloned()
    }

    /// The objects of a kind in order of names, in one namespace or everywhere, with the revision they stand at.
    pub fn list(&self, group: &str, plural: &str, namespace: Option<&str>) -> (u64, Vec<Arc<Value>>) {
        let inner = self.lock();
        let wanted = |key: &Key| {
            key.group == group
                && key.plural == plural
                && namespace.is_none_or(|namespace| key.namespace.as_deref() == Some(namespace))
        };
        (
            inner.revision,
            inner.objects.iter().filter(|(key, _)| wanted(key)).map(|(_, object)| object.clone()).collect(),
        )
    }

    /// Every key of a namespace.
    pub fn keys(&self, namespace: &str) -> Vec<Key> {
        self.lock().objects.keys().filter(|key| key.namespace.as_deref() == Some(namespace)).cloned().collect()
    }

    /// Stores a new object with uid, times and revision of its own.
    pub fn create(&self, key: &Key, mut object: Value) -> Result<Arc<Value>, Refusal> {
        let mut inner = self.lock();
        if inner.objects.contains_key(key) {
            return Err(Refusal::Exists);
        }
        let meta = object
            .as_object_mut()
            .map(|object| object.entry("metadata").or_insert_with(|| json!({})))
            .and_then(Value::as_object_mut)
            .ok_or_else(|| Refusal::Invalid("the document is no object".to_owned()))?;
        meta.insert("name".to_owned(), json!(key.name));
        if let Some(namespace) = &key.namespace {
            meta.insert("namespace".to_owned(), json!(namespace));
        }
        meta.insert("uid".to_owned(), json!(uid()));
        meta.insert("creationTimestamp".to_owned(), json!(format!("{:.0}", Timestamp::now())));
        meta.insert("generation".to_owned(), json!(1));
        meta.shift_remove("deletionTimestamp");
        Ok(self.publish(&mut inner, ChangeKind::Added, key, object))
    }

    /// Changes an object in place. Nothing is told when nothing changed. An ending object without finalizers goes, unless
    /// it is a pod or a namespace, which their controllers take away.
    pub fn update(
        &self,
        key: &Key,
        change: impl FnOnce(&mut Value) -> Result<(), Refusal>,
    ) -> Result<Arc<Value>, Refusal> {
        let mut inner = self.lock();
        let before = inner.objects.get(key).cloned().ok_or(Refusal::NotFound)?;
        let mut object = before.as_ref().clone();
        change(&mut object)?;
        if object == *before {
            return Ok(before);
        }
        if object.get("spec") != before.get("spec")
            && let Some(meta) = map(&mut object)
        {
            let generation = meta.get("generation").and_then(Value::as_u64).unwrap_or(1);
            meta.insert("generation".to_owned(), json!(generation + 1));
        }
        let ending = object.pointer("/metadata/deletionTimestamp").is_some();
        let held = matches!(key.plural.as_str(), "pods" | "namespaces") || finalizers(&object) > 0;
        let kind = if ending && !held { ChangeKind::Deleted } else { ChangeKind::Modified };
        Ok(self.publish(&mut inner, kind, key, object))
    }

    /// Asks an object to end. Pods, namespaces and what has finalizers only begin to; the rest is gone at once.
    pub fn delete(&self, key: &Key, uid: Option<&str>) -> Result<Arc<Value>, Refusal> {
        let mut inner = self.lock();
        let mut object = inner.objects.get(key).map(|object| object.as_ref().clone()).ok_or(Refusal::NotFound)?;
        let found = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(uid) = uid.filter(|uid| *uid != found) {
            return Err(Refusal::Conflict(format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({found})"
            )));
        }
        if object.pointer("/metadata/deletionTimestamp").is_some() {
            return Ok(Arc::new(object));
        }
        let held = matches!(key.plural.as_str(), "pods" | "namespaces") || finalizers(&object) > 0;
        if let Some(meta) = map(&mut object) {
            meta.insert("deletionTimestamp".to_owned(), json!(format!("{:.0}", Timestamp::now())));
        }
        if key.plural == "namespaces" {
            object["status"] = json!({"phase": "Terminating"});
        }
        let kind = if held { ChangeKind::Modified } else { ChangeKind::Deleted };
        Ok(self.publish(&mut inner, kind, key, object))
    }

    /// Takes an object away for good, as the controller in charge of its end does.
    pub fn remove(&self, key: &Key) {
        let mut inner = self.lock();
        if let Some(object) = inner.objects.get(key).map(|object| object.as_ref().clone()) {
            self.publish(&mut inner, ChangeKind::Deleted, key, object);
        }
    }

    /// The store's revision.
    pub fn revision(&self) -> u64 {
        self.lock().revision
    }

    /// Every change after `revision`: those that are kept, then those to come. `None` when `revision` is too long ago
    /// (a real server says 410 Gone).
    pub fn changes(&self, revision: u64) -> Option<(Vec<Change>, broadcast::Receiver<Change>)> {
        let inner = self.lock();
        let oldest = inner.history.front().map_or(inner.revision + 1, |change| change.revision);
        if revision < inner.revision && oldest > revision + 1 {
            return None;
        }
        let past = inner.history.iter().filter(|change| change.revision > revision).cloned().collect();
        Some((past, self.changes.subscribe()))
    }

    /// The whole store as a document, for a practice run that is taken up again.
    pub fn save(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(&*self.lock())
    }

    /// A store from such a document.
    pub fn load(saved: Value) -> Result<Self, serde_json::Error> {
        Ok(Self { inner: Mutex::new(serde_json::from_value(saved)?), changes: broadcast::channel(BACKLOG).0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new("", "configmaps", Some("plant"), name)
    }

    #[test]
    fn changes_are_numbered_told_and_survive_saving() {
        let store = Objects::default();
        let made = store.create(&key("a"), json!({"kind": "ConfigMap", "data": {"x": "1"}})).unwrap();
        assert_eq!(store.create(&key("a"), json!({})).unwrap_err(), Refusal::Exists);
        store
            .update(&key("a"), |object| {
                object["data"]["x"] = json!("2");
                Ok(())
            })
            .unwrap();
        store.update(&key("a"), |_| Ok(())).unwrap();
        let (past, _) = store.changes(1).unwrap();
        assert_eq!(past.len(), 1);
        assert_eq!(past[0].kind, ChangeKind::Modified);
        let again = Objects::load(store.save().unwrap()).unwrap();
        assert_eq!(again.revision(), 2);
        assert_eq!(again.get(&key("a")).unwrap().pointer("/metadata/uid"), made.pointer("/metadata/uid"));
        assert!(again.changes(1).is_none(), "the past is not kept over a restart");
    }

    #[test]
    fn deletion_keeps_to_uids_and_finalizers() {
        let store = Objects::default();
        store.create(&key("a"), json!({"metadata": {"finalizers": ["x/y"]}})).unwrap();
        assert!(matches!(store.delete(&key("a"), Some("other")), Err(Refusal::Conflict(_))));
        store.delete(&key("a"), None).unwrap();
        assert!(store.get(&key("a")).is_some());
        store
            .update(&key("a"), |object| {
                object["metadata"]["finalizers"] = json!([]);
                Ok(())
            })
            .unwrap();
        assert!(store.get(&key("a")).is_none());
    }
}
