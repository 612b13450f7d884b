//! A PixelCore 4.2.0 in a namespace of the test's own, and the program under test in a folder of its own.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::live::Live;

/// Secrets that must be found nowhere but in the vault.
pub const CANARY: &str = "canary-5d1e-token";
pub const WORKER_CANARY: &str = "canary-smtp-31cc";
const DB_PASSWORD: &str = "canary-db-77aa";
const API_PASSWORD: &str = "canary #1 api-09fe";
const SESSION_SECRET: &str = "c0ffee0ca7a4115e55104c0ffee0ca7a";
/// All of them.
pub const ALL_SECRET: [&str; 5] = [CANARY, WORKER_CANARY, DB_PASSWORD, API_PASSWORD, SESSION_SECRET];

/// Secrets of the example's environment, and what the test's plant has in their place.
const SECRETS: [(&str, &str); 3] = [
    ("change-me-db", DB_PASSWORD),
    ("change me #1", API_PASSWORD),
    ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", SESSION_SECRET),
];

/// One deployment and one state folder.
pub struct Plant {
    pub namespace: String,
    kubeconfig: String,
    files: PathBuf,
    pub folder: tempfile::TempDir,
    cluster8: String,
}

fn check(output: &Output, what: &str) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

impl Plant {
    /// Installs 4.2.0 with `rows` history rows in a new namespace whose name begins with `name`, marked as a test; none where
    /// the environment does not say how.
    pub fn install(name: &str, rows: u32) -> Option<Self> {
        let kubeconfig = crate::setting("DRYDOCK_TEST_KUBECONFIG")?;
        let files = PathBuf::from(crate::setting("DRYDOCK_TEST_PIXELCORE")?);
        let folder = tempfile::tempdir().unwrap();
        let namespace = &crate::own_namespace(name);
        let mut env = std::fs::read_to_string(files.join("env.example")).unwrap();
        for (example, secret) in SECRETS {
            assert!(env.contains(example), "the example has no {example}");
            env = env.replace(example, secret);
        }
        std::fs::write(folder.path().join(".env"), env).unwrap();
        let mut plant = Self { namespace: namespace.clone(), kubeconfig, files, folder, cluster8: String::new() };
        plant.kubectl(&["create", "namespace", namespace]);
        plant.kubectl(&["label", "namespace", namespace, "env=test"]);
        let (chart, values) = (plant.chart(), plant.files.join("values.example.yaml").display().to_string());
        let dotenv = format!("dotenv={}", plant.folder.path().join(".env").display());
        let helm = plant.command("helm").args([
            "upgrade",
            "--install",
            "pixelcore",
            &chart,
            "-n",
            namespace,
            "-f",
            &values,
            "--set-file",
            &dotenv,
        ]);
        check(&helm.output().unwrap(), "helm");
        let seed = plant.files.join("seed-data");
        check(
            &plant.command(seed.to_str().unwrap()).args([namespace, &rows.to_string()]).output().unwrap(),
            "seed-data",
        );
        plant.api("PUT", "lns-main", &format!("{{\"token\": \"{CANARY}\"}}"));
        let settings =
            format!("{{\"settings\": {{\"threshold\": 0.75, \"smtp\": {{\"pass\": \"{WORKER_CANARY}\"}}}}}}");
        plant.api("PUT", "valve-guard", &settings);
        plant.cluster8 =
            plant.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"])[..8].to_owned();
        plant.write_answers();
        Some(plant)
    }

    pub fn chart(&self) -> String {
        self.files.join("chart").display().to_string()
    }

    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// Folder of the application's chart and scripts.
    pub fn files(&self) -> &Path {
        &self.files
    }

    pub fn command(&self, program: &str) -> &'static mut Command {
        let mut command = Command::new(program);
        command.env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null()).current_dir(self.folder.path());
        Box::leak(Box::new(command))
    }

    pub fn kubectl(&self, args: &[&str]) -> String {
        check(&self.command("kubectl").args(args).output().unwrap(), &format!("kubectl {args:?}"))
    }

    /// The same with something on its standard input.
    pub fn kubectl_with(&self, args: &[&str], input: &[u8]) -> String {
        let mut child = self
            .command("kubectl")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
        // beside the reading, or two full pipes would wait for each other
        let write = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let output = child.wait_with_output().unwrap();
        let _ = write.join().unwrap();
        check(&output, &format!("kubectl {args:?}"))
    }

    /// One call of the application's API from inside its pod.
    pub fn api(&self, method: &str, name: &str, body: &str) -> String {
        self.api_of(&self.namespace, method, name, body)
    }

    /// The same of the application in another namespace.
    pub fn api_of(&self, namespace: &str, method: &str, name: &str, body: &str) -> String {
        let script = "exec curl -sSf -u \"$PIX_API_USER:$PIX_API_PASSWORD\" -X \"$1\" --data-binary \"$3\" \"http://127.0.0.1:8080/api/applications/$2\"";
        self.kubectl(&["-n", namespace, "exec", "deploy/pix-core", "--", "sh", "-c", script, "sh", method, name, body])
    }

    /// What the database holds; compared with an earlier answer when given.
    pub fn fingerprint(&self, like: Option<&str>) -> String {
        self.fingerprint_of(&self.namespace, like)
    }

    /// The same of the database in another namespace.
    pub fn fingerprint_of(&self, namespace: &str, like: Option<&str>) -> String {
        let program = self.files.join("fingerprint").display().to_string();
        let mut args = vec![namespace.to_owned()];
        if let Some(before) = like {
            let file = self.folder.path().join("before.fp");
            std::fs::write(&file, before).unwrap();
            args.extend(["--as".to_owned(), file.display().to_string()]);
        }
        check(&self.command(&program).args(args).output().unwrap(), "fingerprint")
    }

    fn write_answers(&self) {
        let (ns, cluster) = (&self.namespace, &self.cluster8);
        let (env, pass) = (self.folder.path().join(".env"), self.folder.path().join("pass"));
        std::fs::write(&pass, "correct horse battery staple\n").unwrap();
        std::fs::set_permissions(&pass, std::fs::Permissions::from_mode(0o600)).unwrap();
        let text = format!(
            "format: 1\napprove: true\npassphrase: {{file: {pass}}}\nresume: go-on\nsteps:\n  \
             environment: {{items: {{\"1\": {{dotenv: {env}}}}}}}\n  lns: {{confirm: all}}\n  workers: {{confirm: all}}\n  \
             other: {{none: \"checked every tab against the defaults\"}}\n  \
             freeze: {{go_on: true}}\n  rehearse: {{go_on: true}}\n  remove: {{phrase: \"delete {ns} of {cluster}\"}}\n",
            pass = pass.display(),
            env = env.display()
        );
        let path = self.folder.path().join("answers.yaml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The program under test with its state in a folder of the test's own.
    pub fn drydock(&self, args: &[&str]) -> &'static mut Command {
        let command = self.command(env!("CARGO_BIN_EXE_drydock"));
        command.env("DRYDOCK_STATE_DIR", self.state()).args(args)
    }

    /// Gives every run up that is not at its end, so that another may begin.
    pub fn give_up(&self) {
        for run in self.runs() {
            let id = run.file_name().unwrap().to_str().unwrap().to_owned();
            let given_up = self.drydock(&["abandon", &id, "--as-is", "--reason", "the test goes on"]).output().unwrap();
            let said = String::from_utf8_lossy(&given_up.stderr).into_owned();
            let ended = given_up.status.code() == Some(2) && said.contains("is at its end");
            assert!(given_up.status.success() || ended, "{id} was not given up: {said}");
        }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Arguments of `start` for this deployment.
    pub fn start(&self, way: &str) -> Vec<String> {
        let set = |text: String| ["--set".to_owned(), text];
        let mut args: Vec<String> =
            ["start", "pixelcore", "-n", &self.namespace, "--answers", "answers.yaml"].map(str::to_owned).to_vec();
        args.extend(set(format!("chart={}", self.chart())));
        args.extend(set(format!("way={way}")));
        args.extend(set(format!("scripts={}", self.files.display())));
        args
    }

    /// Arguments of what goes on from a run: the inputs are those of that run.
    pub fn go_on(&self, intent: &str) -> Vec<String> {
        let words =
            ["start", "pixelcore", "-n", &self.namespace, "--answers", "answers.yaml", "--plain", "--intent", intent];
        words.map(str::to_owned).to_vec()
    }

    /// Volumes that are or were bound to claims of the namespace: claim, phase, policy.
    pub fn volumes(&self) -> Vec<String> {
        let all: serde_json::Value = serde_json::from_str(&self.kubectl(&["get", "pv", "-o", "json"])).unwrap();
        let of = |volume: &serde_json::Value| {
            let at =
                |path: &str| volume.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            let told =
                ["/spec/claimRef/name", "/status/phase", "/spec/persistentVolumeReclaimPolicy"].map(at).join(" ");
            (at("/spec/claimRef/namespace") == self.namespace).then_some(told)
        };
        let mut found: Vec<String> = all["items"].as_array().unwrap().iter().filter_map(of).collect();
        found.sort();
        found
    }

    /// Runs to the end and returns what was printed.
    pub fn finish(&self, args: &[&str]) -> String {
        let output = self.drydock(args).output().unwrap();
        check(&output, &format!("drydock {args:?}"))
    }

    /// Writes another answers file: the usual one, without the steps named.
    pub fn answers_without(&self, name: &str, steps: &[&str]) {
        let text = std::fs::read_to_string(self.folder.path().join("answers.yaml")).unwrap();
        let left = |line: &&str| !steps.iter().any(|step| line.starts_with(&format!("  {step}:")));
        let path = self.folder.path().join(name);
        std::fs::write(&path, text.lines().filter(left).collect::<Vec<_>>().join("\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Adds an answer of one step to the usual file, or puts it in place of the one that is there.
    pub fn answer(&self, line: &str) {
        let path = self.folder.path().join("answers.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let step = format!("  {}:", line.split(':').next().unwrap());
        let others: String =
            text.lines().filter(|line| !line.starts_with(&step)).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, format!("{others}  {line}\n")).unwrap();
    }

    /// What opens a gate of this target.
    pub fn phrase(&self) -> String {
        format!("delete {} of {}", self.namespace, self.cluster8)
    }

    /// Every object of the namespace that a run could change, with its version; pods too.
    pub fn versions(&self) -> String {
        let kinds = "deployments,statefulsets,replicasets,pods,services,secrets,configmaps,pvc";
        let path = "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.spec.replicas}\n{end}";
        self.kubectl(&["-n", &self.namespace, "get", kinds, "-o", path])
    }

    /// Folder of the newest run.
    pub fn run_folder(&self) -> PathBuf {
        let born = |run: &PathBuf| run.metadata().unwrap().created().unwrap();
        self.runs().into_iter().max_by_key(born).unwrap()
    }

    /// Folders of all runs; a lock lies beside them.
    pub fn runs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.state().join("state/runs")).unwrap();
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    }

    /// The newest run's short id.
    pub fn run(&self) -> String {
        self.run_folder().to_str().unwrap().rsplit('-').next().unwrap().to_owned()
    }

    /// Runs until an event of `step` holds `mark`, then kills it with -9; the step must not have come to its end.
    pub fn kill_at(&self, args: &[&str], mark: &str, step: &str) {
        let mut live = Live::start(self.drydock(args));
        live.until(&[mark, &format!("\"step\":\"{step}\"")]);
        live.kill();
        assert_eq!(self.done(step), 0, "{step} was over before it was killed");
    }

    /// How often a step of the newest run came to its end.
    pub fn done(&self, step: &str) -> usize {
        let journal = std::fs::read_to_string(self.run_folder().join("journal.jsonl")).unwrap_or_default();
        let ended = journal.lines().filter(|line| line.contains("\"type\":\"ended\"") && line.contains("\"done\""));
        ended.filter(|line| line.contains(&format!("\"step\":\"{step}\""))).count()
    }

    /// Asks or tells the database something, as an admin does.
    pub fn sql(&self, sql: &str) -> String {
        let psql = ["exec", "pix-db-0", "--", "psql", "-U", "pix", "-d", "pixelcore", "-Atc", sql];
        self.kubectl(&[&["-n", &self.namespace], &psql[..]].concat())
    }

    /// Asserts that no secret lies in plain under the state folder.
    pub fn assert_no_secret(&self) {
        fn walk(folder: &Path) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                for secret in ALL_SECRET {
                    let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                    assert!(!found, "{secret} lies in {}", path.display());
                }
            }
        }
        walk(&self.state());
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        let names = ["", "-rehearsal", "-next"].map(|of| format!("{}{of}", self.namespace));
        // a test may fail while one holds its objects
        let hold = ["-n", &self.namespace, "patch", "configmap", "pix-env", "--type=merge", "-p"];
        let _ = self.command("kubectl").args(hold).arg(r#"{"metadata": {"finalizers": null}}"#).output();
        let _ = self
            .command("kubectl")
            .args(["delete", "namespace", "--ignore-not-found", "--wait=false"])
            .args(&names)
            .status();
        // a run keeps its volumes; a test's plant is not wanted again
        let path = "jsonpath={range .items[*]}{.metadata.name} {.spec.claimRef.namespace}\n{end}";
        let Ok(volumes) = self.command("kubectl").args(["get", "pv", "-o", path]).output() else { return };
        for line in String::from_utf8_lossy(&volumes.stdout).lines() {
            let Some((volume, namespace)) = line.split_once(' ') else { continue };
            if names.iter().any(|name| name == namespace) {
                let policy = r#"{"spec": {"persistentVolumeReclaimPolicy": "Delete"}}"#;
                let _ = self.command("kubectl").args(["patch", "pv", volume, "-p", policy]).output();
            }
        }
    }
}
