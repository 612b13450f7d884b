//! Real children of this process, so no paused clock here.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{LocalHost, private::tests::private_base, pump};
use crate::ports::{
    Collect, Discard, ExitStatus, Host, OutputSink, PortError, PortErrorKind, Program, SecretBytes, SecretFile, Stream,
};

fn shell(script: &str) -> Program {
    Program {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        folder: "/".into(),
        env: Vec::new(),
        kubeconfig: None,
        files: Vec::new(),
    }
}

async fn run(program: Program, out: &mut dyn OutputSink) -> Result<ExitStatus, PortError> {
    let base = private_base();
    LocalHost::new(base.path()).run(program, out, &CancellationToken::new()).await
}

fn alive(pid: &str) -> bool {
    // A killed orphan may stay a zombie for a moment where nobody reaps.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not happen in 5 s");
}

#[tokio::test]
async fn the_environment_is_clean_and_there_is_no_terminal() {
    let mut seen = Collect::new(1 << 16);
    let mut program = shell("test -t 0 || echo NOTTY=1; cat; pwd; exec env");
    program.env = vec![("HELM_NAMESPACE".into(), "plant".into())];
    let status = run(program, &mut seen).await.unwrap();
    assert_eq!((status.code, status.bytes), (0, seen.out.len() as u64));
    let text = seen.text();
    let handed_on = ["PATH", "HOME", "USER", "LOGNAME", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];
    let ours = ["LANG", "TERM", "KUBECONFIG", "KUBECTL_KUBERC", "KUBERC", "HELM_NAMESPACE", "DRYDOCK_CHILD"];
    let allowed = [&handed_on[..], &ours, &["NOTTY", "PWD"]].concat();
    for line in text.lines().filter(|line| line.contains('=')) {
        let name = line.split('=').next().unwrap();
        // These three are the shell's own.
        assert!(allowed.contains(&name) || ["OLDPWD", "SHLVL", "_"].contains(&name), "{line}");
    }
    for wanted in [
        "NOTTY=1",
        "\n/\n",
        "LANG=C.UTF-8\n",
        "TERM=dumb\n",
        "KUBECONFIG=/dev/null\n",
        "KUBECTL_KUBERC=false\n",
        "HELM_NAMESPACE=plant\n",
    ] {
        assert!(text.contains(wanted), "{wanted:?} in {text}");
    }
    let ours = std::env::vars_os().filter(|(name, _)| !allowed.iter().any(|known| name == known));
    assert!(ours.count() > 0, "a clean caller would prove nothing");
}

#[tokio::test]
async fn secret_files_are_private_and_gone_afterwards() {
    let base = private_base();
    let host = LocalHost::new(base.path().join("private"));
    let mut program =
        shell("stat -c %a \"$(dirname \"$1\")\" \"$1\" \"$KUBECONFIG\"; cat \"$1\" \"$PASSFILE\"; echo \"$1\"");
    program.args.extend(["sh".into(), "{file:.env}".into()]);
    program.env = vec![("PASSFILE".into(), "{file:kubeconfig}".into())];
    program.kubeconfig = Some(SecretBytes::new(b"pinned\n".to_vec()));
    program.files = vec![SecretFile { name: ".env".into(), content: SecretBytes::new(b"A=b\n".to_vec()) }];
    let mut seen = Collect::new(1 << 16);
    host.run(program, &mut seen, &CancellationToken::new()).await.unwrap();
    let text = seen.text();
    let (modes, path) = text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(modes, "700\n600\n600\nA=b\npinned");
    assert!(Path::new(path).starts_with(base.path().join("private")) && !Path::new(path).exists());
    assert_eq!(fs::read_dir(base.path().join("private")).unwrap().count(), 0);
}

#[tokio::test]
async fn ends_are_told_as_a_shell_tells_them() {
    for (script, code) in
        [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
    {
        assert_eq!(run(shell(script), &mut Discard).await.unwrap().code, code, "{script}");
    }
}

#[tokio::test]
async fn what_cannot_start_is_said_by_kind() {
    let mut absent = shell("");
    absent.program = "no-such-program-here".into();
    assert_eq!(run(absent, &mut Discard).await.unwrap_err().kind, PortErrorKind::NotFound);
    let mut nowhere = shell("");
    nowhere.folder = "/no/such/folder".into();
    let error = run(nowhere, &mut Discard).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot run sh: there is no folder /no/such/folder");
    let mut unknown = shell("");
    unknown.args.push("{file:absent}".into());
    assert_eq!(run(unknown, &mut Discard).await.unwrap_err().kind, PortErrorKind::Invalid);
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let base = private_base();
    let marker = base.path().join("ran");
    let program = shell(&format!("touch {}", marker.display()));
    let error = LocalHost::new(base.path()).run(program, &mut Discard, &cancelled).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Cancelled);
    assert!(!marker.exists());
}

/// Prints the pids of a child and a grandchild that ignore TERM, or do not, then waits for them.
fn family(trap: &str) -> Program {
    let mut program =
        shell(&format!("{trap}; (sh -c \"{trap}; echo \\$\\$; sleep 60; sleep 60\") & echo $$; wait; wait"));
    program.files = vec![SecretFile { name: "env".into(), content: SecretBytes::new(b"x".to_vec()) }];
    program
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Lines {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().lines().map(str::to_owned).collect()
    }
}

#[async_trait]
impl OutputSink for Lines {
    async fn take(&mut self, _: Stream, chunk: Bytes) -> Result<(), PortError> {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk));
        Ok(())
    }
}

#[tokio::test]
async fn cancelling_ends_the_whole_family_and_leaves_no_file() {
    for (trap, grace, least, most) in [("trap - TERM", 10_000, 0, 8000), ("trap '' TERM", 500, 500, 5000)] {
        let base = private_base();
        let host = LocalHost::with_grace(base.path(), Duration::from_millis(grace));
        let (cancel, mut lines) = (CancellationToken::new(), Lines::default());
        let (seen, token) = (lines.clone(), cancel.clone());
        let running = tokio::spawn(async move { host.run(family(trap), &mut lines, &token).await });
        eventually("both pids", || seen.all().len() == 2).await;
        let asked = Instant::now();
        cancel.cancel();
        let error = running.await.unwrap().unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Cancelled, "{trap}");
        let took = asked.elapsed().as_millis();
        assert!((least..most).contains(&took), "{trap}: {took} ms");
        for pid in seen.all() {
            eventually("the end of a process", || !alive(&pid)).await;
        }
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0, "{trap}");
    }
}

#[tokio::test]
async fn an_abandoned_call_leaves_neither_process_nor_file() {
    let base = private_base();
    let host = LocalHost::new(base.path());
    let mut lines = Lines::default();
    let seen = lines.clone();
    let running =
        tokio::spawn(async move { host.run(family("trap '' TERM"), &mut lines, &CancellationToken::new()).await });
    eventually("both pids", || seen.all().len() == 2).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    for pid in seen.all() {
        eventually("the end of a process", || !alive(&pid)).await;
    }
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

/// Takes its time, and knows how far ahead of it the program is.
struct Slow {
    taken: u64,
    largest: usize,
    progress: std::path::PathBuf,
    ahead: u64,
}

#[async_trait]
impl OutputSink for Slow {
    async fn take(&mut self, _: Stream, chunk: Bytes) -> Result<(), PortError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        self.largest = self.largest.max(chunk.len());
        let written = fs::read_to_string(&self.progress).ok().and_then(|text| text.trim().parse::<u64>().ok());
        self.ahead = self.ahead.max(written.unwrap_or_default().saturating_sub(self.taken));
        self.taken += chunk.len() as u64;
        Ok(())
    }
}

#[tokio::test]
async fn a_slow_sink_holds_the_program_back_and_loses_nothing() {
    let base = private_base();
    let progress = base.path().join("progress");
    let script = "i=0; while [ $i -lt 200 ]; do head -c 65536 /dev/zero; i=$((i+1)); echo $((i*65536)) >\"$1\"; done";
    let mut program = shell(script);
    program.args.extend(["sh".into(), progress.display().to_string()]);
    let mut slow = Slow { taken: 0, largest: 0, progress, ahead: 0 };
    let status = run(program, &mut slow).await.unwrap();
    assert_eq!((status.bytes, slow.taken), (200 * 65536, 200 * 65536));
    assert!(slow.largest <= pump::CHUNK);
    assert!(slow.ahead <= 4 * 65536, "the program was {} bytes ahead of its reader", slow.ahead);
}

/// Never comes back once it has a first chunk.
struct Stuck;

#[async_trait]
impl OutputSink for Stuck {
    async fn take(&mut self, _: Stream, _: Bytes) -> Result<(), PortError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_stuck_sink_cannot_hold_a_cancelled_program() {
    let base = private_base();
    let host = LocalHost::with_grace(base.path(), Duration::from_millis(300));
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        token.cancel();
    });
    let began = Instant::now();
    let error = host.run(shell("exec yes"), &mut Stuck, &cancel).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn a_sink_that_refuses_stops_the_program() {
    let mut small = Collect::new(10);
    let began = Instant::now();
    let error = run(shell("exec yes"), &mut small).await.unwrap_err();
    assert!(error.detail.contains("longer than 10 bytes"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_descendant_that_keeps_the_pipes_open_is_not_waited_for() {
    let mut seen = Collect::new(1 << 16);
    let began = Instant::now();
    let status = run(shell("sleep 60 & echo $!; exit 3"), &mut seen).await.unwrap();
    assert_eq!(status.code, 3);
    assert!((2..6).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    let pid = seen.text().trim().to_owned();
    assert!(alive(&pid), "what a program leaves running on purpose is left alone");
    run(shell(&format!("kill {pid}")), &mut Discard).await.unwrap();
}

#[tokio::test]
async fn a_script_whose_interpreter_is_not_there_is_named_and_not_started() {
    let folder = private_base();
    let script = folder.path().join("pix-dump-data.sh");
    for (text, named) in [("#!/bin/no-such-shell -e\necho ran\n", "/bin/no-such-shell"), ("#!\necho ran\n", "\"\"")] {
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let program = Program { program: script.display().to_string(), args: Vec::new(), ..shell("") };
        let mut seen = Collect::new(1 << 10);
        let error = run(program, &mut seen).await.unwrap_err();
        assert!(error.what.contains("pix-dump-data.sh") && error.detail.contains(named), "{error:?}");
        assert_eq!(seen.text(), "");
    }
}

#[tokio::test]
async fn a_descendant_that_never_stops_talking_is_not_waited_for() {
    let mut seen = Lines::default();
    let began = Instant::now();
    let status = run(shell("yes & echo $! >&2; exit 0"), &mut Tail(&mut seen)).await.unwrap();
    assert_eq!(status.code, 0);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let pid = seen.all()[0].clone();
    // Our end of its pipe is closed now, so it ends by itself.
    eventually("the end of yes", || !alive(&pid)).await;
}

/// Only standard error, so that endless output costs no memory.
struct Tail<'a>(&'a mut Lines);

#[async_trait]
impl OutputSink for Tail<'_> {
    async fn take(&mut self, stream: Stream, chunk: Bytes) -> Result<(), PortError> {
        match stream {
            Stream::Out => Ok(()),
            Stream::Err => self.0.take(stream, chunk).await,
        }
    }
}
