//! Who else acts on the deployment of a real cluster: named before anything is touched, paused, and as before afterwards, to the
//! owner of each field; and rules of the cluster that refuse our objects while production still runs.

use serde_json::Value;

use crate::{live::said, pixelcore::Plant};

/// Kinds of tools that are not on the test's cluster: what they are called, and nothing of what they do.
const KINDS: [(&str, &str, &str, &str); 4] = [
    ("argoproj.io", "v1alpha1", "Application", "applications"),
    ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations"),
    ("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases"),
    ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
];

/// Others around a plant; what of them belongs to the cluster goes with this.
pub struct Others<'a> {
    plant: &'a Plant,
    gitops: String,
}

impl<'a> Others<'a> {
    /// A schedule and an autoscaler of Kubernetes, and KEDA, Flux and Argo CD with their objects and marks.
    pub fn around(plant: &'a Plant) -> Self {
        let others = Self { plant, gitops: format!("{}-gitops", plant.namespace) };
        let schema = "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}";
        let kinds = KINDS.map(|(group, version, kind, plural)| {
            format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.{group}}}\n\
                 spec: {{group: {group}, scope: Namespaced, names: {{kind: {kind}, plural: {plural}, singular: {}}},\n  \
                 versions: [{{name: {version}, served: true, storage: true, schema: {schema}}}]}}\n",
                kind.to_lowercase()
            )
        });
        let kinds = kinds.join("---\n");
        plant.kubectl_with(&["apply", "-f", "-"], kinds.as_bytes());
        plant.kubectl(&["wait", "crd", "--for=condition=Established", "--timeout=60s", "--all"]);
        plant.kubectl(&["create", "namespace", &others.gitops]);
        schedule(plant);
        let (ns, gitops) = (&plant.namespace, &others.gitops);
        let objects = format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: worker, namespace: {ns}}}\n\
             spec: {{scaleTargetRef: {{name: pix-worker}}, minReplicaCount: 1}}\n---\n\
             apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps, namespace: {gitops}}}\n\
             spec: {{interval: 10m, path: ./apps, prune: true, suspend: false}}\n---\n\
             apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: plant, namespace: {gitops},\n  \
             labels: {{kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: {gitops}}}}}\n\
             spec: {{interval: 10m, chart: {{spec: {{chart: pixelcore, version: 4.2.0}}}}}}\n---\n\
             apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: plant, namespace: {gitops}}}\n\
             spec: {{project: default, destination: {{namespace: {ns}}}, syncPolicy: {{automated: {{prune: true, selfHeal: true}}, syncOptions: [ServerSideApply=true]}}}}\n"
        );
        plant.kubectl_with(&["apply", "--server-side", "--field-manager=gitops", "-f", "-"], objects.as_bytes());
        let flux =
            ["helm.toolkit.fluxcd.io/name=plant".to_owned(), format!("helm.toolkit.fluxcd.io/namespace={gitops}")];
        plant.kubectl(&["-n", ns, "label", "deployment", "pix-core", &flux[0], &flux[1]]);
        let mark = format!("argocd.argoproj.io/tracking-id={gitops}_plant:/Service:{ns}/pix-core");
        plant.kubectl(&["-n", ns, "annotate", "service", "pix-core", &mark]);
        others
    }

    /// How each of them rests, in one line: schedule, KEDA, HelmRelease, Kustomization, Argo CD.
    pub fn resting(&self) -> String {
        let (ns, gitops) = (self.plant.namespace.as_str(), self.gitops.as_str());
        let of = |ns: &str, what: &str, path: &str| {
            self.plant.kubectl(&["-n", ns, "get", what, "-o", &format!("jsonpath={path}")])
        };
        [
            of(ns, "cronjob/tidy", "{.spec.suspend}"),
            of(ns, "scaledobject/worker", r"{.metadata.annotations.autoscaling\.keda\.sh/paused}"),
            of(gitops, "helmrelease/plant", "{.spec.suspend}"),
            of(gitops, "kustomization/apps", "{.spec.suspend}"),
            of(gitops, "application/plant", "{.spec.syncPolicy.automated}"),
        ]
        .join(" ")
    }

    /// Every one of their objects, with the owner of each field.
    pub fn objects(&self) -> Vec<Value> {
        let kinds = "scaledobjects,kustomizations,helmreleases,applications,cronjobs,horizontalpodautoscalers";
        let mut all = stripped(self.plant, &self.plant.namespace, kinds);
        all.extend(stripped(self.plant, &self.gitops, kinds));
        all
    }
}

impl Drop for Others<'_> {
    fn drop(&mut self) {
        for (group, _, _, plural) in KINDS {
            let name = format!("{plural}.{group}");
            let _ = self.plant.command("kubectl").args(["delete", "crd", &name, "--ignore-not-found"]).output();
        }
        let delete = ["delete", "namespace", &self.gitops, "--ignore-not-found", "--wait=false"];
        let _ = self.plant.command("kubectl").args(delete).output();
    }
}

/// A schedule that does not say whether it is suspended, and an autoscaler of the writer.
fn schedule(plant: &Plant) {
    let objects = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tidy}\nspec:\n  schedule: \"7 3 1 1 *\"\n  \
         jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: tidy, image: \"localhost/postgres:1\", command: [\"true\"]}]}}}}\n---\n\
         apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: worker}\n\
         spec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: pix-worker},\n  \
         metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]}\n";
    plant.kubectl_with(&["-n", &plant.namespace, "apply", "-f", "-"], objects.as_bytes());
}

/// Objects as they are asked to be, with the owner of each field; what the server and its controllers only count or report is left
/// out.
pub fn stripped(plant: &Plant, namespace: &str, kinds: &str) -> Vec<Value> {
    let all = plant.kubectl(&["-n", namespace, "get", kinds, "-o", "json", "--show-managed-fields"]);
    let all: Value = serde_json::from_str(&all).unwrap();
    let mut objects = all["items"].as_array().unwrap().clone();
    for object in &mut objects {
        object.as_object_mut().unwrap().remove("status");
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.remove("resourceVersion");
        metadata.remove("generation");
        let owners = metadata["managedFields"].as_array_mut().unwrap();
        owners.retain(|owner| owner["subresource"] != "status");
        for owner in owners.iter_mut() {
            owner.as_object_mut().unwrap().remove("time");
        }
        owners.sort_by_key(ToString::to_string);
    }
    objects
}

#[test]
fn a_backup_pauses_who_else_acts_and_leaves_all_as_it_was() {
    let Some(plant) = Plant::install("dd-rest", 500) else { return };
    schedule(&plant);
    let kinds = "cronjobs,horizontalpodautoscalers,deployments,statefulsets,services,configmaps,secrets,pvc";
    let (before, ns) = (stripped(&plant, &plant.namespace, kinds), plant.namespace.as_str());
    let backup = plant.go_on("backup");
    let backup: Vec<&str> = backup.iter().map(String::as_str).collect();
    let chart = format!("chart={}", plant.chart());
    let told = plant.finish(&["check", "pixelcore", "-n", ns, "--set", &chart]);
    let flat = crate::live::flat(&told);
    assert!(flat.contains("pass others: 1 other is paused before anything stops"), "{told}");
    assert!(
        flat.contains("HorizontalPodAutoscaler worker scales Deployment pix-worker, and leaves it alone at 0"),
        "{told}"
    );
    let told = plant.finish(&backup);
    let flat = crate::live::flat(&told);
    assert!(flat.contains(&format!("pix-worker stopped; 1 other paused: CronJob tidy in {ns}")), "{told}");
    assert!(flat.contains(&format!("CronJob tidy in {ns} acts as before")), "{told}");
    assert_eq!(stripped(&plant, ns, kinds), before);
}

#[test]
fn a_quota_and_a_policy_refuse_before_the_writers_stop() {
    let Some(plant) = Plant::install("dd-bounds", 500) else { return };
    let ns = plant.namespace.as_str();
    plant.kubectl(&["-n", ns, "create", "quota", "full", "--hard=pods=3"]);
    let policy = Policy::new(&plant);
    let (before, start) = (plant.versions(), plant.start("pod"));
    let start: Vec<&str> = start.iter().map(String::as_str).chain(["--plain"]).collect();
    said(plant.drydock(&start)).expect(
        "a full quota and a policy about namespaces",
        3,
        &[
            "cause: admission: Pod drydock-client-",
            "exceeded quota: full",
            "raise the quota for the time of this run",
            &format!("Namespace {ns}-rehearsal would be refused"),
            "no scratch namespaces here",
            "Still safe: everything",
        ],
    );
    drop(policy);
    assert_eq!(plant.versions(), before, "the preflight changed something, or left its pods");
    plant.give_up();
    // limits that our pods cannot keep
    plant.kubectl(&["-n", ns, "delete", "quota", "full"]);
    let limits = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: narrow}\nspec: {limits: [{type: Container, max: {memory: 8Mi}}]}\n";
    plant.kubectl_with(&["-n", ns, "apply", "-f", "-"], limits.as_bytes());
    said(plant.drydock(&start)).expect(
        "limits",
        3,
        &[
            "container pix-core of Deployment pix-core would get a limit of 8Mi memory that it does not ask for",
            "a LimitRange gives it to every new pod",
        ],
    );
    assert_eq!(plant.versions(), before);
}

/// A rule of the cluster against the scratch namespace of one plant.
struct Policy<'a>(&'a Plant);

impl<'a> Policy<'a> {
    fn new(plant: &'a Plant) -> Self {
        let ns = &plant.namespace;
        let text = format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: {ns}}}\nspec:\n  \
             matchConstraints: {{resourceRules: [{{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [namespaces]}}]}}\n  \
             validations: [{{expression: \"object.metadata.name != '{ns}-rehearsal'\", message: no scratch namespaces here}}]\n---\n\
             apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: {ns}}}\n\
             spec: {{policyName: {ns}, validationActions: [Deny]}}\n"
        );
        plant.kubectl_with(&["apply", "-f", "-"], text.as_bytes());
        let policy = Self(plant);
        // it takes a moment until it is in force
        let rehearsal = format!("{ns}-rehearsal");
        for _ in 0..60 {
            let asked = ["create", "namespace", &rehearsal, "--dry-run=server"];
            if !plant.command("kubectl").args(asked).output().unwrap().status.success() {
                return policy;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        panic!("the policy does not come into force");
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        let kinds = "validatingadmissionpolicybindings,validatingadmissionpolicies";
        let _ = self.0.command("kubectl").args(["delete", kinds, &self.0.namespace, "--ignore-not-found"]).output();
    }
}
