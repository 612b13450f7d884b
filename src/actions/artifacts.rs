//! The dump's files on this machine: what they are, whether they are still the same, and what has been proven of them.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    chart,
    context::{Halt, StepCx},
    pods::{psql, ready_pod},
};
use crate::{
    postgres::{
        counts::{self, Counts, compare},
        facts::{SERVER_SQL, SESSIONS_SQL, ServerFacts, Sessions},
    },
    run::{StepId, StepState},
    text::{Diagnostic, hex, units},
};

/// Rung of the ladder below which nothing may be removed: restored in a scratch place, and compared.
pub const NEEDED: u8 = 3;

/// After so long the server has counted every row change of a transaction that ended: a session that stays connected and idle
/// tells its own after 10 s (`PGSTAT_IDLE_INTERVAL`).
const COUNTED: Duration = Duration::from_secs(11);

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
    /// The way it was made: `pod` or `scripts`.
    pub way: String,
}

impl DumpFacts {
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
        match digest(&cx.artifact(&file.name)).await {
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
    match state.proof(&facts.subject(), NEEDED) {
        // what was rehearsed is what will be installed; a proof of before names no chart
        Some(proof) if proof.facts.get("chart").is_some_and(|chart| *chart != chart::sha256(cx)) => {
            Err("another chart was rehearsed than the one this run holds now".to_owned())
        }
        Some(proof) => Ok(format!("rung {}: {}", proof.level, proof.sentence)),
        None => Err("no proof exists for these files".to_owned()),
    }
}

/// Which database `namespace` uses, and how far it has come, read now.
pub async fn server(cx: &StepCx, namespace: &str) -> Result<ServerFacts, Halt> {
    let deployment = cx.deployment()?;
    let (pod, _) = ready_pod(cx, namespace, &deployment.core).await?;
    let server = psql(cx, &pod, &deployment.connection, SERVER_SQL).await?;
    Ok(ServerFacts::parse(&server).map_err(|fault| Diagnostic::new(fault.to_string()))?)
}

/// Rows and sequences of the database in `namespace`, and its server, read now.
pub async fn source(cx: &StepCx, namespace: &str) -> Result<(Counts, ServerFacts), Halt> {
    let deployment = cx.deployment()?;
    let server = server(cx, namespace).await?;
    let (pod, _) = ready_pod(cx, namespace, &deployment.core).await?;
    let counts = psql(cx, &pod, &deployment.connection, counts::SQL).await?;
    let counts = Counts::parse(&counts).map_err(|fault| Diagnostic::new(fault.to_string()))?;
    Ok((counts, server))
}

/// The same once no row change since `before` can be counted late; tells why it waits.
pub async fn settled_source(cx: &StepCx, namespace: &str, before: &ServerFacts) -> Result<(Counts, ServerFacts), Halt> {
    let (counts, server) = source(cx, namespace).await?;
    if !before.is_same_database(&server) || !before.may_count_late(&server) {
        return Ok((counts, server));
    }
    cx.show(
        &format!(
            "Transactions ended since the dump began, and their row changes may not be counted yet: the server is asked again \
             in {} s.",
            COUNTED.as_secs()
        ),
        Vec::new(),
        None,
        None,
    );
    cx.pause(COUNTED).await?;
    source(cx, namespace).await
}

/// Whether nothing was written to the source since the dump. Row counts, sequences and the server's own write counters
/// must not have moved; counters that went back prove nothing and count as moved.
pub async fn quiet(cx: &StepCx, dump: &str) -> Result<Result<String, String>, Halt> {
    let Ok(facts) = DumpFacts::of(cx, dump) else { return Ok(Err("there is no dump yet".to_owned())) };
    let begun = cx.driver.state().removal_begun();
    let (counts, server) = match settled_source(cx, cx.namespace(), &facts.server).await {
        Ok(read) => read,
        Err(Halt::Failed(problem)) if begun => {
            let _ = problem;
            return Ok(Ok("read before the removal began; the application does not answer now".to_owned()));
        }
        Err(Halt::Failed(problem)) => return Ok(Err(problem.what)),
        Err(other) => return Err(other),
    };
    if !facts.server.is_same_database(&server) {
        return Ok(Err("this is another database than the one that was dumped".to_owned()));
    }
    if counts != facts.counts {
        let first = compare(&facts.counts, &counts, |_| true).differs.first().map_or_else(
            || "a sequence moved".to_owned(),
            |d| format!("{}: {}, now {}", d.table, units::plural(d.before, "row", "rows"), units::count(d.after)),
        );
        return Ok(Err(format!("written to since the dump: {first}{}", writers(cx, cx.namespace()).await)));
    }
    if !facts.server.is_quiet_until(&server) {
        return Ok(Err(format!(
            "written to since the dump: {} row changes counted, now {}{}",
            facts.server.writes,
            server.writes,
            writers(cx, cx.namespace()).await
        )));
    }
    // what a transaction writes is in no count before it ends
    let open = sessions(cx, cx.namespace()).await?;
    if open.prepared > 0 || open.writers().next().is_some() {
        return Ok(Err(format!("a transaction that writes is open{}", describe(&open))));
    }
    Ok(Ok("no row changed since the dump, read now".to_owned()))
}

/// Who else is connected to the database, for the one who has to stop them: a part of a sentence, empty when nobody is
/// seen or the server does not say.
pub async fn writers(cx: &StepCx, namespace: &str) -> String {
    match sessions(cx, namespace).await {
        Ok(sessions) => describe(&sessions),
        // It only explains a failure that is told anyhow.
        Err(_) => String::new(),
    }
}

async fn sessions(cx: &StepCx, namespace: &str) -> Result<Sessions, Halt> {
    let deployment = cx.deployment()?;
    let (pod, _) = ready_pod(cx, namespace, &deployment.core).await?;
    let answer = psql(cx, &pod, &deployment.connection, SESSIONS_SQL).await?;
    Ok(Sessions::parse(&answer).map_err(|fault| Diagnostic::new(fault.to_string()))?)
}

fn describe(sessions: &Sessions) -> String {
    let writing: Vec<_> = sessions.writers().collect();
    let (word, shown) =
        if writing.is_empty() { ("connected", sessions.clients.iter().collect()) } else { ("writing now", writing) };
    let mut parts: Vec<String> = shown
        .iter()
        .take(3)
        .map(|client| {
            let known = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
            let name = known(&client.application).or_else(|| known(&client.user)).unwrap_or_else(|| "a client".into());
            let from = client.client.as_ref().map_or_else(String::new, |address| format!(" from {address}"));
            format!("{name}{from}, server process {}", client.pid)
        })
        .collect();
    if shown.len() > parts.len() {
        parts.push(format!("{} more", shown.len() - parts.len()));
    }
    if sessions.prepared > 0 {
        parts.push(format!("{} prepared transactions", sessions.prepared));
    }
    if parts.is_empty() { String::new() } else { format!("; {word}: {}", crate::text::printable(&parts.join("; "))) }
}

/// The facts as JSON.
pub fn to_facts(facts: &DumpFacts) -> Result<Value, Halt> {
    serde_json::to_value(facts)
        .map_err(|error| Diagnostic::new("cannot write the dump's facts").cause(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_are_named_before_those_who_are_only_connected() {
        let answer = |lines: &str| describe(&Sessions::parse(lines).unwrap());
        let idle =
            "{\"pid\":7,\"user\":\"pix\",\"application\":\"\",\"client\":null,\"state\":\"idle\",\"writes\":false}\n";
        let busy = "{\"pid\":9,\"user\":\"pix\",\"application\":\"ingest\",\"client\":\"10.0.0.7\",\"state\":null,\"writes\":true}\n";
        assert_eq!(answer("{\"sessions\":0,\"prepared\":0}"), "");
        let end = "{\"sessions\":1,\"prepared\":0}";
        assert_eq!(answer(&format!("{idle}{end}")), "; connected: pix, server process 7");
        let both = format!("{idle}{busy}{{\"sessions\":2,\"prepared\":1}}");
        assert_eq!(answer(&both), "; writing now: ingest from 10.0.0.7, server process 9; 1 prepared transactions");
        let many = format!("{}{}", idle.repeat(5), "{\"sessions\":5,\"prepared\":0}");
        assert!(answer(&many).ends_with("; 2 more"));
    }
}
