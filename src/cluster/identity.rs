//! Who the cluster and a namespace are, read from the server; and a kubeconfig that is proven to lead there.

use kube::config::ExecInteractiveMode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{authorized::filled, connect::Cluster};
use crate::{
    ports::{Identity, PortError, PortErrorKind, SecretBytes},
    text::hex,
};

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// PEM without what varies between writers of the same certificate.
fn normal(pem: &str) -> String {
    pem.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

impl Cluster {
    /// The server's version, the cheapest question that needs credentials of no kind and still crosses the whole way.
    ///
    /// # Errors
    /// `Unreachable` and its like.
    pub async fn version(&self) -> Result<String, PortError> {
        let version = self.json("cannot read the server's version", "GET", "/version", None).await?;
        Ok(text(&version, "/gitVersion").to_owned())
    }

    /// Reads the identity.
    pub(super) async fn read_identity(&self, namespace: &str) -> Result<Identity, PortError> {
        let what = format!("cannot read the identity of namespace {namespace}");
        let path = format!("/api/v1/namespaces/{namespace}");
        let place = self.unless_forbidden(&what, &path).await?;
        let root = self.json(&what, "GET", &format!("{path}/configmaps/kube-root-ca.crt"), None).await?;
        let ca = normal(text(&root, "/data/ca.crt"));
        if ca.is_empty() {
            return Err(PortError::new(PortErrorKind::Other, what, "ConfigMap kube-root-ca.crt holds no certificate"));
        }
        if let Some(used) = &self.ca
            && normal(used) != ca
            && !normal(used).contains(&ca)
        {
            return Err(PortError::new(
                PortErrorKind::Conflict,
                what,
                "the CA of this context is not the one the cluster gives its pods",
            ));
        }
        let system = self.unless_forbidden(&what, "/api/v1/namespaces/kube-system").await?;
        let uid = |object: &Value| text(object, "/metadata/uid").to_owned();
        let server_version = self.version().await?;
        let labels = place.as_ref().and_then(|place| place.pointer("/metadata/labels")?.as_object());
        Ok(Identity {
            cluster_uid: system.as_ref().map(uid),
            ca_sha256: hex(&Sha256::digest(ca.as_bytes())),
            // rights in one namespace often do not hold the namespace itself
            namespace_uid: uid(place.as_ref().unwrap_or(&root)),
            root_uid: uid(&root),
            namespace: namespace.to_owned(),
            server_version,
            labels: labels
                .into_iter()
                .flatten()
                .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
                .collect(),
        })
    }

    /// What is there, or nothing where it may not be read.
    async fn unless_forbidden(&self, what: &str, path: &str) -> Result<Option<Value>, PortError> {
        match self.json(what, "GET", path, None).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == PortErrorKind::Forbidden => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The pinned kubeconfig for a child program, read back through itself.
    pub(super) async fn pinned_kubeconfig(&self, expected: &Identity) -> Result<SecretBytes, PortError> {
        let what = "cannot make a kubeconfig for a program";
        let wrong = |error: &dyn std::fmt::Display| PortError::new(PortErrorKind::Other, what, error.to_string());
        let mut pinned = self.pinned.as_ref().clone();
        for user in pinned.auth_infos.iter_mut().filter_map(|a| a.auth_info.as_mut()) {
            match (&self.plugin, &mut user.exec) {
                // nobody is asked anything in the middle of a program: it gets what the plugin gave
                (Some(plugin), _) if plugin.is_always_interactive() => {
                    *user = filled(user, &plugin.credential(None).await?);
                }
                // its own runs of the plugin may be many and late: an old credential would not do
                (_, Some(exec)) => exec.interactive_mode = Some(ExecInteractiveMode::Never),
                (_, None) => {}
            }
        }
        for context in pinned.contexts.iter_mut().filter_map(|c| c.context.as_mut()) {
            context.namespace = Some(expected.namespace.clone());
        }
        // JSON is YAML, and secrets are written by kube's own serializer
        let mut document = serde_json::to_value(&pinned).map_err(|error| wrong(&error))?;
        document["apiVersion"] = json!("v1");
        document["kind"] = json!("Config");
        let bytes = serde_json::to_vec(&document).map_err(|error| wrong(&error))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| wrong(&error))?;
        let through = Self::from_text(text)?;
        let found = through.read_identity(&expected.namespace).await?;
        if found.same_place(expected) {
            return Ok(SecretBytes::new(bytes));
        }
        Err(PortError::new(
            PortErrorKind::Conflict,
            what,
            "the kubeconfig leads to another cluster or namespace than the run's",
        ))
    }
}
