//! A stock kubectl against the practice server: whoever learns with `practice --serve` types what they will type later.

use std::{io::Write, path::PathBuf, process::Stdio};

use drydock::practice::{Fault, ServerOptions};
use tokio::process::Command;

use crate::tiny::World;

struct Kubectl {
    world: World,
    folder: tempfile::TempDir,
}

/// What a call said: status, standard output, standard error.
struct Said(i32, String, String);

impl Kubectl {
    async fn begin(faults: &[Fault]) -> Option<Self> {
        if Command::new("kubectl").args(["version", "--client"]).output().await.is_err() {
            crate::required::not_run("there is no kubectl in the PATH");
            return None;
        }
        let world = World::begin(faults, ServerOptions::default()).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config"), world.kubectl_config()).unwrap();
        Some(Self { world, folder })
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        // its cache of discovery would outlive the server
        command.env("KUBECONFIG", self.folder.path().join("config")).env("HOME", self.folder.path()).args(args);
        command.kill_on_drop(true);
        command
    }

    async fn try_it(&self, args: &[&str], input: &str) -> Said {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await;
        drop(stdin);
        let limit = std::time::Duration::from_secs(30);
        let output = tokio::time::timeout(limit, child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("kubectl {args:?} does not end")).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said(output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// A call that works and says `expected` somewhere.
    async fn works(&self, args: &[&str], expected: &str) -> String {
        let Said(code, out, err) = self.try_it(args, "").await;
        assert!(code == 0 && out.contains(expected), "kubectl {args:?} ended with {code}: {out}{err}");
        out
    }

    /// A call that fails and says `expected` on standard error.
    async fn fails(&self, args: &[&str], expected: &str) {
        let Said(code, out, err) = self.try_it(args, "").await;
        assert!(code != 0 && err.contains(expected), "kubectl {args:?} ended with {code}: {out}{err}");
    }
}

const APP: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: plant}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'x:1', env: [{name: A, value: '1'}]}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: plant}
stringData: {p: q}
";

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_reads() {
    let Some(kubectl) = Kubectl::begin(&[]).await else { return };
    kubectl.world.tiny.book("box").write("hello");
    kubectl.works(&["version"], "Server Version: v1.36.0+practice").await;
    kubectl.works(&["api-resources"], "statefulsets").await;
    kubectl.works(&["get", "pods"], "NAME   READY   STATUS    RESTARTS   AGE\nbox    1/1     Running   0 ").await;
    kubectl.works(&["get", "pods", "-o", "wide"], "10.0.0.7").await;
    kubectl.works(&["get", "all", "-A"], "statefulset.apps/db").await;
    kubectl.works(&["get", "pod", "box", "-o", "yaml"], "phase: Running").await;
    kubectl.works(&["get", "pod", "box", "-o", "json"], "\"phase\": \"Running\"").await;
    kubectl.works(&["get", "pods", "-o", "jsonpath={.items[0].metadata.name}"], "box").await;
    kubectl.works(&["get", "pods", "-o", "custom-columns=N:.metadata.name"], "N\nbox").await;
    kubectl
        .works(&["get", "ns,cm,events", "-o", "name"], "namespace/plant\nconfigmap/kube-root-ca.crt\nevent/box.1")
        .await;
    kubectl.works(&["get", "pods", "--sort-by=.metadata.name", "--show-labels"], "app=box").await;
    kubectl.works(&["get", "cm", "-A", "--chunk-size=1"], "kube-root-ca.crt").await;
    kubectl
        .works(&["get", "pods", "-l", "app=box", "--field-selector", "status.phase=Running", "-o", "name"], "pod/box")
        .await;
    kubectl.works(&["get", "--raw", "/readyz"], "ok").await;
    kubectl.works(&["describe", "pod", "box"], "Started container main").await;
    for what in [["describe", "deploy"], ["describe", "sts"], ["describe", "ns"]] {
        kubectl.works(&what, "Name: ").await;
    }
    kubectl.works(&["events"], "Started container main").await;
    kubectl.works(&["logs", "box", "--tail=1", "--timestamps"], "hello").await;
    kubectl
        .fails(&["logs", "box", "--previous"], "previous terminated container \"main\" in pod \"box\" not found")
        .await;
    kubectl.works(&["rollout", "status", "deploy/core"], "successfully rolled out").await;
    kubectl.works(&["wait", "pod/box", "--for=condition=Ready", "--timeout=5s"], "condition met").await;
    kubectl.works(&["auth", "can-i", "delete", "sts"], "yes").await;
    kubectl.fails(&["get", "pod", "none"], "pods \"none\" not found").await;
    kubectl.fails(&["top", "pod"], "Metrics API not available").await;
    kubectl.fails(&["port-forward", "pod/box", "0:8080"], "v4.channel.k8s.io").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_changes() {
    let Some(kubectl) = Kubectl::begin(&[]).await else { return };
    kubectl.works(&["create", "ns", "two"], "created").await;
    kubectl.works(&["delete", "ns", "two"], "deleted").await;
    kubectl.works(&["create", "cm", "a", "--from-literal=x=1"], "created").await;
    kubectl.fails(&["create", "cm", "A_b"], "RFC 1123 subdomain").await;
    kubectl.fails(&["create", "cm", "a", "-n", "nowhere"], "namespaces \"nowhere\" not found").await;
    kubectl.works(&["label", "cm", "a", "k=v"], "labeled").await;
    kubectl.works(&["annotate", "cm", "a", "n=1"], "annotated").await;
    kubectl.works(&["patch", "cm", "a", "-p", r#"{"data":{"y":"2"}}"#], "patched").await;
    kubectl.works(&["patch", "cm", "a", "--type=json", "-p", r#"[{"op":"remove","path":"/data/x"}]"#], "patched").await;
    kubectl.works(&["get", "cm", "a", "-o", "jsonpath={.data}{.metadata.labels}"], r#"{"y":"2"}{"k":"v"}"#).await;
    kubectl.works(&["delete", "cm", "a"], "deleted").await;
    kubectl.works(&["create", "secret", "generic", "g", "--from-literal=p=q"], "created").await;
    kubectl.works(&["create", "deployment", "made", "--image=x:1"], "created").await;
    kubectl.works(&["scale", "sts", "db", "--replicas=3"], "scaled").await;
    kubectl.works(&["get", "sts", "db", "-o", "jsonpath={.spec.replicas}"], "3").await;

    let file = kubectl.file("app.yaml", APP);
    kubectl.works(&["apply", "-f", &file, "--dry-run=server"], "created (server dry run)").await;
    kubectl.works(&["apply", "-f", &file], "deployment.apps/web created").await;
    kubectl.works(&["apply", "-f", &file], "deployment.apps/web unchanged").await;
    kubectl.file("app.yaml", &APP.replace("'x:1', env: [{name: A, value: '1'}]", "'x:2'"));
    kubectl.works(&["apply", "-f", &file], "deployment.apps/web configured").await;
    let left = kubectl.works(&["get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers}"], "x:2").await;
    assert!(!left.contains("\"A\""), "what is no longer in the file is taken away: {left}");
    kubectl.works(&["apply", "--server-side", "--force-conflicts", "-f", &file], "serverside-applied").await;
    kubectl.works(&["set", "image", "deploy/web", "web=x:3"], "image updated").await;
    kubectl.works(&["rollout", "restart", "deploy/web"], "restarted").await;
    kubectl.works(&["replace", "-f", &file], "replaced").await;
    kubectl.works(&["delete", "-f", &file], "deleted").await;

    // a watch that runs while a pod comes and goes
    let mut watch = kubectl.command(&["get", "pods", "-w", "--request-timeout=4s"]);
    let watching = tokio::spawn(async move { watch.output().await.unwrap() });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    kubectl.works(&["run", "p", "--image=x:1"], "created").await;
    kubectl.works(&["delete", "pod", "p", "--wait"], "deleted").await;
    let seen = String::from_utf8(watching.await.unwrap().stdout).unwrap();
    assert!(
        seen.contains("box    1/1     Running") && seen.contains("Pending") && seen.contains("Terminating"),
        "{seen}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_runs_commands_and_copies() {
    let Some(kubectl) = Kubectl::begin(&[]).await else { return };
    kubectl.works(&["exec", "box", "--", "echo", "hi"], "hi\n").await;
    let Said(code, ..) = kubectl.try_it(&["exec", "box", "--", "sh", "-c", "exit 7"], "").await;
    assert_eq!(code, 7);
    let Said(code, out, err) = kubectl.try_it(&["exec", "-i", "box", "--", "wc", "-c"], &"x".repeat(200_000)).await;
    assert_eq!((code, out.trim(), err.as_str()), (0, "200000", ""));
    kubectl.fails(&["exec", "box", "--", "no-such-program"], "executable file not found in $PATH").await;
    kubectl.fails(&["exec", "none", "--", "true"], "pods \"none\" not found").await;
    let from = kubectl.file("from", &"some text\n".repeat(10_000));
    let there = kubectl.folder.path().join("there");
    let back = kubectl.folder.path().join("back");
    kubectl.works(&["cp", &from, &format!("box:{}", there.display())], "").await;
    kubectl.works(&["cp", &format!("box:{}", there.display()), back.to_str().unwrap()], "").await;
    assert_eq!(std::fs::read(from).unwrap(), std::fs::read(back).unwrap());

    // a followed log goes on and ends with its container
    let book = kubectl.world.tiny.book("box");
    book.write("one");
    let mut follow = kubectl.command(&["logs", "-f", "box"]);
    let following = tokio::spawn(async move { follow.output().await.unwrap() });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    book.write("two");
    kubectl.world.tiny.end_log("box");
    let said = following.await.unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "one\ntwo\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_is_forbidden_what_the_fault_forbids() {
    let Some(kubectl) = Kubectl::begin(&[Fault::Forbidden]).await else { return };
    // kubectl prints "no" and ends with 1
    let Said(code, out, _) = kubectl.try_it(&["auth", "can-i", "delete", "sts"], "").await;
    assert_eq!((code, out.trim()), (1, "no"));
    kubectl.fails(&["delete", "sts", "db"], "cannot delete resource \"statefulsets\" in API group \"apps\"").await;
    kubectl.works(&["get", "sts", "db"], "db").await;
}
