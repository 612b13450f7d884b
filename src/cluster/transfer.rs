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

use super::{connect::Cluster, stream::Proof};
use crate::ports::{Collect, Exec, OutputSink, PodRef, PortError, PortErrorKind, Stream, Transferred, remote::Script};
use crate::text::hex;

/// Bytes that are handed to the disk's thread at once: waking it for each chunk would cost as much as the chunk.
const BATCH: usize = 256 * 1024;
/// Batches that may wait for the disk.
const QUEUE: usize = 4;
/// Bytes of an upload that one command carries. A command costs a tenth of a second however little it carries, and one that is cut
/// leaves there what it had brought: smaller ones would be slower and save nothing.
const CHUNK: usize = 8 << 20;
/// With this the script that appends refuses a file of another size.
const MOVED: u8 = 3;
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
    batches: mpsc::Sender<Vec<Bytes>>,
    thread: tokio::task::JoinHandle<std::io::Result<(File, Sha256, u64)>>,
}

impl Writer {
    fn start(mut file: File, mut hash: Sha256, mut bytes: u64) -> Self {
        let (batches, mut queue) = mpsc::channel::<Vec<Bytes>>(QUEUE);
        let thread = tokio::task::spawn_blocking(move || {
            while let Some(batch) = queue.blocking_recv() {
                for chunk in batch {
                    hash.update(&chunk);
                    file.write_all(&chunk)?;
                    bytes += chunk.len() as u64;
                }
            }
            Ok((file, hash, bytes))
        });
        Self { batches, thread }
    }
}

struct ToWriter<'a> {
    writer: &'a Writer,
    /// Not handed over yet, and how much that is.
    batch: Vec<Bytes>,
    waiting: usize,
    bytes: u64,
    told: Instant,
    progress: &'a (dyn Fn(u64) + Send + Sync),
    errors: Vec<u8>,
}

impl ToWriter<'_> {
    async fn hand_over(&mut self) -> Result<(), PortError> {
        self.waiting = 0;
        let full = || PortError::new(PortErrorKind::Io, "cannot write the file here", "the disk refused a write");
        self.writer.batches.send(std::mem::take(&mut self.batch)).await.map_err(|_| full())
    }
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
                self.waiting += chunk.len();
                self.batch.push(chunk);
                if self.waiting >= BATCH {
                    self.hand_over().await?;
                }
                if self.told.elapsed() >= NOTICE {
                    self.told = Instant::now();
                    (self.progress)(self.bytes);
                }
            }
        }
        Ok(())
    }
}

/// A file on its way there.
struct Upload<'a> {
    what: &'a str,
    pod: &'a PodRef,
    from: &'a Path,
    to: &'a str,
    wanted: &'a Transferred,
    progress: &'a (dyn Fn(u64) + Send + Sync),
    cancel: &'a CancellationToken,
}

/// How an upload gets on.
struct Way {
    /// Where the file there ended when that was known last.
    end: u64,
    /// Tries since it last grew.
    fruitless: u32,
}

impl Way {
    fn is_at(&mut self, end: u64) {
        if end > self.end {
            self.fruitless = 0;
        }
        self.end = end;
    }
}

/// The pause before another try, longer each time.
async fn rest(what: &str, tries: u32, cancel: &CancellationToken) -> Result<(), PortError> {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(u64::from(tries))) => Ok(()),
        () = cancel.cancelled() => Err(PortError::new(PortErrorKind::Cancelled, what, "stopped by the operator")),
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
            let mut sink = ToWriter {
                writer: &writer,
                batch: Vec::new(),
                waiting: 0,
                bytes,
                told: Instant::now(),
                progress,
                errors: Vec::new(),
            };
            let offset = bytes.to_string();
            let command = Script::Read.command(&[from, &offset, "9223372036854775807"]);
            let ended = self.acknowledged(pod, (&command, Proof::Hash), &[], &mut sink, cancel).await;
            // what came before a cut counts, too; a disk that refuses says why below
            let _ = sink.hand_over().await;
            let said = crate::text::printable(String::from_utf8_lossy(&sink.errors).trim());
            drop(writer.batches);
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
                    rest(what, 1 + fruitless, cancel).await?;
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
        let upload = Upload { what: &what, pod, from, to, wanted: &wanted, progress, cancel };
        let mut way = Way { end: 0, fruitless: 0 };
        loop {
            match self.go_on(&upload, &mut file, &mut way).await {
                Err(error) if error.is_transient() => {
                    way.fruitless += 1;
                    if way.fruitless > TRIES {
                        return Err(error);
                    }
                    rest(&what, way.fruitless, cancel).await?;
                }
                ended => return ended,
            }
        }
    }

    /// Sends what is not there yet, and proves the whole.
    async fn go_on(&self, upload: &Upload<'_>, file: &mut File, way: &mut Way) -> Result<Transferred, PortError> {
        let (what, wanted) = (upload.what, upload.wanted);
        let mut sent = self.resume_point(what, upload.pod, upload.from, upload.to, wanted).await?;
        way.is_at(sent);
        while sent < wanted.bytes || wanted.bytes == 0 {
            let mut copy = file.try_clone().map_err(|error| io(what, &error))?;
            let chunk = blocking(what, move || {
                let mut chunk = Vec::with_capacity(CHUNK);
                copy.seek(SeekFrom::Start(sent))?;
                copy.take(CHUNK as u64).read_to_end(&mut chunk)?;
                Ok(chunk)
            })
            .await?;
            self.append(upload, sent, &chunk).await?;
            // an empty file, or one that became shorter here: the proof says which
            if chunk.is_empty() {
                break;
            }
            sent += chunk.len() as u64;
            way.is_at(sent);
            (upload.progress)(sent);
        }
        match self.digest(upload.pod, upload.to).await? {
            Some(there) if there == *wanted => Ok(there),
            other => {
                Err(PortError::new(PortErrorKind::Integrity, what, format!("there it is {other:?}, here {wanted:?}")))
            }
        }
    }

    /// Appends a chunk at byte `at`, where the file has to end there.
    async fn append(&self, upload: &Upload<'_>, at: u64, chunk: &[u8]) -> Result<(), PortError> {
        let (mut out, command) = (Collect::new(4096), Script::Write.command(&[upload.to, &at.to_string()]));
        let exit = self.acknowledged(upload.pod, (&command, Proof::Count), chunk, &mut out, upload.cancel).await?;
        match exit.code {
            0 => Ok(()),
            // what an earlier connection still held was brought after it was given up: nothing is wrong with what is there
            MOVED => Err(PortError::new(
                PortErrorKind::ConnectionLost,
                upload.what,
                "the file there does not end where it was left: an earlier connection brought more of it",
            )),
            code => {
                let said = crate::text::printable(out.errors().trim());
                let detail = format!("writing ended with status {code}: {said}");
                Err(PortError::new(PortErrorKind::Other, upload.what, detail))
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
