//! Ways to the cluster: through a proxy with TLS inside it, by another name of the server, with what a plugin gives, as
//! somebody else.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use drydock::{
    cluster::{Cluster, Route},
    ports::{Acting, Collect, Exec, Objects, PodRef, PortErrorKind},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::Gateway,
    live::{Said, said},
};

/// A namespace of the test's own, with a kubeconfig to be changed.
struct Place {
    kubeconfig: String,
    namespace: String,
    folder: tempfile::TempDir,
    config: Value,
}

impl Place {
    fn new() -> Option<Self> {
        let kubeconfig = crate::setting("DRYDOCK_TEST_KUBECONFIG")?;
        let output = Command::new("kubectl")
            .env("KUBECONFIG", &kubeconfig)
            .args(["config", "view", "--minify", "--flatten", "-o", "json"])
            .output()
            .unwrap();
        let config = serde_json::from_slice(&output.stdout).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = Self { kubeconfig, namespace: crate::own_namespace("dd-way"), folder, config };
        place.kubectl(&["create", "namespace", &place.namespace]);
        Some(place)
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let output = Command::new("kubectl")
            .env("KUBECONFIG", &self.kubeconfig)
            .args(["-n", &self.namespace])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn cluster(&mut self) -> &mut Value {
        &mut self.config["clusters"][0]["cluster"]
    }

    /// Lays the kubeconfig, with the CA in a file beside it.
    fn laid(&self) -> PathBuf {
        let mut config = self.config.clone();
        let cluster = &mut config["clusters"][0]["cluster"];
        let ca = cluster.as_object_mut().unwrap().remove("certificate-authority-data").unwrap();
        let ca = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, ca.as_str().unwrap()).unwrap();
        std::fs::write(self.folder.path().join("own-ca.crt"), ca).unwrap();
        cluster["certificate-authority"] = "own-ca.crt".into();
        let path = self.folder.path().join("kubeconfig");
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    fn route(&self, acting: Acting) -> Route {
        Route { kubeconfig: Some(self.laid()), context: None, acting }
    }

    fn say(&self, args: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drydock"));
        command.args(args).arg("--kubeconfig").arg(self.laid());
        said(command.env("KUBECONFIG", "/dev/null").env("DRYDOCK_STATE_DIR", self.folder.path().join("state")))
    }

    /// Lets a plugin give this status instead of the admin's own certificate.
    fn plug(&mut self, status: &Value) {
        let answer =
            json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status});
        std::fs::write(self.folder.path().join("answer"), answer.to_string()).unwrap();
        let script = self.folder.path().join("plugin-of-plant");
        std::fs::write(&script, "#!/bin/sh\ncat \"$(dirname \"$0\")/answer\"\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.config["users"][0]["user"] = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1",
            "command": "./plugin-of-plant", "interactiveMode": "IfAvailable"}});
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let args = ["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=false"];
        let _ = Command::new("kubectl").env("KUBECONFIG", &self.kubeconfig).args(args).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_and_another_name_of_the_server_carry_requests_and_websockets() {
    let Some(mut place) = Place::new() else { return };
    let (image, namespace) = ("localhost/postgres:1", place.namespace.clone());
    let sleep = ["--image-pull-policy=IfNotPresent", "--command", "--", "sleep", "600"];
    place.kubectl(&[&["run", "box", &format!("--image={image}")], &sleep[..]].concat());
    place.kubectl(&["wait", "pod/box", "--for=condition=Ready", "--timeout=60s"]);
    let server = place.cluster()["server"].as_str().unwrap().trim_start_matches("https://").parse().unwrap();
    let gateway = Gateway::to(server, None).await;
    let hidden = format!("plant.invalid:{}", server.port());
    place.cluster()["server"] = format!("https://{hidden}").into();
    // no certificate names plant.invalid
    place.cluster()["tls-server-name"] = "kubernetes.default.svc".into();
    place.cluster()["proxy-url"] = format!("http://{}", gateway.address).into();
    let cluster = Cluster::connect(&place.route(Acting::default())).unwrap();
    let pod = PodRef { namespace: namespace.clone(), pod: "box".into(), container: "box".into(), uid: String::new() };
    let identity = cluster.identity(&namespace).await.unwrap();
    let mut out = Collect::new(1 << 20);
    let words = ["sh", "-c", "echo through; exit 7"].map(str::to_owned);
    let ended = cluster.run(&pod, &words, &[], &mut out, &CancellationToken::new()).await.unwrap();
    assert_eq!((ended.code, out.text().trim()), (7, "through"));
    let seen = gateway.seen();
    assert!(!seen.asked.is_empty());
    assert!(seen.asked.iter().all(|asked| asked.starts_with(&format!("CONNECT {hidden} "))), "{:?}", seen.asked);

    // a child program goes the same way, and the proxy is asked for it, too
    let private = place.folder.path().join("private");
    std::fs::write(&private, cluster.private_kubeconfig(&identity).await.unwrap().expose_secret()).unwrap();
    let before = gateway.seen().asked.len();
    let child = move || {
        let mut command = Command::new("kubectl");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("KUBECONFIG", &private);
        command.args(["get", "pod", "box", "-o", "name"]).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(child).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "pod/box", "{output:?}");
    assert!(gateway.seen().asked.len() > before);

    place.cluster()["tls-server-name"] = "plant.elsewhere".into();
    let error = Cluster::connect(&place.route(Acting::default())).unwrap().version().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable, "{error}");
    assert!(error.detail.contains("not valid for name") && error.detail.contains("plant.elsewhere"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_gives_is_shown_to_the_server_a_token_or_a_certificate() {
    let Some(mut place) = Place::new() else { return };
    let admin = place.config["users"][0]["user"].clone();
    place.kubectl(&["create", "serviceaccount", "anna"]);
    let token = place.kubectl(&["create", "token", "anna", "--duration=1h"]);
    place.plug(&json!({"token": token.trim(), "expirationTimestamp": "2999-01-01T00:00:00Z"}));
    let name = format!("system:serviceaccount:{}:anna", place.namespace);
    let said = place.say(&["login"]).expect("a token", 0, &[&format!("You are {name} there"), "Logged in until 2999-"]);
    assert!(!said.text.contains(token.trim()), "a token was printed: {}", said.text);

    place.plug(&json!({"token": "not-a-token-77aa"}));
    place.say(&["login"]).expect(
        "no token of this cluster",
        4,
        &["does not accept", "credential plugin plugin-of-plant"],
    );

    let pem = |field: &str| {
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, admin[field].as_str().unwrap());
        String::from_utf8(bytes.unwrap()).unwrap()
    };
    let certificate =
        json!({"clientCertificateData": pem("client-certificate-data"), "clientKeyData": pem("client-key-data")});
    place.plug(&certificate);
    place.say(&["login"]).expect("a certificate", 0, &["system:masters", "the plugin does not say for how long"]);
    // and as somebody else, who may not even read the namespace
    let acting = ["--as", &name, "--as-group", "system:authenticated"];
    place.say(&[&["login"], &acting[..]].concat()).expect(
        "as anna",
        0,
        &[&format!("You are {name} there, in system:authenticated."), &format!("You act as {name}")],
    );
    let refused = [&["check", "-n", &place.namespace, "--set", "chart=."], &acting[..]].concat();
    place.say(&refused).expect("as anna", 4, &["forbidden", "anna"]);
}
