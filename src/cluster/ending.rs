//! What the end of a command's stream proves. Called by `stream`.

use serde_json::Value;

use crate::ports::{ExitStatus, PortError, PortErrorKind};

/// What the server and standard error said at the end of a stream.
#[derive(Default)]
pub struct End {
    /// The server's status.
    pub status: Option<Value>,
}

impl End {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: Option<&Value>, exit: Option<ExitStatus>) -> Result<ExitStatus, PortError> {
        End { status: status.cloned() }.verdict("x", exit)
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
}
