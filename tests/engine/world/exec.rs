//! Containers of the small cluster: psql and pg_dump by what they are asked, files, detached jobs that end at once.

use std::{fmt::Write as _, path::Path};

use async_trait::async_trait;
use bytes::Bytes;
use drydock::ports::{
    Exec, ExitStatus, JobState, OutputSink, PodRef, PodTools, PortError, PortErrorKind, Stream, Transferred,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    Endless, Fake, State,
    deployment::{HISTORY, key},
    error,
};

fn carried(bytes: &[u8]) -> Transferred {
    let sha256 = drydock::text::hex(&Sha256::digest(bytes));
    Transferred { bytes: bytes.len() as u64, sha256 }
}

/// The words after those of the script that gives a command its variables.
fn inner(command: &[String]) -> &[String] {
    if command[0] != "sh" {
        return command;
    }
    command.iter().position(|word| word == "--").map_or(command, |at| &command[at + 1..])
}

impl State {
    fn has(&self, pod: &PodRef) -> Result<(), PortError> {
        match self.objects.get(&key("Pod", &pod.namespace, &pod.pod)) {
            Some(found) if found["metadata"]["uid"] == pod.uid.as_str() => Ok(()),
            _ => error(PortErrorKind::NotFound, "cannot run a command in the pod", "there is no such pod"),
        }
    }

    /// What the script `reach` says of its targets.
    fn reach(&self, namespace: &str, targets: &[&str]) -> String {
        let denied = self.objects.keys().any(|(kind, of, _)| kind == "NetworkPolicy" && of == namespace);
        let open = |target: &&&str| **target == "dns" || !denied || self.ignores_policies;
        let word = |target: &&str| if open(&target) { "reached" } else { "closed" };
        targets.iter().map(|target| format!("{target} {}\n", word(target))).collect()
    }

    /// What psql says while the database's name has no answer.
    fn unreached(&mut self, pod: &PodRef, command: &[String]) -> Option<&'static str> {
        let database = self.databases.get_mut(&pod.namespace).filter(|_| inner(command)[0] == "psql")?;
        database.unreached = database.unreached.checked_sub(1)?;
        Some("psql: error: could not translate host name \"pix-db\" to address: Temporary failure in name resolution\n")
    }

    /// Status and output of a command in a pod of `ns`.
    fn execute(&mut self, pod: &PodRef, command: &[String], input: &str) -> (u8, String) {
        let command = inner(command);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        if words[0] == "sh" {
            return (0, self.reach(&pod.namespace, &words[4..]));
        }
        if words == ["pg_dump", "--version"] {
            return (0, "pg_dump (PostgreSQL) 15.4\n".into());
        }
        let runs = self.objects.contains_key(&key("Pod", &pod.namespace, "pix-db-0"));
        let file = |path: &str| String::from_utf8(self.files[&(pod.uid.clone(), path.to_owned())].clone()).unwrap();
        let file = match (words[0], words.iter().position(|word| *word == "-f").map(|at| words[at + 1])) {
            ("psql", Some(path)) if path != "-" => file(path),
            ("psql", _) => match words.last().unwrap().split_once(" from '") {
                Some((_, rest)) => file(rest.split('\'').next().unwrap()),
                None => String::new(),
            },
            _ => String::new(),
        };
        let Some(database) = self.databases.get_mut(&pod.namespace).filter(|_| runs) else {
            return (2, String::new());
        };
        let last = *words.last().unwrap();
        let mut out = String::new();
        if words[0] == "pg_dump" {
            out.push_str("--\n-- PostgreSQL database dump\n--\n\n\\restrict k\n\n");
            out.push_str("-- Dumped from database version 15.4\n-- Dumped by pg_dump version 15.4\n\n");
            for table in database.tables.keys().filter(|name| *name != HISTORY && *name != "schema_version") {
                write!(
                    out,
                    "COPY public.{table} (id, name) FROM stdin;\n{}\n\\.\n\n",
                    database.tables[table].join("\n")
                )
                .unwrap();
            }
            out.push_str("--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict k\n\n");
        } else if last.starts_with("COPY (SELECT") {
            write!(out, "id,value\n{}\n", database.tables[HISTORY].join("\n")).unwrap();
        } else if last.starts_with("\\copy") {
            let rows: Vec<String> = file.lines().skip(1).map(str::to_owned).collect();
            database.writes += rows.len() as u64;
            database.tables.get_mut(HISTORY).unwrap().extend(rows);
        } else if !file.is_empty() {
            let mut table = None;
            for line in file.lines() {
                if let Some(rest) = line.strip_prefix("COPY public.") {
                    table = rest.split(' ').next().map(str::to_owned);
                } else if line == "\\." {
                    table = None;
                } else if let Some(name) = &table {
                    database.writes += 1;
                    database.tables.get_mut(name).unwrap().push(line.to_owned());
                }
            }
        } else if input.starts_with("-- drydock: server") {
            let late = database.counted.is_some_and(|at| tokio::time::Instant::now() < at);
            let next = 700 + database.writes + database.elsewhere;
            let answer = json!({"version": "15.4", "database": "pixelcore", "database_oid": 16384, "size": database.size,
                "system_identifier": database.identifier, "encoding": "UTF8", "postmaster_start": database.identifier,
                "writes": if database.uncounted { 70 } else { database.writes - u64::from(late) },
                "track_counts": !database.uncounted,
                "next_xid": next, "oldest_xid": next});
            writeln!(out, "{answer}").unwrap();
        } else if input.starts_with("-- drydock: writers") {
            if database.open_writer {
                writeln!(
                    out,
                    "{}",
                    json!({"pid": 9, "user": "pix", "application": "ingest", "client": "10.0.0.7",
                    "state": "idle in transaction", "writes": true})
                )
                .unwrap();
            }
            writeln!(out, "{}", json!({"sessions": u8::from(database.open_writer), "prepared": 0})).unwrap();
        } else if input.starts_with("-- drydock: counts") {
            for (table, rows) in &database.tables {
                writeln!(out, "{}", json!({"table": table, "rows": rows.len()})).unwrap();
            }
            writeln!(out, "{}", json!({"sequence": format!("{HISTORY}_id_seq"), "last": database.sequence})).unwrap();
            out.push_str("{\"large_objects\": 0}\n");
        } else if let Some(list) = input.strip_prefix("TRUNCATE ") {
            for table in list.trim().trim_end_matches(';').split(", ") {
                let name = table.rsplit('.').next().unwrap().trim_matches('"');
                database.tables.get_mut(name).unwrap().clear();
            }
        } else if input.starts_with("SELECT setval") {
            let id = |row: &String| row.split(',').next().and_then(|id| id.parse::<i64>().ok());
            database.sequence = database.tables[HISTORY].iter().filter_map(id).max();
        } else {
            return (127, String::new());
        }
        (0, out)
    }
}

fn changes(command: &[String], input: &[u8]) -> bool {
    let reads = [&b"-- drydock"[..], b""];
    inner(command)[0] == "psql"
        && !reads.iter().any(|begin| if begin.is_empty() { input.is_empty() } else { input.starts_with(begin) })
}

#[async_trait]
impl Exec for Fake {
    async fn run(
        &self,
        pod: &PodRef,
        command: &[String],
        input: &[u8],
        out: &mut dyn OutputSink,
        cancel: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        self.state().has(pod)?;
        if command[0] == "tail" && self.script().endless.is_some() {
            cancel.cancelled().await;
            return error(PortErrorKind::Cancelled, "cannot run tail", "stopped by the operator");
        }
        let text = std::str::from_utf8(input).unwrap();
        let unreached = self.state().unreached(pod, command);
        if let Some(said) = unreached {
            out.take(Stream::Err, Bytes::from(said)).await?;
            return Ok(ExitStatus { code: 2, bytes: 0 });
        }
        let (code, said) = if changes(command, input) {
            let begin = text.split([' ', ';']).next().unwrap_or_default();
            let call = format!("sql {} {begin}", pod.namespace);
            self.change(call, |state| Ok(state.execute(pod, command, text))).await?
        } else {
            self.read("run in a pod").await?;
            self.state().execute(pod, command, text)
        };
        out.take(Stream::Out, Bytes::from(said.clone())).await?;
        Ok(ExitStatus { code, bytes: said.len() as u64 })
    }

    async fn probe(&self, pod: &PodRef, programs: &[&str], _: &str) -> Result<PodTools, PortError> {
        self.state().has(pod)?;
        let programs = programs.iter().map(|&name| name.to_owned()).collect();
        Ok(PodTools { programs, first_process: "sh".into(), free_bytes: 1 << 40 })
    }

    async fn start(&self, pod: &PodRef, folder: &str, job: &str, command: &[String]) -> Result<(), PortError> {
        self.state().has(pod)?;
        let at = (pod.uid.clone(), job.to_owned());
        if self.state().jobs.contains_key(&at) {
            return Ok(());
        }
        self.change(format!("job {} {job}", pod.namespace), |state| {
            let (code, out) = state.execute(pod, command, "");
            state.jobs.insert(at, (code, out.len() as u64));
            state.files.insert((pod.uid.clone(), format!("{folder}/{job}.out")), out.into_bytes());
            Ok(())
        })
        .await
    }

    async fn poll(&self, pod: &PodRef, _: &str, job: &str) -> Result<JobState, PortError> {
        self.read("poll").await?;
        let is_begun = self.state().jobs.contains_key(&(pod.uid.clone(), job.to_owned()));
        let polled = |(how, polled): &mut (Endless, usize)| (*how, std::mem::replace(polled, *polled + 1));
        let endless = self.script().endless.as_mut().filter(|_| is_begun).map(polled);
        match endless {
            Some((_, 0)) => return Ok(JobState::Running { out: 0, err: 0, read: 0 }),
            Some((Endless::Speaks, _)) => return Ok(JobState::Running { out: 0, err: 5, read: 0 }),
            Some((Endless::Unheard, _)) => return error(PortErrorKind::Unreachable, "cannot poll", "nobody answers"),
            None => {}
        }
        let state = self.state();
        state.has(pod)?;
        Ok(match state.jobs.get(&(pod.uid.clone(), job.to_owned())) {
            Some((code, out)) => JobState::Ended { code: *code, out: *out, err: 0 },
            None => JobState::Absent,
        })
    }

    async fn stop(&self, pod: &PodRef, _: &str, job: &str) -> Result<(), PortError> {
        self.change(format!("stop {} {job}", pod.namespace), |_| Ok(())).await
    }

    async fn digest(&self, pod: &PodRef, path: &str) -> Result<Option<Transferred>, PortError> {
        self.read("digest").await?;
        let state = self.state();
        state.has(pod)?;
        Ok(state.files.get(&(pod.uid.clone(), path.to_owned())).map(|bytes| carried(bytes)))
    }

    async fn download(
        &self,
        pod: &PodRef,
        from: &str,
        to: &Path,
        _: &(dyn Fn(u64) + Send + Sync),
        _: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        self.state().has(pod)?;
        self.change(format!("download {from}"), |state| {
            let bytes = &state.files[&(pod.uid.clone(), from.to_owned())];
            std::fs::write(to, bytes).unwrap();
            Ok(carried(bytes))
        })
        .await
    }

    async fn upload(
        &self,
        pod: &PodRef,
        from: &Path,
        to: &str,
        _: &(dyn Fn(u64) + Send + Sync),
        _: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        self.state().has(pod)?;
        self.change(format!("upload {} {to}", pod.namespace), |state| {
            let bytes = std::fs::read(from).unwrap();
            let done = carried(&bytes);
            state.files.insert((pod.uid.clone(), to.to_owned()), bytes);
            Ok(done)
        })
        .await
    }
}
