//! Objects of a cluster, its identity, and what we may do there.

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PortError, SecretBytes};

/// A kind of object, as the server serves it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version, as `v1`.
    pub version: String,
    /// Kind, as `Deployment`.
    pub kind: String,
    /// Plural, as in URLs: `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl Kind {
    /// A kind that is known beforehand.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into(), plural: plural.into(), namespaced }
    }
}

/// Kinds that every cluster has.
pub mod kinds {
    use super::Kind;

    /// core/v1 Namespace
    pub fn namespace() -> Kind {
        Kind::new("", "v1", "Namespace", "namespaces", false)
    }
    /// core/v1 Node
    pub fn node() -> Kind {
        Kind::new("", "v1", "Node", "nodes", false)
    }
    /// core/v1 PersistentVolume
    pub fn volume() -> Kind {
        Kind::new("", "v1", "PersistentVolume", "persistentvolumes", false)
    }
    /// core/v1 PersistentVolumeClaim
    pub fn claim() -> Kind {
        Kind::new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true)
    }
    /// core/v1 Pod
    pub fn pod() -> Kind {
        Kind::new("", "v1", "Pod", "pods", true)
    }
    /// core/v1 Secret
    pub fn secret() -> Kind {
        Kind::new("", "v1", "Secret", "secrets", true)
    }
    /// core/v1 `ConfigMap`
    pub fn config_map() -> Kind {
        Kind::new("", "v1", "ConfigMap", "configmaps", true)
    }
    /// core/v1 Service
    pub fn service() -> Kind {
        Kind::new("", "v1", "Service", "services", true)
    }
    /// core/v1 Event
    pub fn event() -> Kind {
        Kind::new("", "v1", "Event", "events", true)
    }
    /// apps/v1 Deployment
    pub fn deployment() -> Kind {
        Kind::new("apps", "v1", "Deployment", "deployments", true)
    }
    /// apps/v1 `StatefulSet`
    pub fn stateful_set() -> Kind {
        Kind::new("apps", "v1", "StatefulSet", "statefulsets", true)
    }
    /// apps/v1 `ReplicaSet`
    pub fn replica_set() -> Kind {
        Kind::new("apps", "v1", "ReplicaSet", "replicasets", true)
    }
    /// batch/v1 Job
    pub fn job() -> Kind {
        Kind::new("batch", "v1", "Job", "jobs", true)
    }
    /// storage.k8s.io/v1 `StorageClass`
    pub fn storage_class() -> Kind {
        Kind::new("storage.k8s.io", "v1", "StorageClass", "storageclasses", false)
    }
}

/// One object by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// Who the cluster and namespace are, read from the server itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// uid of kube-system; `None` where it may not be read ("2 of 3 ids").
    pub cluster_uid: Option<String>,
    /// SHA-256 (hex) of the CA in the namespace's ConfigMap kube-root-ca.crt, normalised as PEM text.
    pub ca_sha256: String,
    /// uid of the namespace; where it may not be read, that of its ConfigMap kube-root-ca.crt, which comes and goes with it.
    pub namespace_uid: String,
    /// uid of that ConfigMap; empty in runs of before it was kept.
    #[serde(default)]
    pub root_uid: String,
    /// Name of the namespace.
    pub namespace: String,
    /// The server's version, as `v1.36.3`. Not part of the comparison.
    pub server_version: String,
    /// Labels of the namespace as `key=value`, for the environment badge. Not part of the comparison.
    pub labels: Vec<String>,
}

impl Identity {
    /// Whether both are the same cluster and namespace. An id that either side could not read does not count against.
    pub fn same_place(&self, other: &Self) -> bool {
        let cluster = match (&self.cluster_uid, &other.cluster_uid) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        // the namespace itself where both could read it, else what both know of it
        let namespace = if self.is_namespace_read() && other.is_namespace_read() {
            self.namespace_uid == other.namespace_uid
        } else {
            !self.root_uid.is_empty() && self.root_uid == other.root_uid
        };
        cluster && self.ca_sha256 == other.ca_sha256 && namespace
    }

    /// Whether the namespace itself was read, and not only what stands in for it.
    pub fn is_namespace_read(&self) -> bool {
        self.namespace_uid != self.root_uid || self.root_uid.is_empty()
    }

    /// How many of the three ids could be read, as screens say it.
    pub fn ids(&self) -> &'static str {
        if self.cluster_uid.is_some() { "3 of 3 ids" } else { "2 of 3 ids" }
    }

    /// First eight characters of the cluster's id (of the CA's hash where the uid may not be read), for gate phrases.
    pub fn cluster8(&self) -> &str {
        let id = self.cluster_uid.as_deref().unwrap_or(&self.ca_sha256);
        id.get(..8).unwrap_or(id)
    }
}

/// One right, as an access review asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// `get`, `list`, `delete` …
    pub verb: String,
    /// API group, empty for core.
    pub group: String,
    /// Plural.
    pub resource: String,
    /// As `exec`; empty for none.
    pub subresource: String,
    /// Namespace; `None` for cluster-scoped.
    pub namespace: Option<String>,
}

/// The server's answer about a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What was asked.
    pub right: Right,
    /// Whether it is allowed.
    pub allowed: bool,
    /// The server's reason, often empty.
    pub reason: String,
}

/// What a delete request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The server accepted; the object may still be ending.
    Accepted,
    /// There was no such object any more.
    Absent,
}

/// Objects, as JSON documents the server speaks.
#[async_trait]
pub trait Objects: Send + Sync {
    /// One object; `None` if the server says it does not exist.
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, PortError>;

    /// All objects of a kind, in a namespace or everywhere, with a label selector (empty = all). Pages internally.
    async fn list(&self, kind: &Kind, namespace: Option<&str>, selector: &str) -> Result<Vec<Value>, PortError>;

    /// Every listable and deletable kind that the server serves, preferred versions only.
    async fn kinds(&self) -> Result<Vec<Kind>, PortError>;

    /// Creates; `Conflict` if it exists.
    async fn create(&self, object: &Value) -> Result<Value, PortError>;

    /// Asks whether the server would create this: every admission has its say, nothing is stored. Returns what would be stored.
    async fn would_create(&self, object: &Value) -> Result<Value, PortError>;

    /// Merges `fields` into the object with this uid while it is at this resourceVersion; null takes a field away. Another
    /// object of that name, or one that was changed since, is a `Conflict`. Returns the object after it.
    async fn merge(&self, object: &ObjectRef, uid: &str, version: &str, fields: &Value) -> Result<Value, PortError>;

    /// Server-side apply of `fields` (a document without kind and name) to the object with this uid: drydock owns them from
    /// then on, whoever did before. Another object of that name, or none, is a `Conflict`. Returns the object after it.
    async fn apply(&self, object: &ObjectRef, uid: &str, fields: &Value) -> Result<Value, PortError>;

    /// Sets the number of replicas of the object with this uid through the scale subresource. Another object of that name is a
    /// `Conflict`.
    async fn scale(&self, object: &ObjectRef, uid: &str, replicas: u32) -> Result<(), PortError>;

    /// Deletes exactly the object with this uid, dependents in the background.
    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<Deleted, PortError>;

    /// The objects of a kind now and at every change, each time as a whole list, until the stream is dropped.
    /// Reconnects by itself; an error item says that the list may be old.
    async fn watch(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<BoxStream<'static, Result<Vec<Value>, PortError>>, PortError>;

    /// Asks the server about each right, in order.
    async fn access(&self, rights: &[Right]) -> Result<Vec<Access>, PortError>;

    /// Reads who the cluster and the namespace are.
    async fn identity(&self, namespace: &str) -> Result<Identity, PortError>;

    /// A kubeconfig with only the pinned context and `namespace` as its default, whose identity was just read through a
    /// client made from these very bytes and equals `expected`; `Conflict` otherwise.
    async fn private_kubeconfig(&self, expected: &Identity) -> Result<SecretBytes, PortError>;

    /// One HTTP/1.1 request to a port of a pod through port-forward. Status, body (at most 1 MiB).
    async fn http(
        &self,
        pod: &super::PodRef,
        port: u16,
        request: http::Request<Vec<u8>>,
    ) -> Result<(u16, Vec<u8>), PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cluster: Option<&str>, namespace: &str, root: &str) -> Identity {
        Identity {
            cluster_uid: cluster.map(str::to_owned),
            ca_sha256: "ca".into(),
            namespace_uid: namespace.into(),
            root_uid: root.into(),
            namespace: "plant".into(),
            server_version: String::new(),
            labels: Vec::new(),
        }
    }

    #[test]
    fn a_place_is_known_again_by_what_both_could_read() {
        let whole = read(Some("c"), "n", "r");
        let few = read(None, "r", "r");
        assert!(whole.same_place(&whole) && few.same_place(&few));
        assert!(whole.same_place(&few) && few.same_place(&whole), "others may read less of the same place");
        assert!(!whole.same_place(&read(Some("d"), "n", "r")), "another cluster");
        assert!(!whole.same_place(&read(Some("c"), "m", "r")), "another namespace, whatever stands in for it");
        assert!(!few.same_place(&read(None, "s", "s")), "a namespace that was made anew");
        assert!(!few.same_place(&Identity { ca_sha256: "other".into(), ..few.clone() }));
        // what an earlier version wrote down
        let old = read(Some("c"), "n", "");
        assert!(old.same_place(&whole) && !old.same_place(&few) && old.same_place(&old));
        assert!(!read(None, "", "").same_place(&few), "nothing known is no proof");
        assert_eq!((whole.ids(), few.ids()), ("3 of 3 ids", "2 of 3 ids"));
    }
}
