//! Reading a runbook: every fault of the file at once, each with its place.

use sha2::{Digest, Sha256};

use super::{fault::Fault, lint, model::Runbook, shape::shaped, tree::Node};
use crate::text::{Diagnostic, hex};

/// A runbook that has no fault.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it is.
    pub runbook: Runbook,
    /// SHA-256 of its text, lower-case hex.
    pub digest: String,
    /// Its text, kept with every run.
    pub text: String,
}

/// Reads `text`, which came from `file`.
///
/// # Errors
/// Every fault found, in the order of their lines.
pub fn load(file: &str, text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let mut faults = match Node::read(text) {
        Err(error) => vec![said(&error, "nothing behind it could be read: mend it, then look again")],
        Ok(tree) => match serde_saphyr::from_str::<Runbook>(text) {
            Ok(runbook) => {
                let faults = lint::lint(&runbook, &tree, &[]);
                if faults.is_empty() {
                    return Ok(Loaded {
                        runbook,
                        digest: hex(&Sha256::digest(text.as_bytes())),
                        text: text.to_owned(),
                    });
                }
                faults
            }
            Err(first) => faulty(&tree, &first),
        },
    };
    faults.sort_by_key(|fault| fault.at);
    faults.dedup();
    Err(faults.into_iter().map(|fault| fault.placed(file, text)).collect())
}

/// All faults of a file that cannot be read as it stands: a reader stops at the `first`.
fn faulty(tree: &Node, first: &serde_saphyr::Error) -> Vec<Fault> {
    let schema = schemars::schema_for!(Runbook).to_value();
    let shaped = shaped(tree, &schema);
    let mut faults = shaped.faults;
    let read = serde_json::from_value::<Runbook>(shaped.value);
    if faults.is_empty() || read.is_err() {
        // whatever the shape does not say, the reader says
        let first = said(first, "see `drydock runbook schema`");
        if faults.iter().all(|fault| fault.at != first.at) {
            faults.push(first);
        }
    }
    if let Ok(runbook) = read {
        faults.extend(lint::lint(&runbook, tree, &shaped.unread));
    }
    faults
}

/// A fault in the reader's words.
fn said(error: &serde_saphyr::Error, help: &str) -> Fault {
    let said = error.without_snippet().to_string();
    // the place is shown by us, once
    let what = said.split(" at line ").next().unwrap_or(&said).trim_start_matches("error: ").to_owned();
    let at = error.location().map_or((1, 1), |location| (location.line(), location.column()));
    Fault { at, what, help: help.to_owned() }
}
