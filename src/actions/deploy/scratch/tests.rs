//! What stays out of a copy, what is refused, and what is changed in it.

use super::*;

const PARTS: [&str; 3] = ["StatefulSet/db", "Deployment/core", "Deployment/worker"];
const WHOLE: &str = "---
apiVersion: v1
kind: Secret
metadata: {name: env}
---
apiVersion: v1
kind: Service
metadata: {name: core, annotations: {external-dns.alpha.kubernetes.io/hostname: plant.example.net}}
spec: {type: LoadBalancer, clusterIP: 10.96.7.7, loadBalancerIP: 192.0.2.7, externalIPs: [192.0.2.8], ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec: {replicas: 1, template: {spec: {containers: [{name: pg, ports: [{containerPort: 5432, hostPort: 5432, hostIP: 0.0.0.0}]}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: core, namespace: copy}
spec: {template: {spec: {volumes: [{name: code, configMap: {name: code}}], containers: [{name: core}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec: {replicas: 3, template: {spec: {containers: [{name: worker}]}}}
";

fn scratch(chart: &str) -> Result<Scratch, Diagnostic> {
    let parts = PARTS.map(str::to_owned);
    Rendered::parse(chart).unwrap().scratch("copy", &["worker".to_owned()], &parts)
}

/// The chart with this in the pods of its core.
fn with(spec: &str) -> String {
    WHOLE.replace("containers: [{name: core}]", &format!("{spec}, containers: [{{name: core}}]"))
}

fn names(objects: &[Value]) -> Vec<String> {
    objects.iter().map(name_of).collect()
}

#[test]
fn a_part_that_would_act_outside_is_refused() {
    for (spec, why) in [
        ("hostNetwork: true", "the node's own network"),
        ("hostPID: true", "the processes of the node"),
        ("hostIPC: true", "the processes of the node"),
        ("volumes: [{name: data, hostPath: {path: /data}}]", "its volume data is of kind hostPath"),
        ("volumes: [{name: share, nfs: {server: files, path: /}}]", "its volume share is of kind nfs"),
    ] {
        let chart = with(spec).replace("volumes: [{name: code, configMap: {name: code}}], ", "");
        let problem = scratch(&chart).err().unwrap_or_else(|| panic!("{spec} was taken"));
        assert!(problem.what.contains("Deployment core: ") && problem.what.contains(why), "{problem:?}");
    }
    let second = WHOLE.replace(
        "{template: {spec: {volumes",
        "{template: {metadata: {annotations: {k8s.v1.cni.cncf.io/networks: macvlan}}, spec: {volumes",
    );
    assert!(scratch(&second).err().unwrap().what.contains("a second network"));
    let bound = WHOLE.replace("{replicas: 1, ", "{replicas: 1, volumeClaimTemplates: [{spec: {volumeName: pv-7}}], ");
    assert!(scratch(&bound).err().unwrap().what.contains("takes the volume pv-7"));
    for claim in ["{volumeName: pv-7}", "{selector: {matchLabels: {a: b}}}"] {
        let chart = format!(
            "{WHOLE}---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec: {claim}\n"
        );
        assert!(scratch(&chart).err().unwrap().what.contains("PersistentVolumeClaim data: it "), "{claim}");
    }
}

#[test]
fn a_part_that_is_not_made_in_the_copy_is_refused() {
    let elsewhere = WHOLE.replace("namespace: copy", "namespace: plant");
    assert!(scratch(&elsewhere).err().unwrap().what.contains("Deployment core: it is meant for namespace plant"));
    let hook = WHOLE.replace("namespace: copy", "annotations: {helm.sh/hook: post-install}");
    assert!(scratch(&hook).err().unwrap().what.contains("Deployment core: a hook of helm"));
    let none = WHOLE.replace("metadata: {name: db}\nspec: {replicas", "metadata: {name: other}\nspec: {replicas");
    assert!(scratch(&none).err().unwrap().what.contains("no StatefulSet/db"));
}

#[test]
fn what_acts_on_the_world_is_left_out_and_named() {
    let out = [
        ("networking.k8s.io/v1", "Ingress"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("gateway.networking.k8s.io/v1", "Gateway"),
        ("route.openshift.io/v1", "Route"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
        ("v1", "PersistentVolume"),
        ("v1", "Namespace"),
        ("storage.k8s.io/v1", "StorageClass"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
        ("v1", "Pod"),
        ("v1", "Endpoints"),
        ("apps/v1", "DaemonSet"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("serving.knative.dev/v1", "Service"),
        ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ];
    let more: String = out
        .iter()
        .map(|(api, kind)| format!("---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n"))
        .collect();
    let external = "---\napiVersion: v1\nkind: Service\nmetadata: {name: away}\nspec: {type: ExternalName}\n";
    let node = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: agent}\nspec: {template: {spec: {hostNetwork: true}}}\n";
    let listed =
        "---\napiVersion: v1\nkind: List\nitems: [{apiVersion: batch/v1, kind: Job, metadata: {name: inside}}]\n";
    let hook =
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: asked, annotations: {helm.sh/hook: pre-install}}\n";
    let quota = "---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: most}\n";
    let scratch = scratch(&[WHOLE, &more, external, node, listed, hook, quota].concat()).unwrap();
    assert_eq!(names(&scratch.still), ["Secret env", "Service core", "Service db"]);
    let running = ["ResourceQuota most", "StatefulSet db", "Deployment core", "Deployment worker"];
    assert_eq!(names(&scratch.running), running, "what bounds them comes first");
    let named = |name: &str| scratch.told.iter().any(|line| line.starts_with(&format!("{name} is left out: ")));
    for (_, kind) in out {
        assert!(named(&format!("{kind} x")), "{kind}: {:?}", scratch.told);
    }
    for name in ["Service away", "Deployment agent", "Job inside", "ConfigMap asked"] {
        assert!(named(name), "{name}: {:?}", scratch.told);
    }
}

#[test]
fn what_goes_in_has_no_way_in_from_outside_and_writers_have_no_pod() {
    let scratch = scratch(WHOLE).unwrap();
    let [_, core, db] = &scratch.still[..] else { panic!("{:?}", scratch.still) };
    assert_eq!(core["spec"], json!({"type": "ClusterIP", "ports": [{"port": 80}]}));
    assert_eq!(core["metadata"], json!({"name": "core", "namespace": "copy", "annotations": {}}));
    assert_eq!(db["spec"], json!({"type": "ClusterIP", "clusterIP": "None", "ports": [{"port": 5432}]}));
    let [database, core, worker] = &scratch.running[..] else { panic!("{:?}", scratch.running) };
    assert_eq!(worker["spec"]["replicas"], 0);
    assert_eq!(core["spec"].get("replicas"), None, "it runs as the chart says");
    assert_eq!(
        database.pointer("/spec/template/spec/containers/0/ports/0"),
        Some(&json!({"containerPort": 5432})),
        "no port of the node"
    );
    let told = [
        "Service core: without its annotations, upon which others act",
        "Service core: inside the cluster only, instead of LoadBalancer",
        "StatefulSet db: without ports of the node",
        "Deployment worker writes: it has 0 replicas",
    ];
    assert_eq!(scratch.told, told);
}
