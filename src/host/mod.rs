//! Commands on this machine: no terminal, a cleaned environment, a private folder for secret files, their own group.
//!
//! Implements `ports::Host`. Called by `cli`, which hands it to the engine.

mod run;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::ports::{ExitStatus, Host, OutputSink, PortError, PortErrorKind, Program};

/// This machine.
#[derive(Debug, Clone)]
pub struct LocalHost {
    /// Folder under which private folders are made; 0700, swept at start.
    private: PathBuf,
}

impl LocalHost {
    /// Programs get their secret files under `private`. What an earlier process left there is removed.
    ///
    /// # Errors
    /// `Io` when the folder cannot be made.
    pub fn new(private: PathBuf) -> Result<Self, PortError> {
        let wrong = |error: std::io::Error| {
            PortError::new(PortErrorKind::Io, format!("cannot use {}", private.display()), error.to_string())
        };
        crate::store::ensure_private_folder(&private).map_err(|error| {
            PortError::new(PortErrorKind::Io, format!("cannot use {}", private.display()), error.to_string())
        })?;
        for entry in std::fs::read_dir(&private).map_err(wrong)?.flatten() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
        Ok(Self { private })
    }
}

#[async_trait]
impl Host for LocalHost {
    async fn run(
        &self,
        program: Program,
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        run::run(&self.private, program, out, cancel).await
    }

    async fn which(&self, program: &str) -> Option<PathBuf> {
        let usable = |path: &Path| {
            use std::os::unix::fs::PermissionsExt;
            path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        };
        if program.contains('/') {
            let path = std::path::absolute(program).ok()?;
            return usable(&path).then_some(path);
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| usable(path))
    }

    async fn free_bytes(&self, folder: &Path) -> Result<u64, PortError> {
        let stat = rustix::fs::statvfs(folder).map_err(|error| {
            PortError::new(
                PortErrorKind::Io,
                format!("cannot read the room of {}", folder.display()),
                error.to_string(),
            )
        })?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn name(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    fn operator(&self) -> String {
        operator()
    }
}

/// Who works on this machine, as it says: the person behind sudo first.
pub fn operator() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
