//! `pix-dump-data.sh` and `pix-restore-data.sh`: the same usage, the same lines, and the same carelessness: whatever happens
//! in the pod, they end with status 0 and a cheerful word.

use bytes::Bytes;
use tokio::{io::AsyncWriteExt, sync::mpsc};

use super::{Machine, Said};
use crate::{
    ports::{PortError, PortErrorKind, Program},
    practice::{
        containers::{Containers, End, Io},
        objects::Key,
        runtime::Runtime,
    },
};

/// The texts, for the folder that the runbook's input names. They are shown, never run.
pub const FILES: [(&str, &str); 2] = [
    ("pix-dump-data.sh", include_str!("../../../assets/practice/pix-dump-data.sh")),
    ("pix-restore-data.sh", include_str!("../../../assets/practice/pix-restore-data.sh")),
];

const CONNECT: &str = "-h $PIX_DB_HOST -U $PIX_DB_USER";

/// `[-k POD] NAMESPACE …`
fn arguments(args: &[String]) -> (Option<&str>, Vec<&str>) {
    match args {
        [flag, pod, rest @ ..] if flag == "-k" => (Some(pod), rest.iter().map(String::as_str).collect()),
        rest => (None, rest.iter().map(String::as_str).collect()),
    }
}

fn io_error(what: &str, error: &std::io::Error) -> PortError {
    PortError::new(PortErrorKind::Io, what, error.to_string())
}

/// Where a pod's output goes.
enum To {
    File(tokio::fs::File),
    Nowhere,
    Screen,
}

/// `kubectl exec -i … -- sh -c TEXT`; the status, which the scripts do not look at.
async fn kubectl(
    runtime: &Runtime,
    said: &mut Said<'_>,
    (namespace, pod): (&str, &str),
    text: &str,
    input: Vec<u8>,
    mut to: To,
) -> Result<u8, PortError> {
    let Some(object) = runtime.0.objects.get(&Key::new("", "pods", Some(namespace), pod)) else {
        said.err(format!("Error from server (NotFound): pods \"{pod}\" not found\n")).await?;
        return Ok(1);
    };
    let ((give, stdin), (stdout, mut out), (stderr, mut err)) =
        (mpsc::channel(4), mpsc::channel::<Bytes>(16), mpsc::channel::<Bytes>(16));
    // one chunk, then the end of the input
    let _ = give.send(Bytes::from(input)).await;
    drop(give);
    let command = ["sh".to_owned(), "-c".to_owned(), text.to_owned()];
    let work = runtime.exec(&object, "", &command, Io { stdin, stdout, stderr });
    let carry = async {
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            tokio::select! {
                chunk = out.recv(), if out_open => match chunk {
                    None => out_open = false,
                    Some(chunk) => match &mut to {
                        To::Nowhere => {}
                        To::Screen => said.out(chunk).await?,
                        To::File(file) => file.write_all(&chunk).await.map_err(|error| io_error("cannot write the script's file", &error))?,
                    },
                },
                chunk = err.recv(), if err_open => match chunk {
                    None => err_open = false,
                    Some(chunk) => said.err(chunk).await?,
                },
            }
        }
        if let To::File(file) = &mut to {
            file.flush().await.map_err(|error| io_error("cannot write the script's file", &error))?;
        }
        Ok::<(), PortError>(())
    };
    let (end, carried) = futures::future::join(work, carry).await;
    carried?;
    match end {
        End::Exit(0) => Ok(0),
        End::Exit(code) => {
            said.err(format!("command terminated with exit code {code}\n")).await?;
            Ok(code)
        }
        End::NotStarted(problem) => {
            said.err(format!("error: Internal error occurred: {problem}\n")).await?;
            Ok(1)
        }
    }
}

/// What the scripts say where docker would be.
async fn no_docker(said: &mut Said<'_>) -> Result<(), PortError> {
    said.err("docker: command not found (practice plays the cloud form only: -k POD)\n").await
}

/// A size as `ls -lh` prints it.
fn human(bytes: u64) -> String {
    match bytes {
        b if b < 1024 => b.to_string(),
        b if b < 1024 * 1024 => format!("{}K", b.div_ceil(1024)),
        b => format!("{}.{}M", b / (1 << 20), b % (1 << 20) * 10 / (1 << 20)),
    }
}

/// Runs `pix-dump-data.sh`.
pub async fn dump(runtime: &Runtime, program: &Program, said: &mut Said<'_>) -> Result<u8, PortError> {
    let (pod, rest) = arguments(&program.args);
    let Some(namespace) = rest.first().copied().filter(|name| !name.is_empty()) else {
        said.out(format!("usage: {} [-k <k8s-pixelcore-pod-name>] <namespace>\n", program.program)).await?;
        return Ok(1);
    };
    let names = [format!("db-data.sql-{namespace}"), format!("object_properties_history.csv-{namespace}")];
    let commands = [
        (
            "Dumping database...",
            format!(
                "PGPASSWORD=$PIX_DB_PASSWORD pg_dump {CONNECT} --data-only --disable-triggers -T schema_version -T \"object_properties_history*\" $PIX_DB_NAME"
            ),
        ),
        (
            "Dumping object_properties_history...",
            format!(
                "PGPASSWORD=$PIX_DB_PASSWORD psql {CONNECT} -d $PIX_DB_NAME -c \"\\\\copy (select * from object_properties_history) to stdout with csv header\""
            ),
        ),
    ];
    for (name, (line, command)) in names.iter().zip(commands) {
        said.out(format!("{line}\n")).await?;
        let file = tokio::fs::File::create(program.folder.join(name))
            .await
            .map_err(|error| io_error("cannot write the script's file", &error))?;
        match pod {
            Some(pod) => {
                kubectl(runtime, said, (namespace, pod), &command, Vec::new(), To::File(file)).await?;
            }
            None => no_docker(said).await?,
        }
    }
    said.out("Done:\n").await?;
    for name in &names {
        let size = tokio::fs::metadata(program.folder.join(name)).await.map_or(0, |meta| meta.len());
        let now = jiff::Zoned::now().strftime("%b %e %H:%M").to_string();
        said.out(format!("-rw-r--r-- 1 root root {:>4} {now} {name}\n", human(size))).await?;
    }
    Ok(0)
}

/// Runs `pix-restore-data.sh`.
pub async fn restore(runtime: &Runtime, program: &Program, said: &mut Said<'_>) -> Result<u8, PortError> {
    let (pod, rest) = arguments(&program.args);
    let [namespace, db, history] = rest.as_slice() else {
        said.out(format!(
            "usage: {} [-k <k8s-pixelcore-pod-name>] <namespace> <db-data.sql> <object_properties_history.csv>\n",
            program.program
        ))
        .await?;
        return Ok(1);
    };
    let Some(pod) = pod else {
        no_docker(said).await?;
        return Ok(0);
    };
    let at = (*namespace, pod);
    let psql = format!("PGPASSWORD=$PIX_DB_PASSWORD psql -q {CONNECT} -d $PIX_DB_NAME");
    let mut read = Vec::new();
    for name in [db, history] {
        let found = tokio::fs::read(program.folder.join(name)).await;
        if found.is_err() {
            said.err(format!("{}: line 39: {name}: No such file or directory\n", program.program)).await?;
        }
        read.push(found.unwrap_or_default());
    }
    let (rows, dump) = (read.pop().unwrap_or_default(), read.pop().unwrap_or_default());
    let text = String::from_utf8_lossy(&dump);
    let tables: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("COPY public"))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let empty = format!("truncate {}, object_properties_history;\n", tables.join(","));
    kubectl(runtime, said, at, &psql, empty.into_bytes(), To::Screen).await?;
    said.out("Restoring database...\n").await?;
    kubectl(runtime, said, at, &psql, dump.clone(), To::Nowhere).await?;
    said.out("Restoring object_properties_history...\n").await?;
    let columns = rows
        .split(|byte| *byte == b'\n')
        .next()
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .unwrap_or_default();
    let copy = format!("{psql} -c '\\copy object_properties_history ({columns}) from stdin with csv header'");
    kubectl(runtime, said, at, &copy, rows, To::Screen).await?;
    let serial = "select setval(pg_get_serial_sequence('object_properties_history', 'id'), (select max(id) from object_properties_history));\n";
    kubectl(runtime, said, at, &psql, serial.as_bytes().to_vec(), To::Nowhere).await?;
    said.out("Restore complete.\n").await?;
    Ok(0)
}

impl Machine {
    /// The host of a world.
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime }
    }
}
