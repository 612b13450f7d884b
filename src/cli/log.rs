//! drydock's own log in the state folder: what went wrong beside a run and belongs to none of its records. It holds neither
//! secrets nor output, and a run goes on without it.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::store::previous_of;

/// A log of so many bytes becomes the one before; there are two at most.
const LARGEST: u64 = 1 << 20;
/// Ours only: what libraries say may hold requests.
const OURS: &str = "drydock=info";

/// Begins the log; it is written out when the returned guard goes. `None` where it cannot be written.
pub fn begin(path: &Path) -> Option<WorkerGuard> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > LARGEST) {
        std::fs::rename(path, previous_of(path)).ok()?;
    }
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).ok()?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let log = tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new(OURS)).with_writer(writer);
    log.try_init().ok()?;
    Some(guard)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_went_wrong_is_kept_for_its_owner_and_only_ours() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("drydock.log");
        std::fs::write(&path, vec![b'x'; 2 << 20]).unwrap();
        let guard = begin(&path).unwrap();
        tracing::error!("the output file is full");
        tracing::error!(target: "hyper", "GET /secret");
        drop(guard);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("the output file is full") && !text.contains("/secret"), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(previous_of(&path).exists());
    }
}
