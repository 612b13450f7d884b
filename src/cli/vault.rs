//! `vault create|list|show|remove|passphrase|path`: prompts by dialoguer, values only when asked for.

use std::io::Write;

use dialoguer::Password;
use secrecy::SecretString;

use super::{Exit, Failure, Global, Outcome};
use crate::{
    ports::{Secrets, VaultState},
    store::Paths,
    text::{Diagnostic, printable},
    vault::{Files, Keeper},
};

/// `vault …`
#[derive(Debug, clap::Subcommand)]
pub enum VaultCommand {
    /// Make it
    Create,
    /// List what is in it, without values
    List,
    /// Show an entry; its value only with --reveal
    Show {
        /// As `RUN/NAME`
        name: String,
        /// Print the value too
        #[arg(long)]
        reveal: bool,
    },
    /// Take an entry out
    Remove { name: String },
    /// Put the vault under another passphrase
    Passphrase,
    /// Where its files lie, and how to open them without drydock
    Path,
}

fn ask(prompt: &str) -> Result<SecretString, Failure> {
    let typed = Password::new().with_prompt(prompt).interact();
    typed.map(SecretString::from).map_err(|error| {
        Failure::new(
            Exit::Environment,
            Diagnostic::new("a passphrase is needed and there is no terminal to ask on").cause(error.to_string()),
        )
    })
}

fn ask_new() -> Result<SecretString, Failure> {
    let typed = Password::new()
        .with_prompt("New passphrase")
        .with_confirmation("Once more", "the two are not the same")
        .validate_with(|text: &String| {
            if text.chars().count() >= 8 { Ok(()) } else { Err("at least 8 characters; four words are better") }
        })
        .interact();
    typed.map(SecretString::from).map_err(|error| {
        Failure::new(
            Exit::Environment,
            Diagnostic::new("a passphrase is needed and there is no terminal to ask on").cause(error.to_string()),
        )
    })
}

/// Does it.
pub async fn run(global: &Global, command: VaultCommand) -> Outcome {
    let paths = Paths::resolve(global.state_dir.as_deref())?;
    paths.make()?;
    let files = Files::new(paths.data.clone());
    let keeper = Keeper::new(files.clone());
    let mut out = std::io::stdout();
    match &command {
        VaultCommand::Path => {
            let (identity, vault) = (files.identity(), files.vault());
            writeln!(out, "{}\n{}", identity.display(), vault.display())?;
            writeln!(out, "open without drydock: age -d -i {} {}", identity.display(), vault.display())?;
            return Ok(Exit::Done);
        }
        VaultCommand::Create => {
            if keeper.state() != VaultState::Absent {
                return Err(Failure::usage(format!("there is a vault already: {}", files.vault().display())));
            }
            keeper.open(&ask_new()?).await?;
            writeln!(out, "made {}", files.vault().display())?;
            return Ok(Exit::Done);
        }
        VaultCommand::List | VaultCommand::Show { .. } | VaultCommand::Remove { .. } | VaultCommand::Passphrase => {}
    }
    if keeper.state() == VaultState::Absent {
        return Err(Failure::new(
            Exit::Environment,
            Diagnostic::new("there is no vault yet").help("drydock vault create"),
        ));
    }
    keeper.open(&ask("Passphrase")?).await?;
    match command {
        VaultCommand::List => {
            let list = keeper.with("cannot read the vault", |document| {
                document.entries().map(|(key, meta)| (key.clone(), meta.clone())).collect::<Vec<_>>()
            });
            for (key, meta) in list.await? {
                writeln!(out, "{}  {} characters  check {}  {:.0}", printable(&key), meta.length, meta.check, meta.at)?;
            }
        }
        VaultCommand::Show { name, reveal } => {
            let key = name.clone();
            let found = keeper
                .with("cannot read the vault", move |document| {
                    let meta = document.entries().find(|(of, _)| **of == key).map(|(_, meta)| meta.clone())?;
                    let value = reveal.then(|| document.get(&meta.run, &meta.name.0)).flatten();
                    Some((meta, value.map(crate::ports::SecretBytes::new)))
                })
                .await?;
            let Some((meta, value)) = found else { return Err(Failure::usage(format!("there is no entry {name}"))) };
            writeln!(out, "{}", serde_json::to_string_pretty(&meta).map_err(std::io::Error::from)?)?;
            if let Some(value) = value {
                out.write_all(value.expose_secret())?;
                writeln!(out)?;
            }
        }
        VaultCommand::Remove { name } => {
            let key = name.clone();
            if !keeper.change("cannot save the vault", move |document| document.remove(&key)).await? {
                return Err(Failure::usage(format!("there is no entry {name}")));
            }
            writeln!(out, "removed {name}; the generation before is kept as vault.age.1")?;
        }
        VaultCommand::Passphrase => {
            keeper.change_passphrase(ask_new()?).await?;
            writeln!(out, "changed. An old copy of identity.age still opens with the old passphrase.")?;
        }
        VaultCommand::Create | VaultCommand::Path => {}
    }
    Ok(Exit::Done)
}
