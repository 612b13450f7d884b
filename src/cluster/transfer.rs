//! Files between a container and this machine: resumed at the last whole byte, hashed on both sides, whole or not there.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::connect::Cluster;
use crate::ports::{Exec, OutputSink, PodRef, PortError, PortErrorKind, Stream, Transferred, remote::Script};
use crate::text::hex;

/// Chunks that may wait for the disk.
const QUEUE: usize = 32;
/// Bytes of an upload that one command carries.
const CHUNK: usize = 8 << 20;
/// Tries without a single new byte after which a transfer gives up.
const TRIES: u32 = 5;
/// Least time between two notices of progress.
const NOTICE: Duration = Duration::from_millis(500);

fn io(what: &str, error: &std::io::Error) -> PortError {
    PortError::new(PortErrorKind::Io, what, error.to_string())
}

/// The same for a file that grew here. On a full disk what came is thrown away: the journal needs room to tell of it.
fn unwritten(what: &str, part: &Path, error: &std::io::Error) -> PortError {
    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let thrown = if full && std::fs::remove_file(part).is_ok() { "; what came is thrown away" } else { "" };
    PortError::new(PortErrorKind::Io, what, format!("cannot write {}: {error}{thrown}", part.display()))
}

/// A file that grows: hashed and written on a thread of its own, behind a bounded queue.
struct Writer {
    chunks: mpsc::Sender<Bytes>,
    thread: tokio::task::JoinHandle<std::io::Result<(File, Sha256, u64)>>,
}

impl Writer {
    fn start(mut file: File, mut hash: Sha256, mut bytes: u64) -> Self {
        let (chunks, mut queue) = mpsc::channel::<Bytes>(QUEUE);
        let thread = tokio::task::spawn_blocking(move || {
            while let Some(chunk) = queue.blocking_recv() {
                hash.update(&chunk);
                file.write_all(&chunk)?;
                bytes += chunk.len() as u64;
            }
            Ok((file, hash, bytes))
        });
        Self { chunks, thread }
    }
}

struct ToWriter<'a> {
    writer: &'a Writer,
    bytes: u64,
    told: Instant,
    progress: &'a (dyn Fn(u64) + Send + Sync),
    errors: Vec<u8>,
}

#[async_trait]
impl OutputSink for ToWriter<'_> {
    async fn take(&mut self, stream: Stream, chunk: Bytes) -> Result<(), PortError> {
        match stream {
            Stream::Err => {
                let room = 4096usize.saturating_sub(self.errors.len()).min(chunk.len());
                self.errors.extend_from_slice(&chunk[..room]);
            }
            Stream::Out => {
                self.bytes += chunk.len() as u64;
                let full =
                    || PortError::new(PortErrorKind::Io, "cannot write the file here", "the disk refused a write");
                self.writer.chunks.send(chunk).await.map_err(|_| full())?;
                if self.told.elapsed() >= NOTICE {
                    self.told = Instant::now();
                    (self.progress)(self.bytes);
                }
            }
        }
        Ok(())
    }
}

/// Hash and number of the bytes up to the reader's end.
fn hash_all(mut reader: impl Read) -> std::io::Result<(Sha256, u64)> {
    let (mut hash, mut bytes, mut block) = (Sha256::new(), 0u64, vec![0u8; 1 << 20]);
    loop {
        let n = reader.read(&mut block)?;
        if n == 0 {
            return Ok((hash, bytes));
        }
        hash.update(&block[..n]);
        bytes += n as u64;
    }
}

/// Opens `path` for going on, with the hash of what it holds.
fn reopen(path: &Path) -> std::io::Result<(File, Sha256, u64)> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let (hash, bytes) = hash_all(&file)?;
    Ok((file, hash, bytes))
}

/// Flushes the file and gives it its name; durable when it returns.
fn settle(file: &File, part: &Path, to: &Path) -> std::io::Result<()> {
    file.sync_all()?;
    std::fs::rename(part, to)?;
    File::open(to.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()
}

async fn blocking<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, PortError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| io(what, &error)),
        Err(error) => Err(PortError::new(PortErrorKind::Other, what, error.to_string())),
    }
}

impl Cluster {
    pub(super) async fn fetch(
        &self,
        pod: &PodRef,
        from: &str,
        to: &Path,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        let what = format!("cannot fetch {from} of pod {}", pod.pod);
        // the other side hashes while the bytes travel
        let there = self.digest(pod, from);
        let here = self.receive(&what, pod, from, to, progress, cancel);
        let (there, (part, file, hash, bytes)) = tokio::try_join!(there, here)?;
        let Some(there) = there else {
            return Err(PortError::new(PortErrorKind::NotFound, what, "there is no such file"));
        };
        let sha256 = hex(&hash.finalize());
        if there.bytes != bytes || there.sha256 != sha256 {
            let _ = std::fs::remove_file(&part);
            let detail = format!(
                "{} bytes with hash {} there, {bytes} with {sha256} here; what came is thrown away",
                there.bytes, there.sha256
            );
            return Err(PortError::new(PortErrorKind::Integrity, what, detail));
        }
        let to = to.to_owned();
        blocking(&what, move || settle(&file, &part, &to)).await?;
        progress(bytes);
        Ok(there)
    }

    /// Receives the whole file into `to` + `.part`, going on after a cut.
    async fn receive(
        &self,
        what: &str,
        pod: &PodRef,
        from: &str,
        to: &Path,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<(PathBuf, File, Sha256, u64), PortError> {
        let mut part = to.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let opened = part.clone();
        let (mut file, mut hash, mut bytes) = blocking(what, move || reopen(&opened)).await?;
        let mut fruitless = 0;
        loop {
            let writer = Writer::start(file, hash, bytes);
            let mut sink = ToWriter { writer: &writer, bytes, told: Instant::now(), progress, errors: Vec::new() };
            let offset = bytes.to_string();
            let command = Script::Read.command(&[from, &offset, "9223372036854775807"]);
            let ended = self.acknowledged(pod, &command, &[], &mut sink, cancel).await;
            let said = crate::text::printable(String::from_utf8_lossy(&sink.errors).trim());
            drop(writer.chunks);
            let before = bytes;
            (file, hash, bytes) = match writer.thread.await {
                Ok(done) => done.map_err(|error| unwritten(what, &part, &error))?,
                Err(error) => return Err(PortError::new(PortErrorKind::Other, what, error.to_string())),
            };
            match ended {
                Ok(exit) if exit.code == 0 => return Ok((part, file, hash, bytes)),
                Ok(exit) => {
                    return Err(PortError::new(
                        PortErrorKind::Other,
                        what,
                        format!("reading ended with status {}: {said}", exit.code),
                    ));
                }
                Err(error) if error.is_transient() => {
                    fruitless = if bytes > before { 0 } else { fruitless + 1 };
                    if fruitless >= TRIES {
                        return Err(error);
                    }
                    tokio::time::sleep(Duration::from_secs(u64::from(1 + fruitless))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) async fn put(
        &self,
        pod: &PodRef,
        from: &Path,
        to: &str,
        progress: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        let what = format!("cannot send {} to pod {}", from.display(), pod.pod);
        let path = from.to_owned();
        let (mut file, hash, total) = blocking(&what, move || {
            let file = File::open(&path)?;
            let (hash, bytes) = hash_all(&file)?;
            Ok((file, hash, bytes))
        })
        .await?;
        let wanted = Transferred { bytes: total, sha256: hex(&hash.finalize()) };
        let mut sent = self.resume_point(&what, pod, from, to, &wanted).await?;
        let mut fruitless = 0;
        while sent < total || total == 0 {
            if cancel.is_cancelled() {
                return Err(PortError::new(PortErrorKind::Cancelled, what, "stopped by the operator"));
            }
            let (back, chunk) = blocking(&what, move || {
                let mut chunk = Vec::with_capacity(CHUNK);
                file.seek(SeekFrom::Start(sent))?;
                (&file).take(CHUNK as u64).read_to_end(&mut chunk)?;
                Ok((file, chunk))
            })
            .await?;
            file = back;
            match self.script(pod, Script::Write, &[to, &sent.to_string()], &chunk).await {
                Ok(_) => {
                    sent += chunk.len() as u64;
                    fruitless = 0;
                    progress(sent);
                }
                Err(error) if error.is_transient() && fruitless < TRIES => {
                    fruitless += 1;
                    tokio::time::sleep(Duration::from_secs(u64::from(fruitless))).await;
                    sent = self.resume_point(&what, pod, from, to, &wanted).await?;
                }
                Err(error) => return Err(error),
            }
            if total == 0 {
                break;
            }
        }
        match self.digest(pod, to).await? {
            Some(there) if there == wanted => Ok(there),
            other => {
                Err(PortError::new(PortErrorKind::Integrity, what, format!("there it is {other:?}, here {wanted:?}")))
            }
        }
    }

    /// How many bytes of the file are there already, proven by their hash; 0 if what is there is something else.
    async fn resume_point(
        &self,
        what: &str,
        pod: &PodRef,
        from: &Path,
        to: &str,
        wanted: &Transferred,
    ) -> Result<u64, PortError> {
        let Some(there) = self.digest(pod, to).await? else { return Ok(0) };
        if there.bytes > wanted.bytes {
            return Ok(0);
        }
        let (path, bytes) = (from.to_owned(), there.bytes);
        let prefix = blocking(what, move || Ok(hex(&hash_all(File::open(path)?.take(bytes))?.0.finalize()))).await?;
        Ok(if prefix == there.sha256 { there.bytes } else { 0 })
    }
}
