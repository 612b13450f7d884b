//! A terminal of its own for one program: what it draws, read by an emulator; keys, typed as a person types; its end.
//!
//! Used by every test program that sits at a terminal, by `#[path]`. What runs in it is theirs.
// each of them uses a part
#![allow(dead_code)]

mod keys;
pub mod secrets;
pub mod walk;
mod watch;

use std::{
    fs::File,
    io::{Read, Write},
    num::NonZero,
    os::unix::fs::OpenOptionsExt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::termios::{LocalModes, tcgetattr};
use watch::Watch;

/// The real program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_drydock");
/// Longest time that anything may take on a busy machine, unless a test says another.
const PATIENCE: Duration = Duration::from_secs(30);
/// Before a key that does something: keys before a screen could be read are thrown away there.
const READ: Duration = Duration::from_millis(350);
/// Longest wait for the echo of a letter; letters that arrive together are a paste.
const ECHO: Duration = Duration::from_millis(250);

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
    pictures: Arc<Mutex<Vec<String>>>,
    watch: Watch,
    stop: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
    patience: Duration,
}

/// All that anybody could see of a program and its children.
pub struct Shown {
    /// Every byte that the terminal got.
    pub raw: Vec<u8>,
    /// Every picture that these bytes made.
    pub pictures: Vec<String>,
    /// Arguments and environments.
    pub processes: std::collections::BTreeSet<Vec<u8>>,
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
        let pictures = Arc::<Mutex<Vec<String>>>::default();
        let watch = Watch::of(child.process_id().unwrap());
        let reader = {
            let (parser, bytes, raw, stop) =
                (Arc::clone(&parser), Arc::clone(&bytes), Arc::clone(&raw), Arc::clone(&stop));
            let pictures = Arc::clone(&pictures);
            std::thread::spawn(move || {
                let mut block = [0; 8192];
                while let Ok(n) = from.read(&mut block) {
                    if n == 0 || stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let picture = {
                        let mut parser = parser.lock().unwrap();
                        parser.process(&block[..n]);
                        parser.screen().contents()
                    };
                    pictures.lock().unwrap().push(picture);
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
            pictures,
            watch,
            stop,
            reader: Some(reader),
            patience: PATIENCE,
        }
    }

    /// The same terminal, with another longest wait.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Presses keys, one by one: letters, and names such as `<Enter>`, `<Shift-Tab>`, `<Ctrl-C>`.
    pub fn keys(&mut self, script: &str) {
        let mut letters = false;
        for key in keys::of(script) {
            let letter = !key[0].is_ascii_control();
            if !(letter && letters) {
                std::thread::sleep(READ);
            }
            letters = letter;
            let (before, begun) = (self.bytes(), Instant::now());
            self.writer.write_all(&key).unwrap();
            self.writer.flush().unwrap();
            while letter && self.bytes() == before && begun.elapsed() < ECHO {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Writes a line as a whole, to a shell.
    pub fn line(&mut self, line: &str) {
        self.writer.write_all(format!("{line}\r").as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// The picture as text, each row without the blanks at its end.
    pub fn screen(&self) -> String {
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
    pub fn wait_for(&self, text: &str) {
        self.until(&format!("`{text}` on the screen"), || self.screen().contains(text));
    }

    /// Waits until something holds.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < self.patience, "no {what}; the screen is\n{}", self.screen());
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
            assert!(begun.elapsed() < self.patience, "it does not end; the screen is\n{}", self.screen());
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

    /// Ends the program as a machine does that loses its power.
    pub fn kill(mut self) -> Shown {
        rustix::process::kill_process(self.id(), rustix::process::Signal::KILL).unwrap();
        self.child.wait().unwrap();
        self.shown()
    }

    /// All that could be seen of a program that is gone.
    pub fn shown(self) -> Shown {
        let Self { raw, pictures, watch, .. } = self;
        let (raw, pictures) = (raw.lock().unwrap().clone(), pictures.lock().unwrap().clone());
        Shown { raw, pictures, processes: watch.end() }
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
