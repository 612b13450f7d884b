//! Subcommands, one file each; settings are resolved here once. The only room besides `main` that prints.

mod abandon;
mod adopted;
mod attend;
mod backup;
mod doctor;
pub mod exit;
mod home;
mod inspect;
mod log;
mod login;
mod looking;
mod manual;
mod place;
mod plan;
mod practice;
mod reach;
mod report;
mod runbook;
mod runs;
mod scratch;
mod shelf;
mod start;
mod target;
pub mod vault;

use std::{
    io::{IsTerminal, Read, Write},
    path::PathBuf,
};

use clap::{FromArgMatches, Parser, Subcommand};

use crate::{
    store::{Paths, StoreError},
    text::{Diagnostic, Typed},
    vault::{CHILD_COMMAND, ChildEnd, Unlock, Vault, VaultError, harden_process, run_unlock_child},
};
use exit::Exit;

/// A guided, provable walk through risky database upgrades.
#[derive(Debug, Parser)]
#[command(name = "drydock", version, about, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Settings of every subcommand.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// Line prompts instead of the full screen: no escape byte at all
    #[arg(long, global = true)]
    pub plain: bool,
    /// One JSON object a line on standard output
    #[arg(long, global = true)]
    pub json: bool,
    #[command(flatten)]
    pub look: Look,
    /// One folder for settings, vault and runs
    #[arg(long, global = true, env = "DRYDOCK_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Read the vault's passphrase, a line, from this file descriptor (3 or more, as in 3< FILE)
    #[arg(long, global = true, value_name = "N")]
    pub passphrase_fd: Option<u32>,
}

impl Global {
    /// How a command that finds the same state is typed.
    fn typed(&self) -> Typed {
        Typed::with(self.state_dir.as_deref())
    }
}

/// How the full screen looks.
#[derive(Debug, Clone, clap::Args)]
pub struct Look {
    /// ASCII signs only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Colours for a light background
    #[arg(long, global = true)]
    pub light: bool,
    /// Elapsed time moves every 30 seconds only
    #[arg(long, global = true)]
    pub still: bool,
    /// Whether to use colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

/// When colour is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// Unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin a run
    Start(start::StartArgs),
    /// Take a run up again
    Resume(start::ResumeArgs),
    /// List runs
    Runs,
    /// Show what happened in a run
    Show(runs::RunArg),
    /// Show the output of a run's step
    Logs(runs::LogsArg),
    /// Give a run up: what it changed is put back, last change first
    Abandon(abandon::AbandonArgs),
    /// Every preflight that only reads
    Check(target::TargetArgs),
    /// The dry run: every step and what it would do
    Plan(plan::PlanArgs),
    /// The whole wizard on a simulated cluster
    Practice(practice::PracticeArgs),
    /// Runbooks
    #[command(subcommand)]
    Runbook(runbook::RunbookCommand),
    /// The encrypted vault
    Vault(vault::VaultArgs),
    /// Backups that were sealed
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// The change record of a run
    Report(report::ReportArgs),
    /// What this machine, terminal, state and cluster allow; changes nothing
    Doctor(doctor::DoctorArgs),
    /// Logs in to a context: its credential plugin runs on this terminal, and the server says who you are
    Login(login::LoginArgs),
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
    /// The manual page
    Man(manual::ManArgs),
}

/// Why a subcommand did not do its work.
#[derive(Debug)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What to say.
    pub problems: Vec<Diagnostic>,
}

impl Failure {
    fn new(exit: Exit, problem: Diagnostic) -> Self {
        Self { exit, problems: vec![problem] }
    }

    fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, Diagnostic::new(what))
    }
}

impl From<crate::ports::PortError> for Failure {
    fn from(error: crate::ports::PortError) -> Self {
        Self::new(Exit::Environment, error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NoSuchRun { .. } | StoreError::Ambiguous { .. } => Exit::Usage,
            _ => Exit::Environment,
        };
        Self::new(exit, Diagnostic::new(error.to_string()))
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::new(Exit::Environment, Diagnostic::new(error.to_string()))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            // as `drydock runs | head -1`: who reads has what it wanted
            return Self { exit: Exit::Done, problems: Vec::new() };
        }
        Self::new(Exit::Environment, Diagnostic::new(error.to_string()))
    }
}

type Outcome = Result<Exit, Failure>;

/// Reads the arguments, does what they say, and tells how the program ends.
pub fn main() -> Exit {
    // before anything is read: no secret of ours may end in a core dump or another process
    if let Err(error) = harden_process() {
        let _ = writeln!(std::io::stderr(), "drydock: cannot keep this process' memory out of files: {error}");
        return Exit::Environment;
    }
    // before the arguments are parsed: the child that unlocks is no command for people
    if std::env::args_os().nth(1).is_some_and(|word| word == CHILD_COMMAND) {
        return match run_unlock_child(&mut std::io::stdin().lock(), &mut std::io::stdout().lock()) {
            ChildEnd::Answered => Exit::Done,
            ChildEnd::Broken => Exit::Internal,
        };
    }
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let parsed = manual::command(words.first()).try_get_matches_from(words);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "drydock: cannot start: {error}");
            return Exit::Internal;
        }
    };
    let done = runtime.block_on(dispatch(cli));
    // a thread that waits for a line of a terminal cannot be stopped, and must not be waited for
    runtime.shutdown_background();
    match done {
        Ok(exit) => exit,
        Err(failure) => {
            let mut err = std::io::stderr();
            for problem in &failure.problems {
                for (index, line) in problem.lines().iter().enumerate() {
                    let head = if index == 0 { "drydock: " } else { "" };
                    let _ = writeln!(err, "{head}{}", crate::text::printable(line));
                }
            }
            failure.exit
        }
    }
}

/// `drydock vault …` with this process' streams: a value comes from standard input unless that is a terminal.
fn manage_vault(global: &Global, args: vault::VaultArgs) -> Outcome {
    let paths = Paths::resolve(global.state_dir.clone())?;
    let terminal = |is: bool| if is { vault::Shown::Terminal } else { vault::Shown::Elsewhere };
    let (mut out, mut notes) = (std::io::stdout(), std::io::stderr());
    let mut input = std::io::stdin();
    let asks = input.is_terminal();
    let cli = vault::VaultCli {
        vault: Vault::new(paths.data).with_typed(global.typed()),
        unlock: Unlock::in_child()?,
        ask: vault::asker(global.passphrase_fd),
        input: if asks { None } else { Some(&mut input as &mut dyn Read) },
        shown: terminal(out.is_terminal()),
        out: &mut out,
        notes: &mut notes,
        operator: crate::ports::operator(),
        format: if global.json { vault::Format::Json } else { vault::Format::Text },
    };
    Ok(vault::run(args, cli))
}

async fn dispatch(cli: Cli) -> Outcome {
    let Cli { global, command } = cli;
    let Some(command) = command else {
        if attend::has_screen(&global) {
            return home::home(&global).await;
        }
        manual::command(std::env::args_os().next().as_ref()).print_help()?;
        return Ok(Exit::Done);
    };
    match command {
        Command::Start(args) => start::start(&global, args).await,
        Command::Resume(args) => Box::pin(start::resume(&global, args)).await,
        Command::Runs => runs::list(&global),
        Command::Show(args) => runs::show(&global, &args),
        Command::Logs(args) => runs::logs(&global, &args),
        Command::Abandon(args) => abandon::abandon(&global, args).await,
        Command::Check(args) => inspect::check(&global, args).await,
        Command::Plan(args) => plan::plan(&global, args).await,
        Command::Practice(args) => Box::pin(practice::practice(&global, args)).await,
        Command::Runbook(command) => runbook::run(&command, &mut std::io::stdout()),
        Command::Vault(args) => manage_vault(&global, args),
        Command::Backup(command) => backup::backup(&global, command),
        Command::Report(args) => report::report(&global, &args),
        Command::Doctor(args) => doctor::doctor(&global, args).await,
        Command::Login(args) => login::login(&global, &args).await,
        Command::Completions { shell } => manual::completions(shell),
        Command::Man(args) => manual::man(&args),
    }
}
