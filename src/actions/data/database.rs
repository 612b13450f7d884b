//! The database that is dumped, as it is now: which it is, how far it has come, who writes to it, and whether it is still
//! what the dump holds.

use std::time::Duration;

use super::artifacts::DumpFacts;
use crate::{
    actions::{
        context::{Halt, StepCx},
        objects::{
            pods::{psql, ready_pod},
            removal,
        },
    },
    postgres::{
        counts::{self, Counts, compare},
        facts::{SERVER_SQL, SESSIONS_SQL, ServerFacts, Sessions},
    },
    text::{Diagnostic, units},
};

/// After so long the server has counted every row change of a transaction that ended: a session that stays connected and idle
/// tells its own after 10 s (`PGSTAT_IDLE_INTERVAL`).
const COUNTED: Duration = Duration::from_secs(11);

/// Why nothing shows that no row changed.
pub const UNCOUNTED: &str = "the server counts no row changes (track_counts is off), so nothing shows that none of them wrote: \
                             set track_counts to on, then dump again";

/// How often is looked for a moment without an open transaction, and the time between.
const LOOKS: usize = 4;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

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

/// The server before the last wait for late counters: what had ended by then is counted now.
pub type Waited = Option<ServerFacts>;

/// The same once no row change since `before` can be counted late; tells why it waits. Does not wait again for what was
/// `waited` for.
pub async fn settled_source(
    cx: &StepCx,
    namespace: &str,
    before: &ServerFacts,
    waited: &mut Waited,
) -> Result<(Counts, ServerFacts), Halt> {
    let (counts, server) = source(cx, namespace).await?;
    let is_late = |since: &ServerFacts| since.is_same_database(&server) && since.may_count_late(&server);
    if !is_late(before) || waited.as_ref().is_some_and(|waited| waited.is_same_database(&server) && !is_late(waited)) {
        return Ok((counts, server));
    }
    *waited = Some(server);
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
/// must not have moved; counters that went back prove nothing and count as moved. What a transaction writes is in no count
/// before it ends, so that one could be missed that ends between the two questions: they are asked again until none has.
pub async fn quiet(cx: &StepCx, dump: &str, waited: &mut Waited) -> Result<Result<String, String>, Halt> {
    let Ok(facts) = DumpFacts::of(cx, dump) else { return Ok(Err("there is no dump yet".to_owned())) };
    if facts.is_adopted() {
        return Ok(Err("the files were made elsewhere: what was written since is in none of them".to_owned()));
    }
    match moved(cx, &facts, waited).await {
        Ok(None) => Ok(Ok("no row changed since the dump, read now".to_owned())),
        Ok(Some(what)) => Ok(Err(what)),
        Err(Halt::Failed(problem)) => Ok(if removal::is_under_way(cx).await? {
            Ok("read before the removal began; the application does not answer now".to_owned())
        } else {
            Err(problem.what)
        }),
        Err(other) => Err(other),
    }
}

/// What is not as it was at the dump, in words.
async fn moved(cx: &StepCx, facts: &DumpFacts, waited: &mut Waited) -> Result<Option<String>, Halt> {
    for _ in 0..LOOKS {
        let (counts, now) = settled_source(cx, cx.namespace(), &facts.server, waited).await?;
        if !facts.server.is_same_database(&now) {
            return Ok(Some("this is another database than the one that was dumped".to_owned()));
        }
        let what = if counts != facts.counts {
            let differs = compare(&facts.counts, &counts, |_| true).differs;
            differs.first().map_or_else(
                || "a sequence moved".to_owned(),
                |d| format!("{}: {}, now {}", d.table, units::plural(d.before, "row", "rows"), units::count(d.after)),
            )
        } else if !facts.server.is_quiet_until(&now) && !facts.server.counts_until(&now) {
            return Ok(Some(format!("transactions ended since the dump, and {UNCOUNTED}")));
        } else if !facts.server.is_quiet_until(&now) {
            format!("{} row changes counted, now {}", facts.server.writes, now.writes)
        } else if let Some(open) = open_transaction(cx).await? {
            return Ok(Some(open));
        } else if server(cx, cx.namespace()).await?.next_xid == now.next_xid {
            return Ok(None);
        } else {
            continue;
        };
        return Ok(Some(format!("written to since the dump: {what}{}", writers(cx, cx.namespace()).await)));
    }
    Ok(Some(format!("transactions end all the time{}", writers(cx, cx.namespace()).await)))
}

/// Refuses to begin or end a dump while a transaction is open that writes: what it wrote is in neither the files nor the
/// counters. A short one is waited for.
pub async fn no_open_transaction(cx: &StepCx) -> Result<(), Halt> {
    let mut found = open_transaction(cx).await?;
    for _ in 1..LOOKS {
        if found.is_none() {
            return Ok(());
        }
        cx.pause(BETWEEN_LOOKS).await?;
        found = open_transaction(cx).await?;
    }
    found.map_or(Ok(()), |what| {
        Err(Diagnostic::new(what)
            .proves("what it has written is not in a dump that is made now, and would be lost once it commits")
            .safe("production: it was only read")
            .help("let it end, or end it with its owner's consent, then try again")
            .into())
    })
}

/// Who has a transaction open that writes, in words.
async fn open_transaction(cx: &StepCx) -> Result<Option<String>, Halt> {
    let open = sessions(cx, cx.namespace()).await?;
    let is_open = open.prepared > 0 || open.writers().next().is_some();
    Ok(is_open.then(|| format!("a transaction that writes is open{}", describe(&open))))
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
