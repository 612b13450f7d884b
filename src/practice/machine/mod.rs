//! The simulated host: helm, and the administrator's two scripts. Nothing of the real host is ever run; only files in the
//! folder that a program is started in are read and written.
//!
//! Owns: `ports::Host` of the practice world. Called by `world`.

mod helm;
mod releases;
mod scripts;
mod values;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::runtime::Runtime;
use crate::ports::{ExitStatus, Host, OutputSink, PortError, PortErrorKind, Program, Stream};

/// Programs that are found.
const PROGRAMS: [&str; 3] = ["helm", "kubectl", "bash"];
/// Room on the simulated disk.
const ROOM: u64 = 64 << 30;

/// The host.
pub struct Machine {
    /// The containers, as kubectl reaches them.
    pub runtime: Runtime,
}

/// Where a program's output goes, counted.
pub struct Said<'a> {
    sink: &'a mut dyn OutputSink,
    bytes: u64,
}

impl Said<'_> {
    /// Standard output.
    pub async fn out(&mut self, text: impl Into<Bytes>) -> Result<(), PortError> {
        let text = text.into();
        self.bytes += text.len() as u64;
        if text.is_empty() { Ok(()) } else { self.sink.take(Stream::Out, text).await }
    }

    /// Standard error.
    pub async fn err(&mut self, text: impl Into<Bytes>) -> Result<(), PortError> {
        let text = text.into();
        if text.is_empty() { Ok(()) } else { self.sink.take(Stream::Err, text).await }
    }
}

fn name_of(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or_default()
}

#[async_trait]
impl Host for Machine {
    async fn run(
        &self,
        program: Program,
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        let mut said = Said { sink: out, bytes: 0 };
        let name = name_of(&program.program).to_owned();
        let work = async {
            match name.as_str() {
                "helm" => helm::run(&self.runtime.0, &program, &mut said).await,
                "pix-dump-data.sh" => scripts::dump(&self.runtime, &program, &mut said).await,
                "pix-restore-data.sh" => scripts::restore(&self.runtime, &program, &mut said).await,
                _ => Err(PortError::new(
                    PortErrorKind::NotFound,
                    format!("cannot run {name}"),
                    "the practice world has helm and the two scripts of PixelCore only",
                )),
            }
        };
        let code = tokio::select! {
            code = work => code?,
            () = cancel.cancelled() => {
                return Err(PortError::new(PortErrorKind::Cancelled, "the program was stopped", "stopped by the operator"));
            }
        };
        Ok(ExitStatus { code, bytes: said.bytes })
    }

    async fn which(&self, program: &str) -> Option<PathBuf> {
        if PROGRAMS.contains(&program) {
            return Some(Path::new("/practice/bin").join(program));
        }
        let known = scripts::FILES.iter().any(|(name, _)| name_of(program) == *name);
        let path = std::path::absolute(program).ok()?;
        (known && program.contains('/') && path.is_file()).then_some(path)
    }

    async fn free_bytes(&self, _: &Path) -> Result<u64, PortError> {
        Ok(ROOM)
    }

    fn name(&self) -> String {
        "practice".to_owned()
    }
}

pub use scripts::FILES as SCRIPTS;

/// Installs a release into a namespace as `helm install` does; the error is Helm's.
pub use helm::install;
