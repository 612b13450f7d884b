//! What does not lead to the target at all: said before step 1, with exit 4, and no run is begun.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::live::{Said, said};

struct Place {
    folder: tempfile::TempDir,
    good: String,
}

impl Place {
    fn new() -> Option<Self> {
        let good = std::fs::read_to_string(crate::setting("DRYDOCK_TEST_KUBECONFIG")?).unwrap();
        Some(Self { folder: tempfile::tempdir().unwrap(), good })
    }

    /// A kubeconfig of the test's own: the good one, changed by kubectl.
    fn kubeconfig(&self, changes: &[&[&str]]) -> String {
        let path = self.folder.path().join("config").display().to_string();
        std::fs::write(&path, &self.good).unwrap();
        for change in changes {
            let output = Command::new("kubectl").env("KUBECONFIG", &path).arg("config").args(*change).output().unwrap();
            assert!(output.status.success(), "{change:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        path
    }

    fn start(&self, kubeconfig: &str, args: &[&str]) -> Said {
        let state = self.folder.path().join("state");
        let mut command = Command::new(env!("CARGO_BIN_EXE_drydock"));
        command.env("KUBECONFIG", kubeconfig).env("DRYDOCK_STATE_DIR", &state);
        let said = said(command.args(["start", "pixelcore", "--set", "chart=./chart"]).args(args));
        let runs = state.join("state/runs");
        let begun = runs.exists() && std::fs::read_dir(runs).unwrap().next().is_some();
        assert!(!begun, "a run was begun: {}", said.text);
        said
    }

    fn text(&self, pointer: &str) -> String {
        let path = self.kubeconfig(&[]);
        let args = ["config", "view", "--raw", "-o", &format!("jsonpath={{{pointer}}}")];
        let output = Command::new("kubectl").env("KUBECONFIG", path).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn what_is_not_there_is_named_before_anything_begins() {
    let Some(place) = Place::new() else { return };
    let good = place.kubeconfig(&[]);
    let here = ["-n", "default"];
    place.start(&good, &[]).expect("no namespace", 2, &["-n NAMESPACE"]);
    place.start(&good, &["-n", "dd-nowhere"]).expect(
        "namespace missing",
        4,
        &["namespace dd-nowhere", "not found", "Still safe", "You can: "],
    );
    place.start("/nonexistent/config", &here).expect(
        "no kubeconfig",
        4,
        &["cannot read the kubeconfig", "/nonexistent/config", "You can: "],
    );
    place.start(&good, &["-n", "default", "--context", "plant-eu"]).expect(
        "unknown context",
        4,
        &["context plant-eu", "it has ", "You can: "],
    );
    let cluster = place.text(".clusters[0].name");
    let closed = place.kubeconfig(&[&["set-cluster", &cluster, "--server=https://127.0.0.1:1"]]);
    place.start(&closed, &here).expect(
        "closed port",
        4,
        &["https://127.0.0.1:1", "connection refused", "Still safe", "You can: "],
    );
    let unknown = place.kubeconfig(&[&["set-cluster", &cluster, "--server=https://no-such-host.invalid:6443"]]);
    place.start(&unknown, &here).expect("unknown host", 4, &["no-such-host.invalid", "cannot be resolved"]);
}

#[test]
fn credentials_and_certificates_that_do_not_hold_are_named() {
    let Some(place) = Place::new() else { return };
    let here = ["-n", "default"];
    let (cluster, context) = (place.text(".clusters[0].name"), place.text(".contexts[0].name"));
    let nobody: [&[&str]; 2] =
        [&["set-credentials", "nobody", "--token=not-a-token-77aa"], &["set-context", &context, "--user=nobody"]];
    let said = place.start(&place.kubeconfig(&nobody), &here).expect(
        "invalid token",
        4,
        &["does not accept", "Still safe", "You can: "],
    );
    assert!(!said.text.contains("not-a-token-77aa"), "a token was printed: {}", said.text);

    let ca = place.folder.path().join("ca.crt").display().to_string();
    let server = Server::expired(place.folder.path());
    let other = place.kubeconfig(&[&["set-cluster", &cluster, &format!("--certificate-authority={ca}")]]);
    place.start(&other, &here).expect("another CA", 4, &["not signed by the CA", "Still safe", "You can: "]);

    let address = format!("--server=https://127.0.0.1:{}", server.port);
    let old = place.kubeconfig(&[&["set-cluster", &cluster, &address, &format!("--certificate-authority={ca}")]]);
    place.start(&old, &here).expect("expired certificate", 4, &["certificate has expired", "Still safe", "You can: "]);
    drop(server);
}

/// A TLS server whose certificate ended yesterday.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn expired(folder: &Path) -> Self {
        let openssl = |args: &str| {
            let output = Command::new("openssl").current_dir(folder).args(args.split(' ')).output().unwrap();
            assert!(output.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(&format!("req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=another -days 2"));
        openssl(&format!("req {key} -keyout s.key -out s.csr -subj /CN=old -addext subjectAltName=IP:127.0.0.1"));
        openssl(
            "x509 -req -in s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -copy_extensions copy -days -1 -out s.crt",
        );
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("openssl")
            .current_dir(folder)
            .args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}"), "-cert", "s.crt", "-key", "s.key"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, port };
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the TLS server does not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
