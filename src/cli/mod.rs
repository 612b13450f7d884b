//! Subcommands, one file each; settings are resolved here once. The only room besides `main` that prints.

mod inspect;
mod practice;
mod reach;
mod runbook;
mod runs;
mod start;
mod target;
mod vault;

use std::{io::Write, path::PathBuf};

use clap::{CommandFactory, Parser, Subcommand};

use crate::text::Diagnostic;

/// A guided, provable walk through risky database upgrades.
#[derive(Debug, Parser)]
#[command(name = "drydock", version, about, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
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
    /// One folder for settings, vault and runs
    #[arg(long, global = true, env = "DRYDOCK_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
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
    /// Give a run up; nothing in the cluster is changed
    Abandon(runs::AbandonArg),
    /// Every preflight that only reads
    Check(target::TargetArgs),
    /// The dry run: every step and what it would do
    Plan(target::TargetArgs),
    /// The whole wizard on a simulated cluster
    Practice(practice::PracticeArgs),
    /// Runbooks
    #[command(subcommand)]
    Runbook(runbook::RunbookCommand),
    /// The encrypted vault
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
}

/// How the program ends: 0 done, 1 a step failed, 2 wrong usage or a faulty runbook, 3 refused by a gate or check, 4 the
/// environment, 5 stopped or needs an answer, 70 an internal fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A step failed; the run is paused.
    Failed = 1,
    /// Wrong usage, or a faulty runbook.
    Usage = 2,
    /// Refused by a gate or check.
    Refused = 3,
    /// Cluster, host or vault not reachable or not unlocked.
    Environment = 4,
    /// Stopped by the operator, or needs an answer.
    Stopped = 5,
    /// An internal fault.
    Internal = 70,
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

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Environment, Diagnostic::new(error.to_string()))
    }
}

type Outcome = Result<Exit, Failure>;

/// Reads the arguments, does what they say, and tells how the program ends.
pub fn main() -> i32 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return error.exit_code();
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "drydock: cannot start: {error}");
            return Exit::Internal as i32;
        }
    };
    let done = runtime.block_on(dispatch(cli));
    // a thread that waits for a line of a terminal cannot be stopped, and must not be waited for
    runtime.shutdown_background();
    match done {
        Ok(exit) => exit as i32,
        Err(failure) => {
            let mut err = std::io::stderr();
            for problem in &failure.problems {
                for (index, line) in problem.lines().iter().enumerate() {
                    let head = if index == 0 { "drydock: " } else { "" };
                    let _ = writeln!(err, "{head}{}", crate::text::printable(line));
                }
            }
            failure.exit as i32
        }
    }
}

async fn dispatch(cli: Cli) -> Outcome {
    let Cli { global, command } = cli;
    match command {
        Command::Start(args) => start::start(&global, args).await,
        Command::Resume(args) => start::resume(&global, args).await,
        Command::Runs => runs::list(&global),
        Command::Show(args) => runs::show(&global, &args),
        Command::Logs(args) => runs::logs(&global, &args),
        Command::Abandon(args) => runs::abandon(&global, &args),
        Command::Check(args) => inspect::check(&global, args).await,
        Command::Plan(args) => inspect::plan(&global, args).await,
        Command::Practice(args) => practice::practice(&global, args).await,
        Command::Runbook(command) => runbook::run(&command, &mut std::io::stdout()),
        Command::Vault(command) => vault::run(&global, command).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "drydock", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    }
}
