//! The output of steps: one file each, written by a thread of its own through a bounded queue, told at most ten times a
//! second.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use crate::run::{Event, OutputLine, StepId};

/// Lines that may wait for the disk.
const QUEUE: usize = 4096;
/// Least time between two notices.
const NOTICE: Duration = Duration::from_millis(100);

enum Job {
    Line(StepId, OutputLine),
    Flush(oneshot::Sender<()>),
}

/// The writer's handle.
pub struct OutputLog {
    jobs: mpsc::Sender<Job>,
    folder: PathBuf,
}

impl OutputLog {
    /// Starts the writer for files in `folder`.
    pub fn start(folder: PathBuf, events: mpsc::Sender<Event>) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let into = folder.clone();
        std::thread::spawn(move || write_all(&into, queue, &events));
        Self { jobs, folder }
    }

    /// The file of a step.
    pub fn file(&self, step: &StepId) -> PathBuf {
        file(&self.folder, step)
    }

    /// Queues a line; waits while the disk is behind.
    pub async fn write(&self, step: StepId, line: OutputLine) {
        let _ = self.jobs.send(Job::Line(step, line)).await;
    }

    /// Waits until everything queued is in the file.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.jobs.send(Job::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

struct Open {
    file: BufWriter<File>,
    bytes: u64,
    told: u64,
    at: Instant,
}

impl Open {
    fn tell(&mut self, step: &StepId, events: &mpsc::Sender<Event>) {
        if self.told != self.bytes && self.file.flush().is_ok() {
            let event = Event::OutputChanged { step: step.clone(), bytes: self.bytes };
            if super::core::has_room(events) && events.try_send(event).is_ok() {
                self.told = self.bytes;
            }
        }
        self.at = Instant::now();
    }
}

fn write_all(folder: &Path, mut queue: mpsc::Receiver<Job>, events: &mpsc::Sender<Event>) {
    let mut files: HashMap<StepId, Open> = HashMap::new();
    while let Some(job) = queue.blocking_recv() {
        match job {
            Job::Line(step, line) => {
                let open = match files.entry(step.clone()) {
                    std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                    std::collections::hash_map::Entry::Vacant(entry) => match open(folder, &step) {
                        Ok(file) => entry.insert(file),
                        Err(error) => {
                            tracing::error!(%error, step = %step, "cannot open the output file");
                            continue;
                        }
                    },
                };
                let text = line.encode();
                match open.file.write_all(text.as_bytes()) {
                    Ok(()) => open.bytes += text.len() as u64,
                    Err(error) => tracing::error!(%error, step = %step, "cannot write the output file"),
                }
                if queue.is_empty() && open.at.elapsed() < NOTICE / 10 {
                    // the last line of a burst has to be told, too: there may be none after it for long
                    std::thread::sleep(NOTICE / 10);
                }
                if open.at.elapsed() >= NOTICE || queue.is_empty() {
                    open.tell(&step, events);
                }
            }
            Job::Flush(done) => {
                for (step, open) in &mut files {
                    open.tell(step, events);
                }
                let _ = done.send(());
            }
        }
    }
}

fn file(folder: &Path, step: &StepId) -> PathBuf {
    folder.join(format!("{step}.log"))
}

fn open(folder: &Path, step: &StepId) -> std::io::Result<Open> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(file(folder, step))?;
    let bytes = file.metadata()?.len();
    Ok(Open { file: BufWriter::with_capacity(64 * 1024, file), bytes, told: bytes, at: Instant::now() })
}
