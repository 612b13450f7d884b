//! What the end of a command's stream proves. Called by `stream`.

use serde_json::Value;

use crate::ports::{ExitStatus, PortError, PortErrorKind};

/// Bytes of standard error that are kept, for a script that could not begin.
const SAID: usize = 512;
/// Status of the outermost script when it could not begin. Once begun it ends with a trailer and 0, whatever its command does.
const NOT_BEGUN: &str = "125";

/// What the server and standard error said at the end of a stream.
#[derive(Default)]
pub struct End {
    /// The server's status.
    pub status: Option<Value>,
    said: Vec<u8>,
}

impl End {
    /// Keeps the beginning of standard error.
    pub fn hear(&mut self, chunk: &[u8]) {
        let room = SAID.saturating_sub(self.said.len()).min(chunk.len());
        self.said.extend_from_slice(&chunk[..room]);
    }

    /// What it proves, beside the status that the trailer told.
    pub fn verdict(&self, what: &str, exit: Option<ExitStatus>) -> Result<ExitStatus, PortError> {
        let status = self.status.as_ref();
        let success = status.and_then(|status| status["status"].as_str()) == Some("Success");
        let message = status.and_then(|status| status["message"].as_str()).map(crate::text::printable);
        match (exit, success, message) {
            (Some(exit), true, _) => Ok(exit),
            (None, true, _) => Err(PortError::new(
                PortErrorKind::Integrity,
                what,
                "the server says success, and the end of the output is missing",
            )),
            (None, false, _) if self.code() == Some(NOT_BEGUN) => {
                let said = crate::text::printable(String::from_utf8_lossy(&self.said).trim());
                let words = "the container has no writable folder for temporary files, and nothing can be asked of it \
                             without one: mount an empty volume at /tmp, or name another container in the runbook";
                Err(PortError::new(PortErrorKind::Unsupported, what, format!("{words}; it says: {said}")))
            }
            (_, false, Some(message)) => {
                if message.contains("executable file not found") || message.contains("no such file or directory") {
                    let words = "the container has no `sh`, and nothing can be asked of it without one: \
                                 use an image with a shell, or name another container in the runbook";
                    return Err(PortError::new(PortErrorKind::Unsupported, what, words));
                }
                Err(PortError::new(PortErrorKind::ConnectionLost, what, message))
            }
            (Some(_), false, None) => Err(PortError::new(
                PortErrorKind::ConnectionLost,
                what,
                "the output is whole, and the server never said how the command ended",
            )),
            (None, false, None) => {
                Err(PortError::new(PortErrorKind::ConnectionLost, what, "the connection ended before the command did"))
            }
        }
    }

    /// The status with which the outermost script ended, where the server tells it.
    fn code(&self) -> Option<&str> {
        let causes = self.status.as_ref()?.pointer("/details/causes")?.as_array()?;
        causes.iter().find(|cause| cause["reason"] == "ExitCode")?["message"].as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: Option<&Value>, exit: Option<ExitStatus>) -> Result<ExitStatus, PortError> {
        End { status: status.cloned(), said: b"mktemp: Read-only file system\n".to_vec() }.verdict("x", exit)
    }

    #[test]
    fn success_needs_both_words() {
        let exit = Some(ExitStatus { code: 0, bytes: 1 });
        let success = serde_json::json!({"status": "Success"});
        let failure = serde_json::json!({"status": "Failure", "message": "container not found"});
        assert!(ended(Some(&success), exit).is_ok());
        assert_eq!(ended(None, exit).unwrap_err().kind, PortErrorKind::ConnectionLost);
        assert_eq!(ended(Some(&success), None).unwrap_err().kind, PortErrorKind::Integrity);
        assert!(ended(Some(&failure), None).unwrap_err().detail.contains("container not found"));
        assert!(ended(None, None).is_err());
    }

    #[test]
    fn a_script_that_could_not_begin_is_no_lost_connection() {
        let failure = |code: &str| {
            serde_json::json!({"status": "Failure", "message": format!("command terminated with exit code {code}"),
                "details": {"causes": [{"reason": "ExitCode", "message": code}]}})
        };
        let error = ended(Some(&failure("125")), None).unwrap_err();
        assert_eq!((error.kind, error.detail.contains("mktemp: Read-only")), (PortErrorKind::Unsupported, true));
        assert_eq!(ended(Some(&failure("137")), None).unwrap_err().kind, PortErrorKind::ConnectionLost);
    }
}
