//! The private folder of one child program: mode 0700, its secret files 0600 from their creation, gone when it ends.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::running::{self, Running};
use crate::ports::{PortError, PortErrorKind, SecretBytes, SecretFile};
use crate::store::{create_private_file, ensure_private_folder};

const PREFIX: &str = "child-";
const KUBECONFIG: &str = "kubeconfig";
const OPENING: &str = "{file:";
/// How often a new folder is made when others remove it.
const ATTEMPTS: usize = 8;
/// From the polite signal to the last one, for what a killed process left running.
const GRACE: Duration = Duration::from_secs(10);

/// A folder that lives as long as this value. Others see by its lock that it is in use.
pub(super) struct PrivateFolder {
    // Removed on every way out, a dropped future included; declared first, so that it is gone before the lock is.
    folder: TempDir,
    _lock: File,
    names: Vec<String>,
}

impl PrivateFolder {
    /// Creates the folder under `base` (created too, when absent) and writes the files into it.
    pub(super) fn create(
        base: &Path,
        kubeconfig: Option<&SecretBytes>,
        files: &[SecretFile],
    ) -> Result<Self, PortError> {
        for (position, file) in files.iter().enumerate() {
            let repeated = files[..position].iter().any(|earlier| earlier.name == file.name);
            if !is_name(&file.name) || repeated || [KUBECONFIG, running::FILE].contains(&file.name.as_str()) {
                let detail = format!("{:?} is no name for a secret file, or is taken", file.name);
                return Err(PortError::new(PortErrorKind::Invalid, "cannot write a secret file", detail));
            }
        }
        let failed = |error: io::Error| {
            let what = format!("cannot create a private folder in {}", base.display());
            PortError::new(PortErrorKind::Io, what, error.to_string())
        };
        ensure_private_folder(base).map_err(|error| failed(io::Error::other(error)))?;
        let (folder, lock) = held_folder(base).map_err(failed)?;

        let mut names = Vec::new();
        let given = files.iter().map(|file| (file.name.as_str(), &file.content));
        for (name, content) in kubeconfig.map(|content| (KUBECONFIG, content)).into_iter().chain(given) {
            write(&folder.path().join(name), content).map_err(failed)?;
            names.push(name.to_owned());
        }
        Ok(Self { folder, _lock: lock, names })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Path of the kubeconfig, when there is one.
    pub(super) fn kubeconfig(&self) -> Option<PathBuf> {
        self.names.iter().any(|name| name == KUBECONFIG).then(|| self.folder.path().join(KUBECONFIG))
    }

    /// `text` with each `{file:NAME}` replaced by that file's path; an unknown name is refused.
    pub(super) fn fill(&self, text: &str) -> Result<String, PortError> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(OPENING) {
            let after = &rest[start + OPENING.len()..];
            let known = after.split_once('}').filter(|(name, _)| self.names.iter().any(|known| known == name));
            let Some((name, behind)) = known else {
                let name = after.split('}').next().unwrap_or_default();
                let detail = format!("there is no secret file {name:?}");
                return Err(PortError::new(PortErrorKind::Invalid, "cannot fill in an argument", detail));
            };
            filled.push_str(&rest[..start]);
            filled.push_str(&self.folder.path().join(name).to_string_lossy());
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// A new folder and its lock. Between the two a sweep of another drydock may take it for left over: then another is made.
fn held_folder(base: &Path) -> io::Result<(TempDir, File)> {
    for _ in 0..ATTEMPTS {
        let folder =
            tempfile::Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(0o700)).tempdir_in(base)?;
        let lock = match File::open(folder.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        if lock.try_lock().is_ok() && folder.path().exists() {
            return Ok((folder, lock));
        }
    }
    Err(io::Error::other(format!("{ATTEMPTS} new folders were removed by somebody else")))
}

/// What a sweep found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Folders that were removed.
    pub folders: usize,
    /// Programs that were still running, and are ended.
    pub ended: Vec<Running>,
}

/// Ends and removes what a killed process left under `base`: programs that run in private folders that nobody holds, and
/// those folders. Other drydocks may make, use and remove theirs meanwhile. Waits for what it ends, so it is called before
/// anything else goes on.
///
/// # Errors
/// A folder that cannot be removed, or a program that does not end: nothing may be begun beside it.
pub fn sweep(base: &Path) -> Result<Swept, PortError> {
    sweep_within(base, GRACE)
}

/// The same with another patience.
pub(super) fn sweep_within(base: &Path, grace: Duration) -> Result<Swept, PortError> {
    let failed = |error: io::Error| {
        let what = format!("cannot clear what a killed drydock left in {}", base.display());
        PortError::new(PortErrorKind::Io, what, error.to_string())
    };
    let entries = match fs::read_dir(base) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Swept::default()),
        Err(error) => return Err(failed(error)),
    };
    let mut swept = Swept::default();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && entry.file_type().map_err(failed)?.is_dir() {
            match remove_if_left(&entry.path(), grace) {
                Ok(more) => {
                    swept.folders += more.folders;
                    swept.ended.extend(more.ended);
                }
                // Its owner was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
    Ok(swept)
}

/// Removes the folder if nobody holds it, after what ran there still.
fn remove_if_left(folder: &Path, grace: Duration) -> io::Result<Swept> {
    let lock = File::open(folder)?;
    // The kernel gives the lock up when its holder dies, however it dies. Held here until the folder is gone, so that
    // nobody begins to use it.
    match lock.try_lock() {
        Ok(()) => {
            // its files stay until nobody reads them any more
            let ended = Running::end(folder, grace)?;
            fs::remove_dir_all(folder)?;
            Ok(Swept { folders: 1, ended: ended.into_iter().collect() })
        }
        Err(fs::TryLockError::WouldBlock) => Ok(Swept::default()),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

fn write(path: &Path, content: &SecretBytes) -> io::Result<()> {
    // Not made durable: it must not outlive the program.
    create_private_file(path).map_err(io::Error::other)?.write_all(content.expose_secret())
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name != "." && name != ".." && name.chars().all(allowed)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A folder as drydock's own are: 0700 from its creation, whatever the umask.
    pub fn private_base() -> TempDir {
        tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
    }

    fn secret(name: &str) -> SecretFile {
        SecretFile { name: name.into(), content: SecretBytes::new(b"s3cret".to_vec()) }
    }

    #[test]
    fn placeholders_become_paths_anywhere_in_an_argument() {
        let base = private_base();
        let private = PrivateFolder::create(base.path(), None, &[secret("env"), secret("b.yaml")]).unwrap();
        let folder = private.folder.path().display().to_string();
        assert_eq!(private.fill("--set-file=dotenv={file:env}").unwrap(), format!("--set-file=dotenv={folder}/env"));
        assert_eq!(private.fill("{file:env},{file:b.yaml}!").unwrap(), format!("{folder}/env,{folder}/b.yaml!"));
        assert_eq!(private.fill("{fileenv} {} plain").unwrap(), "{fileenv} {} plain");
        for unknown in ["{file:other}", "{file:env", "{file:}", "{file:../env}", "{file:kubeconfig}"] {
            assert_eq!(private.fill(unknown).unwrap_err().kind, PortErrorKind::Invalid, "{unknown}");
        }
    }

    #[test]
    fn names_that_could_leave_the_folder_or_collide_are_refused() {
        let base = private_base();
        for bad in ["", ".", "..", "a/b", "a b", "ä", "kubeconfig", "running.json"] {
            assert!(PrivateFolder::create(base.path(), None, &[secret(bad)]).is_err(), "{bad:?}");
        }
        assert!(PrivateFolder::create(base.path(), None, &[secret("a"), secret("a")]).is_err());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0, "nothing is left of a refused one");
    }

    #[test]
    fn sweep_takes_what_nobody_holds_and_nothing_else() {
        let base = private_base();
        assert_eq!(sweep(&base.path().join("absent")).unwrap(), Swept::default());
        let held = PrivateFolder::create(base.path(), None, &[secret("env")]).unwrap();
        let left = base.path().join("child-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("env"), "s3cret").unwrap();
        fs::create_dir(base.path().join("artifacts")).unwrap();
        assert_eq!(sweep(base.path()).unwrap(), Swept { folders: 1, ended: Vec::new() });
        assert!(!left.exists() && base.path().join("artifacts").exists());
        assert!(held.folder.path().join("env").exists(), "a live one keeps its files");
    }

    #[test]
    fn folders_are_made_while_others_sweep() {
        let base = private_base();
        std::thread::scope(|scope| {
            let maker = scope.spawn(|| {
                for _ in 0..300 {
                    let held = PrivateFolder::create(base.path(), None, &[secret("env")]).unwrap();
                    assert_eq!(fs::read(held.folder.path().join("env")).unwrap(), b"s3cret");
                }
            });
            while !maker.is_finished() {
                sweep(base.path()).unwrap();
            }
            maker.join().unwrap();
        });
    }
}
