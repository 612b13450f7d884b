//! `doctor`: what this machine, terminal, state and cluster allow, and what helps where they do not. Changes nothing.

use std::{
    io::{IsTerminal, Write, stdin, stdout},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    Exit, Failure, Global, Outcome, attend,
    inspect::show,
    reach::{ReachArgs, log_in},
};
use crate::{
    cluster::{Cluster, contexts},
    host::LocalHost,
    ports::{Collect, Host, Objects, PortError, PortErrorKind, Program},
    run::{Check, CheckResult, Environment, RunState},
    runner::records,
    store::{Paths, ensure_private_folder},
    text::{Typed, units},
    vault::{Generation, Vault, VaultError},
};

/// `doctor`
#[derive(Debug, Default, clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub reach: ReachArgs,
    /// Namespace whose identity is read, too
    #[arg(short, long)]
    pub namespace: Option<String>,
}

/// Longest wait for the cluster or a program.
const PATIENCE: Duration = Duration::from_secs(10);
/// Below this a dump hardly fits.
const ROOM: u64 = 1 << 30;
/// The smallest terminal for the full screen.
const SMALLEST: (u16, u16) = (60, 18);

fn check(name: &str, result: CheckResult, sentence: impl Into<String>, help: &[&str]) -> Check {
    let help = help.iter().map(|help| (*help).to_owned()).collect();
    Check { name: name.into(), result, sentence: sentence.into(), help, seen: false }
}

/// `drydock doctor`
pub async fn doctor(global: &Global, args: DoctorArgs) -> Outcome {
    let mut out = stdout();
    if !global.json {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        writeln!(out, "drydock {}, {os} {arch}", env!("CARGO_PKG_VERSION"))?;
    }
    let mut failed = 0;
    for (title, checks) in look(global, &args).await? {
        if !global.json {
            writeln!(out, "{title}")?;
        }
        failed += checks.iter().filter(|check| check.result == CheckResult::Fail).count();
        show(global, &mut out, &checks)?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Environment })
}

/// All that is looked at, by part.
pub async fn look(global: &Global, args: &DoctorArgs) -> Result<[(&'static str, Vec<Check>); 4], Failure> {
    let paths = Paths::resolve(global.state_dir.clone())?;
    Ok([
        ("Terminal", terminal(global)),
        ("Programs", programs().await),
        ("State", state(&paths, &global.typed()).await),
        ("Cluster", cluster(args).await),
    ])
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn terminal(global: &Global) -> Vec<Check> {
    let term = variable("TERM").unwrap_or_else(|| "not set".to_owned());
    if !stdin().is_terminal() || !stdout().is_terminal() {
        let sentence = format!("standard input or output is no terminal (TERM {term}): nobody can be asked");
        return vec![check("terminal", CheckResult::Warn, sentence, &["for unattended runs: --answers FILE"])];
    }
    let size = rustix::termios::tcgetwinsize(stdout()).map_or((0, 0), |size| (size.ws_col, size.ws_row));
    let small = size.0 < SMALLEST.0 || size.1 < SMALLEST.1;
    let sentence = format!("{} columns, {} rows, TERM {term}", size.0, size.1);
    let mut checks = vec![if small {
        check("terminal", CheckResult::Warn, sentence, &["make it 80 by 24 or larger, or use --plain"])
    } else {
        check("terminal", CheckResult::Pass, sentence, &[])
    }];
    let front = if attend::has_screen(global) { "the full screen" } else { "plain text mode" };
    checks.push(check("front end", CheckResult::Pass, format!("{front} would be used here"), &[]));
    let theme = attend::theme(global);
    let (look, signs) = (format!("{:?}", theme.look).to_lowercase(), if theme.ascii { "ASCII" } else { "UTF-8" });
    checks.push(check("look", CheckResult::Pass, format!("{look}, {signs} signs"), &[]));
    checks.push(match variable("TMUX").or_else(|| variable("STY")) {
        Some(_) => check("session", CheckResult::Pass, "inside tmux or screen: it outlives this connection", &[]),
        None if variable("SSH_CONNECTION").is_some() => check(
            "session",
            CheckResult::Warn,
            "over ssh and not inside tmux: when the connection goes, the step in hand is finished and the run pauses",
            &["begin with: tmux new -s ops"],
        ),
        None => check("session", CheckResult::Pass, "not inside tmux; a run that is cut can be resumed", &[]),
    });
    checks
}

/// Programs that runbooks call on this machine; which ones a runbook needs, its own check says.
async fn programs() -> Vec<Check> {
    // a child wants a private folder, and nothing of ours is to be made by looking
    let Ok(place) = tempfile::tempdir() else {
        let help = "give the temporary folder room or rights";
        return vec![check("programs", CheckResult::Fail, "cannot make a temporary folder", &[help])];
    };
    let host = LocalHost::new(place.path().join("private"));
    let asked: [(&str, &[&str], &str); 4] = [
        ("kubectl", &["version", "--client"], "needed by the scripts of some runbooks, not by drydock itself"),
        ("helm", &["version", "--short"], "needed where a deployment is a Helm release"),
        ("bash", &["--version"], "needed by the scripts of some runbooks"),
        ("ssh", &["-V"], "needed where a step runs on another host"),
    ];
    let mut checks = Vec::new();
    for (name, args, use_) in asked {
        let Some(path) = host.which(name).await else {
            checks.push(check(name, CheckResult::Warn, "not in the PATH", &[use_]));
            continue;
        };
        let program = Program {
            program: name.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            folder: place.path().to_owned(),
            env: Vec::new(),
            kubeconfig: None,
            files: Vec::new(),
        };
        let (mut said, cancel) = (Collect::new(64 * 1024), CancellationToken::new());
        let ended = tokio::time::timeout(PATIENCE, host.run(program, &mut said, &cancel)).await;
        let told = format!("{}\n{}", said.text(), said.errors());
        let first = told.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        checks.push(match ended {
            Ok(Ok(status)) if status.code == 0 => {
                check(name, CheckResult::Pass, format!("{first} ({})", path.display()), &[])
            }
            Ok(Ok(status)) => {
                let sentence = format!("{} ends with {}: {first}", path.display(), status.code);
                check(name, CheckResult::Warn, sentence, &[use_])
            }
            Ok(Err(error)) => check(name, CheckResult::Warn, format!("{}: {}", error.what, error.detail), &[use_]),
            Err(_) => {
                let sentence = format!("{} gives no answer in {} s", path.display(), PATIENCE.as_secs());
                check(name, CheckResult::Warn, sentence, &[use_])
            }
        });
    }
    checks
}

async fn state(paths: &Paths, typed: &Typed) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, folder) in [("config", &paths.config), ("data", &paths.data), ("state", &paths.state)] {
        let shown = folder.display();
        checks.push(if !folder.exists() {
            check(name, CheckResult::Pass, format!("{shown} is not there yet; it is made when it is needed"), &[])
        } else if let Err(error) = ensure_private_folder(folder) {
            check(name, CheckResult::Fail, error.to_string(), &[])
        } else {
            check(name, CheckResult::Pass, format!("{shown}, ours alone"), &[])
        });
    }
    let there = paths.state.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    checks.push(match LocalHost::new(paths.private()).free_bytes(there).await {
        Ok(free) if free < ROOM => {
            let help = "free some: dumps and their copies lie here, or move it with --state-dir";
            check("room", CheckResult::Warn, format!("{} free in {}", units::bytes(free), there.display()), &[help])
        }
        Ok(free) => {
            check("room", CheckResult::Pass, format!("{} free in {}", units::bytes(free), there.display()), &[])
        }
        Err(error) => check("room", CheckResult::Fail, format!("{}: {}", error.what, error.detail), &[]),
    });
    checks.extend(vault(&Vault::new(paths.data.clone()).with_typed(typed.clone())));
    checks.push(runs(paths));
    checks
}

fn vault(vault: &Vault) -> Vec<Check> {
    let mut checks = vec![match vault.inspect() {
        Ok(Some(seal)) => {
            check("vault", CheckResult::Pass, format!("whole, {} secrets, saved {:.0}", seal.entries, seal.at), &[])
        }
        Ok(None) => check("vault", CheckResult::Pass, "whole, saved by another age program", &[]),
        Err(VaultError::Missing { .. }) => {
            check("vault", CheckResult::Pass, "there is none yet; it is made when it is needed", &[])
        }
        Err(error) => {
            let help = vault.way_back().unwrap_or_else(|| "put both files back from a copy".to_owned());
            check("vault", CheckResult::Fail, error.to_string(), &[&help])
        }
    }];
    for path in [vault.identity_path(), vault.path(Generation::Current), vault.path(Generation::Previous)] {
        let open = std::fs::metadata(&path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
        if open {
            let (sentence, help) =
                (format!("{} can be read by others", path.display()), format!("chmod 600 {}", path.display()));
            checks.push(check("vault files", CheckResult::Fail, sentence, &[&help]));
        }
    }
    checks
}

/// Every journal is read to its end: a changed one is found here and not in the hour it is needed.
fn runs(paths: &Paths) -> Check {
    let all = match paths.runs().list() {
        Ok(all) => all,
        Err(error) => return check("runs", CheckResult::Fail, error.to_string(), &[]),
    };
    let (mut unfinished, mut broken) = (0, Vec::new());
    for run in all.iter().filter(|run| run.journal().exists()) {
        match records(run) {
            Err(problem) => {
                broken.push(format!("{}: {} {}", run.id, problem.what, problem.causes.join(" ")));
            }
            Ok(entries) => {
                let state = RunState::of(entries.iter().map(|entry| (entry.at, &entry.record)));
                unfinished += usize::from(!state.is_at_end());
            }
        }
    }
    if broken.is_empty() {
        let sentence = format!("all: {}, not finished: {unfinished}; every journal is whole", all.len());
        return check("runs", CheckResult::Pass, sentence, &[]);
    }
    let help = "put the journal back from a copy; drydock never goes on after a changed record";
    check("runs", CheckResult::Fail, broken.join("; "), &[help])
}

async fn cluster(args: &DoctorArgs) -> Vec<Check> {
    let said = |error: &PortError| format!("{}: {}", error.what, error.detail);
    let none = "practice and runbooks without a deployment need none; else KUBECONFIG names the file";
    let all = match contexts(args.reach.kubeconfig.as_deref()) {
        Ok(all) if all.is_empty() => {
            return vec![check("kubeconfig", CheckResult::Warn, "there is no context", &[none])];
        }
        Ok(all) => all,
        Err(error) => return vec![check("kubeconfig", CheckResult::Warn, said(&error), &[none])],
    };
    let current = all.iter().find(|context| context.current).map_or("none", |context| context.name.as_str());
    let sentence = format!("contexts: {}; the current one is {current}", all.len());
    let mut checks = vec![check("kubeconfig", CheckResult::Pass, sentence, &[])];
    let cluster = match Cluster::connect(&args.reach.route()) {
        Ok(cluster) => cluster,
        Err(error) => {
            let help = "`kubectl config get-contexts` shows what there is; --context names one";
            checks.push(check("context", CheckResult::Fail, said(&error), &[help]));
            return checks;
        }
    };
    let place = cluster.way();
    let asked = std::time::Instant::now();
    let help = "look at network, VPN and the address of the context, then: drydock doctor";
    checks.push(match tokio::time::timeout(PATIENCE, cluster.version()).await {
        Ok(Ok(version)) => {
            let took = asked.elapsed().as_millis();
            check("cluster", CheckResult::Pass, format!("{place} answers in {took} ms: Kubernetes {version}"), &[])
        }
        Ok(Err(error)) if error.kind == PortErrorKind::Unauthorized && cluster.plugin().is_some() => {
            check("cluster", CheckResult::Fail, format!("{place}: {}", said(&error)), &[&log_in(&cluster)])
        }
        Ok(Err(error)) => check("cluster", CheckResult::Fail, format!("{place}: {}", said(&error)), &[help]),
        Err(_) => {
            let sentence = format!("{place} gives no answer in {} s", PATIENCE.as_secs());
            check("cluster", CheckResult::Fail, sentence, &[help])
        }
    });
    let reached = checks.iter().all(|check| check.result != CheckResult::Fail);
    if let Some(namespace) = args.namespace.as_deref().filter(|_| reached) {
        checks.push(match cluster.identity(namespace).await {
            Ok(identity) => {
                let ids = identity.ids();
                let sentence = format!(
                    "{namespace} in cluster {} ({ids}), {}",
                    identity.cluster8(),
                    Environment::of(&identity.labels)
                );
                check("namespace", CheckResult::Pass, sentence, &[])
            }
            Err(error) => check("namespace", CheckResult::Fail, said(&error), &["`kubectl get namespaces`"]),
        });
    }
    checks
}
