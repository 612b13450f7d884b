//! The dump's files on this machine: what they are, whether they are still the same, and what has been proven of them.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    actions::{
        context::{Halt, StepCx},
        deploy::chart,
    },
    postgres::{counts::Counts, facts::ServerFacts},
    run::{StepId, StepState},
    text::{Diagnostic, hex, units},
};

/// Rung of the ladder below which nothing may be removed: restored in a scratch place, and compared.
pub const NEEDED: u8 = 3;

/// One file of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DumpFile {
    /// File name in the run's artifacts folder.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// What a dump step leaves behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DumpFacts {
    /// The plain dump.
    pub dump: DumpFile,
    /// The CSV file of the large table.
    pub csv: DumpFile,
    /// Rows and sequences of the source while it was dumped.
    pub counts: Counts,
    /// The source's server, as it was before the first byte was dumped: what is written after that is not in the files.
    pub server: ServerFacts,
    /// The way it was made: `pod`, `scripts`, or [`ADOPTED`].
    pub way: String,
}

/// The way of a dump that was made elsewhere: its counts are those of its own files, and its server is the one whose database
/// it is to replace. Of the database it was made from nothing is known.
pub const ADOPTED: &str = "adopted";

impl DumpFacts {
    /// Whether it was made elsewhere.
    pub fn is_adopted(&self) -> bool {
        self.way == ADOPTED
    }

    /// What a restore of it is counted against.
    pub fn origin(&self) -> &'static str {
        if self.is_adopted() { "these files" } else { "production" }
    }

    /// What proofs are bound to: the content of both files.
    pub fn subject(&self) -> String {
        format!("dump {}+{}", self.dump.sha256, self.csv.sha256)
    }

    /// Of the dump step of this run.
    pub fn of(cx: &StepCx, step: &str) -> Result<Self, Halt> {
        serde_json::from_value(cx.facts_of(step)?)
            .map_err(|error| Diagnostic::new(format!("step {step} has left no dump")).cause(error.to_string()).into())
    }
}

/// Size and SHA-256 of a file here, read in blocks of 1 MiB on another thread.
pub async fn digest(path: &Path) -> Result<(u64, String), Halt> {
    let shown = path.display().to_string();
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || -> std::io::Result<(u64, String)> {
        use std::io::Read;
        let mut file = std::fs::File::open(path)?;
        let (mut hash, mut bytes, mut block) = (Sha256::new(), 0u64, vec![0u8; 1 << 20]);
        loop {
            let n = file.read(&mut block)?;
            if n == 0 {
                return Ok((bytes, hex(&hash.finalize())));
            }
            hash.update(&block[..n]);
            bytes += n as u64;
        }
    })
    .await
    .map_err(|error| Diagnostic::new(format!("cannot read {shown}")).cause(error.to_string()))?;
    Ok(read.map_err(|error| Diagnostic::new(format!("cannot read {shown}")).cause(error.to_string()))?)
}

/// Whether the files are still those of the dump, hashed now.
pub async fn rehash(cx: &StepCx, step: &str) -> Result<Result<String, String>, Halt> {
    let Ok(facts) = DumpFacts::of(cx, step) else { return Ok(Err("there is no dump yet".to_owned())) };
    for file in [&facts.dump, &facts.csv] {
        match digest(&cx.kept(&file.name)).await {
            Ok((bytes, sha256)) if bytes == file.bytes && sha256 == file.sha256 => {}
            Ok((bytes, sha256)) => {
                return Ok(Err(format!(
                    "{} is not the file that was dumped: {}, {}",
                    file.name,
                    units::bytes(bytes),
                    units::hash(&sha256)
                )));
            }
            Err(Halt::Failed(problem)) => return Ok(Err(problem.what)),
            Err(other) => return Err(other),
        }
    }
    let total = facts.dump.bytes + facts.csv.bytes;
    Ok(Ok(format!("both files, {}, SHA-256 as at the dump, hashed now", units::bytes(total))))
}

/// Whether the rehearsal proved exactly these files.
pub fn proven(cx: &StepCx, dump: &str, proven_by: &str) -> Result<String, String> {
    let facts = DumpFacts::of(cx, dump).map_err(|_| "there is no dump yet".to_owned())?;
    let state = cx.driver.state();
    if !matches!(state.step(&StepId(proven_by.to_owned())), StepState::Done { .. }) {
        return Err("the rehearsal is not done".to_owned());
    }
    // of a run that this one goes on from the dump counts, not the chart: that is not what will be installed
    let here = state.taken.as_ref().is_none_or(|taken| !taken.has(proven_by));
    match state.proof(&facts.subject(), NEEDED) {
        // what was rehearsed is what will be installed; a proof of before names no chart
        Some(proof) if here && proof.facts.get("chart").is_some_and(|chart| *chart != chart::sha256(cx)) => {
            Err("another chart was rehearsed than the one this run holds now".to_owned())
        }
        Some(proof) if here => Ok(format!("rung {}: {}", proof.level, proof.sentence)),
        Some(proof) => {
            let age = cx.world.clock.now().as_second() - proof.at.as_second();
            let age = units::about(u64::try_from(age).unwrap_or(0));
            Ok(format!("rung {}, {age} ago: {}", proof.level, proof.sentence))
        }
        None => Err("no proof exists for these files".to_owned()),
    }
}

/// The facts as JSON.
pub fn to_facts(facts: &DumpFacts) -> Result<Value, Halt> {
    serde_json::to_value(facts)
        .map_err(|error| Diagnostic::new("cannot write the dump's facts").cause(error.to_string()).into())
}
