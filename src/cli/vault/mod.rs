//! `drydock vault …`: managing the encrypted store outside a run. `main` gives it the folder and how to ask; standard output
//! carries what was asked for, notes go to standard error.

mod ask;
mod fault;
mod prompt;
mod show;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use age::secrecy::{ExposeSecret, SecretString};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use zeroize::Zeroizing;

pub use ask::{Ask, AskError, asker};
pub use show::{Format, Shown};

use fault::{Fault, io_fault};

use super::exit::Exit;
use crate::ports::{EntryMeta, EntryName, Provenance, SecretBytes};
use crate::store::{RunId, StoreError, create_private_file};
use crate::vault::{Found, Generation, Level, OpenVault, Unlock, Vault, VaultError, estimate};

/// Manage the encrypted store.
#[derive(Debug, Args)]
pub struct VaultArgs {
    /// Open the generation before the last save, for when the last one is damaged; a save puts it back
    #[arg(long, global = true)]
    previous: bool,
    #[command(subcommand)]
    command: VaultCommand,
}

/// What to do with the vault.
#[derive(Debug, Subcommand)]
enum VaultCommand {
    /// Make a vault
    Create,
    /// List the entries, without values
    List,
    /// Show what is known about an entry
    Show {
        /// RUN/NAME, the unique ending of a run and NAME (7f3a/lns/token), or a unique NAME
        name: String,
        /// Show the value itself
        #[arg(long)]
        reveal: bool,
    },
    /// Save a value, asked for at the terminal or read from standard input
    Set {
        /// RUN/NAME, or what names an existing entry
        name: String,
    },
    /// Remove an entry
    Remove {
        /// What names the entry
        name: String,
    },
    /// Change the passphrase
    Passphrase,
    /// Make a new identity, for when a copy of the files may be in wrong hands
    Rotate,
    /// Write everything as plain JSON, for a recovery drill
    Export {
        /// A file that does not exist yet, or - for standard output
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Take in what export wrote; nothing that is here is replaced
    Import {
        /// The file, or - for standard input
        file: PathBuf,
    },
    /// Say where the vault lies
    Path,
}

/// What the commands work with.
pub struct VaultCli<'a> {
    /// The vault.
    pub vault: Vault,
    /// Where scrypt runs.
    pub unlock: Unlock,
    /// Where passphrases come from.
    pub ask: Box<dyn Ask>,
    /// Where a value or an import comes from: `None` asks at the terminal.
    pub input: Option<&'a mut dyn Read>,
    /// What was asked for.
    pub out: &'a mut dyn Write,
    /// Everything else.
    pub notes: &'a mut dyn Write,
    /// Who is asking, for provenance.
    pub operator: String,
    /// How to write.
    pub format: Format,
    /// Who reads `out`.
    pub shown: Shown,
}

/// Does what the arguments say.
pub fn run(args: VaultArgs, mut cli: VaultCli<'_>) -> Exit {
    let generation = if args.previous { Generation::Previous } else { Generation::Current };
    match cli.perform(args.command, generation) {
        Ok(()) => Exit::Done,
        Err(Fault::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(fault) => {
            // If even standard error is gone, the exit code still tells.
            let _ = cli.tell_fault(&fault, generation);
            fault.exit()
        }
    }
}

const OUTPUT: &str = "write the answer";

impl VaultCli<'_> {
    fn perform(&mut self, command: VaultCommand, generation: Generation) -> Result<(), Fault> {
        match command {
            VaultCommand::Create => self.create(),
            VaultCommand::List => {
                let entries = self.open(generation)?.0.entries()?;
                show::list(self.out, &entries, self.format).map_err(io_fault(OUTPUT))
            }
            VaultCommand::Show { name, reveal } => self.show(&name, reveal.then_some(show::Reveal), generation),
            VaultCommand::Set { name } => self.set(&name, generation),
            VaultCommand::Remove { name } => {
                let open = self.open(generation)?.0;
                let meta = entry(&open, &name)?;
                open.remove(&meta.run, &meta.name)?;
                self.note(&format!(
                    "Removed {}/{}. The generation before still holds it until the next save.",
                    meta.run, meta.name.0
                ))
            }
            VaultCommand::Passphrase => {
                let open = self.open(generation)?.0;
                let fresh = self.new_passphrase("New passphrase")?;
                open.change_passphrase(&fresh)?;
                let rotate = self.vault.typed().command("vault rotate");
                self.note(&format!(
                    "The passphrase is changed. Copies of the old files still open with the old one; \
                     {rotate} helps against that."
                ))
            }
            VaultCommand::Rotate => {
                let (open, passphrase) = self.open(generation)?;
                open.rotate(&passphrase)?;
                self.note(
                    "The vault has a new identity. Values that are in a lost copy are still known to its finder: \
                     change them where they are used.",
                )
            }
            VaultCommand::Export { output } => self.export(&output, generation),
            VaultCommand::Import { file } => self.import(&file, generation),
            VaultCommand::Path => {
                let (identity, vault) = (self.vault.identity_path(), self.vault.path(generation));
                show::path(self.out, self.vault.folder(), &identity, &vault, self.format).map_err(io_fault(OUTPUT))?;
                self.note(&format!("To open it without drydock: age -d -i {} {}", identity.display(), vault.display()))
            }
        }
    }

    fn create(&mut self) -> Result<(), Fault> {
        if self.vault.exists() {
            return Err(VaultError::Exists { folder: self.vault.folder().to_owned() }.into());
        }
        let passphrase = self.new_passphrase("Passphrase of the new vault")?;
        self.vault.create(&passphrase)?;
        self.note(&format!(
            "The vault is made, in {}. Without the passphrase nobody can open it; that includes drydock.",
            self.vault.folder().display()
        ))
    }

    fn show(&mut self, name: &str, reveal: Option<show::Reveal>, generation: Generation) -> Result<(), Fault> {
        let open = self.open(generation)?.0;
        let meta = entry(&open, name)?;
        let value = match reveal {
            Some(show::Reveal) => open.value(&meta.run, &meta.name)?,
            None => None,
        };
        show::entry(self.out, &meta, value.as_ref(), self.format, self.shown).map_err(io_fault(OUTPUT))
    }

    fn set(&mut self, name: &str, generation: Generation) -> Result<(), Fault> {
        let open = self.open(generation)?.0;
        let provenance = Provenance::Typed { by: self.operator.clone() };
        let meta = match open.find(name)? {
            Found::One(meta) => EntryMeta { provenance, at: Timestamp::now(), ..meta },
            Found::Several(all) => return Err(Fault::Ambiguous { wanted: name.to_owned(), all }),
            Found::None => new_entry(name, provenance)?,
        };
        let value = self.new_value(&format!("Value of {}", meta.name.0))?;
        let saved = open.set(meta, value)?;
        self.note(&format!("Saved {}/{}: {} characters, check {}.", saved.run, saved.name.0, saved.length, saved.check))
    }

    fn export(&mut self, output: &Path, generation: Generation) -> Result<(), Fault> {
        if output == Path::new("-") {
            return match self.shown {
                Shown::Terminal => Err(Fault::Terminal),
                Shown::Elsewhere => Ok(self.open(generation)?.0.export(self.out)?),
            };
        }
        let open = self.open(generation)?.0;
        let mut file = create_private_file(output)?;
        open.export(&mut file)?;
        file.sync_all().map_err(io_fault("make the export durable"))?;
        self.note(&format!("Every secret is in {} now, in plain. Remove it when the drill is over.", output.display()))
    }

    fn import(&mut self, file: &Path, generation: Generation) -> Result<(), Fault> {
        let open = self.open(generation)?.0;
        let done = match (file == Path::new("-"), &mut self.input) {
            (true, Some(input)) => open.import(input)?,
            (true, None) => open.import(&mut io::stdin().lock())?,
            (false, _) => open.import(&mut File::open(file).map_err(StoreError::io("open", file))?)?,
        };
        self.note(&format!("{} added, {} were here already.", done.added.len(), done.same.len()))?;
        for kept in done.kept {
            self.note(&format!("Kept as it is here, another value was offered: {kept}"))?;
        }
        Ok(())
    }

    fn open(&mut self, generation: Generation) -> Result<(OpenVault, SecretString), Fault> {
        // A missing or damaged vault is told before anybody types a passphrase for it.
        match generation {
            Generation::Current => drop(self.vault.inspect()?),
            Generation::Previous => {}
        }
        let passphrase = self.ask.known("Vault passphrase")?;
        let open = match generation {
            Generation::Current => self.vault.unlock(&passphrase, &self.unlock)?,
            Generation::Previous => self.vault.unlock_previous(&passphrase, &self.unlock)?,
        };
        Ok((open, passphrase))
    }

    fn new_passphrase(&mut self, what: &str) -> Result<SecretString, Fault> {
        let passphrase = self.ask.new_one(what)?;
        let strength = estimate(passphrase.expose_secret());
        match strength.level {
            Level::Weak => self.note(&format!("Careful, this passphrase is {}.", strength.sentence))?,
            Level::Fair | Level::Strong => self.note(&format!("This passphrase is {}.", strength.sentence))?,
        }
        Ok(passphrase)
    }

    fn new_value(&mut self, what: &str) -> Result<SecretBytes, Fault> {
        let Some(input) = &mut self.input else {
            return Ok(SecretBytes::new(self.ask.new_one(what)?.expose_secret().as_bytes().to_vec()));
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
        input.read_to_end(&mut bytes).map_err(io_fault("read the value from standard input"))?;
        // `echo` and here-documents end with a line end that is no part of the value.
        if bytes.ends_with(b"\n") {
            bytes.pop();
        }
        Ok(SecretBytes::new(bytes.to_vec()))
    }

    fn note(&mut self, text: &str) -> Result<(), Fault> {
        writeln!(self.notes, "{text}").map_err(io_fault("write to standard error"))
    }

    fn tell_fault(&mut self, fault: &Fault, generation: Generation) -> Result<(), Fault> {
        self.note(&format!("drydock: {fault}"))?;
        let damaged = matches!(fault, Fault::Vault(VaultError::Truncated { .. } | VaultError::Damaged { .. }));
        match (generation, self.vault.previous()) {
            (Generation::Current, Some(seal)) if damaged => self.note(&format!(
                "The generation of {} beside it is whole, with {}. See it with: {}",
                seal.at,
                match seal.entries {
                    1 => "1 secret".to_owned(),
                    many => format!("{many} secrets"),
                },
                self.vault.typed().command("vault list --previous")
            )),
            _ => Ok(()),
        }
    }
}

fn entry(open: &OpenVault, wanted: &str) -> Result<EntryMeta, Fault> {
    match open.find(wanted)? {
        Found::One(meta) => Ok(meta),
        Found::None => {
            let list = open.files().typed().command("vault list");
            Err(Fault::NoEntry { wanted: wanted.to_owned(), list })
        }
        Found::Several(all) => Err(Fault::Ambiguous { wanted: wanted.to_owned(), all }),
    }
}

/// An entry that no runbook captured: without a digest, no runbook may read it without a grant.
fn new_entry(name: &str, provenance: Provenance) -> Result<EntryMeta, Fault> {
    let no_run = || Fault::NoRun(name.to_owned());
    let (run, rest) = name.split_once('/').ok_or_else(no_run)?;
    let run = RunId::try_from(run.to_owned()).map_err(|_| no_run())?;
    Ok(EntryMeta {
        name: EntryName(rest.to_owned()),
        runbook: run.runbook().to_owned(),
        run: run.into(),
        runbook_digest: String::new(),
        step: String::new(),
        provenance,
        at: Timestamp::now(),
        length: 0,
        check: String::new(),
    })
}
