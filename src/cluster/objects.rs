//! Objects over plain requests: exact paths, preconditions, nothing guessed.

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value, json};

use super::{connect::Cluster, error::chain, watch};
use crate::{
    ports::{
        Access, Deleted, Identity, Kind, ObjectRef, Objects, PodRef, PortError, PortErrorKind, Right, SecretBytes,
    },
    text::in_query,
};

/// Name under which server-side apply owns fields.
const MANAGER: &str = "drydock";
/// Objects a page.
const PAGE: usize = 500;
/// Longest body of an answer of the application, in bytes.
const BODY: usize = 1 << 20;
/// Longest wait for the application.
const APPLICATION: Duration = Duration::from_secs(30);

/// Path of a kind's collection.
pub(super) fn collection(kind: &Kind, namespace: Option<&str>) -> String {
    let root = if kind.group.is_empty() {
        format!("/api/{}", kind.version)
    } else {
        format!("/apis/{}/{}", kind.group, kind.version)
    };
    match namespace {
        Some(namespace) if kind.namespaced => format!("{root}/namespaces/{namespace}/{}", kind.plural),
        _ => format!("{root}/{}", kind.plural),
    }
}

fn path(object: &ObjectRef) -> String {
    format!("{}/{}", collection(&object.kind, object.namespace.as_deref()), object.name)
}

fn shown(object: &ObjectRef) -> String {
    let place = object.namespace.as_ref().map_or_else(String::new, |ns| format!(" in {ns}"));
    format!("{} {}{place}", object.kind.kind, object.name)
}

/// Kind, namespace and name of a document, with its path. The plural is what every built-in kind uses.
fn path_of(document: &Value) -> Result<(String, String), PortError> {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    if kind.is_empty() || name.is_empty() {
        return Err(PortError::new(PortErrorKind::Invalid, "cannot send an object", "it has no kind or no name"));
    }
    let api = text("/apiVersion");
    let (group, version) =
        api.split_once('/').map_or((String::new(), api.clone()), |(g, v)| (g.to_owned(), v.to_owned()));
    let lower = kind.to_lowercase();
    let plural = match lower.as_str() {
        word if word.ends_with('y') => format!("{}ies", &word[..word.len() - 1]),
        word if word.ends_with('s') => format!("{word}es"),
        word => format!("{word}s"),
    };
    let namespace = text("/metadata/namespace");
    let kind = Kind { group, version, kind, plural, namespaced: !namespace.is_empty() };
    let root = collection(&kind, (!namespace.is_empty()).then_some(namespace.as_str()));
    Ok((root, name))
}

#[async_trait]
impl Objects for Cluster {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, PortError> {
        match self.json(&format!("cannot read {}", shown(object)), "GET", &path(object), None).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind == PortErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list(&self, kind: &Kind, namespace: Option<&str>, selector: &str) -> Result<Vec<Value>, PortError> {
        let what = format!("cannot list {}", kind.plural);
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let url = format!(
                "{}?limit={PAGE}&labelSelector={}&continue={}",
                collection(kind, namespace),
                in_query(selector),
                in_query(&token)
            );
            let mut page = self.json(&what, "GET", &url, None).await?;
            token = page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
                all.append(items);
            }
            if token.is_empty() {
                return Ok(all);
            }
        }
    }

    async fn kinds(&self) -> Result<Vec<Kind>, PortError> {
        self.read_kinds().await
    }

    async fn create(&self, object: &Value) -> Result<Value, PortError> {
        let (root, name) = path_of(object)?;
        let url = format!("{root}?fieldManager={MANAGER}");
        self.json(&format!("cannot create {name}"), "POST", &url, Some(("application/json", object))).await
    }

    async fn would_create(&self, object: &Value) -> Result<Value, PortError> {
        let (root, name) = path_of(object)?;
        let url = format!("{root}?dryRun=All&fieldManager={MANAGER}");
        let what = format!("{} {name} would not be created", object["kind"].as_str().unwrap_or_default());
        self.json(&what, "POST", &url, Some(("application/json", object))).await
    }

    async fn merge(&self, object: &ObjectRef, uid: &str, version: &str, fields: &Value) -> Result<Value, PortError> {
        let mut patch = fields.clone();
        patch["metadata"]["uid"] = json!(uid);
        patch["metadata"]["resourceVersion"] = json!(version);
        let url = format!("{}?fieldManager={MANAGER}", path(object));
        let content = Some(("application/merge-patch+json", &patch));
        self.json(&format!("cannot change {}", shown(object)), "PATCH", &url, content).await
    }

    async fn apply(&self, object: &ObjectRef, uid: &str, fields: &Value) -> Result<Value, PortError> {
        let Kind { group, version, kind, .. } = &object.kind;
        let mut document = fields.clone();
        document["apiVersion"] = json!(if group.is_empty() { version.clone() } else { format!("{group}/{version}") });
        document["kind"] = json!(kind);
        document["metadata"]["name"] = json!(object.name);
        document["metadata"]["uid"] = json!(uid);
        // whoever made an object owns all its fields: without force not one could be taken
        let url = format!("{}?fieldManager={MANAGER}&force=true", path(object));
        self.json(
            &format!("cannot change {}", shown(object)),
            "PATCH",
            &url,
            Some(("application/apply-patch+yaml", &document)),
        )
        .await
        .map_err(|error| {
            // the server says of another object's uid that the field cannot be changed
            let is_other = error.kind == PortErrorKind::Invalid && error.detail.contains("metadata.uid");
            if is_other { PortError { kind: PortErrorKind::Conflict, ..error } } else { error }
        })
    }

    async fn scale(&self, object: &ObjectRef, uid: &str, replicas: u32) -> Result<(), PortError> {
        let url = format!("{}/scale?fieldManager={MANAGER}", path(object));
        let patch = json!({"metadata": {"uid": uid}, "spec": {"replicas": replicas}});
        let content = Some(("application/merge-patch+json", &patch));
        self.json(&format!("cannot scale {}", shown(object)), "PATCH", &url, content).await.map(|_| ())
    }

    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<Deleted, PortError> {
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}, "propagationPolicy": "Background"});
        let what = format!("cannot delete {}", shown(object));
        match self.json(&what, "DELETE", &path(object), Some(("application/json", &options))).await {
            Ok(_) => Ok(Deleted::Accepted),
            Err(error) if error.kind == PortErrorKind::NotFound => Ok(Deleted::Absent),
            Err(error) => Err(error),
        }
    }

    async fn watch(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<BoxStream<'static, Result<Vec<Value>, PortError>>, PortError> {
        Ok(watch::lists(self.client.clone(), kind, namespace, selector))
    }

    async fn access(&self, rights: &[Right]) -> Result<Vec<Access>, PortError> {
        let what = "cannot ask what is allowed";
        let asked = rights.iter().map(|right| async move {
            let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {
                "verb": right.verb, "group": right.group, "resource": right.resource, "subresource": right.subresource,
                "namespace": right.namespace.clone().unwrap_or_default()}}});
            let url = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
            let answer = self.json(what, "POST", url, Some(("application/json", &review))).await?;
            let allowed = answer.pointer("/status/allowed").and_then(Value::as_bool).unwrap_or(false);
            let reason = answer.pointer("/status/reason").and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(Access { right: right.clone(), allowed, reason })
        });
        futures::future::try_join_all(asked).await
    }

    async fn identity(&self, namespace: &str) -> Result<Identity, PortError> {
        self.read_identity(namespace).await
    }

    async fn private_kubeconfig(&self, expected: &Identity) -> Result<SecretBytes, PortError> {
        self.pinned_kubeconfig(expected).await
    }

    async fn http(
        &self,
        pod: &PodRef,
        port: u16,
        request: http::Request<Vec<u8>>,
    ) -> Result<(u16, Vec<u8>), PortError> {
        let what = format!("cannot ask {} on port {port}", pod.pod);
        let lost =
            |error: &dyn std::error::Error| PortError::new(PortErrorKind::ConnectionLost, what.clone(), chain(error));
        let api: kube::Api<k8s_openapi::api::core::v1::Pod> =
            kube::Api::namespaced(self.client.clone(), &pod.namespace);
        let mut forward = self.bounded(&what, api.portforward(&pod.pod, &[port])).await?;
        let Some(stream) = forward.take_stream(port) else {
            return Err(PortError::new(PortErrorKind::Other, what, "the forwarded port has no stream"));
        };
        let exchange = async {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream))
                .await
                .map_err(|e| lost(&e))?;
            let driver = tokio::spawn(connection);
            let answer = sender
                .send_request(request.map(|body| Full::new(bytes::Bytes::from(body))))
                .await
                .map_err(|e| lost(&e))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), BODY)
                .collect()
                .await
                .map_err(|e| lost(e.as_ref()))?
                .to_bytes()
                .to_vec();
            driver.abort();
            Ok((status, body))
        };
        let result = tokio::time::timeout(APPLICATION, exchange).await;
        forward.abort();
        result.unwrap_or_else(|_| {
            Err(PortError::new(
                PortErrorKind::Timeout,
                what.clone(),
                format!("no answer in {} s", APPLICATION.as_secs()),
            ))
        })
    }
}
