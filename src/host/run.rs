//! One program: started clean, followed, ended with its whole group.

use std::{io::Write, path::Path, process::Stdio, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};
use tokio_util::sync::CancellationToken;

use crate::{
    ports::{ExitStatus, OutputSink, PortError, PortErrorKind, Program, SecretBytes, Stream},
    store::create_private_file,
};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Time a program has to end by itself when stopped.
const GRACE: Duration = Duration::from_secs(10);
/// Time that descendants which keep the outputs open are waited for after the program's own end.
const STRAGGLERS: Duration = Duration::from_secs(2);
/// Variables of the caller that a program keeps.
const KEPT: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Writes a secret file of mode 0600. It is not made durable: it must not outlive the program.
fn write_secret(path: &Path, content: &SecretBytes) -> std::io::Result<()> {
    let mut file = create_private_file(path).map_err(std::io::Error::other)?;
    file.write_all(content.expose_secret())
}

/// Runs `program` with its secret files under `private`.
pub async fn run(
    private: &Path,
    program: Program,
    out: &mut dyn OutputSink,
    cancel: &CancellationToken,
) -> Result<ExitStatus, PortError> {
    let what = format!("cannot run {}", program.program);
    let io = |error: std::io::Error| PortError::new(PortErrorKind::Io, what.clone(), error.to_string());
    // removed with everything in it when this function ends, however it ends
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(private).map_err(io)?;
    let mut args = program.args;
    for file in &program.files {
        let path = folder.path().join(&file.name);
        write_secret(&path, &file.content).map_err(io)?;
        let mark = format!("{{file:{}}}", file.name);
        for arg in &mut args {
            *arg = arg.replace(&mark, &path.to_string_lossy());
        }
    }
    let mut command = Command::new(&program.program);
    command.args(&args).current_dir(&program.folder).env_clear().env("LANG", "C.UTF-8").env("TERM", "dumb");
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(kubeconfig) = &program.kubeconfig {
        let path = folder.path().join("kubeconfig");
        write_secret(&path, kubeconfig).map_err(io)?;
        command.env("KUBECONFIG", path);
    }
    command
        .envs(program.env)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        let kind =
            if error.kind() == std::io::ErrorKind::NotFound { PortErrorKind::NotFound } else { PortErrorKind::Io };
        PortError::new(kind, what.clone(), error.to_string())
    })?;
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let mut bytes = 0;
    let group = child.id();
    let followed = follow(&mut child, &mut stdout, &mut stderr, out, &mut bytes, cancel).await;
    match followed {
        Ok(code) => Ok(ExitStatus { code, bytes }),
        Err(error) => {
            end(&mut child, group).await;
            Err(error)
        }
    }
}

async fn follow(
    child: &mut Child,
    stdout: &mut Option<impl AsyncRead + Unpin>,
    stderr: &mut Option<impl AsyncRead + Unpin>,
    out: &mut dyn OutputSink,
    bytes: &mut u64,
    cancel: &CancellationToken,
) -> Result<u8, PortError> {
    let (mut first, mut second) = (BytesMut::with_capacity(CHUNK), BytesMut::with_capacity(CHUNK));
    let mut ended: Option<(u8, tokio::time::Instant)> = None;
    loop {
        if let (Some((code, _)), None, None) = (ended, stdout.as_ref(), stderr.as_ref()) {
            return Ok(code);
        }
        let late = async {
            match ended {
                Some((_, at)) => tokio::time::sleep_until(at + STRAGGLERS).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = read(stdout, &mut first), if stdout.is_some() => {
                match read {
                    Ok(n) if n > 0 => {
                        *bytes += n as u64;
                        out.take(Stream::Out, first.split().freeze()).await?;
                    }
                    _ => *stdout = None,
                }
            }
            read = read(stderr, &mut second), if stderr.is_some() => {
                match read {
                    Ok(n) if n > 0 => out.take(Stream::Err, second.split().freeze()).await?,
                    _ => *stderr = None,
                }
            }
            status = child.wait(), if ended.is_none() => {
                let status = status.map_err(|error| PortError::new(PortErrorKind::Io, "cannot learn how the program ended", error.to_string()))?;
                ended = Some((code_of(status), tokio::time::Instant::now()));
            }
            // somebody else still holds the outputs; what the program itself said is here
            () = late => return Ok(ended.map_or(0, |(code, _)| code)),
            () = cancel.cancelled(), if ended.is_none() => {
                return Err(PortError::new(PortErrorKind::Cancelled, "the program was stopped", "stopped by the operator"));
            }
        }
    }
}

async fn read(from: &mut Option<impl AsyncRead + Unpin>, into: &mut BytesMut) -> std::io::Result<usize> {
    into.reserve(CHUNK);
    match from {
        Some(from) => from.read_buf(into).await,
        None => Ok(0),
    }
}

fn code_of(status: std::process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255);
    u8::try_from(code).unwrap_or(255)
}

/// TERM to the whole group, KILL after the grace.
async fn end(child: &mut Child, group: Option<u32>) {
    let signal = |which| {
        let pid = group.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process_group(pid, which);
        }
    };
    signal(rustix::process::Signal::TERM);
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        signal(rustix::process::Signal::KILL);
        let _ = child.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Collect, SecretBytes, SecretFile};

    fn program(script: &str) -> Program {
        Program {
            program: "sh".into(),
            args: vec!["-c".into(), script.into(), "sh".into()],
            folder: std::env::temp_dir(),
            env: vec![("EXTRA".into(), "1".into())],
            kubeconfig: None,
            files: Vec::new(),
        }
    }

    async fn go(program: Program) -> (ExitStatus, Collect, tempfile::TempDir) {
        let private = tempfile::tempdir().unwrap();
        let mut out = Collect::new(1 << 20);
        let exit = run(private.path(), program, &mut out, &CancellationToken::new()).await.unwrap();
        (exit, out, private)
    }

    #[tokio::test]
    async fn the_environment_is_clean_and_the_status_true() {
        let (exit, out, _) = go(program("env | cut -d= -f1 | sort; echo e >&2; exit 7")).await;
        assert_eq!(exit.code, 7);
        assert_eq!(exit.bytes, out.out.len() as u64);
        assert_eq!(out.errors(), "e\n");
        let allowed = ["EXTRA", "LANG", "TERM", "PWD", "SHLVL", "_", "OLDPWD"];
        for name in out.text().lines() {
            assert!(allowed.contains(&name) || KEPT.contains(&name), "{name}");
        }
        assert_eq!(go(program("kill -9 $$")).await.0.code, 137);
    }

    #[tokio::test]
    async fn secret_files_are_private_and_gone_afterwards() {
        let mut with = program("stat -c %a \"$1\"; cat \"$1\"");
        with.args.push("{file:x}".into());
        with.files.push(SecretFile { name: "x".into(), content: SecretBytes::new(b"canary".to_vec()) });
        let (_, out, private) = go(with).await;
        assert_eq!(out.text(), "600\ncanary");
        assert_eq!(std::fs::read_dir(private.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_straggler_does_not_hold_us() {
        let started = std::time::Instant::now();
        let (exit, ..) = go(program("sleep 30 & echo done")).await;
        assert_eq!(exit.code, 0);
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn stopping_ends_the_whole_group() {
        let private = tempfile::tempdir().unwrap();
        let mark = private.path().join("alive");
        let cancel = CancellationToken::new();
        let later = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            later.cancel();
        });
        let mut out = Collect::new(1 << 20);
        let script = format!("(sleep 2; touch {}) & wait", mark.display());
        let error = run(private.path(), program(&script), &mut out, &cancel).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Cancelled);
        tokio::time::sleep(Duration::from_millis(2300)).await;
        assert!(!mark.exists());
    }
}
