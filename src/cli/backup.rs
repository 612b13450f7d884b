//! `backup import`: recovery sets that were sealed elsewhere, or long ago, become runs of this installation that a restore can go
//! on from.

use std::{
    io::{Write, stderr, stdout},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Exit, Failure, Global, Outcome, vault::asker};
use crate::{
    runner::take_in,
    store::{Paths, create_private_file, ensure_private_folder},
    text::{Diagnostic, printable, units},
    vault::{OpenVault, RecoverySet, Unlock, Vault, VaultError},
};

/// Backups that were sealed.
#[derive(Debug, clap::Subcommand)]
pub enum BackupCommand {
    /// Take recovery sets in, each a folder that a backup sealed; a restore can go on from them then
    Import {
        /// Folders with a manifest.json
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// `drydock backup …`
pub fn backup(global: &Global, command: BackupCommand) -> Outcome {
    let BackupCommand::Import { paths } = command;
    let place = Paths::resolve(global.state_dir.clone())?;
    place.ensure()?;
    let mut ask = asker(global.passphrase_fd);
    for path in paths {
        let set = RecoverySet::read(&path).map_err(|error| damaged(&path, &error))?;
        if place.runs().find(&set.manifest.run).is_ok() {
            let what = format!("run {} is here already: nothing of {} was taken in", set.manifest.run, path.display());
            return Err(Failure::new(Exit::Refused, Diagnostic::new(what).safe("the run that is here, unchanged")));
        }
        set.compare().map_err(|error| damaged(&path, &error))?;
        let unlock = Unlock::in_child()?;
        let mut known = |what: &str| ask.known(what).map_err(|error| Failure::new(error.exit(), told(&error)));
        let passphrase = known("Passphrase of the vault that sealed it")?;
        let open = set.vault().unlock(&passphrase, &unlock).map_err(|error| not_opened(&error))?;
        set.prove(&open).map_err(|error| damaged(&path, &error))?;
        // before a vault is made with a passphrase that everybody knows
        if set.manifest.about["practice"] == true {
            let problem = Diagnostic::new(format!("{} was sealed in the practice world", path.display()))
                .proves("its dump and its proofs are simulated: they say nothing of anything real")
                .safe("everything: nothing of it was taken in");
            return Err(Failure::new(Exit::Refused, problem));
        }
        let here = Vault::new(place.data.clone()).with_typed(global.typed());
        let here = if !here.exists() {
            // the passphrase that opens the set opens what comes out of it
            let made = here.create(&passphrase).map_err(|error| not_here(&error))?;
            writeln!(stderr(), "notice. There was no vault here: one is made, and the set's passphrase opens it.")?;
            made
        } else if same_identity(&here, &set.vault()) {
            here.unlock(&passphrase, &unlock).map_err(|error| not_here(&error))?
        } else {
            here.unlock(&known("Passphrase of the vault here")?, &unlock).map_err(|error| not_here(&error))?
        };
        let mut secrets = 0;
        // the run is there only once its secrets are
        let fill = |folder: &Path| {
            write_out(&set, &open, folder).map_err(|error| Diagnostic::new(error.to_string()))?;
            secrets = import_secrets(&open, &here)?;
            Ok(())
        };
        let run = take_in(&place.runs(), &set.manifest.run, path.display().to_string(), fill)
            .map_err(|problem| Failure::new(Exit::Refused, problem))?;
        tell(global, &set, run.id.ending(), secrets)?;
    }
    Ok(Exit::Done)
}

fn told(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new(error.to_string()).safe("everything that is here: nothing of this set was taken in")
}

fn not_opened(error: &VaultError) -> Failure {
    let problem =
        told(error).help("it is the passphrase that the sealing vault had then; a later one does not open it");
    Failure::new(Exit::Environment, problem)
}

fn not_here(error: &VaultError) -> Failure {
    Failure::new(Exit::Environment, told(error).help("this is about the vault of this state folder, not about the set"))
}

fn damaged(path: &Path, error: &VaultError) -> Failure {
    let problem = if path.join("manifest.json").exists() {
        told(error).help("copy the set anew from where it was sealed; every file is compared with its SHA-256")
    } else {
        told(error)
            .help("a recovery set is a folder with a manifest.json, written last: a set without it was cut, or is none")
            .help("a dump that was made by hand is not taken in by this command")
    };
    Failure::new(Exit::Refused, problem)
}

fn same_identity(here: &Vault, set: &Vault) -> bool {
    let read = |vault: &Vault| std::fs::read(vault.identity_path()).ok();
    read(here).is_some_and(|identity| read(set).as_ref() == Some(&identity))
}

/// Puts the set's secrets into the vault here; how many were not there yet.
fn import_secrets(open: &OpenVault, here: &OpenVault) -> Result<usize, Diagnostic> {
    let fault = |error: VaultError| Diagnostic::new(error.to_string());
    let mut json = Zeroizing::new(Vec::with_capacity(1 << 20));
    open.export(&mut *json).map_err(fault)?;
    let done = here.import(&mut json.as_slice()).map_err(fault)?;
    if let Some(kept) = done.kept.first() {
        return Err(Diagnostic::new(format!("the vault here holds another value of {kept}"))
            .proves("two runs of one id are not the same run")
            .safe("both values: none was replaced")
            .help("look at that entry, and remove the one that is not wanted"));
    }
    Ok(done.added.len())
}

/// Every file of the set, opened and compared, below a folder.
fn write_out(set: &RecoverySet, open: &OpenVault, folder: &Path) -> Result<(), VaultError> {
    for whole in &set.manifest.files {
        let path = folder.join(&whole.name);
        if let Some(above) = path.parent() {
            ensure_private_folder(above)?;
        }
        let mut file = create_private_file(&path)?;
        set.take_out(open, whole, &mut file)?;
        file.sync_all().map_err(|source| VaultError::Io { what: "make a file durable", source })?;
    }
    Ok(())
}

fn tell(global: &Global, set: &RecoverySet, ending: &str, secrets: usize) -> Result<(), Failure> {
    let (manifest, mut out) = (&set.manifest, stdout());
    let about = |key: &str| printable(manifest.about[key].as_str().unwrap_or_default());
    let (runbook, namespace) = (manifest.about["runbook"]["id"].as_str().unwrap_or_default(), about("namespace"));
    if global.json {
        let line = json!({"type": "imported", "run": manifest.run, "about": manifest.about, "sealed_at": manifest.sealed_at,
            "secrets": secrets});
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let age = u64::try_from(Timestamp::now().as_second() - manifest.sealed_at.as_second()).unwrap_or(0);
    writeln!(out, "run {} is taken in: version {} of {namespace}", manifest.run, about("version"))?;
    writeln!(out, "  sealed {:.0}, {} ago", manifest.sealed_at, units::about(age))?;
    writeln!(
        out,
        "  {} compared and opened, {} added to the vault",
        units::plural(manifest.files.len(), "file", "files"),
        units::plural(secrets, "secret", "secrets")
    )?;
    writeln!(out, "  proof of then: {}", about("proof"))?;
    let restore = format!("start {} --intent restore --of {ending} -n {namespace}", printable(runbook));
    let mut notes = stderr();
    writeln!(notes, "restore it: {}", global.typed().command(&restore))?;
    Ok(())
}
