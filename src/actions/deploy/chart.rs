//! The chart of the new version as this run holds it: a copy among its artifacts, named after what is in it. What becomes of
//! the admin's folder afterwards changes nothing; a copy that changed is refused.
//!
//! Called by `helm` before each use, and by the preflight, which takes the copy.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{
    copy::{self, Listed},
    recorded,
    release::RECORD,
};
use crate::{
    actions::{
        context::{Halt, StepCx, secret_name},
        objects::pods::text,
        programs::host::{Call, answer},
    },
    run::EvidenceState,
    text::{Diagnostic, units},
};

/// Subject of the evidence that names the copy.
const SUBJECT: &str = "chart";
/// Folder of the copies among the artifacts.
const FOLDER: &str = "chart";
/// The copy's size and hash are read back after it was written.
const RUNG: u8 = 1;

/// The copy, read and compared just now.
pub struct Held {
    /// What helm is given.
    pub path: PathBuf,
    /// What it is, in words.
    pub sentence: String,
}

/// The run's copy. A run that has none yet takes it now.
///
/// # Errors
/// A refusal when the copy is not what was taken.
pub async fn held(cx: &StepCx) -> Result<Held, Halt> {
    match cx.driver.state().proof(SUBJECT, RUNG) {
        Some(proof) => compared(cx, proof).await,
        None => take(cx).await,
    }
}

async fn compared(cx: &StepCx, proof: &EvidenceState) -> Result<Held, Halt> {
    let (folder, wanted) = (cx.artifact(text(&proof.facts, "/folder")), text(&proof.facts, "/sha256").to_owned());
    let shown = folder.display().to_string();
    let found = blocking(move || copy::list(&folder).and_then(|listed| copy::digest(&listed))).await;
    let problem = match found {
        Ok(sha256) if sha256 == wanted => {
            let path = cx.artifact(text(&proof.facts, "/path"));
            return Ok(Held { path, sentence: proof.sentence.clone() });
        }
        Ok(_) => Diagnostic::new(format!("the run's copy of the chart is not what was copied: {shown}")),
        Err(Halt::Failed(problem)) => {
            Diagnostic::new(format!("the run's copy of the chart cannot be read: {shown}")).cause(problem.what)
        }
        Err(other) => return Err(other),
    };
    let problem = problem
        .proves("somebody changed files of this run; what was rehearsed is not what would be installed")
        .safe("everything: nothing was sent")
        .help(format!("put it back as it was; its SHA-256 is {}", units::hash(&wanted)));
    Err(Halt::Refused(Box::new(problem)))
}

/// Whether the runbook names no chart for this intent: then it is the one of the captured release, as that was installed.
///
/// # Errors
/// The name cannot be rendered.
pub fn is_captured(cx: &StepCx) -> Result<bool, Halt> {
    Ok(cx.render(&cx.deployment()?.helm.chart)?.is_empty())
}

/// Copies what the runbook names into the run and writes down what it is. Where that is gone, the copy of before is the chart.
///
/// # Errors
/// A failure when there is neither, or when it is no chart that may be copied.
pub async fn take(cx: &StepCx) -> Result<Held, Halt> {
    let named = cx.render(&cx.deployment()?.helm.chart)?;
    let (from, shown) = if named.is_empty() {
        (unpacked(cx).await?.display().to_string(), "of helm's own record".to_owned())
    } else {
        (named.clone(), named)
    };
    let there = tokio::fs::try_exists(&from).await.unwrap_or(false);
    if !there && let Some(proof) = cx.driver.state().proof(SUBJECT, RUNG) {
        return compared(cx, proof).await;
    }
    let base = cx.artifact(FOLDER);
    let part = base.join("part");
    let taken = if there { PathBuf::from(&from) } else { pull(cx, &from, &part).await? };
    let (to, copied) = (base.clone(), part.clone());
    let mut secrets = Vec::new();
    for item in cx.deployment()?.helm.set_file.values() {
        secrets.push(cx.secret(item).await?);
    }
    if taken.is_dir() && !taken.join("Chart.yaml").is_file() {
        return Err(Diagnostic::new(format!("{from} is no chart: there is no Chart.yaml in it"))
            .safe("everything: nothing of it was copied")
            .help("name the folder that holds Chart.yaml; what was gathered stays in this run's vault")
            .into());
    }
    let put = blocking(move || copy::put(&taken, &to, &copied, &secrets)).await;
    let Listed { files, bytes, sha256, name } = put.map_err(|halt| {
        halt.told(|problem| {
            Diagnostic::new(format!("the chart {from} cannot be copied into this run"))
                .cause(problem.what)
                .safe("everything: the chart was only read")
                .help("`helm package CHART` makes one file of a chart: name that one with --set chart=FILE")
        })
    })?;
    let folder = format!("{FOLDER}/{}", copy::folder_of(&sha256));
    let path = if name.is_empty() { folder.clone() } else { format!("{folder}/{name}") };
    let sentence = format!(
        "the chart {shown} is copied into this run: {}, {}, SHA-256 {}",
        units::plural(files, "file", "files"),
        units::bytes(bytes),
        units::hash(&sha256)
    );
    let state = cx.driver.state();
    let known = state.proof(SUBJECT, RUNG).is_some_and(|proof| text(&proof.facts, "/sha256") == sha256);
    if !known {
        let facts =
            json!({"from": from, "folder": folder, "path": path, "files": files, "bytes": bytes, "sha256": sha256});
        cx.evidence(SUBJECT, RUNG, &sentence, facts).await?;
    }
    Ok(Held { path: cx.artifact(&path), sentence })
}

/// The chart of the captured release, out of helm's own record of it.
async fn unpacked(cx: &StepCx) -> Result<PathBuf, Halt> {
    let to = cx.artifact(FOLDER).join("recorded");
    let record = cx.secret(&secret_name(&cx.deployment()?.helm.captured, "1", RECORD)).await?;
    let folder = to.clone();
    blocking(move || recorded::unpack(&record, &folder)).await.map_err(|halt| {
        halt.told(|problem| problem.safe("everything: nothing was sent").help("name the chart's own folder instead"))
    })?;
    Ok(to)
}

/// SHA-256 of the run's copy, as it was taken; empty where there is none yet.
pub fn sha256(cx: &StepCx) -> String {
    cx.driver.state().proof(SUBJECT, RUNG).map_or_else(String::new, |proof| text(&proof.facts, "/sha256").to_owned())
}

/// Fetches a chart that is no file here, as `oci://…` or `repository/chart`; the archive that came.
async fn pull(cx: &StepCx, from: &str, part: &Path) -> Result<PathBuf, Halt> {
    if Path::new(from).is_absolute() {
        return Err(Diagnostic::new(format!("the chart {from} is not there, and this run has no copy of it"))
            .safe("everything: nothing was sent")
            .help("put it back where it was, then try again")
            .into());
    }
    let to = part.with_file_name("pulled");
    let empty = to.clone();
    blocking(move || copy::make_empty(&empty)).await?;
    answer(cx, &cx.target, Call::new(cx, "helm", &["pull", from, "--destination", &to.display().to_string()])).await?;
    let came = blocking(move || copy::list(&to)).await?;
    match came.as_slice() {
        [one] => Ok(one.real.clone()),
        _ => {
            Err(Diagnostic::new(format!("helm pull {from} brought {}", units::plural(came.len(), "file", "files")))
                .into())
        }
    }
}

/// Reads and writes files on a thread for such.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, Halt> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done.map_err(Diagnostic::new)?),
        Err(error) => Err(Diagnostic::new("the thread that reads the chart ended").cause(error.to_string()).into()),
    }
}
