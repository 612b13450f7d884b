//! [`LocalHost`]: programs on this very machine.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::private::PrivateFolder;
use super::pump::{LINGER, pump};
use super::running::{MARK, Running};
use super::{environment, machine};
use crate::ports::{ExitStatus, Host, OutputSink, PortError, PortErrorKind, Program};

/// The system's own shell.
const SHELL: &str = "/bin/sh";
/// Waits for a word, then becomes the program, with nothing to read. Without the word it never does.
pub(super) const HELD_BACK: &str = r#"read -r go || exit 125; unset go; exec "$@" </dev/null"#;

/// From the polite signal to the last one.
const GRACE: Duration = Duration::from_secs(10);

/// The machine that this process runs on.
#[derive(Debug, Clone)]
pub struct LocalHost {
    base: PathBuf,
    grace: Duration,
}

impl LocalHost {
    /// Children get their private folders under `base`, a folder of ours (created with mode 0700 when absent).
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into(), grace: GRACE }
    }

    #[cfg(test)]
    pub(super) fn with_grace(base: &Path, grace: Duration) -> Self {
        Self { base: base.into(), grace }
    }

    /// Starts it held back, writes it down in its folder, and lets it go: whatever happens to this process, nothing runs that
    /// the next one could not find. What is held back ends by itself when its input does.
    async fn start(program: &Program, private: &PrivateFolder) -> Result<Child, PortError> {
        let filled = |(name, value): &(String, String)| Ok((name.clone(), private.fill(value)?));
        let mut added = program.env.iter().map(filled).collect::<Result<Vec<_>, PortError>>()?;
        added.push((MARK.to_owned(), private.path().display().to_string()));
        let environment = environment::build(|name| std::env::var_os(name), &added, private.kubeconfig().as_deref())?;
        let arguments = program.args.iter().map(|text| private.fill(text)).collect::<Result<Vec<_>, _>>()?;
        let path = environment.get(OsStr::new("PATH")).map(OsStr::new);
        let executable = machine::which(&program.program, path).ok_or_else(|| {
            failure(program, PortErrorKind::NotFound, "there is no such program in the PATH, or it may not be executed")
        })?;
        // one that may be executed and not be read is no script
        if let Ok(Some(name)) = machine::missing_interpreter(&executable) {
            let detail = format!("its first line names {name:?}, and there is no such program");
            return Err(failure(program, PortErrorKind::NotFound, detail));
        }
        if !program.folder.is_dir() {
            let detail = format!("there is no folder {}", program.folder.display());
            return Err(failure(program, PortErrorKind::Io, detail));
        }
        let failed = |error: std::io::Error| failure(program, PortErrorKind::Io, error.to_string());
        let mut child = Command::new(SHELL)
            .args(["-c", HELD_BACK, "drydock"])
            .arg(executable)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .current_dir(&program.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        if let (Some(leader), Some(mut go)) = (leader, child.stdin.take()) {
            Running::write_down(private.path(), &program.program, leader).map_err(failed)?;
            // one that cannot read it any more has ended, and its end tells how
            let _ = go.write_all(b"go\n").await;
        }
        Ok(child)
    }

    /// Follows a started child to its end. `group` is consumed: whatever happens, nothing of a stopped child is left.
    async fn follow(
        &self,
        program: &Program,
        mut child: Child,
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        let group = Group::of(&child);
        let exited = CancellationToken::new();
        let mut pumping = std::pin::pin!(pump(child.stdout.take(), child.stderr.take(), out, &exited));
        let (mut status, mut pumped) = (None, None);
        // Once set: why we stop it, and when patience ends.
        let mut stop: Option<(PortError, Instant)> = None;
        let mut killed = false;

        while status.is_none() || pumped.is_none() {
            let patience = stop.as_ref().map(|(_, deadline)| if killed { *deadline + LINGER } else { *deadline });
            tokio::select! {
                result = &mut pumping, if pumped.is_none() => {
                    if let (Err(error), None) = (&result, &stop) {
                        group.terminate();
                        stop = Some((error.clone(), Instant::now() + self.grace));
                    }
                    pumped = Some(result);
                }
                result = child.wait(), if status.is_none() => {
                    status = Some(result.map_err(|error| failure(program, PortErrorKind::Io, error.to_string()))?);
                    exited.cancel();
                }
                () = cancel.cancelled(), if stop.is_none() => {
                    group.terminate();
                    let reason = failure(program, PortErrorKind::Cancelled, "it was stopped on request");
                    stop = Some((reason, Instant::now() + self.grace));
                }
                () = sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => {
                    // Killed already and still not over: the sink does not return. It is not waited for any longer.
                    if killed {
                        break;
                    }
                    group.kill();
                    killed = true;
                }
            }
        }
        if let Some((reason, deadline)) = stop {
            // The leader may be gone and a grandchild still be at it.
            group.gone(deadline).await;
            return Err(reason);
        }
        group.leave();
        match (status, pumped) {
            (Some(status), Some(bytes)) => Ok(ExitStatus { code: code(status), bytes: bytes? }),
            (None, _) | (_, None) => Err(failure(program, PortErrorKind::Other, "its end was not seen")),
        }
    }
}

#[async_trait]
impl Host for LocalHost {
    async fn run(
        &self,
        program: Program,
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        if cancel.is_cancelled() {
            return Err(failure(&program, PortErrorKind::Cancelled, "it was not started"));
        }
        let private = PrivateFolder::create(&self.base, program.kubeconfig.as_ref(), &program.files)?;
        let child = Self::start(&program, &private).await?;
        self.follow(&program, child, out, cancel).await
    }

    async fn which(&self, program: &str) -> Option<PathBuf> {
        machine::which(program, std::env::var_os("PATH").as_deref())
    }

    async fn free_bytes(&self, folder: &Path) -> Result<u64, PortError> {
        let what = format!("cannot see how much room {} has", folder.display());
        let folder = folder.to_owned();
        // A disk of the network may take its time to answer.
        match tokio::task::spawn_blocking(move || machine::free_bytes(&folder)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(PortError::new(PortErrorKind::Io, what, error.to_string())),
            Err(error) => Err(PortError::new(PortErrorKind::Other, what, error.to_string())),
        }
    }

    fn name(&self) -> String {
        machine::name()
    }
}

fn failure(program: &Program, kind: PortErrorKind, detail: impl Into<String>) -> PortError {
    PortError::new(kind, format!("cannot run {}", program.program), detail)
}

/// As a shell says it.
fn code(status: std::process::ExitStatus) -> u8 {
    let shell = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    shell.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
