//! `completions` and `man`, made from the same command table as the parser; and the name the program was called by.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory};

use super::{Cli, Exit, Failure, Outcome};

/// `man`
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// The commands under the name that people type: `kubectl drydock` where kubectl found the program as its plugin.
pub fn command(called: Option<&OsString>) -> Command {
    let plugin = called.and_then(|path| Path::new(path).file_name()).is_some_and(|name| name == "kubectl-drydock");
    let command = Cli::command();
    if plugin { command.name("kubectl drydock").bin_name("kubectl drydock") } else { command }
}

/// `drydock completions SHELL`
pub fn completions(shell: clap_complete::Shell) -> Outcome {
    // the generator panics on an output that is closed; memory is not
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "drydock", &mut text);
    io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}

/// `drydock man`
pub fn man(args: &ManArgs) -> Outcome {
    if let Some(folder) = &args.output {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| Failure::usage(format!("cannot make the folder {}: {error}", folder.display())))?;
        clap_mangen::generate_to(Cli::command(), folder)?;
        writeln!(io::stderr(), "saved. The pages are in {0}; read one with: man -l {0}/drydock.1", folder.display())?;
        return Ok(Exit::Done);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}
