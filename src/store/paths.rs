//! Where things lie: config, data and state, by the XDG rules or below one given folder. Called once, by `cli`.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::{Runs, StoreError, ensure_private_folder};

/// The three folders of this installation. Resolving touches no disk; `ensure` creates and checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// `config.toml` and `runbooks/`.
    pub config: PathBuf,
    /// The vault's two files.
    pub data: PathBuf,
    /// Runs and our own log.
    pub state: PathBuf,
}

impl Paths {
    /// The real folders. A given folder moves all three below it.
    pub fn resolve(state_dir: Option<PathBuf>) -> Result<Self, StoreError> {
        match state_dir {
            Some(folder) => Self::below(&folder),
            None => Self::xdg(""),
        }
    }

    /// The folders of practice, beside the real ones: data and state of its own, so that no practice run can meet a real
    /// vault or journal. The config is shared: one's own runbooks can be practised.
    pub fn practice(state_dir: Option<PathBuf>) -> Result<Self, StoreError> {
        let real = Self::resolve(state_dir.clone())?;
        let own = match state_dir {
            Some(folder) => Self::below(&folder.join("practice"))?,
            None => Self::xdg("-practice")?,
        };
        Ok(Self { config: real.config, ..own })
    }

    /// Creates what is missing and refuses what others can enter.
    pub fn ensure(&self) -> Result<(), StoreError> {
        [&self.config, &self.data, &self.state].into_iter().try_for_each(|folder| ensure_private_folder(folder))
    }

    /// The folders of runs.
    pub fn runs(&self) -> Runs {
        Runs::new(self.state.join("runs"))
    }

    /// Secret files of running programs, each in a folder of its own for as long as it runs.
    pub fn private(&self) -> PathBuf {
        self.state.join("private")
    }

    /// The admin's own runbooks.
    pub fn runbooks(&self) -> PathBuf {
        self.config.join("runbooks")
    }

    /// The settings file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Our own log.
    pub fn log_file(&self) -> PathBuf {
        self.state.join("drydock.log")
    }

    fn below(folder: &Path) -> Result<Self, StoreError> {
        let folder = std::path::absolute(folder).map_err(StoreError::io("make absolute", folder))?;
        Ok(Self { config: folder.join("config"), data: folder.join("data"), state: folder.join("state") })
    }

    fn xdg(suffix: &str) -> Result<Self, StoreError> {
        let dirs = ProjectDirs::from("", "", &format!("drydock{suffix}")).ok_or(StoreError::NoHome)?;
        // Systems without a state folder in their rules keep it with the data.
        let state = dirs.state_dir().map_or_else(|| dirs.data_local_dir().join("state"), Path::to_owned);
        Ok(Self { config: dirs.config_dir().to_owned(), data: dirs.data_local_dir().to_owned(), state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_folder_moves_everything() {
        let paths = Paths::resolve(Some("/srv/dd".into())).unwrap();
        assert_eq!(paths.config_file(), Path::new("/srv/dd/config/config.toml"));
        assert_eq!(paths.data, Path::new("/srv/dd/data"));
        assert_eq!(paths.log_file(), Path::new("/srv/dd/state/drydock.log"));
        assert!(Paths::resolve(Some("here".into())).unwrap().data.is_absolute());
    }

    #[test]
    fn practice_shares_nothing_but_the_config() {
        for given in [None, Some(PathBuf::from("/srv/dd"))] {
            let real = Paths::resolve(given.clone()).unwrap();
            let practice = Paths::practice(given).unwrap();
            assert_eq!(real.config, practice.config);
            for (real, own) in [(&real.data, &practice.data), (&real.state, &practice.state)] {
                assert!(!own.starts_with(real) && !real.starts_with(own), "{} {}", real.display(), own.display());
            }
        }
    }

    #[test]
    fn ensure_creates_all_three() {
        let place = tempfile::tempdir().unwrap();
        let paths = Paths::resolve(Some(place.path().join("dd"))).unwrap();
        paths.ensure().unwrap();
        assert!(paths.config.is_dir() && paths.data.is_dir() && paths.state.is_dir());
    }
}
