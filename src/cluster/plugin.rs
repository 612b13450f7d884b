//! Exec credential plugins: run by us and not by the library, which would give them our terminal, run them twice for every
//! connection, and quote what they printed, a token too, when they fail.

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    io::{IsTerminal, stdin},
    path::Path,
    process::Stdio,
    sync::{
        Arc, LazyLock, Mutex as StdMutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::{process::Command, sync::Mutex};
use zeroize::Zeroizing;

use super::error::chain;
use crate::{
    ports::{PortError, PortErrorKind},
    text::printable,
};

/// Longest wait for a plugin that nobody sees: it may be waiting for a person. Below the patience for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A credential that ends within this time is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// What of a plugin's words is told: its last lines, and so many letters.
const LINES: usize = 4;
const LETTERS: usize = 400;

/// What a plugin gave.
#[derive(Clone)]
pub(super) struct Credential {
    /// Tells one from the next.
    pub(super) number: u64,
    /// Bearer token.
    pub(super) token: Option<SecretString>,
    /// Client certificate and its key, PEM.
    pub(super) certificate: Option<(String, SecretString)>,
    /// When it ends, where that is said.
    pub(super) expires: Option<Timestamp>,
}

/// Credentials that plugins gave to this process, for every connection by the same plugin: a person who logged in once is
/// not asked again.
type Kept = Arc<Mutex<Option<Credential>>>;
static KEPT: LazyLock<StdMutex<HashMap<[u8; 32], Kept>>> = LazyLock::new(StdMutex::default);
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Where a plugin runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// On this terminal, a person before it.
    Front,
    /// Without a terminal, without input.
    Behind,
}

/// The credential plugin of a context's user.
pub(super) struct Plugin {
    exec: ExecConfig,
    context: String,
    about: Option<ExecAuthCluster>,
    kept: Kept,
}

impl Plugin {
    /// The plugin of this user, where it is what their requests are signed with.
    pub(super) fn of(user: &AuthInfo, cluster: &Cluster, context: &str) -> Result<Option<Self>, String> {
        let other = user.token.is_some() || user.token_file.is_some() || user.username.is_some();
        let Some(exec) = user.exec.clone().filter(|_| !other) else { return Ok(None) };
        if exec.command.as_deref().unwrap_or_default().is_empty() {
            return Err("its user has a credential plugin without a command".to_owned());
        }
        let about = if exec.provide_cluster_info {
            Some(ExecAuthCluster::try_from(cluster).map_err(|error| chain(&error))?)
        } else {
            None
        };
        let env: Vec<Vec<(&String, &String)>> = exec
            .env
            .iter()
            .flatten()
            .map(|pair| {
                let mut sorted: Vec<_> = pair.iter().collect();
                sorted.sort();
                sorted
            })
            .collect();
        let key = json!([exec.api_version, exec.command, exec.args, env, about]).to_string();
        let key = Sha256::digest(key.as_bytes()).into();
        let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Arc::clone(all.entry(key).or_default());
        Ok(Some(Self { exec, context: context.to_owned(), about, kept }))
    }

    /// Name of its program. What it is called with may hold secrets.
    pub(super) fn name(&self) -> String {
        let command = self.exec.command.as_deref().unwrap_or_default();
        printable(&Path::new(command).file_name().unwrap_or_default().to_string_lossy())
    }

    /// Whether it never runs without a terminal.
    pub(super) fn is_always_interactive(&self) -> bool {
        self.exec.interactive_mode == Some(ExecInteractiveMode::Always)
    }

    /// A credential that holds; the plugin runs, unseen, where there is none or the server refused that of this number.
    pub(super) async fn credential(&self, refused: Option<u64>) -> Result<Credential, PortError> {
        let mut kept = self.kept.lock().await;
        let holds = |known: &Credential| {
            Some(known.number) != refused && known.expires.is_none_or(|end| Timestamp::now() + MARGIN < end)
        };
        if let Some(known) = kept.as_ref().filter(|known| holds(known)) {
            return Ok(known.clone());
        }
        let fresh = self.run(Stage::Behind).await?;
        *kept = Some(fresh.clone());
        Ok(fresh)
    }

    /// Runs it on this terminal, whatever is kept.
    pub(super) async fn in_front(&self) -> Result<Credential, PortError> {
        let mut kept = self.kept.lock().await;
        let fresh = self.run(Stage::Front).await?;
        *kept = Some(fresh.clone());
        Ok(fresh)
    }

    fn error(&self, detail: impl Into<String>) -> PortError {
        PortError::new(PortErrorKind::Unauthorized, format!("cannot log in to context {}", self.context), detail)
    }

    async fn run(&self, stage: Stage) -> Result<Credential, PortError> {
        let name = self.name();
        let terminal = stdin().is_terminal();
        match (stage, self.is_always_interactive()) {
            (Stage::Behind, true) => {
                return Err(self.error(format!(
                    "credential plugin {name} wants a terminal each time (interactiveMode: Always), and it gets one in `drydock login` only"
                )));
            }
            (Stage::Front, true) if !terminal => {
                return Err(self.error(format!(
                    "credential plugin {name} wants a terminal (interactiveMode: Always), and there is none here"
                )));
            }
            _ => {}
        }
        let added: Vec<(&String, &String)> =
            self.exec.env.iter().flatten().filter_map(|pair| Some((pair.get("name")?, pair.get("value")?))).collect();
        let command = self.exec.command.as_deref().unwrap_or_default();
        let path = added.iter().find(|(name, _)| *name == "PATH").map(|(_, value)| OsString::from(value));
        let path = path.or_else(|| std::env::var_os("PATH"));
        if !is_there(command, path.as_deref()) {
            let hint = self.exec.install_hint.as_deref().map(|hint| format!("; {}", told(hint))).unwrap_or_default();
            return Err(self.error(format!("there is no credential plugin {name} in the PATH{hint}")));
        }
        let interactive =
            stage == Stage::Front && terminal && self.exec.interactive_mode != Some(ExecInteractiveMode::Never);
        let mut program = match stage {
            Stage::Front => Command::new(command),
            Stage::Behind => apart(command, path.as_deref()),
        };
        let mut spec = json!({"interactive": interactive});
        if let Some(about) = &self.about {
            spec["cluster"] = json!(about);
        }
        let request = json!({"apiVersion": self.exec.api_version, "kind": "ExecCredential", "spec": spec});
        program
            .args(self.exec.args.iter().flatten())
            .envs(added)
            .env("KUBERNETES_EXEC_INFO", request.to_string())
            .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(if stage == Stage::Front { Stdio::inherit() } else { Stdio::piped() })
            .kill_on_drop(true);
        // `output` would take the words of one in front from the terminal
        let ending = async { program.spawn()?.wait_with_output().await };
        let ended = match stage {
            Stage::Front => ending.await,
            Stage::Behind => tokio::time::timeout(PATIENCE, ending).await.map_err(|_| {
                self.error(format!(
                    "credential plugin {name} gave nothing in {} s: it may be waiting for a person",
                    PATIENCE.as_secs()
                ))
            })?,
        };
        let ended =
            ended.map_err(|error| self.error(format!("credential plugin {name} cannot be started: {error}")))?;
        if !ended.status.success() {
            let words = told(&String::from_utf8_lossy(&ended.stderr));
            let colon = if words.is_empty() { "" } else { ": " };
            return Err(self.error(format!("credential plugin {name} ended with {}{colon}{words}", ended.status)));
        }
        parse(&Zeroizing::new(ended.stdout))
            .map_err(|fault| self.error(format!("what credential plugin {name} gave {fault}")))
    }
}

/// What a plugin writes on its standard output.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// The credential in a plugin's answer. It is JSON, but client-go takes YAML, too; nothing of it is quoted.
fn parse(text: &[u8]) -> Result<Credential, &'static str> {
    let answer: Answer = serde_saphyr::from_slice(text).map_err(|_| "is no ExecCredential")?;
    if answer.kind.as_deref() != Some("ExecCredential") {
        return Err("is no ExecCredential");
    }
    let status = answer.status.ok_or("holds no status")?;
    let certificate = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => Some((certificate, SecretString::from(key))),
        (None, None) => None,
        _ => return Err("holds a certificate without its key, or a key alone"),
    };
    if status.token.is_none() && certificate.is_none() {
        return Err("holds neither a token nor a certificate");
    }
    let expires = status.expiration_timestamp.map(|text| text.parse()).transpose();
    Ok(Credential {
        number: NUMBER.fetch_add(1, Ordering::Relaxed),
        token: status.token.map(SecretString::from),
        certificate,
        expires: expires.map_err(|_| "ends at a time that cannot be read")?,
    })
}

/// A program in a session of its own, which has no terminal at all; where this machine has no `setsid`, in a group of its
/// own, which cannot read from one.
fn apart(command: &str, path: Option<&OsStr>) -> Command {
    if is_there("setsid", path) {
        let mut program = Command::new("setsid");
        program.arg(command);
        return program;
    }
    let mut program = Command::new(command);
    program.process_group(0);
    program
}

/// Whether there is such a program.
fn is_there(command: &str, path: Option<&OsStr>) -> bool {
    if command.contains('/') {
        return Path::new(command).is_file();
    }
    path.is_some_and(|path| std::env::split_paths(path).any(|folder| folder.join(command).is_file()))
}

/// The end of what somebody wrote, in one line.
fn told(words: &str) -> String {
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let end = lines[lines.len().saturating_sub(LINES)..].join(" ");
    let cut = end.chars().count().saturating_sub(LETTERS);
    printable(&end.chars().skip(cut).collect::<String>())
}
