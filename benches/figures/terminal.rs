//! A terminal with one program, of which every chunk is stamped on its arrival; the emulator, which is slow, works later.

use std::{
    io::{Read, Write},
    num::NonZero,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longest time that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the program is meant to be measured in.
pub const COLUMNS: u16 = 80;
pub const ROWS: u16 = 24;

pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    chunks: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    /// When the program was started.
    pub begun: Instant,
    bytes: usize,
}

impl Terminal {
    pub fn start(command: CommandBuilder) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut from = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let (to, chunks) = channel();
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        std::thread::spawn(move || {
            let mut block = vec![0; 64 * 1024];
            while let Ok(n @ 1..) = from.read(&mut block) {
                if to.send((Instant::now(), block[..n].to_vec())).is_err() {
                    return;
                }
            }
        });
        let parser = vt100::Parser::new(NonZero::new(ROWS).unwrap(), NonZero::new(COLUMNS).unwrap(), 0);
        Self { master: pair.master, child, writer, chunks, parser, begun, bytes: 0 }
    }

    /// When the chunk arrived with which the picture was as wanted.
    pub fn until(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) -> Instant {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((at, chunk)) => {
                    self.bytes += chunk.len();
                    self.parser.process(&chunk);
                    if holds(self.parser.screen()) {
                        return at;
                    }
                }
                Err(end) => panic!("no {what} ({end}); the screen is\n{}", self.parser.screen().contents()),
            }
        }
    }

    /// When this text stood on the screen.
    pub fn sees(&mut self, text: &str) -> Instant {
        if self.parser.screen().contents().contains(text) {
            return Instant::now();
        }
        self.until(text, |screen| screen.contents().contains(text))
    }

    /// Writes keys; when.
    pub fn press(&mut self, keys: &str) -> Instant {
        let at = Instant::now();
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        at
    }

    /// Takes in what comes until `time` has passed; how many bytes came.
    pub fn rest(&mut self, time: Duration) -> usize {
        let (deadline, before) = (Instant::now() + time, self.bytes);
        loop {
            match self.chunks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((_, chunk)) => {
                    self.bytes += chunk.len();
                    self.parser.process(&chunk);
                }
                Err(RecvTimeoutError::Timeout) => return self.bytes - before,
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended: {}", self.text()),
            }
        }
    }

    pub fn text(&self) -> String {
        self.parser.screen().contents()
    }

    pub fn process(&self) -> Process {
        Process(self.child.process_id().unwrap())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // what it started goes, too: it has a process group of its own
        let started = self.child.process_id().map(|id| Process(id).children()).unwrap_or_default();
        let _ = self.child.kill();
        let _ = self.child.wait();
        for id in started {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
        let _ = self.master.resize(PtySize::default());
    }
}

/// What the system says about a process.
#[derive(Clone, Copy)]
pub struct Process(pub u32);

impl Process {
    fn read(self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.0)).unwrap_or_default()
    }

    /// A field of its status that counts memory, in bytes: `VmRSS` now, `VmHWM` at most.
    pub fn memory(self, field: &str) -> u64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
    }

    /// Time of processors that it used, in hundredths of a second.
    pub fn ticks(self) -> u64 {
        let stat = self.read("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        field(11) + field(12)
    }

    /// The programs that it started.
    pub fn children(self) -> Vec<rustix::process::Pid> {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", self.0)) else { return Vec::new() };
        let lists = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
        let ids: Vec<i32> = lists
            .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
            .collect();
        ids.into_iter().filter_map(rustix::process::Pid::from_raw).collect()
    }

    /// How many TCP sockets it has; `None` where its files may not be looked at.
    pub fn tcp_sockets(self) -> Option<usize> {
        let known: Vec<String> = ["net/tcp", "net/tcp6"]
            .iter()
            .flat_map(|name| {
                let table = self.read(name);
                let inode = |line: &str| line.split_whitespace().nth(9).map(|inode| format!("socket:[{inode}]"));
                table.lines().skip(1).filter_map(inode).collect::<Vec<_>>()
            })
            .collect();
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.0)).ok()?;
        let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        Some(links.filter(|link| known.iter().any(|socket| link.as_os_str() == socket.as_str())).count())
    }
}

/// Whether a picture is whole: its first row names the program, its last the keys.
pub fn is_whole(screen: &vt100::Screen) -> bool {
    let rows: Vec<String> = screen.rows(0, COLUMNS).collect();
    rows.first().is_some_and(|row| row.contains("drydock"))
        && rows.last().is_some_and(|row| row.contains("leave") || row.contains("? help"))
}

/// A state folder of its own, and programs for the steps of its runbook.
pub struct House {
    place: tempfile::TempDir,
}

impl House {
    pub fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    /// The same below `folder`.
    pub fn below(folder: &std::path::Path) -> Self {
        Self { place: tempfile::tempdir_in(folder).unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// The folder of the only run.
    pub fn run(&self) -> PathBuf {
        let runs = std::fs::read_dir(self.path("state/state/runs")).unwrap();
        runs.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap()
    }

    /// A command with this house's environment; no kubeconfig leads anywhere from it.
    pub fn command(&self, program: &str, args: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        command.env("HOME", self.path("home"));
        command.env("DRYDOCK_STATE_DIR", self.path("state"));
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(self.place.path());
        command
    }
}
