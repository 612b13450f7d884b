//! Who else acts on the deployment: found by the marks on its objects, and by the objects that name it. Each of them would put back
//! what a run stops or removes, or start what it stopped. Only reads. Called by the preflight, and by what pauses them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    pods::text,
    rest::{Rest, command, named},
};
use crate::{
    actions::context::{Halt, StepCx},
    ports::{Kind, ObjectRef, PortErrorKind, kinds},
};

/// Field managers that act for whoever asks them, and the server's own.
const KNOWN: [&str; 9] = [
    "helm",
    "Helm",
    "drydock",
    "kubectl",
    "kube-controller-manager",
    "kubelet",
    "kube-apiserver",
    "kube-scheduler",
    "cloud-controller-manager",
];

/// Somebody who acts, and rests when asked to.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    /// The object that says how it acts.
    pub object: ObjectRef,
    /// How it rests.
    pub rest: Rest,
    /// In words.
    pub acts: String,
}

/// Why somebody cannot be asked to rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Stuck {
    /// In words.
    pub acts: String,
    /// What helps.
    pub help: String,
    /// Whether it is certain to come in the way.
    pub certain: bool,
}

/// Everybody else.
#[derive(Debug, Default)]
pub struct Others {
    /// Those that rest when asked to.
    pub active: Vec<Other>,
    /// Those that do not come in the way as they are, one line each.
    pub harmless: Vec<String>,
    /// Those that nobody can ask from here.
    pub stuck: Vec<Stuck>,
}

struct Search<'a> {
    cx: &'a StepCx,
    served: Vec<Kind>,
    seen: BTreeSet<ObjectRef>,
    others: Others,
}

/// Finds everybody else.
///
/// # Errors
/// A failure, when the cluster does not answer. That something may not be read is told among what was found.
pub async fn find(cx: &StepCx) -> Result<Others, Halt> {
    let served = cx.world.objects.kinds().await?;
    let mut search = Search { cx, served, seen: BTreeSet::new(), others: Others::default() };
    let own = search.own().await?;
    for (kind, object) in &own {
        search.owner(kind, object);
        search.writers(kind, object);
    }
    search.marked(own.iter().map(|(_, object)| object.clone()).collect()).await?;
    search.applications(&own).await?;
    search.scalers().await?;
    search.schedules().await?;
    search.others.harmless.sort();
    search.others.harmless.dedup();
    Ok(search.others)
}

impl Search<'_> {
    fn served(&self, group: &str, kind: &str) -> Option<Kind> {
        self.served.iter().find(|served| served.group == group && served.kind == kind).cloned()
    }

    /// Objects of a kind, or nothing where there is no such kind or it may not be listed, which is told.
    async fn list(&mut self, group: &str, kind: &str, namespace: Option<&str>) -> Result<Vec<(Kind, Value)>, Halt> {
        let Some(kind) = self.served(group, kind) else { return Ok(Vec::new()) };
        match self.cx.world.objects.list(&kind, namespace, "").await {
            Ok(all) => Ok(all.into_iter().map(|object| (kind.clone(), object)).collect()),
            Err(error) if error.kind == PortErrorKind::Forbidden => {
                let place = namespace.map_or_else(|| "in the cluster".to_owned(), |name| format!("in {name}"));
                self.others.harmless.push(format!("{} may not be listed {place}, so none is known", kind.plural));
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What carries the marks of whoever manages it: the parts of the deployment, and what is of its release.
    async fn own(&self) -> Result<Vec<(Kind, Value)>, Halt> {
        let deployment = self.cx.deployment()?;
        let release = self.cx.render(&deployment.helm.release)?;
        let mut own = Vec::new();
        for kind in [kinds::deployment(), kinds::stateful_set(), kinds::service(), kinds::config_map()] {
            for object in self.cx.world.objects.list(&kind, Some(self.cx.namespace()), "").await? {
                let part = format!("{}/{}", kind.kind, text(&object, "/metadata/name"));
                let mark = object.pointer("/metadata/annotations").and_then(|all| all.get("meta.helm.sh/release-name"));
                if mark == Some(&json!(release)) || deployment.parts.contains(&part) {
                    own.push((kind.clone(), object));
                }
            }
        }
        Ok(own)
    }

    /// An operator that made the object makes it again.
    fn owner(&mut self, kind: &Kind, object: &Value) {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).cloned().unwrap_or_default();
        for owner in owners.iter().filter(|owner| owner["controller"] == json!(true)) {
            let (of, name) = (text(owner, "/kind"), text(owner, "/name"));
            self.others.stuck.push(Stuck {
                acts: format!(
                    "{of} {name} owns {} {}: its operator makes it again",
                    kind.kind,
                    text(object, "/metadata/name")
                ),
                help: format!("pause the operator of {of} {name} as its documentation says, or upgrade through it"),
                certain: true,
            });
        }
    }

    /// Names of others that wrote into the object; whoever is known by a mark is told by that.
    fn writers(&mut self, kind: &Kind, object: &Value) {
        let fields = object.pointer("/metadata/managedFields").and_then(Value::as_array).cloned().unwrap_or_default();
        for entry in fields.iter().filter(|entry| text(entry, "/subresource").is_empty()) {
            let manager = text(entry, "/manager");
            let known = KNOWN.iter().any(|name| manager == *name || manager.starts_with(&format!("{name}-")));
            if !known && !manager.is_empty() {
                let name = text(object, "/metadata/name");
                self.others.harmless.push(format!("{} {name} was also written by {manager}", kind.kind));
            }
        }
    }

    /// Flux writes its name on what it applies, and on its own objects too.
    async fn marked(&mut self, mut open: Vec<Value>) -> Result<(), Halt> {
        while let Some(object) = open.pop() {
            let label = |key: &str| {
                object.pointer("/metadata/labels").and_then(|all| all.get(key)?.as_str()).unwrap_or_default()
            };
            for (group, kind, does) in [
                ("kustomize.toolkit.fluxcd.io", "Kustomization", "applies"),
                ("helm.toolkit.fluxcd.io", "HelmRelease", "deploys"),
            ] {
                let (name, place) =
                    (label(&format!("{group}/name")).to_owned(), label(&format!("{group}/namespace")).to_owned());
                if name.is_empty() {
                    continue;
                }
                let acts = format!(
                    "Flux {kind} {name} in {place} {does} these objects: it would put back what is stopped or removed"
                );
                let Some(kind) = self.served(group, kind) else {
                    self.elsewhere(&acts, "suspend it there");
                    continue;
                };
                let reference = ObjectRef { kind, namespace: Some(place), name };
                match self.cx.world.objects.get(&reference).await {
                    Ok(Some(found)) => {
                        if self.take(reference, Rest::Suspend, acts, &found) {
                            open.push(found);
                        }
                    }
                    Ok(None) => {
                        self.others.harmless.push(format!("{} is named by a label and not there", named(&reference)));
                    }
                    Err(error) if error.kind == PortErrorKind::Forbidden => {
                        self.unread(&reference, Rest::Suspend, &acts);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Argo CD writes its name on what it syncs, and in its Applications what that is.
    async fn applications(&mut self, own: &[(Kind, Value)]) -> Result<(), Halt> {
        let mut marks: BTreeSet<String> = own.iter().filter_map(|(_, object)| tracked(object)).collect();
        let says = |name: &str, place: &str| {
            format!(
                "Argo CD application {name}{place} syncs these objects: it would put back what is stopped or removed"
            )
        };
        let Some(kind) = self.served("argoproj.io", "Application") else {
            for name in marks {
                self.elsewhere(&says(&name, ""), "turn its automated sync off there");
            }
            return Ok(());
        };
        let all = match self.cx.world.objects.list(&kind, None, "").await {
            Ok(all) => all,
            Err(error) if error.kind == PortErrorKind::Forbidden => {
                for name in marks {
                    let reference =
                        ObjectRef { kind: kind.clone(), namespace: Some("argocd".to_owned()), name: name.clone() };
                    self.unread(&reference, Rest::Automated, &says(&name, ""));
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        // one application may be synced by another
        loop {
            let mut found = false;
            for application in &all {
                let (name, place) = (text(application, "/metadata/name"), text(application, "/metadata/namespace"));
                let is_marked = marks.contains(name) || marks.contains(&format!("{place}_{name}"));
                if !is_marked && !own.iter().any(|(kind, object)| syncs(application, kind, object)) {
                    continue;
                }
                let reference =
                    ObjectRef { kind: kind.clone(), namespace: Some(place.to_owned()), name: name.to_owned() };
                if self.seen.contains(&reference) {
                    continue;
                }
                found = true;
                self.take(reference, Rest::Automated, says(name, &format!(" in {place}")), application);
                self.owner(&kind, application);
                marks.extend(tracked(application));
            }
            if !found {
                return Ok(());
            }
        }
    }

    /// Autoscalers of the deployment's parts.
    async fn scalers(&mut self) -> Result<(), Halt> {
        let parts = self.cx.deployment()?.parts.clone();
        let target = |object: &Value| {
            let kind = text(object, "/spec/scaleTargetRef/kind");
            let kind = if kind.is_empty() { "Deployment" } else { kind };
            let part = format!("{kind}/{}", text(object, "/spec/scaleTargetRef/name"));
            parts.contains(&part).then(|| part.replace('/', " "))
        };
        let ns = self.cx.namespace().to_owned();
        for (kind, object) in self.list("keda.sh", "ScaledObject", Some(&ns)).await? {
            let Some(part) = target(&object) else { continue };
            let name = text(&object, "/metadata/name").to_owned();
            let acts = format!("KEDA ScaledObject {name} scales {part}: it would start it again");
            let reference = ObjectRef { kind, namespace: Some(ns.clone()), name };
            self.take(reference, Rest::Annotation, acts, &object);
        }
        for (_, object) in self.list("autoscaling", "HorizontalPodAutoscaler", Some(&ns)).await? {
            let Some(part) = target(&object) else { continue };
            let name = text(&object, "/metadata/name");
            if object.pointer("/spec/minReplicas") == Some(&json!(0)) {
                self.others.stuck.push(Stuck {
                    acts: format!("HorizontalPodAutoscaler {name} scales {part}, from 0 replicas on, too: it would start it again"),
                    help: format!("$ kubectl -n {ns} patch hpa {name} -p '{{\"spec\":{{\"minReplicas\":1}}}}'   (a target at 0 is then left alone)"),
                    certain: true,
                });
            } else {
                self.others
                    .harmless
                    .push(format!("HorizontalPodAutoscaler {name} scales {part}, and leaves it alone at 0 replicas"));
            }
        }
        Ok(())
    }

    /// Schedules of the namespace: what they start may write.
    async fn schedules(&mut self) -> Result<(), Halt> {
        let ns = self.cx.namespace().to_owned();
        for (kind, object) in self.list("batch", "CronJob", Some(&ns)).await? {
            let name = text(&object, "/metadata/name").to_owned();
            let acts = format!("CronJob {name} runs at {:?} and may write", text(&object, "/spec/schedule"));
            for job in object.pointer("/status/active").and_then(Value::as_array).into_iter().flatten() {
                let job = text(job, "/name");
                self.others.stuck.push(Stuck {
                    acts: format!("Job {job} of CronJob {name} runs now and may write"),
                    help: format!("wait for its end: kubectl -n {ns} wait --for=condition=complete job/{job}"),
                    certain: false,
                });
            }
            let reference = ObjectRef { kind, namespace: Some(ns.clone()), name };
            self.take(reference, Rest::Suspend, acts, &object);
        }
        Ok(())
    }

    /// Notes somebody, once; whether it is new.
    fn take(&mut self, object: ObjectRef, rest: Rest, acts: String, found: &Value) -> bool {
        if !self.seen.insert(object.clone()) {
            return false;
        }
        if rest.is_resting(found) {
            self.others.harmless.push(format!("{} rests already", named(&object)));
        } else {
            self.others.active.push(Other { object, rest, acts });
        }
        true
    }

    fn elsewhere(&mut self, acts: &str, help: &str) {
        let stuck = Stuck {
            acts: format!("{acts}, and this cluster has no such kind: it acts from another one"),
            help: format!("{help}, or see that it is gone; its mark alone does nothing"),
            certain: false,
        };
        if !self.others.stuck.contains(&stuck) {
            self.others.stuck.push(stuck);
        }
    }

    fn unread(&mut self, object: &ObjectRef, rest: Rest, acts: &str) {
        if !self.seen.insert(object.clone()) {
            return;
        }
        let Kind { group, plural, .. } = &object.kind;
        self.others.stuck.push(Stuck {
            acts: format!("{acts}, and it may not be read here"),
            help: format!(
                "ask for: {{apiGroups: [\"{group}\"], resources: [\"{plural}\"], verbs: [\"get\", \"list\", \"patch\"]}}, or have it paused: {}",
                command(object, rest)
            ),
            certain: false,
        });
    }
}

/// Name of the application that an object is tracked for.
fn tracked(object: &Value) -> Option<String> {
    let of = |map: &str, key: &str| object.pointer(map).and_then(|all| all.get(key)?.as_str());
    let id = of("/metadata/annotations", "argocd.argoproj.io/tracking-id").and_then(|id| id.split(':').next());
    id.or_else(|| of("/metadata/labels", "argocd.argoproj.io/instance")).map(str::to_owned)
}

/// Whether an application counts an object among its own.
fn syncs(application: &Value, kind: &Kind, object: &Value) -> bool {
    let resources = application.pointer("/status/resources").and_then(Value::as_array);
    resources.into_iter().flatten().any(|resource| {
        text(resource, "/group") == kind.group
            && text(resource, "/kind") == kind.kind
            && text(resource, "/namespace") == text(object, "/metadata/namespace")
            && text(resource, "/name") == text(object, "/metadata/name")
    })
}
