//! Small programs for a human who looks around with `kubectl exec`.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Place, Streams};
use crate::practice::database;

/// Runs one of the small programs; gives the streams back when there is none of this name.
pub async fn run(place: &Place, name: &str, args: &[String], mut streams: Streams) -> Result<u8, Streams> {
    let text = match name {
        "true" | ":" => return Ok(0),
        "false" => return Ok(1),
        "exit" => return Ok(args.first().and_then(|code| code.parse().ok()).unwrap_or(0)),
        "pg_isready" => return Ok(is_ready(place, args, &streams).await),
        "sleep" => {
            place.shared.pause(args.first().and_then(|text| text.parse().ok()).unwrap_or(0.0)).await;
            return Ok(0);
        }
        "cat" => return Ok(cat(place, args, streams).await),
        "ls" => return Ok(ls(place, args, &streams).await),
        "head" | "tail" | "wc" | "sha256sum" => return Ok(part(place, name, args, streams).await),
        "rm" => {
            place.shared.change(|state| {
                if let Some(pod) = state.pods.get_mut(&place.uid) {
                    for path in args {
                        pod.files.remove(path);
                    }
                }
            });
            return Ok(0);
        }
        "echo" => {
            let bare = args.first().is_some_and(|arg| arg == "-n");
            let words = &args[usize::from(bare)..];
            words.join(" ") + if bare { "" } else { "\n" }
        }
        "pwd" => "/\n".to_owned(),
        "hostname" => format!("{}\n", place.pod),
        "whoami" => "root\n".to_owned(),
        "id" => "uid=0(root) gid=0(root) groups=0(root)\n".to_owned(),
        "date" => jiff::Timestamp::now().strftime("%a %b %e %H:%M:%S UTC %Y\n").to_string(),
        "df" => {
            "Filesystem      Size  Used Avail Use% Mounted on\noverlay          40G   12G   28G  30% /\n".to_owned()
        }
        _ => {
            streams.input = super::Input::Empty;
            return Err(streams);
        }
    };
    Ok(if streams.out.write(text).await.is_ok() {
        0
    } else {
        streams.err.say(format!("sh: 1: {name}: {name}: I/O error\n")).await;
        1
    })
}

async fn is_ready(place: &Place, args: &[String], streams: &Streams) -> u8 {
    let host = args.iter().position(|arg| arg == "-h").and_then(|at| args.get(at + 1));
    let host = host.or_else(|| place.env.get("PGHOST")).cloned().unwrap_or_default();
    let ready = if host.is_empty() {
        place
            .shared
            .look(|state| state.pods.get(&place.uid).is_some_and(|pod| pod.serves && place.env.contains_key("PGDATA")))
    } else {
        database::is_ready(place, &host)
    };
    let shown = if host.is_empty() { "/var/run/postgresql" } else { &host };
    let said = if ready { "accepting connections" } else { "no response" };
    streams.out.say(format!("{shown}:5432 - {said}\n")).await;
    if ready { 0 } else { 2 }
}

async fn cat(place: &Place, args: &[String], mut streams: Streams) -> u8 {
    let mut status = 0;
    let own = ["-".to_owned()];
    for path in if args.is_empty() { &own[..] } else { args } {
        if path == "-" {
            while let Some(bytes) = streams.input.next().await {
                if streams.out.write(bytes).await.is_err() {
                    return 1;
                }
            }
        } else if let Some(bytes) = place.read(path) {
            if streams.out.write(Bytes::from(bytes.to_vec())).await.is_err() {
                return 1;
            }
        } else {
            streams.err.say(format!("cat: {path}: No such file or directory\n")).await;
            status = 1;
        }
    }
    status
}

async fn ls(place: &Place, args: &[String], streams: &Streams) -> u8 {
    let long = args.iter().any(|arg| arg.starts_with('-') && arg.contains('l'));
    let mut status = 0;
    let own = ["/".to_owned()];
    let paths: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let paths = if paths.is_empty() { own.iter().collect() } else { paths };
    for path in paths {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let mut found: BTreeSet<(String, usize)> = place.shared.look(|state| {
            let files = state.pods.get(&place.uid).map(|pod| &pod.files).into_iter().flatten();
            files
                .filter_map(|(file, bytes)| match file.strip_prefix(&folder) {
                    Some(rest) if !rest.contains('/') => Some((rest.to_owned(), bytes.len())),
                    Some(rest) => Some((rest.split('/').next().unwrap_or_default().to_owned(), 4096)),
                    None if file == path => Some((file.clone(), bytes.len())),
                    None => None,
                })
                .collect()
        });
        if folder == "/" {
            found.extend(
                ["app", "bin", "dev", "etc", "home", "lib", "proc", "root", "tmp", "usr", "var"]
                    .map(|name| (name.to_owned(), 4096)),
            );
        } else if found.is_empty() && !matches!(folder.as_str(), "/tmp/" | "/drydock/" | "/app/" | "/var/") {
            streams.err.say(format!("ls: cannot access '{path}': No such file or directory\n")).await;
            status = 2;
            continue;
        }
        let line = |(name, bytes): &(String, usize)| {
            if long { format!("-rw-r--r-- 1 root root {bytes:>9} {name}\n") } else { format!("{name}\n") }
        };
        streams.out.say(found.iter().map(line).collect::<String>()).await;
    }
    status
}

/// `head`, `tail` and `wc` of files or the input.
async fn part(place: &Place, name: &str, args: &[String], mut streams: Streams) -> u8 {
    let (mut lines, mut amount, mut file) = (true, "10".to_owned(), None);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-l" => lines = true,
            "-c" if name == "wc" => lines = false,
            "-n" | "-c" => {
                lines = arg == "-n";
                rest.next().map(String::as_str).unwrap_or_default().clone_into(&mut amount);
            }
            other => match other.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                Some(number) => number.trim_start_matches(['n', 'c']).clone_into(&mut amount),
                None => file = Some(other),
            },
        }
    }
    let content = match file {
        None => streams.input.all().await,
        Some(path) => {
            let Some(bytes) = place.read(path) else {
                streams.err.say(format!("{name}: cannot open '{path}' for reading: No such file or directory\n")).await;
                return 1;
            };
            bytes.to_vec()
        }
    };
    let from_start = amount.starts_with('+');
    let count: usize = amount.trim_start_matches('+').parse().unwrap_or(0);
    let units: Vec<&[u8]> =
        if lines { content.split_inclusive(|byte| *byte == b'\n').collect() } else { content.chunks(1).collect() };
    let taken: Vec<u8> = match name {
        "wc" => {
            let number = if lines { content.iter().filter(|byte| **byte == b'\n').count() } else { content.len() };
            file.map_or_else(|| format!("{number}\n"), |path| format!("{number} {path}\n")).into_bytes()
        }
        "sha256sum" => {
            use sha2::{Digest, Sha256};
            let hash = crate::text::hex(&Sha256::digest(&content));
            format!("{hash}  {}\n", file.unwrap_or("-")).into_bytes()
        }
        "head" => units.iter().take(count).copied().flatten().copied().collect(),
        _ if from_start => units.iter().skip(count.saturating_sub(1)).copied().flatten().copied().collect(),
        _ => units.iter().skip(units.len().saturating_sub(count)).copied().flatten().copied().collect(),
    };
    u8::from(streams.out.write(taken).await.is_err())
}
