//! The constant scripts of `ports::remote`, recognised by their exact text and name, with the same contracts.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::{Input, Output, PROGRAMS, Place, Streams};
use crate::{
    ports::remote::Script,
    practice::{faults::Fault, network, state::Job},
};

/// Bytes that go out at once.
const PIECE: usize = 32 * 1024;
/// Room of a container's disk.
const ROOM: u64 = 8 << 30;

/// The script that this text with these arguments is.
pub fn known(text: &str, args: &[String]) -> Option<Script> {
    let name = args.first()?;
    Script::ALL.into_iter().find(|script| script.name() == name && script.command(&[])[2] == text)
}

/// Runs a script.
pub async fn run(place: Place, script: Script, args: &[String], streams: Streams) -> u8 {
    let at = |index: usize| args.get(index).map(String::as_str).unwrap_or_default();
    match script {
        Script::Run => acknowledged(place, args, streams).await,
        Script::Env => renamed(place, args, streams).await,
        Script::Start => start(&place, args),
        Script::Poll => {
            let answer = poll(&place, &format!("{}/{}", at(0), at(1)));
            streams.out.say(answer).await;
            0
        }
        Script::Stop => {
            stop(&place, &format!("{}/{}", at(0), at(1)));
            0
        }
        Script::Read => read(&place, at(0), at(1), at(2), &streams).await,
        Script::Write => write(&place, at(0), at(1), streams).await,
        Script::Digest => {
            let answer = match place.read(at(0)) {
                None => "absent\n".to_owned(),
                Some(bytes) => {
                    let hash = crate::text::hex(&Sha256::digest(bytes.as_slice()));
                    format!("{} {hash}\n", bytes.len())
                }
            };
            streams.out.say(answer).await;
            0
        }
        Script::Probe => {
            let asked = args.get(1..).unwrap_or_default();
            let answer: String = asked
                .iter()
                .filter(|name| PROGRAMS.contains(&name.as_str()))
                .map(|name| format!("program {name}\n"))
                .collect();
            let first = if place.env.contains_key("PGDATA") { "postgres" } else { "sh" };
            let used: usize = place.shared.look(|state| {
                state.pods.get(&place.uid).map_or(0, |pod| pod.files.values().map(|bytes| bytes.len()).sum())
            });
            let free = ROOM.saturating_sub(used as u64);
            streams.out.say(format!("{answer}first {first}\nfree {free}\n")).await;
            0
        }
        Script::Reach => {
            for target in args {
                let word = if network::reaches(&place.shared, &place.namespace, target) { "reached" } else { "closed" };
                streams.out.say(format!("{target} {word}\n")).await;
            }
            0
        }
    }
}

/// `NONCE INPUT_BYTES count|pass CMD…`: the acknowledged stream.
async fn acknowledged(place: Place, args: &[String], streams: Streams) -> u8 {
    let [nonce, length, output, command @ ..] = args else { return 125 };
    let length: usize = length.parse().unwrap_or(0);
    let Streams { mut input, out, err } = streams;
    let (feed, fed) = mpsc::channel::<Bytes>(16);
    let (send, mut receive) = mpsc::channel::<Bytes>(16);
    let inner = Streams { input: Input::Channel(fed), out: Output::Channel(send), err: err.clone() };
    let name = command.first().cloned().unwrap_or_default();
    let work = async {
        if !name.is_empty() && !super::knows(&name) {
            inner.err.say(format!("setsid: failed to execute {name}: No such file or directory\n")).await;
            return 127;
        }
        super::run(place, command.to_vec(), inner).await
    };
    let carry = async {
        let mut bytes = 0;
        while let Some(chunk) = receive.recv().await {
            bytes += chunk.len();
            if out.write(chunk).await.is_err() {
                break;
            }
        }
        bytes
    };
    let given = async {
        let mut left = length;
        while left > 0 {
            let mut bytes = input.next().await?;
            let part = bytes.split_to(left.min(bytes.len()));
            left -= part.len();
            // a command that reads no more is given no more
            let _ = feed.send(part).await;
            if left == 0 {
                return Some(bytes);
            }
        }
        drop(feed);
        Some(Bytes::new())
    };
    let both = futures::future::join(work, carry);
    tokio::pin!(both);
    let mut ended = None;
    let early = {
        tokio::pin!(given);
        loop {
            tokio::select! {
                done = &mut both, if ended.is_none() => ended = Some(done),
                early = &mut given => break early,
            }
        }
    };
    let mut acknowledged = early.as_ref().is_some_and(|bytes| bytes.contains(&b'\n'));
    let (status, bytes) = loop {
        if let Some(done) = ended {
            break done;
        }
        tokio::select! {
            done = &mut both => ended = Some(done),
            said = input.next(), if early.is_some() && !acknowledged => match said {
                Some(bytes) => acknowledged = bytes.contains(&b'\n'),
                // the end of stdin is the order to stop
                None => return 0,
            },
        }
    };
    // cut before its end: the command has taken in what came, and nobody hears of it
    if early.is_none() {
        return 0;
    }
    let bytes = if output == "count" { bytes.to_string() } else { "-".to_owned() };
    out.say(format!("{nonce}:{status}:{bytes}\n")).await;
    while !acknowledged {
        match input.next().await {
            Some(bytes) => acknowledged = bytes.contains(&b'\n'),
            None => return 0,
        }
    }
    0
}

/// `NAME=FROM … -- CMD…`
async fn renamed(mut place: Place, args: &[String], streams: Streams) -> u8 {
    let mut rest = args;
    while let Some((pair, after)) = rest.split_first() {
        rest = after;
        if pair == "--" {
            return super::run(place, rest.to_vec(), streams).await;
        }
        let Some((name, from)) = pair.split_once('=') else { return 126 };
        let value = place.env.get(from).cloned().unwrap_or_default();
        place.env.insert(name.to_owned(), value);
    }
    126
}

fn start(place: &Place, args: &[String]) -> u8 {
    let [folder, job, command @ ..] = args else { return 1 };
    let file = format!("{folder}/{job}");
    let (out, err) = (format!("{file}.out"), format!("{file}.err"));
    let inner = Streams { input: Input::Empty, out: place.appended(&out), err: place.appended(&err) };
    let (there, argv, path) = (place.clone(), command.to_vec(), file.clone());
    let work = async move {
        let status = super::run(there.clone(), argv, inner).await;
        there.shared.change(|state| {
            if let Some(pod) = state.pods.get_mut(&there.uid) {
                pod.append(&format!("{path}.status"), format!("{status}\n").as_bytes());
                pod.jobs.remove(&path);
            }
        });
    };
    // at once: of two starts together one begins
    let known = place.shared.change(|state| {
        let pod = state.pods.get_mut(&place.uid)?;
        let pid = format!("{file}.pid");
        if pod.files.contains_key(&pid) {
            return Some(());
        }
        let number = 100 + pod.files.len();
        pod.append(&pid, format!("{number} 4711\n").as_bytes());
        for path in [out, err] {
            pod.files.insert(path, Arc::default());
        }
        // what is loaded here is read at once
        let words = command.iter().flat_map(|word| word.split('\'')).filter(|word| word.starts_with(folder));
        let read = words.map(|path| pod.length(path)).max().unwrap_or(0);
        pod.jobs.insert(file.clone(), Arc::new(Job::new(AbortOnDropHandle::new(tokio::spawn(work)), read)));
        Some(())
    });
    u8::from(known.is_none())
}

fn poll(place: &Place, file: &str) -> String {
    place.shared.look(|state| {
        let Some(pod) = state.pods.get(&place.uid) else { return "absent\n".to_owned() };
        if !pod.files.contains_key(&format!("{file}.pid")) {
            return "absent\n".to_owned();
        }
        let (out, err) = (pod.length(&format!("{file}.out")), pod.length(&format!("{file}.err")));
        match pod.files.get(&format!("{file}.status")) {
            Some(code) => format!("ended {} {out} {err}\n", String::from_utf8_lossy(code).trim()),
            None => match pod.jobs.get(file) {
                Some(job) => format!("running {out} {err} {}\n", job.read),
                None => "lost\n".to_owned(),
            },
        }
    })
}

fn stop(place: &Place, file: &str) {
    place.shared.change(|state| {
        if let Some(pod) = state.pods.get_mut(&place.uid)
            && pod.jobs.remove(file).is_some()
        {
            pod.append(&format!("{file}.status"), b"143\n");
        }
    });
}

async fn read(place: &Place, path: &str, offset: &str, length: &str, streams: &Streams) -> u8 {
    let Some(bytes) = place.read(path) else {
        // the status of a pipe is its last command's, and head is content with nothing
        streams.err.say(format!("tail: cannot open '{path}' for reading: No such file or directory\n")).await;
        return 0;
    };
    let from = offset.parse().unwrap_or(0).min(bytes.len());
    let to = from.saturating_add(length.parse().unwrap_or(usize::MAX)).min(bytes.len());
    let mut part = bytes[from..to].to_vec();
    let of_a_job = std::path::Path::new(path).extension().is_some_and(|ending| ending == "out");
    if of_a_job && !part.is_empty() && place.shared.faults.strikes(Fault::CorruptedDump) {
        let at = part.len() / 2;
        part[at] ^= 1;
    }
    for piece in part.chunks(PIECE) {
        if streams.out.write(Bytes::copy_from_slice(piece)).await.is_err() {
            return 141;
        }
    }
    0
}

async fn write(place: &Place, path: &str, offset: &str, mut streams: Streams) -> u8 {
    let file = if offset == "0" { place.file(path) } else { place.appended(path) };
    let size = place.read(path).map_or(0, |bytes| bytes.len());
    if size.to_string() != offset {
        return 3;
    }
    while let Some(bytes) = streams.input.next().await {
        if file.write(bytes).await.is_err() {
            streams.err.say("cat: write error: No space left on device\n").await;
            return 1;
        }
    }
    let size = place.read(path).map_or(0, |bytes| bytes.len());
    streams.out.say(format!("{size}\n")).await;
    0
}
