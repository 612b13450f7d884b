//! What is wrong with a file of a dump, where, and what that proves.

use crate::text::Diagnostic;

/// A fault of a dump's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct FileFault {
    /// The file's name.
    pub file: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// What was found.
    pub what: String,
    /// What that proves.
    pub proves: &'static str,
}

impl FileFault {
    /// The fault as a failure.
    pub fn diagnostic(&self) -> Diagnostic {
        let at = if self.line == 0 { String::new() } else { format!(", line {}", self.line) };
        Diagnostic::new(format!("{}{at}: {}", self.file, self.what))
            .proves(self.proves)
            .safe("production: it was only read")
            .help("dump again")
    }
}
