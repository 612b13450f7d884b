//! Objects on the real server: fields are taken by server-side apply, and only from the very object that was read.

use std::process::Command;

use drydock::{
    cluster::Cluster,
    ports::{ObjectRef, Objects, PortErrorKind, kinds},
};
use serde_json::{Value, json};

struct Place {
    kubeconfig: String,
    namespace: String,
}

impl Place {
    fn kubectl(&self, args: &[&str]) -> String {
        let output = Command::new("kubectl").env("KUBECONFIG", &self.kubeconfig).args(args).output().unwrap();
        assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn named(&self, name: &str) -> ObjectRef {
        ObjectRef { kind: kinds::config_map(), namespace: Some(self.namespace.clone()), name: name.to_owned() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let args = ["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=false"];
        let _ = Command::new("kubectl").env("KUBECONFIG", &self.kubeconfig).args(args).status();
    }
}

#[tokio::test]
async fn a_field_is_taken_from_its_owner_and_only_on_the_object_that_was_read() {
    let Some(kubeconfig) = crate::setting("DRYDOCK_TEST_KUBECONFIG") else { return };
    let place = Place { kubeconfig, namespace: crate::own_namespace("dd-apply") };
    let ns = place.namespace.as_str();
    place.kubectl(&["create", "namespace", ns]);
    place.kubectl(&["-n", ns, "create", "configmap", "a", "--from-literal=x=1", "--from-literal=y=1"]);
    let cluster = Cluster::from_text(&std::fs::read_to_string(&place.kubeconfig).unwrap()).unwrap();
    let a = place.named("a");
    let uid = cluster.get(&a).await.unwrap().unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();

    let after = cluster.apply(&a, &uid, &json!({"data": {"x": "2"}})).await.unwrap();
    assert_eq!(after["data"], json!({"x": "2", "y": "1"}));
    let shown = place.kubectl(&["-n", ns, "get", "configmap", "a", "-o", "json", "--show-managed-fields"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let ours =
        shown["metadata"]["managedFields"].as_array().unwrap().iter().find(|owner| owner["manager"] == "drydock");
    let ours = ours.expect("drydock owns nothing");
    assert_eq!((&ours["operation"], &ours["fieldsV1"]), (&json!("Apply"), &json!({"f:data": {"f:x": {}}})));

    // another object of that name, and none
    let other = "00000000-0000-0000-0000-000000000000";
    let refused = cluster.apply(&a, other, &json!({"data": {"x": "3"}})).await.unwrap_err();
    assert_eq!(refused.kind, PortErrorKind::Conflict, "{refused:?}");
    let absent = cluster.apply(&place.named("b"), &uid, &json!({"data": {"x": "3"}})).await.unwrap_err();
    assert_eq!(absent.kind, PortErrorKind::Conflict, "{absent:?}");
    assert!(cluster.get(&place.named("b")).await.unwrap().is_none());
    assert_eq!(cluster.get(&a).await.unwrap().unwrap()["data"]["x"], "2");
}

#[tokio::test]
async fn replicas_are_set_only_of_the_object_that_was_read() {
    let Some(kubeconfig) = crate::setting("DRYDOCK_TEST_KUBECONFIG") else { return };
    let place = Place { kubeconfig, namespace: crate::own_namespace("dd-scale") };
    let ns = place.namespace.as_str();
    place.kubectl(&["create", "namespace", ns]);
    place.kubectl(&["-n", ns, "create", "deployment", "w", "--image=localhost/none:1", "--replicas=0"]);
    let cluster = Cluster::from_text(&std::fs::read_to_string(&place.kubeconfig).unwrap()).unwrap();
    let w = ObjectRef { kind: kinds::deployment(), namespace: Some(ns.to_owned()), name: "w".into() };
    let read = async || cluster.get(&w).await.unwrap().unwrap();
    let uid = read().await["metadata"]["uid"].as_str().unwrap().to_owned();
    place.kubectl(&["-n", ns, "delete", "deployment", "w"]);
    place.kubectl(&["-n", ns, "create", "deployment", "w", "--image=localhost/none:1", "--replicas=0"]);
    let refused = cluster.scale(&w, &uid, 2).await.unwrap_err();
    assert_eq!(refused.kind, PortErrorKind::Conflict, "{refused:?}");
    assert_eq!(read().await["spec"]["replicas"], 0);
    let uid = read().await["metadata"]["uid"].as_str().unwrap().to_owned();
    cluster.scale(&w, &uid, 2).await.unwrap();
    assert_eq!(read().await["spec"]["replicas"], 2);
}
