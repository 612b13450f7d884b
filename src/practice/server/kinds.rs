//! The kinds that the practice server serves, and what a client may know about them beforehand.

/// Verbs that every stored kind understands, in the order a real server lists them.
pub const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Whether objects live in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// They do.
    Namespaced,
    /// They belong to the cluster.
    Cluster,
}

/// A kind that is stored and served.
#[derive(Debug)]
pub struct Served {
    /// API group, empty for core.
    pub group: &'static str,
    /// Its only version.
    pub version: &'static str,
    /// As `Pod`.
    pub kind: &'static str,
    /// As `pods`.
    pub plural: &'static str,
    /// Where its objects live.
    pub scope: Scope,
    /// What people type.
    pub short: &'static [&'static str],
    /// Subresources beside the object itself.
    pub subresources: &'static [&'static str],
}

const fn kind(
    (group, version): (&'static str, &'static str),
    (kind, plural): (&'static str, &'static str),
    scope: Scope,
    short: &'static [&'static str],
    subresources: &'static [&'static str],
) -> Served {
    Served { group, version, kind, plural, scope, short, subresources }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");

/// All of them.
pub static SERVED: [Served; 19] = [
    kind(CORE, ("ConfigMap", "configmaps"), Scope::Namespaced, &["cm"], &[]),
    kind(CORE, ("Endpoints", "endpoints"), Scope::Namespaced, &["ep"], &[]),
    kind(CORE, ("Event", "events"), Scope::Namespaced, &["ev"], &[]),
    kind(CORE, ("Namespace", "namespaces"), Scope::Cluster, &["ns"], &["status", "finalize"]),
    kind(CORE, ("Node", "nodes"), Scope::Cluster, &["no"], &["status"]),
    kind(CORE, ("PersistentVolumeClaim", "persistentvolumeclaims"), Scope::Namespaced, &["pvc"], &["status"]),
    kind(CORE, ("PersistentVolume", "persistentvolumes"), Scope::Cluster, &["pv"], &["status"]),
    kind(
        CORE,
        ("Pod", "pods"),
        Scope::Namespaced,
        &["po"],
        &["exec", "log", "portforward", "status", "eviction", "attach"],
    ),
    kind(CORE, ("Secret", "secrets"), Scope::Namespaced, &[], &[]),
    kind(CORE, ("ServiceAccount", "serviceaccounts"), Scope::Namespaced, &["sa"], &[]),
    kind(CORE, ("Service", "services"), Scope::Namespaced, &["svc"], &["status"]),
    kind(APPS, ("Deployment", "deployments"), Scope::Namespaced, &["deploy"], &["scale", "status"]),
    kind(APPS, ("ReplicaSet", "replicasets"), Scope::Namespaced, &["rs"], &["scale", "status"]),
    kind(APPS, ("StatefulSet", "statefulsets"), Scope::Namespaced, &["sts"], &["scale", "status"]),
    kind(("networking.k8s.io", "v1"), ("NetworkPolicy", "networkpolicies"), Scope::Namespaced, &["netpol"], &[]),
    kind(("batch", "v1"), ("Job", "jobs"), Scope::Namespaced, &[], &["status"]),
    kind(("storage.k8s.io", "v1"), ("StorageClass", "storageclasses"), Scope::Cluster, &["sc"], &[]),
    kind(("discovery.k8s.io", "v1"), ("EndpointSlice", "endpointslices"), Scope::Namespaced, &[], &[]),
    kind(("coordination.k8s.io", "v1"), ("Lease", "leases"), Scope::Namespaced, &[], &[]),
];

/// Reviews, with group and plural: asked, never stored.
pub static REVIEWS: [(&str, &str, &str); 3] = [
    ("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews"),
];

/// Whether a group is of reviews only.
pub fn is_of_reviews(group: &str) -> bool {
    REVIEWS.iter().any(|(of, _, _)| *of == group)
}

impl Served {
    /// The kind of a path, if it is served.
    pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Self> {
        SERVED.iter().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
    }

    /// As in a document: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// As messages name it: `pods`, `statefulsets.apps`.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// As messages name the kind: `Pod`, `StatefulSet.apps`.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.to_owned() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// Whether `kubectl get all` shows it.
    pub fn in_all(&self) -> bool {
        matches!(self.plural, "pods" | "services" | "deployments" | "replicasets" | "statefulsets" | "jobs")
    }

    /// Whether its status is written apart from the rest.
    pub fn has_status(&self) -> bool {
        self.subresources.contains(&"status")
    }
}

/// Groups with a name, each once.
pub fn groups() -> Vec<(&'static str, &'static str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let named = SERVED.iter().map(|kind| (kind.group, kind.version)).filter(|(group, _)| !group.is_empty());
    for pair in named.chain(REVIEWS.iter().map(|(group, _, _)| (*group, "v1"))) {
        if !found.contains(&pair) {
            found.push(pair);
        }
    }
    found
}
