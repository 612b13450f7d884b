//! `practice`: the same run against a simulated cluster.

use super::{Exit, Failure, Global, Outcome};
use crate::text::Diagnostic;

/// `practice`
#[derive(Debug, clap::Args)]
pub struct PracticeArgs {
    /// Name of the runbook
    #[arg(default_value = "pixelcore")]
    pub runbook: String,
}

/// `drydock practice`
#[allow(clippy::unused_async)]
pub async fn practice(_: &Global, args: PracticeArgs) -> Outcome {
    let problem = Diagnostic::new(format!("the practice world of {} is not built in this version", args.runbook))
        .help("try a runbook without a cluster: drydock start --file tests/data/three-steps.yaml --plain");
    Err(Failure::new(Exit::Usage, problem))
}
