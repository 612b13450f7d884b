//! Programs on the admin's machine (helm, kubectl, the admin's own scripts).

use async_trait::async_trait;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

use super::{ExitStatus, OutputSink, PortError, SecretBytes, operator::operator};

/// A secret that a program gets as a file of mode 0600 in its private folder, removed when it ends.
pub struct SecretFile {
    /// File name inside the private folder, `[A-Za-z0-9._-]+`. An argument `{file:NAME}` becomes its path.
    pub name: String,
    /// The content, byte for byte.
    pub content: SecretBytes,
}

/// One program to run here. The environment is cleaned: PATH, HOME, LANG, TERM=dumb and what `env` adds; never a tty.
pub struct Program {
    /// Program name (found in the PATH) or absolute path.
    pub program: String,
    /// Arguments. No secret may be among them.
    pub args: Vec<String>,
    /// Folder it starts in.
    pub folder: PathBuf,
    /// Variables to add. No secret may be among them.
    pub env: Vec<(String, String)>,
    /// Kubeconfig of the pinned context, already proven to lead to the run's target; given as KUBECONFIG.
    pub kubeconfig: Option<SecretBytes>,
    /// Further secret files.
    pub files: Vec<SecretFile>,
}

/// This machine.
#[async_trait]
pub trait Host: Send + Sync {
    /// Runs a program without a terminal, in its own process group, and follows its output. Cancelling sends TERM to
    /// the group, then KILL after 10 s.
    async fn run(
        &self,
        program: Program,
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError>;

    /// Absolute path of a program in the PATH, or of a path that is executable.
    async fn which(&self, program: &str) -> Option<PathBuf>;

    /// Bytes free for us on the disk that holds `folder`.
    async fn free_bytes(&self, folder: &Path) -> Result<u64, PortError>;

    /// Name of this machine, for records.
    fn name(&self) -> String;

    /// Name of the operator (login name), for records.
    fn operator(&self) -> String {
        operator()
    }
}
