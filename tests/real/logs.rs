//! The log of a real container that writes on both its outputs and is started again and again.

use std::{collections::HashMap, process::Command, time::Duration};

use drydock::{
    cluster::Cluster,
    ports::{LogLine, LogNote, Logs},
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Lines a start writes on each of its outputs.
const LINES: usize = 5000;

/// Writes, ends with a failure twice, and stays the third time.
const SCRIPT: &str = "n=$(cat /state/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >/state/n; i=0
while [ $i -lt 5000 ]; do i=$((i + 1)); echo \"out $n $i\"; echo \"err $n $i\" >&2; done
[ $n -lt 3 ] || sleep 3600
exit 1";

struct Place {
    kubeconfig: String,
    namespace: String,
}

impl Place {
    fn kubectl(&self, args: &[&str], input: &str) {
        use std::io::Write;
        let mut child = Command::new("kubectl")
            .env("KUBECONFIG", &self.kubeconfig)
            .args(["-n", &self.namespace])
            .args(args)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "kubectl {args:?}");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let args = ["delete", "namespace", &self.namespace, "--ignore-not-found", "--wait=false"];
        let _ = Command::new("kubectl").env("KUBECONFIG", &self.kubeconfig).args(args).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_three_starts_comes_once() {
    let Some(kubeconfig) = crate::setting("DRYDOCK_TEST_KUBECONFIG") else { return };
    let place = Place { kubeconfig, namespace: crate::own_namespace("dd-logs") };
    place.kubectl(&["create", "namespace", &place.namespace], "");
    let cluster = Cluster::from_text(&std::fs::read_to_string(&place.kubeconfig).unwrap()).unwrap();
    let (to, mut lines) = mpsc::channel(256);
    let (cancel, namespace) = (CancellationToken::new(), place.namespace.clone());
    let stop = cancel.clone();
    let since = jiff::Timestamp::now();
    // the pod does not exist yet
    tokio::spawn(async move { cluster.follow(&namespace, "", since, to, stop).await });
    let mount = json!([{"name": "work", "mountPath": "/state"}]);
    let image = "localhost/postgres:1";
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "talks"}, "spec": {
        "terminationGracePeriodSeconds": 0, "volumes": [{"name": "work", "emptyDir": {}}],
        "initContainers": [{"name": "first", "image": image, "command": ["echo", "prepared"]}],
        "containers": [{"name": "main", "image": image, "command": ["sh", "-c", SCRIPT], "volumeMounts": mount}]}});
    place.kubectl(&["create", "-f", "-"], &pod.to_string());

    let (mut seen, mut notes) = (HashMap::<String, usize>::new(), Vec::new());
    let wanted = 3 * 2 * LINES + 1;
    let read = async {
        while seen.len() < wanted {
            match lines.recv().await.unwrap() {
                LogLine::Line { text, .. } => *seen.entry(text).or_default() += 1,
                LogLine::Note { container, note, .. } => notes.push((container, note)),
            }
        }
        // whatever came twice would come now
        while let Ok(Some(more)) = tokio::time::timeout(Duration::from_secs(5), lines.recv()).await {
            match more {
                LogLine::Line { text, .. } => *seen.entry(text).or_default() += 1,
                LogLine::Note { container, note, .. } => notes.push((container, note)),
            }
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(120), read).await;
    cancel.cancel();
    assert!(done.is_ok(), "{} of {wanted} lines came; {notes:?}", seen.len());
    let twice: Vec<_> = seen.iter().filter(|(_, times)| **times != 1).take(5).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(seen.contains_key("prepared") && seen.contains_key("err 3 5000"));
    let restarts: Vec<_> = notes.iter().filter(|(_, note)| matches!(note, LogNote::Restarted { .. })).collect();
    let told = |restarts: u32| ("main".to_owned(), LogNote::Restarted { restarts });
    assert_eq!(restarts, [&told(1), &told(2)], "{notes:?}");
    let lost = notes.iter().any(|(_, note)| matches!(note, LogNote::Gap { .. }));
    assert!(!lost, "{notes:?}");
    println!("{notes:?}");
}
