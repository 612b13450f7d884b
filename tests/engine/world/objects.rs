//! The API server of the small cluster.

use async_trait::async_trait;
use drydock::ports::{
    Access, Deleted, Identity, Kind, ObjectRef, Objects, PodRef, PortError, PortErrorKind, Right, SecretBytes, kinds,
};
use futures::{StreamExt, stream::BoxStream};
use serde_json::{Value, json};

use super::{Fake, Key, deployment::HISTORY, error};

fn key(object: &ObjectRef) -> Key {
    (object.kind.kind.clone(), object.namespace.clone().unwrap_or_default(), object.name.clone())
}

fn shown(object: &ObjectRef) -> String {
    format!("{} {}/{}", object.kind.kind, object.namespace.as_deref().unwrap_or_default(), object.name)
}

#[async_trait]
impl Objects for Fake {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, PortError> {
        self.read(&format!("get {}", shown(object))).await?;
        Ok(self.state().objects.get(&key(object)).cloned())
    }

    async fn list(&self, kind: &Kind, namespace: Option<&str>, selector: &str) -> Result<Vec<Value>, PortError> {
        self.read(&format!("list {}", kind.plural)).await?;
        let fits = |object: &Value| {
            selector.split(',').filter(|pair| !pair.is_empty()).all(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                object["metadata"]["labels"][name] == value
            })
        };
        let state = self.state();
        let all = state.objects.iter().filter(|((of, ns, _), object)| {
            *of == kind.kind && namespace.is_none_or(|wanted| wanted == ns) && fits(object)
        });
        Ok(all.map(|(_, object)| object.clone()).collect())
    }

    async fn kinds(&self) -> Result<Vec<Kind>, PortError> {
        Ok(vec![
            kinds::deployment(),
            kinds::stateful_set(),
            kinds::pod(),
            kinds::service(),
            kinds::config_map(),
            kinds::secret(),
            kinds::claim(),
            kinds::volume(),
            Kind::new("networking.k8s.io", "v1", "Ingress", "ingresses", true),
            Kind::new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", true),
            Kind::new("batch", "v1", "CronJob", "cronjobs", true),
            Kind::new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
            Kind::new("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects", true),
            Kind::new("argoproj.io", "v1alpha1", "Application", "applications", true),
            Kind::new("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases", true),
            Kind::new("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations", true),
        ])
    }

    async fn create(&self, object: &Value) -> Result<Value, PortError> {
        let object = object.clone();
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let at = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
        self.change(format!("create {} {}/{}", at.0, at.1, at.2), |state| {
            if state.objects.contains_key(&at) {
                return error(PortErrorKind::Conflict, "cannot create", "it exists");
            }
            Ok(state.put(object))
        })
        .await
    }

    async fn would_create(&self, object: &Value) -> Result<Value, PortError> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        self.read(&format!("dry run {} {}", text("/kind"), text("/metadata/name"))).await?;
        Ok(object.clone())
    }

    async fn merge(&self, object: &ObjectRef, uid: &str, version: &str, fields: &Value) -> Result<Value, PortError> {
        self.change(format!("merge {}", shown(object)), |state| {
            let Some(found) = state.objects.get_mut(&key(object)).filter(|found| found["metadata"]["uid"] == uid)
            else {
                return error(PortErrorKind::Conflict, "cannot change", "it is another object");
            };
            if found["metadata"]["resourceVersion"].as_str().unwrap_or_default() != version {
                return error(PortErrorKind::Conflict, "cannot change", "it has been modified");
            }
            json_patch::merge(found, fields);
            Ok(found.clone())
        })
        .await
    }

    async fn apply(&self, object: &ObjectRef, uid: &str, fields: &Value) -> Result<Value, PortError> {
        self.change(format!("apply {}", shown(object)), |state| {
            let Some(found) = state.objects.get_mut(&key(object)).filter(|found| found["metadata"]["uid"] == uid)
            else {
                return error(PortErrorKind::Conflict, "cannot change", "it is another object");
            };
            for (name, value) in fields["spec"].as_object().unwrap() {
                found["spec"][name] = value.clone();
            }
            Ok(found.clone())
        })
        .await
    }

    async fn scale(&self, object: &ObjectRef, uid: &str, replicas: u32) -> Result<(), PortError> {
        self.change(format!("scale {} to {replicas}", shown(object)), |state| {
            let Some(found) = state.objects.get_mut(&key(object)) else {
                return error(PortErrorKind::NotFound, "cannot scale", "it is not there");
            };
            if found["metadata"]["uid"] != uid {
                return error(PortErrorKind::Conflict, "cannot scale", "it is another object");
            }
            found["spec"]["replicas"] = json!(replicas);
            let namespace = object.namespace.as_deref().unwrap();
            if replicas == 0 && state.ingested > 0 {
                state.ingested += 1;
                let rows = (0..state.ingested).map(|row| format!("{},9", 900 + row));
                state.databases.get_mut(namespace).unwrap().tables.get_mut(HISTORY).unwrap().extend(rows);
            }
            Ok(())
        })
        .await
    }

    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<Deleted, PortError> {
        self.change(format!("delete {} {uid}", shown(object)), |state| {
            let at = key(object);
            match state.objects.get(&at).map(|found| found["metadata"]["uid"] == uid) {
                Some(true) => {
                    state.take(&at);
                    Ok(Deleted::Accepted)
                }
                Some(false) => error(PortErrorKind::Conflict, "cannot delete", "it is another object"),
                None => Ok(Deleted::Absent),
            }
        })
        .await
    }

    async fn watch(
        &self,
        _: &Kind,
        _: Option<&str>,
        _: &str,
    ) -> Result<BoxStream<'static, Result<Vec<Value>, PortError>>, PortError> {
        Ok(futures::stream::pending().boxed())
    }

    async fn access(&self, rights: &[Right]) -> Result<Vec<Access>, PortError> {
        self.read("access").await?;
        let script = self.script();
        let answer = |right: &Right| {
            let slash = if right.subresource.is_empty() { "" } else { "/" };
            let named = format!("{} {}{slash}{}", right.verb, right.resource, right.subresource);
            let here = format!("{named} in {}", right.namespace.as_deref().unwrap_or_default());
            let allowed = !script.forbidden.contains(&named) && !script.forbidden.contains(&here);
            Access { right: right.clone(), allowed, reason: String::new() }
        };
        Ok(rights.iter().map(answer).collect())
    }

    async fn identity(&self, namespace: &str) -> Result<Identity, PortError> {
        self.read(&format!("identity {namespace}")).await?;
        let state = self.state();
        let Some(found) = state.objects.get(&("Namespace".into(), String::new(), namespace.to_owned())) else {
            return error(PortErrorKind::NotFound, "cannot read the namespace", "it is not there");
        };
        let labels = found["metadata"]["labels"].as_object().into_iter().flatten();
        Ok(Identity {
            cluster_uid: Some(state.cluster.clone()),
            ca_sha256: "c".repeat(64),
            namespace_uid: found["metadata"]["uid"].as_str().unwrap().to_owned(),
            root_uid: format!("root-of-{}", found["metadata"]["uid"].as_str().unwrap()),
            namespace: namespace.to_owned(),
            server_version: "v1.36.3".into(),
            labels: labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect(),
        })
    }

    async fn private_kubeconfig(&self, expected: &Identity) -> Result<SecretBytes, PortError> {
        if self.identity(&expected.namespace).await?.same_place(expected) {
            return Ok(SecretBytes::new(b"kubeconfig".to_vec()));
        }
        error(PortErrorKind::Conflict, "cannot pin the context", "it is another place")
    }

    async fn http(&self, pod: &PodRef, _: u16, request: http::Request<Vec<u8>>) -> Result<(u16, Vec<u8>), PortError> {
        let (method, path) = (request.method().as_str().to_owned(), request.uri().path().to_owned());
        let ns = pod.namespace.clone();
        let body = request.into_body();
        let (status, answer) = if method == "GET" {
            self.read(&format!("GET {path}")).await?;
            self.state().answer(&ns, &method, &path, &body)
        } else {
            self.change(format!("{method} {ns} {path}"), |state| Ok(state.answer(&ns, &method, &path, &body))).await?
        };
        Ok((status, serde_json::to_vec(&answer).unwrap()))
    }
}
