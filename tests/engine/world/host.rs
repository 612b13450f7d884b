//! This machine, the vault, the logs and the clock of the scripted world.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use drydock::ports::{
    Clock, EntryMeta, EntryName, ExitStatus, Host, LogLine, Logs, OutputSink, PortError, PortErrorKind, Program,
    Sealed, Sealing, SecretBytes, Secrets, Stream, VaultState,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Fake, PASSPHRASE, State, error};

/// What the chart is rendered to: images that only their own account may fetch, and a way in from outside. `version` is what
/// the small cluster starts.
pub const CHART: &str = "---
apiVersion: v1
kind: Service
metadata: {name: pix-db}
spec: {selector: {app: pix-db}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: pix-core}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pix-core}
spec:
  replicas: 1
  selector: {matchLabels: {app: pix-core}}
  version: 5.0.0
  template:
    spec:
      imagePullSecrets: [{name: registry}]
      nodeSelector: {disk: fast}
      securityContext: {runAsNonRoot: true}
      containers: [{name: pix-core, image: 'reg/pix-core:5.0.0', securityContext: {allowPrivilegeEscalation: false},
        resources: {limits: {cpu: 2, example.com/gpu: 1}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pix-worker}
spec:
  replicas: 1
  selector: {matchLabels: {app: pix-worker}}
  version: 5.0.0
  template:
    spec:
      imagePullSecrets: [{name: registry}]
      nodeSelector: {disk: fast}
      securityContext: {runAsNonRoot: true}
      containers: [{name: pix-worker, image: 'reg/pix-core:5.0.0'}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: pix-db}
spec:
  replicas: 1
  selector: {matchLabels: {app: pix-db}}
  version: 5.0.0
  volumeClaimTemplates: [{metadata: {name: data}}]
  template:
    spec:
      imagePullSecrets: [{name: registry}]
      nodeSelector: {disk: fast}
      securityContext: {runAsNonRoot: true}
      containers: [{name: postgres, image: 'reg/pix-core:5.0.0'}]
";

/// What follows an argument.
fn after<'a>(args: &'a [String], flag: &str) -> Option<&'a str> {
    args.iter().position(|arg| arg == flag).map(|at| args[at + 1].as_str())
}

fn is_chart(arg: &String) -> bool {
    Path::new(arg).join("Chart.yaml").is_file()
}

fn helm(state: &mut State, program: &Program) -> (u8, String) {
    let args = &program.args;
    let ns = after(args, "-n").unwrap_or_default().to_owned();
    let records = |state: &State| {
        let record = |(kind, of, name): &&super::Key| kind == "Secret" && *of == ns && name.starts_with("sh.helm");
        state.objects.keys().filter(record).count()
    };
    match args[0].as_str() {
        // the chart is read where it is named, as helm does
        "show" | "template" | "upgrade" if !args.iter().any(is_chart) => (1, "Chart.yaml file is missing".into()),
        "list" => match records(state) {
            0 => (0, "[]".into()),
            n => (
                0,
                json!([{"name": "pixelcore", "status": "deployed", "revision": n.to_string(), "chart": "pix-1"}])
                    .to_string(),
            ),
        },
        "history" => (
            0,
            json!([{"revision": records(state), "status": "deployed", "description": state.marks.get(&ns)}])
                .to_string(),
        ),
        "get" => state.says.get("helm get").cloned().unwrap_or((0, "replicas: 1\n".into())),
        "show" => (0, "name: pix\n".into()),
        "template" => state.says.get("helm template").cloned().unwrap_or((0, CHART.into())),
        "upgrade" => {
            let version = after(args, "--set-string").unwrap().trim_start_matches("version=");
            let dotenv = program.files.iter().find(|file| file.name.ends_with("dotenv")).unwrap();
            state.marks.insert(ns.clone(), after(args, "--description").unwrap().to_owned());
            state.install(&ns, version, dotenv.content.expose_secret());
            (0, "deployed\n".into())
        }
        _ => (1, String::new()),
    }
}

#[async_trait]
impl Host for Fake {
    async fn run(
        &self,
        program: Program,
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        let name = program.program.clone();
        let reads = name == "helm" && program.args[0] != "upgrade";
        let (code, said) = if reads {
            self.read(&format!("helm {}", program.args[0])).await?;
            helm(&mut self.state(), &program)
        } else {
            // where a chart lies is another place in each run
            let shown = |arg: &String| if is_chart(arg) { "/chart".to_owned() } else { arg.clone() };
            let call = format!("program {name} {}", program.args.iter().map(shown).collect::<Vec<_>>().join(" "));
            self.change(call, |state| {
                if name == "helm" {
                    return Ok(helm(state, &program));
                }
                Ok(state.says.get(&name).cloned().unwrap_or((0, "well\n".into())))
            })
            .await?
        };
        // `deaf` is a program that ends by itself before the signal reaches it
        if cancel.is_cancelled() && !said.starts_with("deaf") {
            return error(PortErrorKind::Cancelled, "cannot end the program", "stopped");
        }
        out.take(Stream::Out, Bytes::from(said.clone())).await?;
        Ok(ExitStatus { code, bytes: said.len() as u64 })
    }

    async fn which(&self, program: &str) -> Option<PathBuf> {
        Some(PathBuf::from(program))
    }

    async fn free_bytes(&self, _: &Path) -> Result<u64, PortError> {
        Ok(self.state().room.unwrap_or(1 << 40))
    }

    fn name(&self) -> String {
        "desk".into()
    }

    fn operator(&self) -> String {
        "ann".into()
    }
}

#[async_trait]
impl Secrets for Fake {
    fn state(&self) -> VaultState {
        match (self.state().vault_made, self.script().open) {
            (_, true) => VaultState::Open,
            (true, false) => VaultState::Locked,
            (false, false) => VaultState::Absent,
        }
    }

    async fn open(&self, passphrase: &SecretString) -> Result<(), PortError> {
        if passphrase.expose_secret() != PASSPHRASE {
            return error(PortErrorKind::Unauthorized, "cannot open the vault", "the passphrase does not open it");
        }
        self.change("open the vault".into(), |state| {
            state.vault_made = true;
            Ok(())
        })
        .await?;
        self.script().open = true;
        Ok(())
    }

    async fn get(&self, run: &str, name: &EntryName) -> Result<Option<SecretBytes>, PortError> {
        let found = self.state().vault.get(&(run.to_owned(), name.0.clone())).map(|(_, value)| value.clone());
        Ok(found.map(SecretBytes::new))
    }

    async fn put(&self, mut meta: EntryMeta, value: SecretBytes) -> Result<EntryMeta, PortError> {
        let bytes = value.expose_secret().to_vec();
        meta.length = bytes.len();
        meta.check = self.keyed_digest(&bytes).await?[..4].to_owned();
        self.change(format!("keep {}", meta.name.0), |state| {
            state.vault.insert((meta.run.clone(), meta.name.0.clone()), (meta.clone(), bytes));
            Ok(meta)
        })
        .await
    }

    async fn list(&self, run: &str) -> Result<Vec<EntryMeta>, PortError> {
        let state = self.state();
        Ok(state.vault.iter().filter(|((of, _), _)| of == run).map(|(_, (meta, _))| meta.clone()).collect())
    }

    async fn seal(&self, sealing: Sealing) -> Result<Sealed, PortError> {
        self.change(format!("seal {}", sealing.folder.display()), |_| {
            Ok(Sealed { files: sealing.files.len(), bytes: 0 })
        })
        .await
    }

    async fn keyed_digest(&self, bytes: &[u8]) -> Result<String, PortError> {
        let keyed = [b"a key of the vault", bytes].concat();
        Ok(drydock::text::hex(&Sha256::digest(&keyed)))
    }
}

#[async_trait]
impl Logs for Fake {
    async fn follow(&self, _: &str, _: &str, at: Timestamp, to: mpsc::Sender<LogLine>, cancel: CancellationToken) {
        cancel.cancelled().await;
        let words = self.script().last_words.clone();
        for (pod, text) in words {
            to.send(LogLine::Line { pod, container: "c".into(), at, text }).await.unwrap();
        }
    }
}

impl Clock for Fake {
    fn now(&self) -> Timestamp {
        let mut script = self.script();
        script.ticks += 1;
        Timestamp::from_millisecond(1_795_000_000_000 + script.ticks).unwrap()
    }
}
