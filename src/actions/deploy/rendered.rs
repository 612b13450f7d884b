//! The chart as it will be installed, as documents. They hold secrets: nothing of them is logged or kept, and what leaves
//! here is what an image needs to be fetched, and which kinds there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::helm;
use crate::{
    actions::{
        context::{Halt, StepCx},
        objects::pods::{resources, text},
        programs::host::answer,
    },
    text::Diagnostic,
};

/// What of a pod decides whether and where its images are fetched.
const PLACEMENT: [&str; 4] = ["imagePullSecrets", "serviceAccountName", "nodeSelector", "tolerations"];

/// An image with what a pod needs to fetch it as the chart's own would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The image.
    pub image: String,
    /// When it is fetched, as `Always`; empty means as the server decides.
    pub policy: String,
    /// Parts of the pod's spec, no secret among them.
    pub pod: Map<String, Value>,
    /// Parts of its container's: with those of the pod, what an admission that lets the chart's own in asks for.
    pub container: Map<String, Value>,
}

impl Needed {
    fn of(spec: &Map<String, Value>, placement: Map<String, Value>, container: &Value) -> Self {
        Self {
            image: text(container, "/image").to_owned(),
            policy: text(container, "/imagePullPolicy").to_owned(),
            pod: placement.into_iter().chain(security(spec)).collect(),
            container: security(container.as_object().unwrap_or(&Map::new()))
                .chain(resources(container).map(|all| ("resources".to_owned(), all)))
                .collect(),
        }
    }

    /// A pod of ours from this image that runs `command`, marked with the short id of its `run`.
    pub fn pod(&self, (namespace, name): (&str, &str), run: &str, command: &[&str]) -> Value {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace,
                "labels": {"app.kubernetes.io/managed-by": "drydock", "drydock.run": run}},
            "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false,
                "containers": [{"name": "image", "image": self.image, "command": command}]},
        });
        if !self.policy.is_empty() {
            pod["spec"]["containers"][0]["imagePullPolicy"] = json!(self.policy);
        }
        for (key, value) in &self.pod {
            pod["spec"][key] = value.clone();
        }
        for (key, value) in &self.container {
            pod["spec"]["containers"][0][key] = value.clone();
        }
        pod
    }
}

/// The documents.
pub struct Rendered(Vec<Value>);

impl Rendered {
    /// Renders the chart with the values and files of this run.
    ///
    /// # Errors
    /// A failure when helm cannot, or what it prints is no YAML; nothing of the text is in it.
    pub async fn read(cx: &StepCx) -> Result<Self, Halt> {
        Self::read_in(cx, cx.namespace()).await
    }

    /// The same as it would be installed into another namespace.
    ///
    /// # Errors
    /// A failure when helm cannot, or what it prints is no YAML; nothing of the text is in it.
    pub async fn read_in(cx: &StepCx, namespace: &str) -> Result<Self, Halt> {
        let call = helm::with_captured(cx, &["template"], namespace).await?;
        Self::parse(&String::from_utf8_lossy(&answer(cx, &cx.target, call).await?))
    }

    /// The documents, for whoever asks one thing of them.
    pub(in crate::actions) fn documents(&self) -> &[Value] {
        &self.0
    }

    pub(in crate::actions) fn parse(text: &str) -> Result<Self, Halt> {
        // the parser's own message shows a piece of the text
        let documents = serde_saphyr::from_multiple::<Value>(text)
            .map_err(|_| Diagnostic::new("what helm renders from the chart is no YAML"))?;
        Ok(Self(documents.into_iter().filter(Value::is_object).flat_map(single).collect()))
    }

    /// What a container of this name needs for its image to be fetched; of several the first.
    pub fn needed_by(&self, container: &str) -> Option<Needed> {
        self.documents().iter().find_map(|document| self.find(document, container))
    }

    fn find(&self, value: &Value, name: &str) -> Option<Needed> {
        match value {
            Value::Object(fields) => {
                let own = fields.get("containers").and_then(Value::as_array).into_iter().flatten();
                let found = own.filter(|container| text(container, "/name") == name).find_map(|container| {
                    let image = text(container, "/image");
                    (!image.is_empty()).then(|| Needed::of(fields, self.placement(fields), container))
                });
                found.or_else(|| fields.values().find_map(|value| self.find(value, name)))
            }
            Value::Array(items) => items.iter().find_map(|value| self.find(value, name)),
            _ => None,
        }
    }

    /// Every image, each once for every way its pods are placed; init containers count.
    pub fn images(&self) -> Vec<Needed> {
        let mut found = BTreeMap::new();
        for document in &self.0 {
            self.look(document, &mut found);
        }
        found.into_values().collect()
    }

    fn look(&self, value: &Value, found: &mut BTreeMap<(String, String), Needed>) {
        match value {
            Value::Object(fields) => {
                if fields.get("containers").is_some_and(Value::is_array) {
                    let pod = self.placement(fields);
                    let lists = ["initContainers", "containers"].into_iter().filter_map(|list| fields.get(list));
                    for container in lists.flat_map(|list| list.as_array().into_iter().flatten()) {
                        let image = text(container, "/image").to_owned();
                        if !image.is_empty() {
                            let policy = text(container, "/imagePullPolicy").to_owned();
                            let key = (image.clone(), format!("{policy} {}", Value::Object(pod.clone())));
                            found.entry(key).or_insert_with(|| Needed::of(fields, pod.clone(), container));
                        }
                    }
                }
                fields.values().for_each(|value| self.look(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| self.look(value, found)),
            _ => {}
        }
    }

    fn placement(&self, spec: &Map<String, Value>) -> Map<String, Value> {
        let mut pod: Map<String, Value> =
            PLACEMENT.iter().filter_map(|key| Some(((*key).to_owned(), spec.get(*key)?.clone()))).collect();
        // an account that the chart makes need not be there yet, and it may bring the secrets
        let account = text(&Value::Object(pod.clone()), "/serviceAccountName").to_owned();
        let made = self.0.iter().find(|document| {
            text(document, "/kind") == "ServiceAccount" && text(document, "/metadata/name") == account
        });
        if let Some(made) = made {
            pod.remove("serviceAccountName");
            if let Some(secrets) = made.get("imagePullSecrets")
                && !pod.contains_key("imagePullSecrets")
            {
                pod.insert("imagePullSecrets".to_owned(), secrets.clone());
            }
        }
        pod
    }

    /// Every kind, as group and kind.
    pub fn kinds(&self) -> BTreeSet<(String, String)> {
        kinds_of(self.0.iter())
    }
}

/// Every kind among documents, as group and kind.
pub fn kinds_of<'a>(documents: impl Iterator<Item = &'a Value>) -> BTreeSet<(String, String)> {
    let all = documents.map(|document| {
        let group = text(document, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
        (group.to_owned(), text(document, "/kind").to_owned())
    });
    all.filter(|(_, kind)| !kind.is_empty()).collect()
}

/// A document, or those of a list.
fn single(document: Value) -> Vec<Value> {
    let listed =
        text(&document, "/kind").ends_with("List").then(|| document.get("items")?.as_array().cloned()).flatten();
    listed.map_or_else(|| vec![document], |items| items.into_iter().filter(Value::is_object).collect())
}

/// What a pod or a container says of its own security.
fn security(spec: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    const KEY: &str = "securityContext";
    spec.get(KEY).map(|context| (KEY.to_owned(), context.clone())).into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHART: &str = "---
# Source: pix/templates/env.yaml
apiVersion: v1
kind: Secret
metadata: {name: pix-env}
stringData:
  note: |
    image: not/an-image:1
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
imagePullSecrets: [{name: registry}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pix-core}
spec:
  template:
    spec:
      serviceAccountName: robot
      nodeSelector: {disk: fast}
      securityContext: {runAsNonRoot: true}
      initContainers: [{name: first, image: 'reg/init:1'}]
      containers:
        - name: core
          image: reg/core:5
          securityContext: {allowPrivilegeEscalation: false}
          resources: {limits: {cpu: 1, ephemeral-storage: 1Gi, example.com/gpu: 1}, requests: {memory: 64Mi}}
        - {name: side, image: reg/core:5}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tidy}
spec: {jobTemplate: {spec: {template: {spec: {tolerations: [{operator: Exists}], containers: [{name: a, image: reg/core:5}]}}}}}
";

    #[test]
    fn images_come_with_what_their_pods_need() {
        let rendered = Rendered::parse(CHART).unwrap();
        let found: Vec<(String, Value)> =
            rendered.images().into_iter().map(|needed| (needed.image, Value::Object(needed.pod))).collect();
        let placed = json!({"nodeSelector": {"disk": "fast"}, "imagePullSecrets": [{"name": "registry"}],
            "securityContext": {"runAsNonRoot": true}});
        let wanted = [
            ("reg/core:5".to_owned(), placed.clone()),
            ("reg/core:5".to_owned(), json!({"tolerations": [{"operator": "Exists"}]})),
            ("reg/init:1".to_owned(), placed),
        ];
        assert_eq!(found, wanted);
        let containers: Vec<Value> =
            rendered.images().into_iter().map(|needed| Value::Object(needed.container)).collect();
        let admitted = json!({"securityContext": {"allowPrivilegeEscalation": false},
            "resources": {"limits": {"cpu": 1}, "requests": {"cpu": "10m", "memory": "16Mi"}}});
        assert_eq!(containers, [admitted, json!({}), json!({})]);
        let kinds: Vec<String> = rendered.kinds().into_iter().map(|(group, kind)| format!("{group}/{kind}")).collect();
        assert_eq!(kinds, ["/Secret", "/ServiceAccount", "apps/Deployment", "batch/CronJob"]);
    }

    #[test]
    fn what_is_no_yaml_is_not_repeated() {
        let Err(Halt::Failed(problem)) = Rendered::parse("a: [hunter-of-rows") else { panic!("it was read") };
        assert!(!format!("{problem:?}").contains("hunter"), "{problem:?}");
    }
}
