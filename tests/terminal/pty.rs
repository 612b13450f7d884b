//! A terminal of its own for one program, and a house with a state folder and the programs of the runbook.

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZero,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::termios::{LocalModes, tcgetattr};

/// The real program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_drydock");
/// Longest time that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A state folder, the programs of the runbook, and the runbook.
pub struct House {
    place: tempfile::TempDir,
}

impl House {
    /// A new house. `strike` says where it is, then waits until it is let go.
    pub fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let house = Self { place };
        std::fs::create_dir(house.path("bin")).unwrap();
        let (begun, go) = (house.path("begun"), house.path("go"));
        house.script("say", "echo \"said $1\"");
        let strike = format!(
            "echo begun >> {}\nwhile [ ! -e {} ]; do sleep 0.05; done\necho \"struck $1\"",
            begun.display(),
            go.display()
        );
        house.script("strike", &strike);
        std::fs::write(house.path("runbook.yaml"), include_str!("../data/four-steps.yaml")).unwrap();
        house
    }

    fn script(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Lets the second step end.
    pub fn let_go(&self) {
        std::fs::write(self.path("go"), "").unwrap();
    }

    /// How often the second step was begun.
    pub fn strikes(&self) -> usize {
        std::fs::read_to_string(self.path("begun")).map_or(0, |text| text.lines().count())
    }

    /// The journal of the only run.
    pub fn journal(&self) -> String {
        let runs = std::fs::read_dir(self.path("state").join("state").join("runs")).unwrap();
        let folder = runs.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
        std::fs::read_to_string(folder.join("journal.jsonl")).unwrap()
    }

    /// Arguments of a new run.
    pub fn start(&self) -> Vec<String> {
        vec!["start".into(), "--file".into(), self.path("runbook.yaml").display().to_string()]
    }

    /// A command with this house's environment.
    pub fn command(&self, program: &str, args: &[impl AsRef<str>]) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.args(args.iter().map(AsRef::as_ref));
        command.env_clear();
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command.env("HOME", self.path("home"));
        command.env("DRYDOCK_STATE_DIR", self.path("state"));
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(self.place.path());
        command
    }
}

/// A terminal with one program.
pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    /// Kept open, so that modes can be looked at when the program is gone.
    slave: Option<Box<dyn SlavePty + Send>>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    parser: Arc<Mutex<vt100::Parser<Heard>>>,
    bytes: Arc<AtomicUsize>,
    raw: Arc<Mutex<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
}

/// What a terminal hears beside the picture.
#[derive(Default)]
pub struct Heard {
    pub bells: usize,
    pub titles: Vec<String>,
}

impl vt100::Callbacks for Heard {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.titles.push(String::from_utf8_lossy(title).into_owned());
    }
}

impl Pty {
    /// Starts a command in a terminal of this size.
    pub fn start(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let mut from = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let parser =
            Arc::new(Mutex::new(vt100::Parser::new_with_callbacks(cells(rows), cells(columns), 0, Heard::default())));
        let (bytes, raw, stop) =
            (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<u8>>>::default(), Arc::<AtomicBool>::default());
        let reader = {
            let (parser, bytes, raw, stop) =
                (Arc::clone(&parser), Arc::clone(&bytes), Arc::clone(&raw), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut block = [0; 8192];
                while let Ok(n) = from.read(&mut block) {
                    if n == 0 || stop.load(Ordering::SeqCst) {
                        return;
                    }
                    parser.lock().unwrap().process(&block[..n]);
                    raw.lock().unwrap().extend_from_slice(&block[..n]);
                    bytes.fetch_add(n, Ordering::SeqCst);
                }
            })
        };
        Self {
            master: pair.master,
            slave: Some(pair.slave),
            child,
            writer,
            parser,
            bytes,
            raw,
            stop,
            reader: Some(reader),
        }
    }

    /// The program of a house in 80x24.
    pub fn drydock(house: &House, args: &[impl AsRef<str>]) -> Self {
        Self::start(house.command(PROGRAM, args), 80, 24)
    }

    /// Writes bytes as a keyboard does; with a pause behind, so that nothing counts as typed ahead.
    pub fn keys(&mut self, keys: &str) {
        for key in split(keys) {
            // keys before a screen could be read are thrown away there
            std::thread::sleep(Duration::from_millis(350));
            self.writer.write_all(key.as_bytes()).unwrap();
            self.writer.flush().unwrap();
        }
    }

    /// Writes a line as a whole, to a shell.
    pub fn line(&mut self, line: &str) {
        self.writer.write_all(format!("{line}\r").as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// The picture as text, each row without the blanks at its end.
    pub fn text(&self) -> String {
        let contents = self.parser.lock().unwrap().screen().contents();
        contents.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// What was heard beside the picture.
    pub fn heard<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(self.parser.lock().unwrap().callbacks())
    }

    /// Everything that was written, as it came.
    pub fn raw(&self) -> Vec<u8> {
        self.raw.lock().unwrap().clone()
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Waits until the picture holds a text.
    pub fn sees(&self, text: &str) {
        self.until(&format!("`{text}` on the screen"), || self.text().contains(text));
    }

    /// Waits until something holds.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "no {what}; the screen is\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Another size of the window.
    pub fn resize(&self, columns: u16, rows: u16) {
        // the emulator first: the program repaints as soon as it hears
        self.parser.lock().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// The program's id.
    pub fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap()
    }

    /// Id of the only program that this program runs.
    pub fn id_of_child(&self) -> rustix::process::Pid {
        let id = self.child.process_id().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        rustix::process::Pid::from_raw(children.trim().parse().unwrap()).unwrap()
    }

    /// Waits for the program's end; the picture is then whole.
    pub fn ends(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(100));
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end; the screen is\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether the terminal is as a shell wants it: lines and echo, main screen, a cursor, no pasting in brackets.
    pub fn is_given_back(&self) -> bool {
        let tty =
            File::options().read(true).write(true).custom_flags(0o400).open(self.master.tty_name().unwrap()).unwrap();
        let modes = tcgetattr(&tty).unwrap().local_modes;
        let parser = self.parser.lock().unwrap();
        let screen = parser.screen();
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
            && !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
    }

    /// Closes the terminal as a window that is closed: nobody holds its other end any more. Returns the program.
    pub fn close(mut self) -> Box<dyn Child + Send + Sync> {
        self.stop.store(true, Ordering::SeqCst);
        // the next byte wakes the reader, which then lets go
        self.writer.write_all(b"?").unwrap();
        self.reader.take().unwrap().join().unwrap();
        drop(self.slave.take());
        let Self { master, writer, child, .. } = self;
        drop((writer, master));
        child
    }
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

/// Keys one by one: an escape sequence is one of them.
fn split(keys: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut rest = keys.chars().peekable();
    while let Some(c) = rest.next() {
        let mut key = c.to_string();
        if c == '\u{1b}' && rest.peek() == Some(&'[') {
            for c in rest.by_ref() {
                key.push(c);
                if c.is_ascii_alphabetic() || c == '~' {
                    break;
                }
            }
        }
        out.push(key);
    }
    out
}

/// Waits for the end of a program without a terminal.
pub fn wait(child: &mut Box<dyn Child + Send + Sync>) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE, "the program does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a file is there before long.
pub fn appears(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}
