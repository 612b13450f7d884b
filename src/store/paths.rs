//! Where things lie (XDG, or one folder for all), and the names of runs.

use std::{
    io::{Error, ErrorKind, Result},
    path::{Path, PathBuf},
};

use jiff::Zoned;

use super::private_folder;

/// The folders of one state: the real one, or practice's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Settings and runbooks.
    pub config: PathBuf,
    /// The vault.
    pub data: PathBuf,
    /// Runs and the log.
    pub state: PathBuf,
}

impl Paths {
    /// The folders; `state_dir` moves all of them.
    ///
    /// # Errors
    /// `NotFound` where the home folder is not known.
    pub fn resolve(state_dir: Option<&Path>) -> Result<Self> {
        if let Some(folder) = state_dir {
            let folder = std::path::absolute(folder)?;
            return Ok(Self { config: folder.join("config"), data: folder.join("data"), state: folder.join("state") });
        }
        let Some(project) = directories::ProjectDirs::from("", "", "drydock") else {
            return Err(Error::new(ErrorKind::NotFound, "the home folder is not known; use --state-dir"));
        };
        let state = project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_owned();
        Ok(Self { config: project.config_dir().to_owned(), data: project.data_dir().to_owned(), state })
    }

    /// Practice's own folders, beside the real ones.
    #[must_use]
    pub fn practice(&self) -> Self {
        let root = self.state.join("practice");
        Self { config: root.join("config"), data: root.join("data"), state: root.join("state") }
    }

    /// Makes the folders, each 0700.
    ///
    /// # Errors
    /// `PermissionDenied` for a folder that is not private, with what mends it.
    pub fn make(&self) -> Result<()> {
        for folder in [&self.config, &self.data, &self.state, &self.runs(), &self.private()] {
            private_folder(folder)?;
        }
        Ok(())
    }

    /// Folder of all runs.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// Folder of one run.
    #[must_use]
    pub fn run(&self, id: &str) -> PathBuf {
        self.runs().join(id)
    }

    /// Folder for secret files of running programs.
    #[must_use]
    pub fn private(&self) -> PathBuf {
        self.state.join("private")
    }
}

/// A new run's id, unique in `runs`: day, runbook, four hex digits.
///
/// # Errors
/// When this machine gives no randomness.
pub fn new_run_id(runs: &Path, runbook: &str, now: &Zoned) -> Result<String> {
    loop {
        let mut random = [0u8; 2];
        getrandom::fill(&mut random).map_err(|error| Error::other(error.to_string()))?;
        let id = format!("{}-{runbook}-{:02x}{:02x}", now.strftime("%Y-%m-%d"), random[0], random[1]);
        if !runs.join(&id).exists() {
            return Ok(id);
        }
    }
}

/// Ids of all runs, oldest first.
///
/// # Errors
/// When the folder is there and cannot be read.
pub fn runs(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry?;
                if entry.path().join("journal.jsonl").exists() {
                    found.push((entry.metadata()?.modified()?, entry.file_name().to_string_lossy().into_owned()));
                }
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    found.sort_by(|a, b| (a.1.get(..10), a.0, &a.1).cmp(&(b.1.get(..10), b.0, &b.1)));
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// The run whose id is, or uniquely ends in, `name`; the newest one for an empty name.
///
/// # Errors
/// `NotFound`, or `InvalidInput` when several end so.
pub fn find_run(folder: &Path, name: &str) -> Result<String> {
    let all = runs(folder)?;
    if all.iter().any(|id| id == name) {
        return Ok(name.to_owned());
    }
    let mut ending: Vec<String> = all.into_iter().filter(|id| id.ends_with(name)).collect();
    match ending.len() {
        0 => Err(Error::new(ErrorKind::NotFound, format!("there is no run {name}"))),
        1 => Ok(ending.remove(0)),
        _ if name.is_empty() => Ok(ending.pop().unwrap_or_default()),
        _ => Err(Error::new(ErrorKind::InvalidInput, format!("several runs end in {name}: {}", ending.join(", ")))),
    }
}
