//! Commands inside a container, and files of a container.

use async_trait::async_trait;
use std::path::Path;
use tokio_util::sync::CancellationToken;

use super::{OutputSink, PortError};

/// One container of one pod. The uid guards against a new pod under the old name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodRef {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// The pod's uid; checked before each command when not empty.
    pub uid: String,
}

/// How a command ended, as it said itself through the trailer. Never a guess: without a trailer there is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitStatus {
    /// 0 to 255; 128 + N after signal N.
    pub code: u8,
    /// Bytes of standard output that the remote side counted, equal to those received.
    pub bytes: u64,
}

/// A detached job in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// No job of that name was ever started there.
    Absent,
    /// It runs; bytes of standard output and of standard error so far, and how far it has read a file of its folder.
    Running { out: u64, err: u64, read: u64 },
    /// It ended by itself or was stopped, with this status.
    Ended { code: u8, out: u64, err: u64 },
    /// It was started and neither runs nor left a status: the container or node went away in between.
    Lost,
}

/// What a container has. Found by the `probe` script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodTools {
    /// Programs found in the PATH, of those asked for.
    pub programs: Vec<String>,
    /// Name of the process with pid 1 (`postgres` means: orphan nothing here).
    pub first_process: String,
    /// Bytes free in the folder asked for.
    pub free_bytes: u64,
}

/// A file that was carried and is the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// Size in bytes, equal on both sides.
    pub bytes: u64,
    /// SHA-256 in lower-case hex, computed on both sides and equal.
    pub sha256: String,
}

/// Commands and files inside containers. Every call runs one of the constant scripts of `assets/remote`.
#[async_trait]
pub trait Exec: Send + Sync {
    /// Runs `command` (program and arguments, no shell) through the acknowledged stream and follows its output.
    /// `input` is given to it on standard input, then end of file. Cancelling stops its process group there.
    ///
    /// # Errors
    /// Any end without the command's own trailer is `ConnectionLost`; it is never taken for success.
    async fn run(
        &self,
        pod: &PodRef,
        command: &[String],
        input: &[u8],
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError>;

    /// What the container has: which of `programs`, who is pid 1, bytes free in `folder`.
    async fn probe(&self, pod: &PodRef, programs: &[&str], folder: &str) -> Result<PodTools, PortError>;

    /// Starts `command` detached under `job` (a name of ours, `[a-z0-9-]+`) in `folder`; its outputs and status go to
    /// files `JOB.out`, `JOB.err`, `JOB.status` there. Starting an existing job again changes nothing.
    async fn start(&self, pod: &PodRef, folder: &str, job: &str, command: &[String]) -> Result<(), PortError>;

    /// How that job stands.
    async fn poll(&self, pod: &PodRef, folder: &str, job: &str) -> Result<JobState, PortError>;

    /// Ends that job's own processes (found by pid and start time); its wrapper records the status.
    async fn stop(&self, pod: &PodRef, folder: &str, job: &str) -> Result<(), PortError>;

    /// Size and SHA-256 (lower-case hex) of a file there; `None` if there is no such file.
    async fn digest(&self, pod: &PodRef, path: &str) -> Result<Option<Transferred>, PortError>;

    /// Fetches the file `from` there to `to` here (written as `to` + `.part`, renamed when both hashes are equal). An
    /// interrupted fetch goes on at its last whole byte. `progress` is told bytes so far, at most twice a second.
    async fn download(
        &self,
        pod: &PodRef,
        from: &str,
        to: &Path,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Transferred, PortError>;

    /// Puts the file `from` here to `to` there, and proves size and hash there. Goes on where an earlier attempt ended.
    async fn upload(
        &self,
        pod: &PodRef,
        from: &Path,
        to: &str,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Transferred, PortError>;
}
