//! Follows an output file on a thread of its own: new whole lines, counted, the last ones kept. A slow terminal slows nothing.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    sync::mpsc::{Receiver, Sender, channel},
};

use tokio::sync::mpsc;

use crate::{
    app::log::HELD,
    run::{OutputLine, StepId},
};

/// New lines of a step.
pub struct Lines {
    /// The step.
    pub step: StepId,
    /// The new lines, the last ones only when there are many.
    pub fresh: Vec<OutputLine>,
    /// How many there were, with those that are not among them.
    pub came: u64,
}

/// The thread's handle.
pub struct Tail(Sender<StepId>);

struct At {
    step: StepId,
    file: Option<File>,
    rest: Vec<u8>,
}

impl Tail {
    /// Starts it for the files in `folder`.
    pub fn start(folder: PathBuf) -> (Self, mpsc::Receiver<Lines>) {
        let (ask, asked) = channel::<StepId>();
        let (tell, told) = mpsc::channel(4);
        std::thread::spawn(move || follow(&folder, &asked, &tell));
        (Self(ask), told)
    }

    /// Reads what is new of this step's output.
    pub fn read(&self, step: &StepId) {
        let _ = self.0.send(step.clone());
    }
}

fn follow(folder: &std::path::Path, asked: &Receiver<StepId>, tell: &mpsc::Sender<Lines>) {
    let mut at: Option<At> = None;
    while let Ok(mut step) = asked.recv() {
        // many notices about one file are one read
        while let Ok(next) = asked.try_recv() {
            step = next;
        }
        if at.as_ref().is_none_or(|at| at.step != step) {
            at = Some(At { step: step.clone(), file: None, rest: Vec::new() });
        }
        let Some(at) = &mut at else { continue };
        if at.file.is_none() {
            at.file = File::open(folder.join(format!("{step}.log"))).ok();
        }
        let Ok((lines, came)) = at.new_lines() else { continue };
        if tell.blocking_send(Lines { step, fresh: lines, came }).is_err() {
            return;
        }
    }
}

impl At {
    /// The last lines that are new, and how many are.
    fn new_lines(&mut self) -> std::io::Result<(Vec<OutputLine>, u64)> {
        let Some(file) = &mut self.file else { return Ok((Vec::new(), 0)) };
        let from = file.stream_position()?;
        file.seek(SeekFrom::Start(from))?;
        let (mut lines, mut came) = (std::collections::VecDeque::new(), 0);
        let mut block = vec![0; 256 * 1024];
        loop {
            let n = file.read(&mut block)?;
            if n == 0 {
                return Ok((lines.into(), came));
            }
            self.rest.extend_from_slice(&block[..n]);
            let mut begin = 0;
            while let Some(end) = self.rest[begin..].iter().position(|byte| *byte == b'\n').map(|end| begin + end) {
                if let Some(line) = OutputLine::decode(&String::from_utf8_lossy(&self.rest[begin..end])) {
                    came += 1;
                    lines.push_back(line);
                }
                if lines.len() > HELD {
                    lines.pop_front();
                }
                begin = end + 1;
            }
            self.rest.drain(..begin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Tag;

    #[test]
    fn only_whole_lines_are_told_and_all_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.log");
        let line =
            OutputLine { at: jiff::Timestamp::UNIX_EPOCH, source: "x".into(), tag: Tag::Plain, text: "hello".into() };
        let text = line.encode().repeat(HELD + 7);
        std::fs::write(&path, format!("{text}{}", &line.encode()[..9])).unwrap();
        let (tail, mut told) = Tail::start(folder.path().to_owned());
        let step = StepId("dump".into());
        tail.read(&step);
        let lines = told.blocking_recv().unwrap();
        assert_eq!((lines.fresh.len(), lines.came), (HELD, HELD as u64 + 7));
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &line.encode().as_bytes()[9..]))
            .unwrap();
        tail.read(&step);
        let lines = told.blocking_recv().unwrap();
        assert_eq!((lines.fresh, lines.came), (vec![line], 1));
    }
}
