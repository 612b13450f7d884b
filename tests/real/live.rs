//! The program under test while it runs: what it says line by line, so that a test can bring its bad luck at the right moment.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// Longest wait for one line of a run.
const PATIENCE: Duration = Duration::from_secs(150);

/// How it ended and all it said, on both outputs.
pub struct Said {
    pub code: i32,
    pub text: String,
}

impl Said {
    /// Asserts the exit code and that each of `words` was said; prints the message for the record.
    #[track_caller]
    pub fn expect(self, situation: &str, code: i32, words: &[&str]) -> Self {
        println!("\n== {situation}: exit {}\n{}", self.code, self.message());
        assert_eq!(self.code, code, "{situation}\n{}", self.text);
        let all = flat(&self.text);
        for word in words {
            assert!(all.contains(&flat(word)), "{situation}: {word:?} was not said\n{}", self.text);
        }
        self
    }

    /// The end of what was said, which is where a failure stands.
    fn message(&self) -> String {
        let lines: Vec<&str> = self.text.lines().collect();
        lines[lines.len().saturating_sub(16)..].iter().map(|line| format!("   {line:.400}\n")).collect()
    }
}

/// On one line, with single spaces: prompts wrap their lines anywhere between words.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end.
pub fn said(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Said { code: output.status.code().unwrap_or(-1), text: format!("{out}{err}") }
}

/// A run that tells its events as JSON lines.
pub struct Live {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Live {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).all(|line| send.send(line).is_ok());
        });
        Self { child, lines, said: String::new() }
    }

    /// Waits for a line that holds all of `marks`, and returns it.
    #[track_caller]
    pub fn until(&mut self, marks: &[&str]) -> String {
        let started = Instant::now();
        loop {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(started.elapsed())) {
                Ok(line) => {
                    self.said.push_str(&line);
                    self.said.push('\n');
                    if marks.iter().all(|mark| line.contains(mark)) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no line with {marks:?}\n{}", self.said),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended before a line with {marks:?}\n{}", self.said),
            }
        }
    }

    /// Waits for the intent of a step.
    #[track_caller]
    pub fn step(&mut self, step: &str) {
        self.until(&["\"type\":\"intent\"", &format!("\"step\":\"{step}\"")]);
    }

    /// Ends it at once, as a machine does that loses its power.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn end(mut self) -> Said {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.said.push_str(&line);
                    self.said.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().unwrap();
                    panic!("it neither went on nor ended\n{}", self.said);
                }
            }
        }
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Said { code, text: format!("{}{err}", self.said) }
    }
}
