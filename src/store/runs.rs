//! The folders of runs: making, finding, listing, and what lies where inside. Called by `runner` and `cli`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::civil::Date;

use super::private::create_private_folder;
use super::{RunId, RunIdError, StoreError, ensure_private_folder, sync_folder};

/// All runs of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    folder: PathBuf,
}

/// One run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    /// The run.
    pub id: RunId,
    /// Its folder.
    pub path: PathBuf,
}

impl Runs {
    /// The runs below this folder, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes the folder of a new run of `runbook` that begins on `day`, with its subfolders. Its ending is unique here.
    pub fn create(&self, day: Date, runbook: &str) -> Result<RunFolder, StoreError> {
        ensure_private_folder(&self.folder)?;
        let taken: Vec<_> = self.list()?.into_iter().map(|run| run.id).collect();
        loop {
            let mut random = [0; 2];
            getrandom::fill(&mut random)?;
            let id = RunId::new(day, runbook, random).map_err(|error| StoreError::Io {
                what: "create a run folder in",
                path: self.folder.clone(),
                source: io::Error::new(io::ErrorKind::InvalidInput, error),
            })?;
            if taken.iter().any(|other| other.ending() == id.ending()) {
                continue;
            }
            let path = self.folder.join(id.as_str());
            // The folder's creation is what makes the name ours, against another process as well.
            match create_private_folder(&path) {
                Ok(()) => {}
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            let run = RunFolder { id, path };
            for folder in [run.artifacts(), run.evidence(), run.outputs()] {
                ensure_private_folder(&folder)?;
            }
            sync_folder(&run.path)?;
            sync_folder(&self.folder)?;
            return Ok(run);
        }
    }

    /// The lock under which a run claims its target; beside the folder, in which only runs lie.
    pub fn claims(&self) -> PathBuf {
        self.folder.with_extension("lock")
    }

    /// Every run, oldest first. Whatever is not named like a run is left out.
    pub fn list(&self) -> Result<Vec<RunFolder>, StoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("read the folder", &self.folder)(error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("read the folder", &self.folder))?;
            let Some(id) = entry.file_name().into_string().ok().and_then(|name| RunId::try_from(name).ok()) else {
                continue;
            };
            let path = entry.path();
            if let Ok(about) = fs::metadata(&path).and_then(|found| Ok((found.is_dir(), born(&found)?)))
                && about.0
            {
                runs.push((about.1, RunFolder { id, path }));
            }
        }
        // Birth decides within a day only: it does not survive a copy to another machine, the name does.
        runs.sort_by(|(born_a, a), (born_b, b)| (a.id.day(), born_a, &a.id).cmp(&(b.id.day(), born_b, &b.id)));
        Ok(runs.into_iter().map(|(_, run)| run).collect())
    }

    /// The newest run that wrote anything: one killed before its first line has nothing to go on with.
    pub fn newest(&self) -> Result<Option<RunFolder>, StoreError> {
        Ok(self.list()?.into_iter().rfind(|run| run.journal().exists()))
    }

    /// Where the run of this id lies, or would lie.
    pub fn place_of(&self, id: &str) -> Result<RunFolder, RunIdError> {
        let id = RunId::try_from(id.to_owned())?;
        Ok(RunFolder { path: self.folder.join(id.as_str()), id })
    }

    /// The run of that name, or the only one whose name ends so.
    pub fn find(&self, wanted: &str) -> Result<RunFolder, StoreError> {
        let none = || StoreError::NoSuchRun { wanted: wanted.to_owned() };
        if wanted.is_empty() {
            return Err(none());
        }
        let mut found = self.list()?;
        if let Some(exact) = found.iter().position(|run| run.id.as_str() == wanted) {
            return Ok(found.swap_remove(exact));
        }
        found.retain(|run| run.id.as_str().ends_with(wanted));
        match found.pop() {
            None => Err(none()),
            Some(only) if found.is_empty() => Ok(only),
            Some(last) => Err(StoreError::Ambiguous {
                wanted: wanted.to_owned(),
                candidates: found.into_iter().chain([last]).map(|run| run.id).collect(),
            }),
        }
    }
}

fn born(found: &fs::Metadata) -> io::Result<SystemTime> {
    found.created().or_else(|_| found.modified())
}

impl RunFolder {
    /// The runs it is one of.
    pub fn siblings(&self) -> Runs {
        Runs::new(self.path.parent().unwrap_or(&self.path).to_owned())
    }

    /// What happened.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The runbook it follows, as it was at the start.
    pub fn runbook(&self) -> PathBuf {
        self.path.join("runbook.yaml")
    }

    /// Answers that are no secrets.
    pub fn answers(&self) -> PathBuf {
        self.path.join("answers.json")
    }

    /// Dumps and other artifacts.
    pub fn artifacts(&self) -> PathBuf {
        self.path.join("artifacts")
    }

    /// Proofs.
    pub fn evidence(&self) -> PathBuf {
        self.path.join("evidence")
    }

    /// Full outputs of steps.
    pub fn outputs(&self) -> PathBuf {
        self.path.join("output")
    }

    /// Full output of one step. The name cannot leave the folder, whatever the step is called.
    pub fn output(&self, step: &str) -> PathBuf {
        let name: String =
            step.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
        self.outputs().join(format!("{name}.log"))
    }

    /// The lock of the one process that owns the run.
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn makes_finds_and_lists_runs() {
        let place = tempfile::tempdir().unwrap();
        let runs = Runs::new(place.path().join("state/runs"));
        assert!(runs.list().unwrap().is_empty());
        let later = runs.create(date(2026, 11, 21), "pixelcore").unwrap();
        let earlier = runs.create(date(2026, 11, 20), "reana").unwrap();
        let last = runs.create(date(2026, 11, 21), "alpha").unwrap();
        fs::create_dir(place.path().join("state/runs/notes")).unwrap();
        assert_eq!(runs.list().unwrap(), [earlier.clone(), later.clone(), last.clone()], "by day, then by birth");
        assert_eq!(runs.find(later.id.ending()).unwrap(), later);
        assert_eq!(runs.find(earlier.id.as_str()).unwrap(), earlier);
        assert_eq!(runs.find(&format!("alpha-{}", last.id.ending())).unwrap(), last);
        assert_eq!(runs.newest().unwrap(), None, "none of them wrote anything");
        for begun in [&later, &earlier] {
            fs::write(begun.journal(), b"").unwrap();
        }
        assert_eq!(runs.newest().unwrap(), Some(later));
        for wrong in ["", "zzzz", "notes", "2026-11-20"] {
            assert!(matches!(runs.find(wrong), Err(StoreError::NoSuchRun { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn an_ending_that_fits_two_runs_names_both() {
        let place = tempfile::tempdir().unwrap();
        let runs = Runs::new(place.path().to_owned());
        for name in ["2026-11-20-reana-003a", "2026-11-21-reana-7f3a"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        let error = runs.find("3a").unwrap_err().to_string();
        assert!(error.contains("2026-11-20-reana-003a, 2026-11-21-reana-7f3a"), "{error}");
    }

    #[test]
    fn refuses_a_runbook_id_that_is_no_file_name() {
        let place = tempfile::tempdir().unwrap();
        assert!(Runs::new(place.path().join("runs")).create(date(2026, 11, 20), "../x").is_err());
    }

    #[test]
    fn the_output_of_a_step_stays_in_its_folder() {
        let place = tempfile::tempdir().unwrap();
        let run = Runs::new(place.path().join("runs")).create(date(2026, 11, 20), "reana").unwrap();
        assert_eq!(run.output("../../x").parent(), Some(run.outputs().as_path()));
        assert_eq!(run.output("2.3-dump").file_name().unwrap(), "2.3-dump.log");
    }
}
