//! `report`: the change record of a run.

use std::{io::Write, path::PathBuf};

use super::{
    Exit, Failure, Global, Outcome,
    runs::{find, fold},
};
use crate::{
    run::report::Report,
    store::{Keep, write_atomic},
};

/// `report`
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Id of the run, or its unique ending; the newest without one
    #[arg(default_value = "")]
    pub run: String,
    /// How to write it; --json means json
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    pub format: Format,
    /// A file instead of standard output; it is replaced whole
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Markdown, for people.
    #[value(alias = "md")]
    Markdown,
    /// One JSON object.
    Json,
}

/// `drydock report RUN`
pub fn report(global: &Global, args: &ReportArgs) -> Outcome {
    let run = find(global, &args.run)?;
    let (state, records) = fold(&run)?;
    let report = Report::new(&state, &records);
    let text = if global.json || args.format == Format::Json {
        serde_json::to_string(&report).map_err(std::io::Error::from)? + "\n"
    } else {
        report.markdown()
    };
    let Some(path) = &args.output else {
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(Exit::Done);
    };
    write_atomic(path, text.as_bytes(), Keep::Nothing).map_err(Failure::from)?;
    writeln!(std::io::stderr(), "saved. The change record of {} is in {}.", run.id, path.display())?;
    Ok(Exit::Done)
}
