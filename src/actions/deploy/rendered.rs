//! The chart as it will be installed, as documents. They hold secrets: nothing of them is logged or kept, and what leaves
//! here is what an image needs to be fetched, and which kinds there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

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
        Ok(Self(documents.into_iter().filter(Value::is_object).collect()))
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
                            let needed = || Needed {
                                image,
                                policy,
                                pod: pod.clone().into_iter().chain(security(fields)).collect(),
                                container: security(container.as_object().unwrap_or(&Map::new()))
                                    .chain(resources(container).map(|all| ("resources".to_owned(), all)))
                                    .collect(),
                            };
                            found.entry(key).or_insert_with(needed);
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
        let all = self.0.iter().map(|document| {
            let group = text(document, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
            (group.to_owned(), text(document, "/kind").to_owned())
        });
        all.filter(|(_, kind)| !kind.is_empty()).collect()
    }
}

/// What a pod or a container says of its own security.
fn security(spec: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    const KEY: &str = "securityContext";
    spec.get(KEY).map(|context| (KEY.to_owned(), context.clone())).into_iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
