//! A user of the cluster with exactly the rights a test gives it, as a kubeconfig.

use crate::pixelcore::Plant;

/// Rights as rules of a ClusterRole, in YAML's flow form.
pub const READER: &str =
    r#"[{apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}, {nonResourceURLs: ["*"], verbs: [get]}]"#;

/// All but the deletion of StatefulSets.
pub const NO_REMOVER: &str = r#"[
  {apiGroups: ["", batch, events.k8s.io, authorization.k8s.io, rbac.authorization.k8s.io, storage.k8s.io, networking.k8s.io], resources: ["*"], verbs: ["*"]},
  {apiGroups: [apps], resources: [deployments, deployments/scale, replicasets, daemonsets, controllerrevisions], verbs: ["*"]},
  {apiGroups: [apps], resources: [statefulsets, statefulsets/scale], verbs: [get, list, watch, create, patch, update]},
  {apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}, {nonResourceURLs: ["*"], verbs: [get]}]"#;

/// All that a run needs in its namespaces, and nothing of the cluster: neither the namespace itself nor volumes.
pub const OF_NAMESPACE: &str = r#"[
  {apiGroups: [""], resources: [pods, pods/exec, pods/log, pods/portforward, configmaps, secrets, services, persistentvolumeclaims,
    serviceaccounts, events, replicationcontrollers, podtemplates, limitranges, resourcequotas], verbs: ["*"]},
  {apiGroups: [apps, batch, networking.k8s.io, policy, autoscaling, rbac.authorization.k8s.io, storage.k8s.io, resource.k8s.io],
    resources: ["*"], verbs: ["*"]}]"#;

/// A ServiceAccount in the plant's namespace; its role goes with it.
pub struct User<'a> {
    plant: &'a Plant,
    role: String,
    /// Path of its kubeconfig.
    pub kubeconfig: String,
    /// As the audit log names it.
    pub name: String,
}

impl<'a> User<'a> {
    pub fn new(plant: &'a Plant, name: &str, rules: &str) -> Self {
        let (ns, role) = (&plant.namespace, format!("{}-{name}", plant.namespace));
        let manifest = format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {role}}}, rules: {rules}}}\n---\n\
             {{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {{name: {role}}},\n  \
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}},\n  \
             subjects: [{{kind: ServiceAccount, name: {name}, namespace: {ns}}}]}}\n"
        );
        Self::made(plant, name, role, &manifest)
    }

    /// With a Role of these rules in each of the namespaces, and nothing of the cluster.
    pub fn within(plant: &'a Plant, name: &str, rules: &str, namespaces: &[&str]) -> Self {
        let of = |place: &&str| {
            format!(
                "{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: {name}, namespace: {place}}}, rules: {rules}}}\n---\n\
                 {{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: {name}, namespace: {place}}},\n  \
                 roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}},\n  \
                 subjects: [{{kind: ServiceAccount, name: {name}, namespace: {}}}]}}\n",
                plant.namespace
            )
        };
        let manifest: Vec<String> = namespaces.iter().map(of).collect();
        Self::made(plant, name, String::new(), &manifest.join("---\n"))
    }

    fn made(plant: &'a Plant, name: &str, role: String, rights: &str) -> Self {
        let ns = &plant.namespace;
        let account =
            format!("{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {name}, namespace: {ns}}}}}\n---\n");
        plant.kubectl_with(&["apply", "-f", "-"], format!("{account}{rights}").as_bytes());
        let token = plant.kubectl(&["-n", ns, "create", "token", name, "--duration=1h"]);
        let kubeconfig = plant.folder.path().join(format!("{name}.kubeconfig")).display().to_string();
        std::fs::copy(plant.kubeconfig(), &kubeconfig).unwrap();
        let user = Self { plant, role, kubeconfig, name: format!("system:serviceaccount:{ns}:{name}") };
        user.config(&["set-credentials", name, &format!("--token={}", token.trim())]);
        user.config(&["set-context", "--current", &format!("--user={name}")]);
        user
    }

    fn config(&self, args: &[&str]) {
        let command = self.plant.command("kubectl");
        assert!(command.env("KUBECONFIG", &self.kubeconfig).arg("config").args(args).status().unwrap().success());
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        let (role, both) = (self.role.clone(), "clusterrole,clusterrolebinding");
        // what is of a namespace goes with it
        if role.is_empty() {
            return;
        }
        let _ = self.plant.command("kubectl").args(["delete", both, &role, "--ignore-not-found"]).status();
    }
}
