//! The simulated shell of a container: drydock's constant scripts by their exact text, and simple commands for a human.
//!
//! Owns: words, pipes and redirections of `sh -c`, the small programs, the contracts of assets/remote. Does not own: psql and
//! pg_dump (`database`). Called by `runtime` for exec and by `kubelet` for pods that run a plain command.

mod programs;
mod scripts;
mod streams;
mod words;

use std::{collections::BTreeMap, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::mpsc;

pub use streams::{Broken, Input, Output, PodFile, Streams};

use super::{database, state::Shared};
use words::{Command, Join, Redirect};

/// Folder of the client pod's disk.
pub const CLIENT: &str = "/drydock";
/// What the image has in its PATH.
pub const PROGRAMS: [&str; 31] = [
    "sh",
    "bash",
    "env",
    "echo",
    "cat",
    "ls",
    "pwd",
    "true",
    "false",
    "sleep",
    "date",
    "hostname",
    "whoami",
    "id",
    "head",
    "tail",
    "wc",
    "df",
    "dd",
    "mktemp",
    "mkfifo",
    "sed",
    "cut",
    "sha256sum",
    "setsid",
    "tar",
    "gzip",
    "psql",
    "pg_dump",
    "pg_isready",
    "rm",
];

/// Where a program runs.
#[derive(Clone)]
pub struct Place {
    /// The world.
    pub shared: Arc<Shared>,
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// The pod's uid.
    pub uid: String,
    /// Environment of the program.
    pub env: BTreeMap<String, String>,
}

impl Place {
    /// A file of this pod, emptied, to write to.
    pub fn file(&self, path: &str) -> Output {
        match path {
            "/dev/null" => Output::Null,
            "/dev/full" => Output::Full,
            path => {
                self.shared.change(|state| {
                    if let Some(pod) = state.pods.get_mut(&self.uid) {
                        pod.files.insert(path.to_owned(), Arc::default());
                    }
                });
                self.appended(path)
            }
        }
    }

    /// A file of this pod, to append to.
    pub fn appended(&self, path: &str) -> Output {
        Output::File(PodFile { shared: Arc::clone(&self.shared), uid: self.uid.clone(), path: path.to_owned() })
    }

    /// Content of a file of this pod.
    pub fn read(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        self.shared.look(|state| state.pods.get(&self.uid)?.files.get(path).cloned())
    }
}

/// The program's own name, without the folders in which the image keeps programs.
fn base(name: &str) -> &str {
    ["/usr/local/bin/", "/usr/bin/", "/bin/"].iter().find_map(|folder| name.strip_prefix(folder)).unwrap_or(name)
}

/// Whether the image has a program of this name.
pub fn knows(name: &str) -> bool {
    PROGRAMS.contains(&base(name))
}

/// Runs a program to its end; 127 when there is none of its name.
pub fn run(place: Place, argv: Vec<String>, streams: Streams) -> BoxFuture<'static, u8> {
    async move {
        let Some((name, args)) = argv.split_first() else { return 0 };
        match base(name) {
            "sh" | "bash" => shell(place, args, streams).await,
            "psql" => database::psql(&place, args, streams).await,
            "pg_dump" => database::pg_dump(&place, args, streams).await,
            "env" => env(place, args, streams).await,
            other => match programs::run(&place, other, args, streams).await {
                Ok(status) => status,
                Err(streams) => {
                    streams.err.say(format!("sh: 1: {name}: not found\n")).await;
                    127
                }
            },
        }
    }
    .boxed()
}

async fn env(mut place: Place, args: &[String], streams: Streams) -> u8 {
    let mut rest = args;
    while let Some((name, value)) = rest.first().and_then(|word| word.split_once('=')) {
        place.env.insert(name.to_owned(), value.to_owned());
        rest = &rest[1..];
    }
    if rest.is_empty() {
        let text: String = place.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        streams.out.say(text).await;
        return 0;
    }
    run(place, rest.to_vec(), streams).await
}

async fn shell(place: Place, args: &[String], mut streams: Streams) -> u8 {
    let (text, args) = match args {
        [flag, text, rest @ ..] if flag == "-c" => (text.clone(), rest),
        [] => (String::from_utf8_lossy(&streams.input.all().await).into_owned(), args),
        _ => {
            streams.err.say("sh: 0: drydock practice simulates `sh -c TEXT` and scripts on stdin only\n").await;
            return 2;
        }
    };
    if let Some(script) = scripts::known(&text, args) {
        return scripts::run(place, script, &args[1..], streams).await;
    }
    let list = match words::parse(&text) {
        Ok(list) => list,
        Err(problem) => {
            streams
                .err
                .say(format!("sh: 1: {problem} (drydock practice simulates simple commands and pipelines)\n"))
                .await;
            return 2;
        }
    };
    let mut status = 0;
    let Streams { input, out, err } = streams;
    let mut input = Some(input);
    for (join, pipeline) in list {
        let goes_on = match join {
            Join::Then => true,
            Join::And => status == 0,
            Join::Or => status != 0,
        };
        if goes_on {
            let input = input.take().unwrap_or(Input::Empty);
            status = pipe(&place, &pipeline, args, status, Streams { input, out: out.clone(), err: err.clone() }).await;
        }
    }
    status
}

/// The commands of a pipeline side by side; the last one's status counts.
async fn pipe(place: &Place, pipeline: &[Command], args: &[String], status: u8, streams: Streams) -> u8 {
    let Streams { input, out, err } = streams;
    let mut next = Some(input);
    let mut running = Vec::new();
    for (at, command) in pipeline.iter().enumerate() {
        let input = next.take().unwrap_or(Input::Empty);
        let output = if at + 1 < pipeline.len() {
            let (send, receive) = mpsc::channel(16);
            next = Some(Input::Channel(receive));
            Output::Channel(send)
        } else {
            out.clone()
        };
        running.push(simple(place.clone(), command, args, status, Streams { input, out: output, err: err.clone() }));
    }
    futures::future::join_all(running).await.last().copied().unwrap_or(0)
}

/// One command with its assignments and redirections.
fn simple(
    mut place: Place,
    command: &Command,
    args: &[String],
    status: u8,
    streams: Streams,
) -> BoxFuture<'static, u8> {
    let scope = words::Scope { env: &place.env, args, status };
    let argv: Vec<String> = command.words.iter().flat_map(|word| scope.fields(word)).collect();
    let given: Vec<(String, String)> =
        command.assignments.iter().map(|(name, word)| (name.clone(), scope.joined(word))).collect();
    let redirects: Vec<(Redirect, String)> =
        command.redirects.iter().map(|(redirect, word)| (*redirect, scope.joined(word))).collect();
    place.env.extend(given);
    let mut streams = streams;
    let mut missing = None;
    for (redirect, path) in redirects {
        match redirect {
            Redirect::In => match (path.as_str(), place.read(&path)) {
                ("/dev/null", _) => streams.input = Input::Empty,
                (_, Some(bytes)) => streams.input = Input::Held(bytes.to_vec().into()),
                (_, None) => missing = Some(path),
            },
            Redirect::Out => streams.out = place.file(&path),
            Redirect::Append => streams.out = place.appended(&path),
            Redirect::Err => streams.err = place.file(&path),
            Redirect::ErrToOut => streams.err = streams.out.clone(),
            Redirect::OutToErr => streams.out = streams.err.clone(),
        }
    }
    async move {
        if let Some(path) = missing {
            streams.err.say(format!("sh: 1: cannot open {path}: No such file\n")).await;
            return 2;
        }
        let argv = if argv.first().is_some_and(|word| word == "exec") { argv[1..].to_vec() } else { argv };
        run(place, argv, streams).await
    }
    .boxed()
}

#[cfg(test)]
mod tests;
